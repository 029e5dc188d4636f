// A client's connection in an event loop, plain or TLS.
#include "libnet/tls_channel.h"

#include "libnet/nowait_bio.h"
#include "libutil/check.h"
#include "libutil/sys.h"

#include <cerrno>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace net {

namespace {

constexpr std::size_t buffer_size = 16 * 1024;   // a TLS record's worth
// Records read in one go, so that one busy client does not hold up the others.
constexpr int reads_per_event = 4;

}  // namespace

void TlsChannel::FreeSsl::operator()(ssl_st* connection) const
{
    SSL_free(connection);
}

TlsChannel::TlsChannel(util::EventLoop& loop, util::UniqueFd socket, Events events)
    : loop_(loop), socket_(std::move(socket)), events_(std::move(events)),
      watch_(loop, socket_.get(), util::Watch::Read, [this](unsigned what) { ready(what); })
{
    (void)util::sys::set_nonblocking(socket_.get(), true);
}

TlsChannel::~TlsChannel()
{
    close();
}

void TlsChannel::start_tls(const TlsContext& context)
{
    CHECK(!connection_ && queued() == 0);
    ERR_clear_error();
    connection_.reset(SSL_new(context.native()));
    CHECK(connection_);
    BIO* transport = new_nowait_bio(socket_);
    if (!transport) {
        connection_.reset();
        return end(tls_error("TLS"));
    }
    SSL_set_bio(connection_.get(), transport, transport);
    SSL_set_accept_state(connection_.get());
    handshaking_ = true;
    update_interest();
}

bool TlsChannel::unfinished(int result, int code, std::string_view what)
{
    int reason = SSL_get_error(connection_.get(), result);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
        return true;
    // A handshake has no orderly end: with SSL_OP_IGNORE_UNEXPECTED_EOF a close in it looks like one.
    bool closed = reason == SSL_ERROR_ZERO_RETURN;
    if (closed && !handshaking_) {
        end({});
        return false;
    }
    util::Error error = closed || reason == SSL_ERROR_SYSCALL ? detail::transport_error(what, code ? code : ECONNRESET)
                                                              : tls_error(what);
    error.kind = util::Kind::Temporary;
    // OpenSSL forbids any further use of it.
    SSL_set_quiet_shutdown(connection_.get(), 1);
    end(std::move(error));
    return false;
}

// Timers are made when they are first needed: most connections never do.
void TlsChannel::read_pending()
{
    if (!pending_.running())
        pending_ = util::Timer(loop_, [this] { ready(util::Watch::Read); });
    pending_.start({});
}

void TlsChannel::handshake()
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(connection_.get());
    if (result != 1) {
        int code = errno;
        int reason = SSL_get_error(connection_.get(), result);
        read_wants_write_ = reason == SSL_ERROR_WANT_WRITE;
        if (unfinished(result, code, "TLS handshake"))
            update_interest();
        return;
    }
    handshaking_ = false;
    read_wants_write_ = false;
    secured_ = true;
    update_interest();
    // With the end of the handshake the first data may have come.
    if (SSL_has_pending(connection_.get()))
        read_pending();
    if (events_.secured)
        events_.secured(tls_facts(connection_.get()));
}

void TlsChannel::ready(unsigned what)
{
    if (handshaking_)
        return handshake();
    if ((what & util::Watch::Write) || ((what & util::Watch::Read) && write_wants_read_)) {
        flush();
        if (!is_open())
            return;
    }
    if (((what & util::Watch::Read) || read_wants_write_) && !paused_ && !ended_)
        read();
}

void TlsChannel::read()
{
    char buffer[buffer_size];
    for (int round = 0; round < reads_per_event; ++round) {
        std::size_t count = 0;
        if (connection_) {
            ERR_clear_error();
            errno = 0;
            int result = SSL_read_ex(connection_.get(), buffer, sizeof buffer, &count);
            if (result != 1) {
                int code = errno;
                read_wants_write_ = SSL_get_error(connection_.get(), result) == SSL_ERROR_WANT_WRITE;
                if (unfinished(result, code, "TLS read"))
                    update_interest();
                return;
            }
        } else {
            auto got = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return;
            if (got < 0)
                return end(detail::transport_error("read", errno));
            if (got == 0)
                return end({});
            count = std::size_t(got);
        }
        read_wants_write_ = false;
        events_.received(std::string_view(buffer, count));
        if (!is_open() || paused_ || ended_ || handshaking_)
            return;
        if (!connection_ && count < sizeof buffer)
            return;
    }
    if (connection_ && SSL_has_pending(connection_.get()))
        read_pending();
}

std::size_t TlsChannel::write_some(std::string_view bytes)
{
    if (!connection_) {
        auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0)
            return std::size_t(count);
        if (errno != EAGAIN && errno != EINTR)
            end(detail::transport_error("write", errno));
        return 0;
    }
    std::size_t count = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &count);
    write_wants_read_ = false;
    if (result == 1)
        return count;
    int code = errno;
    int reason = SSL_get_error(connection_.get(), result);
    write_wants_read_ = reason == SSL_ERROR_WANT_READ;
    // After the client's close_notify OpenSSL calls every failure an orderly end; writing has none.
    if (reason == SSL_ERROR_ZERO_RETURN)
        end(detail::transport_error("TLS write", code ? code : ECONNRESET));
    else
        unfinished(result, code, "TLS write");
    return 0;
}

void TlsChannel::send(std::string_view bytes)
{
    if (!is_open() || bytes.empty())
        return;
    // Straight away if nothing waits: no copy.
    while (queued() == 0 && !handshaking_ && !bytes.empty()) {
        auto count = write_some(bytes);
        if (!is_open())
            return;
        bytes.remove_prefix(count);
        if (count == 0)
            break;
    }
    if (bytes.empty())
        return;
    output_.append(bytes);
    update_interest();
}

void TlsChannel::flush()
{
    bool any = queued() > 0;
    while (queued() > 0) {
        auto count = write_some(std::string_view(output_).substr(sent_));
        if (!is_open())
            return;
        if (count == 0)
            break;
        sent_ += count;
    }
    if (queued() == 0) {
        std::string().swap(output_);
        sent_ = 0;
        if (finishing_) {
            finish();
            return;
        }
    }
    update_interest();
    if (any && queued() == 0 && events_.drained)
        events_.drained();
}

void TlsChannel::pause(bool on)
{
    if (paused_ == on)
        return;
    paused_ = on;
    if (!on && connection_ && SSL_has_pending(connection_.get()))
        read_pending();
    update_interest();
}

void TlsChannel::finish()
{
    finishing_ = true;
    if (!is_open() || queued() > 0)
        return;
    if (secured_) {
        ERR_clear_error();
        (void)SSL_shutdown(connection_.get());
    }
    (void)::shutdown(socket_.get(), SHUT_WR);
    close();
    end({});
}

void TlsChannel::close()
{
    watch_.reset();
    pending_.reset();
    connection_.reset();
    util::sys::close_at_once(socket_);
    // What was not sent will never be.
    std::string().swap(output_);
    sent_ = 0;
}

util::UniqueFd TlsChannel::release()
{
    CHECK(!connection_ && queued() == 0);
    watch_.reset();
    pending_.reset();
    return std::move(socket_);
}

void TlsChannel::end(util::Result<void> how)
{
    ended_ = true;
    if (!how.ok())
        close();
    else
        update_interest();
    how_ended_ = std::move(how);
    if (!events_.ended)
        return;
    report_ = util::Timer(loop_, [this] {
        auto ended = events_.ended;  // it may destroy this object
        auto outcome = how_ended_;
        ended(outcome);
    });
    report_.start({});
}

void TlsChannel::update_interest()
{
    if (!watch_.valid() || !is_open())
        return;
    unsigned interest = util::Watch::None;
    if ((!paused_ && !ended_) || handshaking_ || write_wants_read_)
        interest |= util::Watch::Read;
    if ((queued() > 0 && !write_wants_read_ && !handshaking_) || read_wants_write_)
        interest |= util::Watch::Write;
    if (interest != watch_.interest())
        watch_.want(interest);
}

}  // namespace net
