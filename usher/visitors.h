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

    void add(const std::string& account, ipc::SessionFacts facts, std::int64_t now);
    void ended(const std::string& account, std::string_view session);
    // The account's process takes no new work any more, and its sessions end.
    void gone(const std::string& account) { accounts_.erase(account); }

    // Those that an order means, by account.
    struct Chosen {
        std::string account;
        std::size_t count = 0;
    };
    std::vector<Chosen> choose(const ipc::EndSessions& order) const;
    std::size_t count(const std::string& account) const;
    std::vector<ipc::LiveSession> all() const;

private:
    struct Visitor {
        ipc::SessionFacts facts;
        std::int64_t since = 0;
    };
    std::unordered_map<std::string, std::vector<Visitor>> accounts_;
};

}  // namespace usher
