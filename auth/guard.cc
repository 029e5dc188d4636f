// Guard: the calling side of libipc/anvil.h.
#include "auth/guard.h"

#include "libutil/log.h"

namespace auth {

Guard::Guard(util::EventLoop& loop, std::string socket)
    : loop_(loop), socket_(std::move(socket)), timer_(loop, [this] { lose("no answer"); })
{
}

ipc::Channel* Guard::anvil()
{
    if (channel_ && channel_->is_open())
        return channel_.get();
    if (util::now() < next_try_)
        return nullptr;
    auto channel = ipc::Channel::connect(loop_, socket_,
                                         {.received = [this](ipc::Packet& packet) { heard(packet); },
                                          .closed = [this](const util::Error& error) { lose(error.text); }});
    if (!channel.ok()) {
        lose(channel.error().text, channel.error().kind == util::Kind::NotFound ? long_pause : pause);
        return nullptr;
    }
    channel_ = channel.take();
    return channel_.get();
}

void Guard::ask(const std::string& network, const std::string& account, Answer answer)
{
    ipc::Channel* channel = waiting_.size() < max_waiting ? anvil() : nullptr;
    if (!channel)
        return answer({});
    std::uint64_t request = next_++;
    waiting_.emplace(request, std::move(answer));
    channel->send(ipc::LoginAsked{request, network, account});
    if (!timer_.running())
        timer_.start(timeout);
}

void Guard::ended(const std::string& network, const std::string& account, bool good)
{
    if (ipc::Channel* channel = anvil())
        channel->send(ipc::LoginEnded{network, account, good});
}

void Guard::heard(ipc::Packet& packet)
{
    auto history = ipc::decode<ipc::LoginHistory>(packet);
    if (!history.ok())
        return channel_->fail(history.take_error());
    auto found = waiting_.find(history->request);
    if (found == waiting_.end())
        return;
    Answer answer = std::move(found->second);
    waiting_.erase(found);
    // The others' time begins anew: anvil answers in order, and is alive.
    timer_.stop();
    if (!waiting_.empty())
        timer_.start(timeout);
    answer(*history);
}

void Guard::lose(std::string_view why, util::Duration for_how_long)
{
    util::log::warning("anvil: ", why, "; log-ins go on without limits meanwhile");
    next_try_ = util::now() + for_how_long;
    channel_.reset();
    timer_.stop();
    for (auto& [request, answer] : std::exchange(waiting_, {}))
        answer({});
}

}  // namespace auth
