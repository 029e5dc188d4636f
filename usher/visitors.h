// Which sessions usher has handed over and not yet heard the end of.  Knows no descriptors.
//
// A mailbox process tells of ends; what it says can change only what is known of its own account.
#pragma once

#include "libipc/who.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace usher {

class Visitors {
public:
    // More of one account are not remembered: its mailbox takes no more (mailbox_session_limit).
    static constexpr std::size_t max_of_account = 10'000;

    void add(const std::string& account, ipc::SessionFacts facts, std::int64_t now, std::string app_password = {},
             std::uint64_t cookie = 0);
    // Its mailbox process has taken it; `door` is the peer that had it opened, and that gets its connection back.
    void opened(const std::string& account, std::string_view session, std::uint64_t door);
    void ended(const std::string& account, std::string_view session);
    // The account's process takes no new work any more, and its sessions end; those that are parked do not.
    void gone(const std::string& account);
    // False: there is no such session, or it is parked already.
    bool park(const std::string& account, std::string_view session);
    void unpark(const std::string& account, std::string_view session);

    // Those that an order means, by account; with their names where it does not mean all of the account.
    struct Chosen {
        std::string account;
        std::size_t count = 0;
        std::vector<std::string> sessions = {};
    };
    std::vector<Chosen> choose(const ipc::EndSessions& order) const;
    // Those of an account in others' mailboxes: whose, and their ids.
    std::vector<std::pair<std::string, std::string>> of_guest(const std::string& guest) const;
    // Those that are not parked.
    std::size_t count(const std::string& account) const;
    std::vector<ipc::LiveSession> all() const;

    struct Visitor {
        ipc::SessionFacts facts;
        std::int64_t since = 0;
        std::string app_password = {};
        bool parked = false;
        std::uint64_t cookie = 0;   // of its connection's socket (util::sys::socket_cookie); 0: not known
        std::uint64_t door = 0;     // usher's peer that has opened it; 0: not yet
    };
    const Visitor* find(const std::string& account, std::string_view session) const;
    static bool is_meant(const Visitor& visitor, const ipc::EndSessions& order);

private:
    std::unordered_map<std::string, std::vector<Visitor>> accounts_;
};

}  // namespace usher
