// Channel: records in an event loop.
#include "libipc/channel.h"

#include "libipc/connection.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

namespace ipc {

Channel::Channel(util::EventLoop& loop, util::UniqueFd fd, Events events, std::size_t queue_limit)
    : loop_(loop), fd_(std::move(fd)), events_(std::move(events)), queue_limit_(queue_limit),
      watch_(loop_, fd_.get(), util::Watch::Read, [this](unsigned what) { ready(what); }),
      report_(loop_, [this] { report(); })
{
}

util::Result<std::unique_ptr<Channel>> Channel::connect(util::EventLoop& loop, const std::string& path,
                                                        Events events)
{
    // A Unix connect does not wait for accept(); it fails at once when the backlog is full.
    auto connection = TRY(Connection::connect(path, std::chrono::milliseconds(1)));
    return std::make_unique<Channel>(loop, connection.release(), std::move(events));
}

Channel::~Channel() { *alive_ = false; }

void Channel::close()
{
    watch_.reset();
    report_.stop();
    failure_.reset();
    fd_.reset();
    batch_ = {};
    queue_.clear();
}

void Channel::hear_out()
{
    if (!fd_.valid())
        return;
    std::shared_ptr<bool> alive = alive_;
    take_rest();
    if (*alive)
        close();
}

void Channel::stop_receiving()
{
    if (!is_open())
        return;
    std::shared_ptr<bool> alive = alive_;
    receives_ = false;
    take_rest();
    if (*alive)
        pause(true);
}

void Channel::take_rest()
{
    (void)::shutdown(fd_.get(), SHUT_RD);
    bool more = take_batch();
    while (more)
        more = receive();
}

void Channel::fail(util::Error reason)
{
    if (!fd_.valid())
        return;
    watch_.reset();
    fd_.reset();
    batch_ = {};
    failure_ = std::move(reason);
    report_.start(util::Duration::zero());
}

// Nothing can be sent.  Who sends does not expect to receive meanwhile: that is report()'s.
void Channel::lose(util::Error reason)
{
    if (paused_ || (reason.code != EPIPE && reason.code != ECONNRESET))
        return fail(std::move(reason));
    watch_.reset();
    failure_ = std::move(reason);
    report_.start(util::Duration::zero());
}

void Channel::report()
{
    std::shared_ptr<bool> alive = alive_;
    if (fd_.valid())
        take_rest();
    if (!*alive || !failure_)
        return;   // closed meanwhile
    util::Error error = std::move(*failure_);
    fd_.reset();
    report_.stop();
    failure_.reset();
    if (events_.closed)
        events_.closed(error);
    if (*alive)
        queue_.clear();
}

std::vector<Packet> Channel::take_unsent()
{
    std::vector<Packet> unsent;
    for (Record& record : std::exchange(queue_, {})) {
        Packet& packet = unsent.emplace_back();
        packet.bytes = std::move(record.bytes);
        for (auto& fd : record.descriptors)
            packet.descriptors.push_back(std::move(fd));
    }
    return unsent;
}

void Channel::pause(bool on)
{
    paused_ = on;
    update_interest();
}

void Channel::update_interest()
{
    if (!is_open())
        return;
    unsigned interest = (paused_ ? util::Watch::None : util::Watch::Read) |
                        (queue_.empty() ? util::Watch::None : util::Watch::Write);
    if (watch_.interest() != interest)
        watch_.want(interest);
}

void Channel::send_record(std::string bytes, std::vector<int>& descriptors)
{
    if (!is_open())
        return;
    if (queue_.empty()) {
        auto sent = send_packet(fd_.get(), bytes, descriptors, MSG_DONTWAIT);
        if (sent.ok())
            return;
        if (sent.error().code != EAGAIN)
            return lose(sent.take_error());
    }
    if (queue_.size() >= queue_limit_)
        return fail(util::temporary("a local peer does not read"));
    Record record{std::move(bytes), {}};
    for (int fd : descriptors) {
        auto copy = util::UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        if (!copy)
            return fail(util::system_error("keep a descriptor for a local peer", errno));
        record.descriptors.push_back(std::move(copy));
    }
    queue_.push_back(std::move(record));
    update_interest();
}

void Channel::ready(unsigned what)
{
    std::shared_ptr<bool> alive = alive_;
    if (what & util::Watch::Write)
        flush();
    if (*alive && is_open() && (what & util::Watch::Read))
        receive();
}

void Channel::flush()
{
    while (!queue_.empty()) {
        std::vector<int> descriptors;
        for (const auto& fd : queue_.front().descriptors)
            descriptors.push_back(fd.get());
        auto sent = send_packet(fd_.get(), queue_.front().bytes, descriptors, MSG_DONTWAIT);
        if (!sent.ok()) {
            if (sent.error().code == EAGAIN)
                return;
            return lose(sent.take_error());
        }
        queue_.pop_front();
    }
    update_interest();
    if (events_.drained)
        events_.drained();
}

// False: no more has come, or the channel is over.
bool Channel::receive()
{
    Packet packets[max_packets_at_once];
    auto count = receive_packets(fd_.get(), packets);
    if (!count.ok()) {
        if (count.error().code != EAGAIN && !failure_)
            fail(count.take_error());
        return false;
    }
    std::shared_ptr<bool> alive = alive_;
    batch_ = std::span(packets).first(*count);
    bool more = take_batch();
    if (*alive)
        batch_ = {};   // behind the end there may be more of it: packets go with this call
    return more;
}

// As receive().  An owner who hears the channel out while he has one of these takes the others meanwhile.
bool Channel::take_batch()
{
    std::shared_ptr<bool> alive = alive_;
    while (!batch_.empty()) {
        Packet& packet = batch_.front();
        batch_ = batch_.subspan(1);
        if (packet.bytes.empty()) {
            // What a send has found stays: EPIPE says that the peer had read all that it was sent before.
            if (!failure_ && receives_)
                fail({util::Kind::Temporary, "the local peer has closed the connection", ECONNRESET});
            return false;
        }
        events_.received(packet);
        if (!*alive || !fd_.valid())
            return false;
    }
    return true;
}

}  // namespace ipc
