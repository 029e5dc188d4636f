// Logins: who has failed to log in, and from where each account has.  Knows no clock.
#pragma once

#include "anvil/recent.h"
#include "libipc/unblock.h"

#include <string>

namespace anvil {

class Logins {
public:
    Logins(std::size_t limit, util::Duration failure_time, util::Duration known_time)
        : failures_(limit), known_(limit), failure_time_(failure_time), known_time_(known_time)
    {
    }

    void change(std::size_t limit, util::Duration failure_time, util::Duration known_time);
    ipc::LoginHistory history(const ipc::LoginAsked& asked, util::Instant now);
    // A success clears no failures: who has one account here could guess at others' for ever.
    void ended(const ipc::LoginEnded& login, util::Instant now);
    void forget_old(util::Instant now);
    // Failures of those who are meant count no more; of how many networks and accounts there were any.  From where an
    // account has logged in stays known.
    std::uint64_t forget(const ipc::ForgetFailures& wanted);

    std::size_t size() const { return failures_.size() + known_.size(); }
    std::uint64_t evicted() const { return failures_.evicted() + known_.evicted(); }

private:
    struct Failures {
        std::uint64_t count = 0;
        util::Instant begin{};   // of the failure_time_ over which they are counted
        util::Instant last{};
    };
    std::uint64_t failures_of(const std::string& key, util::Instant now);
    void failed(const std::string& key, util::Instant now);
    bool is_known(const std::string& network, const std::string& account, util::Instant now);

    Recent<Failures> failures_;
    Recent<util::Instant> known_;   // the last success of an account from a network
    util::Duration failure_time_;
    util::Duration known_time_;
};

}  // namespace anvil
