// The main.cf(5) parameters of usher(8), those of mailbox(8) among them: usher reads them and hands
// them over, so that a mailbox starts without main.cf.
#pragma once

#include "libconf/parameter.h"
#include "libipc/capability_rules.h"
#include "libconf/quota_config.h"
#include "libutil/text.h"

#include <algorithm>

namespace usher {

// "80, 95": up to eight whole numbers from 1 to 100 that grow.
inline util::Result<std::vector<std::uint32_t>> parse_warnings(const std::vector<std::string>& words)
{
    constexpr std::size_t most = 8;
    std::vector<std::uint32_t> warnings;
    for (const std::string& word : words) {
        auto number = util::parse_unsigned(word, 100);
        if (!number.ok() || *number == 0 || (!warnings.empty() && *number <= warnings.back()))
            return util::invalid("whole numbers from 1 to 100 that grow are wanted");
        warnings.push_back(static_cast<std::uint32_t>(*number));
    }
    if (warnings.size() > most)
        return util::invalid(util::concat("more than ", most, " numbers"));
    return warnings;
}

class QuotaWarnings final : public conf::Words {
public:
    using Words::Words;
    util::Result<std::vector<std::string>> parse(std::string_view text) const override
    {
        auto words = TRY(Words::parse(text));
        TRY(parse_warnings(words));
        return words;
    }
};

class MessageLimit final : public conf::Count {
public:
    using Count::Count;
    util::Result<std::uint64_t> parse(std::string_view text) const override
    {
        constexpr std::uint64_t least = 1000;   // RFC 9738 §3
        auto limit = TRY(Count::parse(text));
        if (limit != 0 && limit < least)
            return util::invalid(util::concat("less than ", least, ", and not 0"));
        return limit;
    }
};

// "imap.example.org, [2001:db8::7]:1143".
class UrlHosts final : public conf::Words {
public:
    using Words::Words;
    util::Result<std::vector<std::string>> parse(std::string_view text) const override
    {
        constexpr std::size_t most = 100;
        auto words = TRY(Words::parse(text));
        if (words.size() > most)
            return util::invalid(util::concat("more than ", most, " names"));
        for (const auto& word : words)
            if (!std::all_of(word.begin(), word.end(), [](char c) {
                    return util::is_alnum(c) || std::string_view(".-:[]").find(c) != std::string_view::npos;
                }))
                return util::invalid(util::concat(util::printable(word, 100), " is no HOST and no HOST:PORT"));
        return words;
    }
};

struct Config : conf::QuotaConfig {
    conf::Count minimum_uid{this, "usher_minimum_uid", "1000", {.min = 1, .max = UINT32_MAX - 1},
        "No mailbox runs under a uid below this one, and never under root's."};
    conf::Count process_limit{this, "mailbox_process_limit", "500", {.min = 1, .max = 100'000},
        "How many mailbox processes there may be.  At the limit the one without sessions that has "
        "been without orders longest is told to leave; when all have sessions, mail is deferred and "
        "log-ins are refused for the time being."};
    conf::Duration order_timeout{this, "usher_order_timeout", "10s",
        {.min = std::chrono::milliseconds(10), .max = std::chrono::hours(1)},
        "How long an order waits for room below mailbox_process_limit, and for auth(8)."};
    conf::Duration start_timeout{this, "mailbox_start_timeout", "30m",
        {.min = std::chrono::milliseconds(10), .max = std::chrono::hours(24)},
        "How long a mailbox process may take until it has opened its user's mailboxes; then it is killed, and counts "
        "as one that did not become ready.  After a crash all of a user's mail may have to be read for that."};
    conf::Duration exit_timeout{this, "mailbox_exit_timeout", "30s",
        {.min = std::chrono::milliseconds(10), .max = std::chrono::hours(1)},
        "How long a mailbox process that was told to leave may take before it is killed; not longer than half of "
        "$master_stop_time counts when the mail system stops."};
    conf::Duration failure_pause{this, "mailbox_failure_pause", "1s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::hours(1)},
        "How long after a mailbox process failed within ten seconds of its start the next is started "
        "for its user; orders for that user wait meanwhile.  When the process did not even become ready, "
        "orders are refused, so that mail is deferred, and each further such failure doubles the pause."};
    conf::Duration failure_pause_limit{this, "mailbox_failure_pause_limit", "60s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::hours(24)},
        "The longest pause that comes of such doubling: so long after its cause is gone a user's mailbox "
        "is back at the latest."};

    conf::Duration idle_time{this, "mailbox_idle_time", "60s",
        {.min = std::chrono::milliseconds(100), .max = std::chrono::hours(24 * 30)},
        "How long a mailbox process without sessions and deliveries waits for more before it ends."};
    conf::Count session_limit{this, "mailbox_session_limit", "64", {.min = 1, .max = 10'000},
        "How many sessions one user may have at a time."};
    conf::Duration park_delay{this, "mailbox_park_delay", "5s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::hours(24)},
        "How long a session in IDLE, or after NOTIFY, waits for news before it is parked: the connection stays, kept "
        "by usher(8), and the user's mailbox process may end.  A session between two commands is parked after ten "
        "times as long.  0: none is parked."};
    conf::Count parked_limit{this, "mailbox_parked_limit", "20000", {.min = 0, .max = 1'000'000},
        "How many sessions may be parked; those beyond it keep their mailbox process.  Each is an open file of "
        "usher(8), which parks no more than its limit of these leaves room for."};
    conf::Duration flag_sync_delay{this, "mailbox_flag_sync_delay", "1s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::minutes(10)},
        "How long after it was made a change of flags may be lost by a power failure; 0: a change "
        "is on disk before the client hears that it was made."};
    conf::Duration undelete_time{this, "mailbox_undelete_time", "14d",
        "How long expunged messages and removed mailboxes can be restored."};
    conf::Size undelete_limit{this, "mailbox_undelete_limit", "1073741824",
        "How many bytes of expunged messages are kept for that at most; the oldest go first."};
    conf::Flag search_index{this, "mailbox_search_index", "yes",
        "Keep an index of each user's mail, so that SEARCH reads only messages that may hold what is looked for.  "
        "Answers are the same without it."};
    conf::Duration search_index_delay{this, "mailbox_search_index_delay", "5s",
        {.min = std::chrono::milliseconds(0), .max = std::chrono::hours(24)},
        "How long after a message came it is added to the index, with all that came meanwhile; later while it is not this "
        "user's turn (mailbox_search_index_process_limit)."};
    conf::Count search_index_process_limit{this, "mailbox_search_index_process_limit", "4", {.min = 1, .max = 10'000},
        "How many users' indexes are added to at a time, each by a process that may use mailbox_search_memory_limit.  "
        "Others wait for their turn, first come first served; an index to which more is missing than one turn can add goes to "
        "the end of the line.  Meanwhile searches read what the index lacks."};
    conf::Duration search_time_limit{this, "mailbox_search_time_limit", "60s",
        {.min = std::chrono::seconds(2), .max = std::chrono::hours(24)},
        "How long one search, or one addition to the index, may keep a process busy; a search that takes longer "
        "fails."};
    conf::Size search_memory_limit{this, "mailbox_search_memory_limit", "134217728",
        {.min = 32U << 20, .max = std::uint64_t(1) << 40},
        "How much memory such a process may use besides what the user's mailbox has already.  A message of more than "
        "a sixteenth of that is not indexed but read whenever somebody searches."};
    conf::Size segment_size{this, "mailbox_segment_size", "16777216", {.min = 65'536, .max = 1U << 30},
        "About how large a segment of a store's log grows before the next is begun."};
    conf::Words transcript_accounts{this, "mailbox_transcript_accounts", "",
        "Accounts, as ternuser(1) lists them, whose IMAP and POP3 sessions are written down in the directory "
        "transcripts of their home, for a time: to see what a client does.  There is mail in them, and no password."};
    conf::Duration expire_interval{this, "mailbox_expire_interval", "24h",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24 * 30)},
        "How often old mail is removed by mailbox_expire.  Users are gone through one by one; the first round begins "
        "fifteen minutes after a start, or earlier when the interval is shorter."};
    ipc::CapabilityRules discard_capabilities{this, "imapd_discard_capabilities", "",
        "Capabilities that IMAP clients do not hear of after their log-in, and cannot enable.  Between commas stand rules: "
        "names of capabilities, for everybody; or names behind user=PATTERN, for accounts, or behind client=PATTERN, "
        "for clients that give themselves such a name by ID: client=*Outlook* UIDONLY.  In patterns, * stands for "
        "anything, ? for one character, and case does not matter."};
    MessageLimit message_limit{this, "imapd_message_limit", "0", {.max = 100'000'000},
        "How many messages one command of an IMAP client works on (MESSAGELIMIT, RFC 9738): FETCH, STORE, SEARCH, MOVE and UID "
        "EXPUNGE take the newest of more, COPY and APPEND refuse more.  0: as many as there are; else 1000 at least.  Many "
        "clients do not know of such limits, and would lose sight of old mail: imapd_discard_capabilities, with "
        "client= or user= and MESSAGELIMIT, takes them out."};
    UrlHosts url_hosts{this, "imapd_url_hosts", "$myhostname",
        "Names by which IMAP URLs mean this server, each HOST or, if it is not port 143, HOST:PORT: URLs of other servers "
        "are not authorized and not fetched (URLAUTH, RFC 4467).  Empty: clients do not hear of URLAUTH."};
    conf::Flag strict_append{this, "mailbox_strict_append", "no",
        "Whether IMAP clients that have not enabled UTF8=ACCEPT may store only messages whose header is ASCII, as RFC "
        "6855 demands.  Many old messages have other headers, and could then not be moved here."};
    conf::Count quota_grace{this, "mailbox_quota_grace", "0", {.max = 100},
        "By how many percent of a user's limits a delivery may go beyond them, so that the last message is not returned.  "
        "Who stores or copies messages by IMAP has no such grace, and a domain's limits have none."};
    conf::Count quota_trash{this, "mailbox_quota_trash", "10", {.max = 100},
        "By how many percent of a user's limits copying into the mailbox with the use \\Trash may go beyond them: "
        "clients without MOVE delete in that way, and whose mailbox is full must be able to delete."};
    QuotaWarnings quota_warnings{this, "mailbox_quota_warnings", "80, 95",
        "At how many percent of a limit a user finds a warning in INBOX: up to eight numbers from 1 to 100 that grow.  "
        "Each is told once each time that it is passed upwards; where several are passed at once, the highest.  Empty: "
        "none."};
    conf::Path quota_warning_template_file{this, "quota_warning_template_file", "",
        "The file with the words of that warning: header fields, of which From: and Subject: are needed, an empty line, the "
        "text.  $account, $domain, $hostname, $percent, $used, $limit and $resource have their values.  Empty, or "
        "a file with a mistake, which is logged: the built-in words."};
    conf::Count guest_limit{this, "mailbox_guest_limit", "200", {.min = 1, .max = 10'000},
        "How many sessions of other users one mailbox process may have at a time, for mailboxes that its user shares.  "
        "Each user who shares has so many."};
    conf::Count guest_user_limit{this, "mailbox_guest_user_limit", "50", {.min = 1, .max = 10'000},
        "How many of these one other user may have, so that the rest is left to others.  Each session of his that has "
        "to do with that user's mailboxes is one there."};
    conf::Text other_users_prefix{this, "mailbox_other_users_prefix", "Other Users/",
        "How the names of mailboxes begin that other users share, before the user's name; it ends with a slash.  "
        "Empty: nothing is shared."};
    conf::Text public_prefix{this, "mailbox_public_prefix", "Shared/",
        "How the names of public folders begin; it ends with a slash."};
    conf::Text public_account{this, "mailbox_public_account", "",
        "The account whose mailboxes are the public folders; who may do what in them say their access control lists."};
    conf::Text server_comment{this, "mailbox_server_comment", "",
        "What IMAP clients hear as the comment on this server (METADATA, /shared/comment)."};
    conf::Text server_admin{this, "mailbox_server_admin", "mailto:postmaster@$mydomain",
        "How IMAP clients are told to reach the administrator: a URI (METADATA, /shared/admin)."};
    conf::Size data_limit{this, "mailbox_data_limit", "1073741824", {.min = 16U << 20, .max = std::uint64_t(1) << 40},
        "How much memory one mailbox process may allocate: several times message_size_limit."};
    conf::Count open_files{this, "mailbox_open_files", "512", {.min = 64, .max = 1'000'000},
        "How many files and connections one mailbox process may have open."};
};

}  // namespace usher
