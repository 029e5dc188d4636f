// What tern trace prints.
#include "tools/tern/trace_report.h"

#include "libutil/text.h"

#include <ctime>

namespace tern {

namespace {

constexpr std::size_t max_shown = 2000;

std::string shown(std::string_view text) { return util::printable(text, max_shown); }

std::string time_text(std::int64_t microseconds)
{
    std::time_t seconds = microseconds / 1'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[40];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local));
}

// "2026-11-23 20:01:02.123": what a reader wants of a line's time.
std::string short_time(std::string_view time)
{
    std::string text(time.substr(0, std::min<std::size_t>(time.size(), 23)));
    if (text.size() > 10)
        text[10] = ' ';
    return shown(text);
}

void append_event(std::string& out, const TraceEvent& event)
{
    bool quiet = event.level == "info" || event.level == "verbose";
    util::append(out, "    ", short_time(event.time), "  ", shown(event.service),
                 std::string(event.service.size() < 8 ? 8 - event.service.size() : 0, ' '), "  ", quiet ? "" : event.level,
                 quiet ? "" : ": ", shown(event.text), '\n');
}

void append_queued(std::string& out, const QueuedState& queued)
{
    util::append(out, "  now: in the ", queued.item.queue, " queue");
    if (queued.item.next_attempt != 0)
        util::append(out, ", tried again at ", time_text(queued.item.next_attempt));
    if (queued.item.forced_expire)
        out += ", to be returned to its sender";
    out += '\n';
    for (const ipc::QueueItemRecipient& recipient : queued.recipients)
        util::append(out, "    <", shown(recipient.address), ">", recipient.reason.empty() ? "" : ": ", shown(recipient.reason),
                     '\n');
}

std::string json_event(const TraceEvent& event)
{
    return util::concat("{\"time\": ", util::json_quote(event.time), ", \"daemon\": ", util::json_quote(event.service),
                        ", \"pid\": ", event.pid, ", \"level\": ", util::json_quote(event.level),
                        ", \"text\": ", util::json_quote(event.text), '}');
}

std::string json_recipient(const TraceRecipient& recipient)
{
    std::string out = util::concat("{\"address\": ", util::json_quote(recipient.address));
    if (!recipient.original.empty())
        util::append(out, ", \"orig_to\": ", util::json_quote(recipient.original));
    util::append(out, ", \"status\": ", util::json_quote(recipient.status), ", \"reason\": ", util::json_quote(recipient.text),
                 ", \"dsn\": ", util::json_quote(recipient.dsn), ", \"relay\": ", util::json_quote(recipient.relay),
                 ", \"delay\": ", util::json_quote(recipient.delay), ", \"time\": ", util::json_quote(recipient.time), '}');
    return out;
}

std::string json_queued(const QueuedState& queued)
{
    std::string out = util::concat("{\"queue_name\": ", util::json_quote(queued.item.queue),
                                   ", \"arrival_time\": ", queued.item.arrival / 1'000'000);
    if (queued.item.next_attempt != 0)
        util::append(out, ", \"next_attempt\": ", queued.item.next_attempt / 1'000'000);
    util::append(out, ", \"forced_expire\": ", queued.item.forced_expire ? "true" : "false", ", \"recipients\": [");
    bool first = true;
    for (const ipc::QueueItemRecipient& recipient : queued.recipients) {
        util::append(out, first ? "" : ", ", "{\"address\": ", util::json_quote(recipient.address));
        if (!recipient.reason.empty())
            util::append(out, ", \"delay_reason\": ", util::json_quote(recipient.reason));
        out += '}';
        first = false;
    }
    return out + "]}";
}

}  // namespace

std::string trace_to_text(const TracedMessage& message, const QueuedState* queued, bool known)
{
    std::string out = message.id;
    if (message.has_sender)
        util::append(out, " from <", shown(message.sender), ">");
    if (!message.message_id.empty())
        util::append(out, " message-id ", shown(message.message_id));
    out += '\n';
    for (const TraceEvent& event : message.events)
        append_event(out, event);
    if (message.left_out > 0)
        util::append(out, "    and ", message.left_out, " lines more\n");
    for (const TraceRecipient& recipient : message.recipients)
        util::append(out, "  <", shown(recipient.address), ">: ", shown(recipient.status), recipient.text.empty() ? "" : ": ",
                     shown(recipient.text), '\n');
    if (queued)
        append_queued(out, *queued);
    else if (known)
        util::append(out, message.removed ? "  now: it has left the queue\n"
                                          : "  now: it is not in the queue, and the log does not say that it has left it\n");
    if (!message.related.empty()) {
        out += "  see also:";
        for (const std::string& id : message.related)
            util::append(out, ' ', id);
        out += '\n';
    }
    return out + '\n';
}

std::string trace_to_json(const TracedMessage& message, const QueuedState* queued, bool known)
{
    std::string out = util::concat("{\"queue_id\": ", util::json_quote(message.id));
    if (message.has_sender)
        util::append(out, ", \"sender\": ", util::json_quote(message.sender));
    if (!message.message_id.empty())
        util::append(out, ", \"message_id\": ", util::json_quote(message.message_id));
    auto append_list = [&out](std::string_view name, const auto& items, auto show) {
        util::append(out, ", \"", name, "\": [");
        bool first = true;
        for (const auto& item : items) {
            util::append(out, first ? "" : ", ", show(item));
            first = false;
        }
        out += ']';
    };
    append_list("events", message.events, json_event);
    append_list("recipients", message.recipients, json_recipient);
    append_list("related", message.related, [](const std::string& id) { return util::json_quote(id); });
    util::append(out, ", \"removed\": ", message.removed ? "true" : "false");
    if (known)
        util::append(out, ", \"queue\": ", queued ? json_queued(*queued) : "null");
    return out + "}\n";
}

std::string refusal_to_text(const TraceEvent& refusal)
{
    std::string out = "refused\n";
    append_event(out, refusal);
    return out + '\n';
}

std::string refusal_to_json(const TraceEvent& refusal)
{
    return util::concat("{\"queue_id\": null, \"events\": [", json_event(refusal), "]}\n");
}

}  // namespace tern
