// Listener: accepts the clients of a multiplexer's service in its event loop.
#include "libipc/listener.h"

#include "libutil/log.h"

namespace server {

namespace {

// Clients taken in one round, so that those who are served already get their turn.
constexpr int accept_batch = 16;
constexpr auto pause_without_descriptors = std::chrono::seconds(1);

}  // namespace

Listener::Listener(Process& process, util::EventLoop& loop, std::size_t limit, std::function<void(Client)> accepted)
    : process_(process), limit_(limit), accepted_(std::move(accepted)), resume_(loop, [this] {
          waiting_ = false;
          update();
      })
{
    for (int socket : process.listeners())
        watches_.emplace_back(loop, socket, util::Watch::Read, [this, socket](unsigned) { ready(socket); });
}

void Listener::ready(int socket)
{
    for (int i = 0; i < accept_batch && clients_ < limit_ && !closed_; ++i) {
        auto client = process_.accept(socket);
        if (!client) {
            if (!util::sys::is_descriptor_shortage(client.error().code))
                util::log::warning(client.error().text);   // Process tells of a shortage
            waiting_ = true;
            resume_.start(pause_without_descriptors);
            return update();
        }
        if (!*client)
            break;
        if (++clients_ == limit_) {
            process_.set_busy(true);
            update();
        }
        accepted_(std::move(**client));
    }
}

void Listener::client_gone()
{
    CHECK(clients_ > 0);
    if (clients_-- == limit_ && !closed_) {
        process_.set_busy(false);
        update();
    }
}

bool Listener::client_back()
{
    if (clients_ >= limit_ || closed_)
        return false;
    if (++clients_ == limit_) {
        process_.set_busy(true);
        update();
    }
    return true;
}

void Listener::close()
{
    closed_ = true;
    resume_.stop();
    watches_.clear();
}

void Listener::update()
{
    bool open = clients_ < limit_ && !waiting_;
    for (util::Watch& watch : watches_)
        watch.want(open ? util::Watch::Read : util::Watch::None);
}

}  // namespace server
