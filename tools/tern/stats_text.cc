// What tern stats prints.
#include "libutil/text.h"
#include "tools/tern/stats.h"

#include <algorithm>

namespace tern {

namespace {

// Of all names that there are; those of a later daemon have none.
constexpr std::pair<std::string_view, std::string_view> help[] = {
    {"active_messages", "Messages in the active queue."},
    {"active_recipients", "Their recipients who have not had their turn."},
    {"authentications_total", "Log-in attempts of all services."},
    {"delay_count", "Deliveries that an agent has answered."},
    {"delay_seconds_sum", "Their delays, by stage."},
    {"deliveries_total", "Attempts at delivery, of each recipient."},
    {"expired_total", "Messages that went back for their age."},
    {"files_examined_total", "Names of queue files that the queue manager has looked at, in search of what is due."},
    {"files_opened_total", "Queue files that it has opened."},
    {"mailboxes", "Mailbox processes of users."},
    {"messages_total", "Messages that the queue manager took up."},
    {"processes", "Processes of a service."},
    {"processes_busy", "Those with a client, or with as many as they take."},
    {"processes_started_total", "Processes that were started."},
    {"queue_messages", "Files of messages in a queue."},
    {"queue_oldest_seconds", "The age of the oldest message in a queue."},
    {"races_total", "New messages: delivered before they had a name, refused, or kept in the queue."},
    {"running_seconds", "How long the mail system runs."},
    {"sessions", "Sessions of clients; of IMAP and POP3 those that are logged in."},
};

std::string_view help_of(std::string_view name)
{
    auto found = std::find_if(std::begin(help), std::end(help), [&](const auto& item) { return item.first == name; });
    return found == std::end(help) ? std::string_view("A number.") : found->second;
}

std::string number(const ipc::Metric& metric)
{
    if (!metric.microseconds)
        return util::concat(metric.value);
    std::string fraction = util::concat(metric.value % 1'000'000);
    return util::concat(metric.value / 1'000'000, ".", std::string(6 - fraction.size(), '0'), fraction);
}

// A label's value may have a name of master.cf in it.
std::string label_of(const ipc::Metric& metric)
{
    if (metric.label.empty())
        return {};
    std::string value;
    for (char c : metric.label_value)
        util::append(value, c == '"' || c == '\\' ? "\\" : "", util::is_printable(c) ? c : '?');
    return util::concat('{', metric.label, "=\"", value, "\"}");
}

}  // namespace

std::string stats_to_text(const std::vector<ipc::Metric>& metrics)
{
    std::size_t width = 0;
    for (const ipc::Metric& metric : metrics)
        width = std::max(width, metric.name.size() + label_of(metric).size());
    std::string out;
    for (const ipc::Metric& metric : metrics) {
        std::string name = metric.name + label_of(metric);
        util::append(out, name, std::string(width - name.size() + 2, ' '), number(metric), "\n");
    }
    return out;
}

std::string stats_to_json(const std::vector<ipc::Metric>& metrics)
{
    std::string out = "{";
    std::string_view last;
    for (const ipc::Metric& metric : metrics) {
        bool goes_on = !metric.label.empty() && metric.name == last;
        if (!goes_on)
            util::append(out, out.size() > 1 ? ", " : "", util::json_quote(metric.name), ": ", metric.label.empty() ? "" : "{");
        else
            out.replace(out.size() - 1, 1, ", ");  // the brace of the one before
        if (!metric.label.empty())
            util::append(out, util::json_quote(metric.label_value), ": ");
        util::append(out, number(metric), metric.label.empty() ? "" : "}");
        last = metric.name;
    }
    return out + "}\n";
}

std::string stats_to_prometheus(const std::vector<ipc::Metric>& metrics)
{
    std::string out;
    std::string_view last;
    for (const ipc::Metric& metric : metrics) {
        if (metric.name != last) {
            util::append(out, "# HELP tern_", metric.name, " ", help_of(metric.name), "\n# TYPE tern_", metric.name,
                         metric.kind == ipc::Metric::Kind::Counter ? " counter\n" : " gauge\n");
            last = metric.name;
        }
        util::append(out, "tern_", metric.name, label_of(metric), " ", number(metric), "\n");
    }
    return out;
}

}  // namespace tern
