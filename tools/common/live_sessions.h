// Who is logged in, and ending sessions: what tern(1) and ternuser(1) ask master(8) and usher(8).
#pragma once

#include "libconf/common.h"
#include "libipc/who.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tools {

struct LiveSession {
    std::string id;           // "smtp/812", or of a log-in "99a09403a2b89605"
    std::string account;      // empty: nobody is logged in
    std::string app_password; // the name of the one that opened it
    std::string service;
    std::string client;
    std::string client_address;
    std::int64_t since = 0;   // seconds since 1970
    bool tls = false;
    std::string state;
};

struct House {
    std::vector<LiveSession> sessions;        // the oldest first
    std::vector<ipc::LiveMailbox> mailboxes;  // by account
};

class LiveSessions {
public:
    // Below $queue_directory.
    explicit LiveSessions(const std::string& queue_directory);

    // NotFound when the mail system is not running; Permanent for who may not ask.
    util::Result<House> ask() const;
    // Ends one session by its id, or all of an account.  How many there were.
    util::Result<std::uint64_t> end(const std::string& whom) const;
    // Those of an account that were opened with an app password of that name; with none, those that were opened with
    // the account's own password.
    util::Result<std::uint64_t> end_opened_with(const std::string& account, const std::string& app_password) const;
    // An account is in other groups: what it has open in others' mailboxes ends.
    util::Result<std::uint64_t> groups_changed(const std::string& account) const;
    // Those of an account for which `wanted` is true.
    using Wanted = std::function<bool(const LiveSession& session)>;
    util::Result<std::uint64_t> end_those(const std::string& account, const Wanted& wanted) const;

private:
    util::Result<void> ask_master(House& house) const;
    util::Result<void> ask_usher(House& house) const;
    util::Result<bool> end_process(std::string_view id) const;
    util::Result<std::vector<LiveSession>> end_processes(const House& house, const Wanted& wanted) const;
    util::Result<std::uint64_t> end_at_usher(const std::vector<ipc::EndSessions>& orders) const;
    util::Result<void> end_until_gone(const std::vector<LiveSession>& wanted) const;

    std::string master_;
    std::string usher_;
};

}  // namespace tools
