// Which lines are shown.
#include "tools/ternlog/filter.h"

#include "libqueue/queue_id.h"
#include "libutil/text.h"

#include <algorithm>

namespace ternlog {

namespace {

constexpr std::string_view known_statuses[] = {"sent",        "deferred",      "bounced", "expired", "force-expired",
                                               "deliverable", "undeliverable", "reject",  "hold"};
constexpr std::string_view known_levels[] = {"panic", "fatal", "error", "warning", "info", "verbose"};
constexpr std::string_view known_daemons[] = {"master", "smtpd", "pickup",  "cleanup", "qmgr",  "local",  "bounce",  "auth",
                                              "usher",  "imapd", "mailbox", "pop3d",   "smtp",  "lmtp",   "relay",   "pipe",
                                              "anvil",  "error", "errands", "tables",  "log",   "verify", "auth-pam", "sts"};

bool contains(const auto& words, std::string_view word) { return std::ranges::find(words, word) != std::end(words); }

bool has_nocase(std::string_view text, std::string_view wanted)
{
    auto same = [](char a, char b) { return util::to_lower(a) == util::to_lower(b); };
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

// What became of something, in one word.
bool has_status(const tools::LogLine& line, std::string_view status)
{
    std::string_view word = tools::log_field(line.rest, "status");
    word = word.substr(0, std::min(word.find(' '), word.find(',')));
    if (word == status)
        return true;
    if (status == "hold")
        return line.rest.starts_with("hold: ") || line.rest.starts_with("placed on hold");
    return status == "reject" && line.rest.starts_with("reject: ");
}

}  // namespace

bool Filter::matches(const tools::LogLine& line) const
{
    auto is_daemon = [&](const std::string& name) {
        return line.service == name || line.program == name || line.program.ends_with("/" + name);
    };
    auto is_of_message = [&](const std::string& id) { return line.id == id || line.rest.find(id) != std::string_view::npos; };
    auto is_of_address = [&](const std::string& address) {
        return has_nocase(line.text, util::concat('<', address, '>')) ||
               util::equal_nocase(tools::log_field(line.rest, "sasl_username"), address);
    };
    if (!ids.empty() && std::ranges::none_of(ids, is_of_message))
        return false;
    if (!daemons.empty() && std::ranges::none_of(daemons, is_daemon))
        return false;
    if (!levels.empty() && !contains(levels, line.level))
        return false;
    if (!statuses.empty() &&
        std::ranges::none_of(statuses, [&](const std::string& status) { return has_status(line, status); }))
        return false;
    if (!addresses.empty() && std::ranges::none_of(addresses, is_of_address))
        return false;
    if (!std::ranges::all_of(texts, [&](const std::string& text) { return line.text.find(text) != std::string_view::npos; }))
        return false;
    if (!since && !until)
        return true;
    auto time = tools::parse_log_time(line.time);
    return time && (!since || *time >= *since) && (!until || *time < *until);
}

void Filter::add_word(std::string_view word)
{
    std::string text(word);
    if (queue::is_queue_id(word))
        ids.push_back(std::move(text));
    else if (contains(known_statuses, word))
        statuses.push_back(std::move(text));
    else if (contains(known_levels, word) && word != "error")
        levels.push_back(std::move(text));
    else if (contains(known_daemons, word) && word != "error")
        daemons.push_back(std::move(text));
    else if (word == "error")
        levels.push_back(std::move(text));
    else if (word.find('@') != std::string_view::npos && word.find(' ') == std::string_view::npos)
        addresses.push_back(word.size() > 2 && word.front() == '<' && word.back() == '>' ? text.substr(1, text.size() - 2)
                                                                                         : std::move(text));
    else
        texts.push_back(std::move(text));
}

}  // namespace ternlog
