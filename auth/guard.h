// Guard: what anvil(8) knows of who tries to log in.
//
// When anvil is away, or does not answer in time, nobody has a history: log-ins go on.
#pragma once

#include "auth/questions.h"
#include "libipc/anvil.h"

#include <string>

namespace auth {

class Guard {
public:
    using Answer = Questions<ipc::LoginHistory>::Answer;

    static constexpr util::Duration timeout{2'000'000};   // of one answer
    static constexpr util::Duration pause{10'000'000};    // after a failure
    static constexpr util::Duration long_pause{600'000'000};  // where master.cf has no anvil
    static constexpr std::size_t max_waiting = 10'000;    // who comes beyond it is not looked up

    Guard(util::EventLoop& loop, std::string socket);

    // May answer at once.
    void ask(const std::string& network, const std::string& account, Answer answer);
    void ended(const std::string& network, const std::string& account, bool good);

private:
    ipc::Channel* anvil();
    void rest(std::string_view why, util::Duration for_how_long);

    Questions<ipc::LoginHistory> questions_;
    util::Instant next_try_{};
};

}  // namespace auth
