// Connection: one end of a SOCK_SEQPACKET connection, for programs that wait (workers, tools).
//
// Programs with an event loop use Channel.  Every wait ends at the connection's timeout, which
// the kernel keeps (SO_RCVTIMEO, SO_SNDTIMEO), so that an exchange costs two system calls.
#pragma once

#include "libipc/wire.h"
#include "libutil/sys.h"
#include "libutil/time.h"

namespace ipc {

// Sends one record.  Temporary when the peer is gone (Error::code EPIPE or ECONNRESET), when it
// takes nothing until the socket's timeout (EAGAIN), Permanent when the record is too large.
util::Result<void> send_packet(int fd, std::string_view bytes, std::span<const int> descriptors,
                               int flags = 0);

// Receives one record with its descriptors, close-on-exec.  An empty optional: the peer has closed.
// Temporary with Error::code EAGAIN when nothing came in time (or nothing is there, MSG_DONTWAIT);
// Invalid when the record is too large or has too many descriptors.  A record whose descriptors this
// process could not take (it has too many open: MSG_CTRUNC) comes as a packet that is cut.
util::Result<std::optional<Packet>> receive_packet(int fd, int flags = 0);

// Receives what is there, without waiting: up to eight records with one system call.  Answers how
// many came, at least one; one without bytes means that the peer has closed.  Errors as above.
constexpr std::size_t max_packets_at_once = 8;
util::Result<std::size_t> receive_packets(int fd, std::span<Packet, max_packets_at_once> packets);

class Connection {
public:
    Connection() = default;
    explicit Connection(util::UniqueFd fd) : fd_(std::move(fd)) {}

    // Connects to a Unix socket.  NotFound or Temporary when nobody listens there.
    static util::Result<Connection> connect(const std::string& path, util::Duration timeout);

    util::Result<void> set_timeout(util::Duration timeout);
    bool valid() const { return fd_.valid(); }
    int fd() const { return fd_.get(); }
    util::UniqueFd release() { return std::move(fd_); }
    void close() { fd_.reset(); }

    template <typename Message>
    util::Result<void> send(const Message& message)
    {
        std::vector<int> descriptors;
        std::string bytes = encode(message, descriptors);
        return send_packet(fd_.get(), bytes, descriptors);
    }

    // The next record; Temporary when the peer closes instead.
    util::Result<Packet> receive();

    template <typename Message>
    util::Result<Message> receive_as()
    {
        Packet packet = TRY(receive());
        return decode<Message>(packet);
    }

    template <typename Answer, typename Message>
    util::Result<Answer> call(const Message& message)
    {
        TRY(send(message));
        return receive_as<Answer>();
    }

private:
    util::UniqueFd fd_;
};

}  // namespace ipc
