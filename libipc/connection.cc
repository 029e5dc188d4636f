// Connection: sending and receiving records with descriptors.
#include "libipc/connection.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <utility>

namespace ipc {

namespace {

constexpr std::size_t control_size = CMSG_SPACE(sizeof(int) * max_packet_descriptors);

timeval to_timeval(util::Duration duration)
{
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
    return {.tv_sec = seconds.count(), .tv_usec = (duration - seconds).count()};
}

// A receiver takes all descriptors into owners first, whatever else is wrong with the record.
void take_descriptors(msghdr& header, std::vector<util::UniqueFd>& out)
{
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
            continue;
        std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof fd);
            out.emplace_back(fd);
        }
    }
}

// After EINTR; or when the peer has closed without having read all that it was sent: the kernel tells that once, before what
// the peer itself had sent.
bool tries_again(int code, bool& reset) { return code == EINTR || (code == ECONNRESET && !std::exchange(reset, true)); }

// What recvmsg(2) and recvmmsg(2) need for one record.
void prepare(msghdr& header, iovec& piece, std::span<char> buffer, std::span<char> control)
{
    piece = {buffer.data(), buffer.size()};
    header = {};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
}

util::Result<Packet> to_packet(msghdr& header, const char* buffer, std::size_t length)
{
    Packet packet;
    take_descriptors(header, packet.descriptors);
    if (header.msg_flags & MSG_TRUNC)
        return util::invalid("a local peer sent too large a message");
    if (header.msg_flags & MSG_CTRUNC) {
        // `control` had room for all that a peer may send: where it is not full, our own limit cut it.
        if (packet.descriptors.size() >= max_packet_descriptors)
            return util::invalid("a local peer sent too many descriptors");
        packet.cut = true;
        packet.descriptors.drop();
    }
    packet.bytes.assign(buffer, length);
    return packet;
}

}  // namespace

util::Result<void> send_packet(int fd, std::string_view bytes, std::span<const int> descriptors,
                               int flags)
{
    if (bytes.size() > max_packet_size || descriptors.size() > max_packet_descriptors)
        return util::permanent("message between programs is too large");
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    alignas(cmsghdr) char control[control_size];
    if (!descriptors.empty()) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        std::memset(control, 0, sizeof control);
        cmsghdr* item = CMSG_FIRSTHDR(&header);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        std::memcpy(CMSG_DATA(item), descriptors.data(), sizeof(int) * descriptors.size());
    }
    for (;;) {
        if (::sendmsg(fd, &header, flags | MSG_NOSIGNAL) >= 0)
            return {};
        if (errno != EINTR)
            return util::system_error("send to a local peer", errno);
    }
}

util::Result<std::optional<Packet>> receive_packet(int fd, int flags)
{
    // One buffer for all records of a thread: the copy out of it is as long as the record.  It is
    // made when first needed: an array would be cleared, and so be touched, in each new thread.
    static thread_local std::unique_ptr<char[]> memory;
    if (!memory)
        memory = std::make_unique_for_overwrite<char[]>(max_packet_size);
    char* buffer = memory.get();
    alignas(cmsghdr) char control[control_size];
    iovec piece;
    msghdr header;
    prepare(header, piece, {buffer, max_packet_size}, control);
    ssize_t length = -1;
    bool reset = false;
    do {
        length = ::recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
    } while (length < 0 && tries_again(errno, reset));
    if (length < 0)
        return util::system_error("receive from a local peer", errno);
    auto packet = TRY(to_packet(header, buffer, std::size_t(length)));
    if (packet.bytes.empty())
        return std::optional<Packet>();
    return std::optional<Packet>(std::move(packet));
}

util::Result<std::size_t> receive_packets(int fd, std::span<Packet, max_packets_at_once> packets)
{
    // Memory that is touched only as far as records reach; event loops have one thread.
    static char buffers[max_packets_at_once][max_packet_size];
    alignas(cmsghdr) char controls[max_packets_at_once][control_size];
    mmsghdr headers[max_packets_at_once] = {};
    iovec pieces[max_packets_at_once];
    for (std::size_t i = 0; i < max_packets_at_once; ++i)
        prepare(headers[i].msg_hdr, pieces[i], buffers[i], controls[i]);
    int count = -1;
    bool reset = false;
    do {
        count = ::recvmmsg(fd, headers, max_packets_at_once, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, nullptr);
    } while (count < 0 && tries_again(errno, reset));
    if (count < 0)
        return util::system_error("receive from a local peer", errno);
    // All are turned into packets before any error is told, so that no descriptor is left behind.
    std::optional<util::Error> error;
    for (std::size_t i = 0; i < std::size_t(count); ++i) {
        auto packet = to_packet(headers[i].msg_hdr, buffers[i], headers[i].msg_len);
        if (packet.ok())
            packets[i] = packet.take();
        else if (!error)
            error = packet.take_error();
    }
    if (error)
        return std::move(*error);
    return std::size_t(count);
}

util::Result<Connection> Connection::connect(const std::string& path, util::Duration timeout)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return util::permanent(util::concat("connect to ", path, ": the path is too long for a socket"));
    std::memcpy(address.sun_path, path.data(), path.size());
    Connection connection(util::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
    if (!connection.valid())
        return util::system_error("socket", errno);
    TRY(connection.set_timeout(timeout));
    while (::connect(connection.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
        if (errno != EINTR)
            return util::system_error(util::concat("connect to ", path), errno);
    }
    return connection;
}

util::Result<void> Connection::set_timeout(util::Duration timeout)
{
    timeval value = to_timeval(timeout);
    if (::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value) < 0 ||
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value) < 0)
        return util::system_error("set a socket's timeout", errno);
    return {};
}

util::Result<Packet> Connection::receive()
{
    auto packet = TRY(receive_packet(fd_.get()));
    if (!packet)
        return util::Error{util::Kind::Temporary, "the local peer has closed the connection", ECONNRESET};
    return std::move(*packet);
}

}  // namespace ipc
