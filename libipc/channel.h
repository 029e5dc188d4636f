// Channel: one end of a SOCK_SEQPACKET connection in an event loop, for multiplexers.
//
// Sending tries at once and keeps what the socket does not take, up to a limit; receiving takes up
// to eight records with one system call.  When the peer closes, sends garbage, or does not read so
// that the limit is passed, the channel closes and says so once.  What a peer sent before it closed is
// received before that, also when it is a send that finds it gone.
#pragma once

#include "libipc/wire.h"
#include "libutil/event.h"

#include <deque>
#include <functional>
#include <memory>
#include <span>

namespace ipc {

class Channel {
public:
    struct Events {
        // A record came.  May send, close, or destroy the channel.
        std::function<void(Packet&)> received;
        // The channel is over: the peer closed (Error::code ECONNRESET or EPIPE), or what went wrong.  It is
        // closed already; may destroy the channel.  Not called after close().
        std::function<void(const util::Error&)> closed;
        // What waited to be sent is sent (back-pressure is over).  Optional.
        std::function<void()> drained = {};
    };

    // Records that may wait for a peer that does not read.
    static constexpr std::size_t default_queue_limit = 1024;

    Channel(util::EventLoop& loop, util::UniqueFd fd, Events events,
            std::size_t queue_limit = default_queue_limit);
    // Connects to a Unix socket without waiting.
    static util::Result<std::unique_ptr<Channel>> connect(util::EventLoop& loop, const std::string& path,
                                                          Events events);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // Sends now, or later when the socket is full.  After an error the channel is closed and
    // `closed` will be called from the event loop, not from here; where the peer has gone, what it had
    // sent is received there first.
    template <typename Message>
    void send(const Message& message)
    {
        std::vector<int> descriptors;
        std::string bytes = encode(message, descriptors);
        send_record(std::move(bytes), descriptors);
    }

    bool is_open() const { return fd_.valid() && !failure_; }
    int fd() const { return fd_.get(); }
    std::size_t queued() const { return queue_.size(); }
    // Stops or resumes receiving.
    void pause(bool on);
    void close();
    // Closes so that nothing is lost between the two: what the peer has sent is received now, and what it still sends
    // fails at its own end.  May be called by `received`: the records behind the one that it has are next.
    void hear_out();
    // Receives what the peer has sent, and nothing more: what it still sends fails at its own end.  Sending goes on.
    void stop_receiving();
    // What has waited to be sent and never will be, for owners to whom its descriptors matter; before close(), or in
    // `closed`.
    std::vector<Packet> take_unsent();
    // For the peer that broke the protocol: closes and reports `reason` through `closed`.
    void fail(util::Error reason);

private:
    struct Record {
        std::string bytes;
        std::vector<util::UniqueFd> descriptors;
    };

    void send_record(std::string bytes, std::vector<int>& descriptors);
    void lose(util::Error reason);
    void report();
    void ready(unsigned what);
    bool receive();
    bool take_batch();
    void take_rest();
    void flush();
    void update_interest();

    util::EventLoop& loop_;
    util::UniqueFd fd_;
    Events events_;
    std::size_t queue_limit_;
    std::deque<Record> queue_;
    std::span<Packet> batch_;              // received, and not yet given to the owner: receive()'s
    bool paused_ = false;
    bool receives_ = true;                 // false: our own end of it is no end of the peer
    std::optional<util::Error> failure_;   // waits for report_ to fire; what the peer had sent may still be in the socket
    util::Watch watch_;
    util::Timer report_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false once destroyed: callbacks look
};

}  // namespace ipc
