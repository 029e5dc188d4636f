// Transport over a plain socket.
#include "libnet/transport.h"

#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace net {

static_assert(closed_code == ECONNRESET && timeout_code == ETIMEDOUT && interrupted_code == EINTR);

namespace detail {

util::Result<void> set_socket_timeout(int fd, util::Duration timeout)
{
    auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    timeval value{.tv_sec = seconds.count(), .tv_usec = (timeout - seconds).count()};
    if (value.tv_sec <= 0 && value.tv_usec < 1000)
        value = {.tv_sec = 0, .tv_usec = 1000};  // zero would mean: for ever
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value) < 0 ||
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value) < 0)
        return util::system_error("set a socket's timeout", errno);
    return {};
}

util::Result<void> go_on_writing(int fd, util::Deadline deadline, const std::function<bool()>& stop)
{
    if (stop && stop())
        return transport_error("send", EINTR);
    if (deadline.is_never())
        return {};
    if (deadline.passed())
        return util::Error{util::Kind::Temporary, "timeout", timeout_code};
    return set_socket_timeout(fd, deadline.instant() - util::now());
}

util::Error transport_error(std::string_view what, int code)
{
    if (code == EAGAIN || code == EWOULDBLOCK)
        return {util::Kind::Temporary, "timeout", timeout_code};
    if (code == EINTR)
        return {util::Kind::Temporary, "interrupted", interrupted_code};
    if (code == ECONNRESET || code == EPIPE)
        return {util::Kind::Temporary, "lost connection", closed_code};
    util::Error error = util::system_error(what, code);
    error.kind = util::Kind::Temporary;
    return error;
}

}  // namespace detail

namespace {

constexpr std::size_t timed_piece = 4096;

class SocketTransport final : public Transport {
public:
    explicit SocketTransport(util::UniqueFd socket) : socket_(std::move(socket)) {}

    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count < 0)
            return detail::transport_error("receive", errno);
        return std::size_t(count);
    }

    util::Result<void> write_all(std::string_view bytes) override
    {
        while (!bytes.empty()) {
            // A local socket's SO_SNDTIMEO begins anew with each of the kernel's buffers.
            std::size_t most = write_deadline_.is_never() ? bytes.size() : std::min(bytes.size(), timed_piece);
            ssize_t count = ::send(socket_.get(), bytes.data(), most, MSG_NOSIGNAL);
            if (count < 0 && errno != EINTR)
                return detail::transport_error("send", errno);
            bytes.remove_prefix(std::size_t(std::max<ssize_t>(count, 0)));
            if (!bytes.empty())
                TRY(detail::go_on_writing(socket_.get(), write_deadline_, write_stop_));
        }
        return {};
    }

    util::Result<void> set_timeout(util::Duration timeout) override
    {
        return detail::set_socket_timeout(socket_.get(), timeout);
    }

    void set_write_deadline(util::Deadline deadline) override { write_deadline_ = deadline; }
    void set_write_stop(std::function<bool()> stop) override { write_stop_ = std::move(stop); }

    bool readable() override
    {
        pollfd item{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        return ::poll(&item, 1, 0) > 0;
    }

    int fd() const override { return socket_.get(); }
    util::UniqueFd release() override { return std::move(socket_); }

private:
    util::UniqueFd socket_;
    util::Deadline write_deadline_ = util::Deadline::never();
    std::function<bool()> write_stop_;
};

}  // namespace

std::unique_ptr<Transport> socket_transport(util::UniqueFd socket)
{
    return std::make_unique<SocketTransport>(std::move(socket));
}

}  // namespace net
