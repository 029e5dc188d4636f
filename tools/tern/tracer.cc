// Finding messages in the log.
#include "tools/tern/tracer.h"

#include "libqueue/queue_id.h"
#include "libutil/text.h"

#include <algorithm>

namespace tern {

namespace {

constexpr std::string_view no_queue = "NOQUEUE";
constexpr std::string_view message_id_key = "message-id=";

TraceEvent event_of(const tools::LogLine& line)
{
    return {std::string(line.time), std::string(line.service), line.pid, std::string(line.level), std::string(line.rest)};
}

// The id that the text ends with, in brackets or not.
std::string_view last_id(std::string_view text)
{
    while (text.ends_with(')') || text.ends_with('.'))
        text.remove_suffix(1);
    std::size_t start = text.size();
    while (start > 0 && util::is_alnum(text[start - 1]))
        --start;
    std::string_view word = text.substr(start);
    return start > 0 && queue::is_queue_id(word) ? word : std::string_view();
}

// "sent" and "stored" of "sent (stored)".
std::pair<std::string_view, std::string_view> split_status(std::string_view status)
{
    auto [word, text] = util::split_first(status, ' ');
    if (text.size() >= 2 && text.front() == '(' && text.back() == ')')
        text = text.substr(1, text.size() - 2);
    return {word, text};
}

}  // namespace

Tracer::Tracer(TraceQuestion question) : question_(std::move(question)), finding_(question_.queue_id.empty())
{
    if (!finding_)
        (void)add_id(question_.queue_id);
}

void Tracer::line(const tools::LogLine& line)
{
    if (finding_)
        find(line);
    else
        collect(line);
}

bool Tracer::in_span(const tools::LogLine& line) const
{
    std::int64_t from = question_.since.value_or(INT64_MIN), to = question_.until.value_or(INT64_MAX);
    if (question_.time) {
        from = std::max(from, question_.time->from);
        to = std::min(to, question_.time->to);
    }
    if (from == INT64_MIN && to == INT64_MAX)
        return true;
    auto time = tools::parse_log_time(line.time);
    return time && *time >= from && *time < to;
}

bool Tracer::fits(const tools::LogLine& line) const
{
    if (!question_.address.empty() && !tools::names_address(line.rest, question_.address))
        return false;
    return in_span(line);
}

void Tracer::find(const tools::LogLine& line)
{
    // The costly question last: this sees every line.
    if (line.id.empty() || !fits(line) || (!queue::is_queue_id(line.id) && line.id != no_queue))
        return;
    if (line.id == no_queue) {
        refusals_.push_back(event_of(line));
        if (refusals_.size() > max_refusals)
            refusals_.pop_front();
        return;
    }
    if (!found_.empty() && found_.back() == line.id)
        return;
    auto [where, added] = seen_.emplace(line.id);
    if (!added)
        return;
    found_.push_back(*where);
    if (found_.size() > question_.limit) {
        seen_.erase(found_.front());
        found_.pop_front();
        ++left_out_;
    }
}

bool Tracer::add_id(std::string_view id)
{
    if (messages_.size() >= question_.limit + max_related || messages_.contains(id))
        return false;
    messages_.emplace(std::string(id), TracedMessage()).first->second.id = id;
    return true;
}

void Tracer::relate(TracedMessage& message, std::string_view id)
{
    if (message.id == id || message.related.size() >= max_related)
        return;
    changed_ = add_id(id) || changed_;
    auto other = messages_.find(id);
    if (other == messages_.end())
        return;
    message.related.emplace(id);
    other->second.related.insert(message.id);
}

void Tracer::collect(const tools::LogLine& line)
{
    auto found = line.id.empty() ? messages_.end() : messages_.find(line.id);
    std::string_view other = last_id(line.rest);
    if (found == messages_.end()) {
        auto mentioned = other.empty() ? messages_.end() : messages_.find(other);
        bool same_text =
            line.rest.starts_with(message_id_key) && message_ids_.contains(line.rest.substr(message_id_key.size()));
        if (mentioned == messages_.end() && !same_text)
            return;
        bool has_id = queue::is_queue_id(line.id);
        if (same_text && has_id)
            changed_ = add_id(line.id) || changed_;
        else if (has_id)
            relate(mentioned->second, line.id);
        else if (!same_text)
            note(mentioned->second, line);  // as the notice of a session's errors
        return;
    }
    note(found->second, line);
    if (!other.empty())
        relate(found->second, other);
}

void Tracer::note(TracedMessage& message, const tools::LogLine& line)
{
    if (message.events.empty() && message.left_out == 0)
        order_.push_back(message.id);
    if (events_ < max_events) {
        ++events_;
        message.events.push_back(event_of(line));
    } else {
        ++message.left_out;
    }
    if (line.id != message.id)
        return;
    if (line.rest.starts_with(message_id_key)) {
        message.message_id = line.rest.substr(message_id_key.size());
        // One that many messages have ties nothing together.
        if (message.message_id.size() > 2)
            changed_ = message_ids_.insert(message.message_id).second || changed_;
    } else if (line.rest.starts_with("from=<")) {
        message.sender = tools::log_field(line.rest, "from");
        message.has_sender = true;
    } else if (line.rest.starts_with("to=<")) {
        note_recipient(message, line, tools::log_field(line.rest, "to"));
    } else if (line.rest.starts_with("removed")) {
        message.removed = true;
    }
}

void Tracer::note_recipient(TracedMessage& message, const tools::LogLine& line, std::string_view address)
{
    auto place = std::ranges::find(message.recipients, address, &TraceRecipient::address);
    if (place == message.recipients.end()) {
        if (message.recipients.size() == max_recipients)
            return;
        message.recipients.emplace_back();
        place = std::prev(message.recipients.end());
        place->address = address;
    }
    auto [status, text] = split_status(tools::log_field(line.rest, "status"));
    place->original = tools::log_field(line.rest, "orig_to");
    place->relay = tools::log_field(line.rest, "relay");
    place->delay = tools::log_field(line.rest, "delay");
    place->dsn = tools::log_field(line.rest, "dsn");
    place->status = status;
    place->text = text;
    place->time = line.time;
}

bool Tracer::end_pass()
{
    ++passes_;
    if (finding_) {
        finding_ = false;
        for (const std::string& id : found_)
            (void)add_id(id);
        return !messages_.empty();
    }
    bool again = std::exchange(changed_, false) && passes_ < max_passes;
    if (!again)
        return false;
    events_ = 0;
    order_.clear();
    for (auto& item : messages_) {
        TracedMessage fresh;
        fresh.id = item.first;
        fresh.related = std::move(item.second.related);
        item.second = std::move(fresh);
    }
    return true;
}

std::vector<const TracedMessage*> Tracer::messages() const
{
    std::vector<const TracedMessage*> result;
    for (const std::string& id : order_)
        result.push_back(&messages_.find(id)->second);
    return result;
}

}  // namespace tern
