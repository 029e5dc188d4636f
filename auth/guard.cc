// Guard: the calling side of libipc/anvil.h.
#include "auth/guard.h"

#include "libutil/log.h"

namespace auth {

Guard::Guard(util::EventLoop& loop, std::string socket)
    : questions_(loop, std::move(socket), {.timeout = timeout, .max_waiting = max_waiting, .in_order = true},
                 [](const util::Error&) { return ipc::LoginHistory{}; },
                 [this](const util::Error& why) { rest(why.text, pause); })
{
}

ipc::Channel* Guard::anvil()
{
    if (util::now() < next_try_)
        return nullptr;
    auto channel = questions_.channel();
    if (channel.ok())
        return *channel;
    rest(channel.error().text, channel.error().kind == util::Kind::NotFound ? long_pause : pause);
    return nullptr;
}

void Guard::ask(const std::string& network, const std::string& account, Answer answer)
{
    ipc::Channel* channel = questions_.has_room() ? anvil() : nullptr;
    if (!channel)
        return answer({});
    ipc::LoginAsked question{.request = 0, .network = network, .account = account};
    questions_.ask(*channel, question, std::move(answer));
}

void Guard::ended(const std::string& network, const std::string& account, bool good)
{
    if (ipc::Channel* channel = anvil())
        channel->send(ipc::LoginEnded{network, account, good});
}

void Guard::rest(std::string_view why, util::Duration for_how_long)
{
    util::log::warning("anvil: ", why, "; log-ins go on without limits meanwhile");
    next_try_ = util::now() + for_how_long;
}

}  // namespace auth
