// TLS over a blocking socket: the handshake and what comes after it, the same for both sides.
#include "libnet/tls_internal.h"
#include "libutil/sys.h"

#include <cerrno>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

namespace net::detail {

namespace {

class TlsTransport final : public Transport {
public:
    TlsTransport(util::UniqueFd socket, Ssl connection, std::unique_ptr<SessionSlot> slot)
        : socket_(std::move(socket)), slot_(std::move(slot)), connection_(std::move(connection))
    {
        BIO_set_callback_arg(SSL_get_rbio(connection_.get()), reinterpret_cast<char*>(this));
        BIO_set_callback_ex(SSL_get_rbio(connection_.get()), before_input);
    }

    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        ERR_clear_error();
        errno = 0;
        std::size_t count = 0;
        read_deadline_ = util::Deadline::in(timeout_);
        late_ = false;
        int result = SSL_read_ex(connection_.get(), buffer.data(), buffer.size(), &count);
        if (result == 1)
            return count;
        int code = errno;
        int reason = SSL_get_error(connection_.get(), result);
        if (reason == SSL_ERROR_ZERO_RETURN)
            return std::size_t(0);
        if (late_)
            code = EAGAIN;
        return failure(reason, code, "TLS read");
    }

    void set_write_deadline(util::Deadline deadline) override { write_deadline_ = deadline; }
    void set_write_stop(std::function<bool()> stop) override { write_stop_ = std::move(stop); }

    util::Result<void> write_all(std::string_view bytes) override
    {
        while (!bytes.empty()) {
            ERR_clear_error();
            errno = 0;
            std::size_t count = 0;
            int result = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &count);
            if (result == 1) {
                bytes.remove_prefix(count);
                if (!bytes.empty())
                    TRY(go_on_writing(socket_.get(), write_deadline_, write_stop_));
                continue;
            }
            int code = errno;
            int reason = SSL_get_error(connection_.get(), result);
            if ((reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ) && code == EINTR) {
                if (write_stop_ && write_stop_())
                    return transport_error("TLS write", EINTR);
                continue;
            }
            return failure(reason, code, "TLS write");
        }
        return {};
    }

    util::Result<void> set_timeout(util::Duration timeout) override
    {
        timeout_ = timeout;
        return set_socket_timeout(socket_.get(), timeout);
    }

    bool readable() override
    {
        if (SSL_has_pending(connection_.get()))
            return true;
        // A record may have come that holds no data (a ticket, a key update): then the answer is
        // wrong once, and the read waits.
        char byte;
        return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }

    void finish() override
    {
        // After a fatal error OpenSSL forbids it.
        if (!broken_) {
            ERR_clear_error();
            (void)SSL_shutdown(connection_.get());
        }
    }

    int fd() const override { return socket_.get(); }

private:
    // The kernel's timeout is for each of the pieces in which a record comes, and OpenSSL reads on within one call until it
    // has all of it: who sends a byte now and then would hold us for days.
    static long before_input(BIO* bio, int operation, const char*, std::size_t, int, long, int result, std::size_t*)
    {
        auto* self = reinterpret_cast<TlsTransport*>(BIO_get_callback_arg(bio));
        if (operation != BIO_CB_READ || !self->read_deadline_.passed())
            return result;
        self->late_ = true;
        return -1;
    }

    util::Error failure(int reason, int code, std::string_view what)
    {
        if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
            return transport_error(what, code ? code : EAGAIN);
        broken_ = true;
        if (reason == SSL_ERROR_SYSCALL)
            return transport_error(what, code ? code : ECONNRESET);
        util::Error error = tls_error(what);
        error.kind = util::Kind::Temporary;
        error.code = closed_code;
        return error;
    }

    util::Duration timeout_ = std::chrono::minutes(5);
    util::Deadline read_deadline_ = util::Deadline::never();
    bool late_ = false;   // the read went on for longer
    util::Deadline write_deadline_ = util::Deadline::never();
    std::function<bool()> write_stop_;
    util::UniqueFd socket_;
    std::unique_ptr<SessionSlot> slot_;   // the connection points to it
    Ssl connection_;
    bool broken_ = false;
};

// Until the socket is ready for what the handshake wants, or the error that ends it.
util::Result<void> await_handshake(int socket, short events, util::Deadline deadline, const std::function<bool()>& wants_stop)
{
    for (;;) {
        pollfd item{.fd = socket, .events = events, .revents = 0};
        int ready = deadline.passed() ? 0 : ::poll(&item, 1, deadline.poll_milliseconds());
        if (ready > 0)
            return {};
        if (ready == 0)
            return transport_error("TLS handshake", EAGAIN);
        if (errno != EINTR || (wants_stop && wants_stop()))
            return transport_error("TLS handshake", errno);
    }
}

}  // namespace

Ssl new_connection(const TlsContext& context)
{
    Ssl connection(SSL_new(context.native()));
    CHECK(connection);
    return connection;
}

util::Result<std::unique_ptr<Transport>> shake_hands(Ssl connection, util::UniqueFd socket, util::Deadline deadline,
                                                     const std::function<bool()>& wants_stop, std::unique_ptr<SessionSlot> slot)
{
    // Or a peer that sends a byte now and then would hold us for as long as it likes: OpenSSL reads on
    // within one call.
    TRY(util::sys::set_nonblocking(socket.get(), true));
    // One read(2) takes what there is, instead of a record's head and then its body.
    SSL_set_read_ahead(connection.get(), 1);
    if (SSL_set_fd(connection.get(), socket.get()) != 1)
        return tls_error("TLS");
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_do_handshake(connection.get());
        if (result == 1)
            break;
        int code = errno;
        int reason = SSL_get_error(connection.get(), result);
        if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
            TRY(await_handshake(socket.get(), reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, wants_stop));
            continue;
        }
        // A handshake has no orderly end: with SSL_OP_IGNORE_UNEXPECTED_EOF a close in it looks like one.
        if (reason == SSL_ERROR_SYSCALL || reason == SSL_ERROR_ZERO_RETURN)
            return transport_error("TLS handshake", code ? code : ECONNRESET);
        util::Error error = tls_error("TLS handshake");
        error.kind = util::Kind::Temporary;
        return error;
    }
    TRY(util::sys::set_nonblocking(socket.get(), false));
    return std::unique_ptr<Transport>(
        std::make_unique<TlsTransport>(std::move(socket), std::move(connection), std::move(slot)));
}

}  // namespace net::detail
