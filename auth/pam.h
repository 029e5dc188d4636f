// Pam: what auth-pam(8) says of users of the system.
//
// When auth-pam is away, or does not answer in time, the answer is to try again.
#pragma once

#include "auth/questions.h"
#include "libipc/pam.h"

#include <string>

namespace auth {

class Pam {
public:
    using Answer = Questions<ipc::UserChecked>::Answer;

    // auth-pam has a shorter one of its own, five minutes at most: this is for when it hangs.
    static constexpr util::Duration timeout{330'000'000};
    static constexpr std::size_t max_waiting = 2000;

    Pam(util::EventLoop& loop, std::string socket, util::Duration limit = timeout);

    // May answer at once.
    void ask(ipc::CheckUser question, Answer answer);

private:
    Questions<ipc::UserChecked> questions_;
};

}  // namespace auth
