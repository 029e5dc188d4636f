// Pam: the calling side of libipc/pam.h.
#include "auth/pam.h"

#include "libutil/log.h"
#include "libutil/text.h"

#include <cerrno>
#include <cstring>

namespace auth {

namespace {

ipc::UserChecked unavailable(std::string_view why)
{
    ipc::UserChecked answer;
    answer.text = util::concat("auth-pam: ", why);
    return answer;
}

}  // namespace

// It has a process for each question, and answers as these end.
Pam::Pam(util::EventLoop& loop, std::string socket, util::Duration limit)
    : questions_(loop, std::move(socket), {.timeout = limit, .max_waiting = max_waiting, .in_order = false},
                 [](const util::Error& why) { return unavailable(why.text); },
                 [](const util::Error& why) { util::log::warning("auth-pam: ", why.text); })
{
}

void Pam::ask(ipc::CheckUser question, Answer answer)
{
    if (!questions_.has_room())
        return answer(unavailable("too many wait for it"));
    auto channel = questions_.channel();
    if (!channel.ok()) {
        bool missing = channel.error().code == ENOENT;
        util::log::warning("auth-pam: ", channel.error().text, missing ? "; is its line in master.cf?" : "");
        return answer(unavailable("it is away"));
    }
    questions_.ask(**channel, question, std::move(answer));
    if (question.password)
        ::explicit_bzero(question.password->data(), question.password->size());
}

}  // namespace auth
