// Stream: a connection for programs that serve one client at a time: buffered, with time limits.
//
// Replies are collected and sent only when a read would have to wait: that is all that a server
// needs to do for PIPELINING (RFC 2920 §3.2).  The first write error sticks; what is written after
// it goes nowhere, and the next read reports it.
#pragma once

#include "libnet/tls.h"
#include "libnet/transport.h"

#include <functional>
#include <optional>

namespace net {

struct TlsTarget;
struct TlsPeerFacts;

// A line of input without its end.  The view is good until the next call on the Stream.
struct LineView {
    std::string_view text;
    bool bare_lf = false;   // it ended in LF without CR
    bool too_long = false;  // it had more bytes than the limit: text is its beginning, the rest is gone
};

class Stream {
public:
    static constexpr std::size_t input_size = 64 * 1024;
    static constexpr std::size_t output_size = 16 * 1024;  // more than this is sent at once

    explicit Stream(std::unique_ptr<Transport> transport);
    explicit Stream(util::UniqueFd socket);
    Stream(Stream&&) = default;
    Stream& operator=(Stream&&) = default;

    // How long one read or write may wait.
    void set_timeout(util::Duration timeout);
    // No read may end later than this, however many bytes trickle in.
    void set_deadline(util::Deadline deadline) { deadline_ = deadline; }
    // Whether the timeout holds for all that is sent at once as a whole, and not for each of its pieces.
    void limit_whole_writes(bool on) { whole_writes_ = on; }
    // Asked before each read, and when a signal interrupts one or a handshake; if it says yes, that ends with
    // interrupted_code: a handshake at once, a read when set_patience() has passed since the first yes.
    void set_stop(std::function<bool()> wants_stop) { wants_stop_ = std::move(wants_stop); }
    void set_patience(util::Duration patience) { patience_ = patience; }
    // From now on a write that the signal interrupts ends as a handshake does: of who knows that the peer can do nothing with a
    // part of it.  Else it goes on, and patience begins behind it.
    void stop_writes();
    bool stopping() const { return wants_stop_ && wants_stop_(); }

    // The next line of at most `limit` bytes without its end (at most input_size - 2).  LF ends a
    // line, with or without CR; a line that is too long is read to its end and given up.
    util::Result<LineView> read_line(std::size_t limit);
    // What has been read and not consumed, at least one byte: waits if there is none.
    util::Result<std::string_view> fill();
    // More than what buffered() holds now; Invalid when the buffer is full.
    util::Result<std::string_view> fill_more();
    std::string_view buffered() const { return {input_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t count);
    // Has the peer sent more already?  Asks the kernel if the buffer is empty.
    bool has_input();

    void write(std::string_view bytes);
    util::Result<void> flush();

    // The server's side of STARTTLS: sends what is waiting, fails with Invalid if plaintext is left
    // in the buffer (RFC 3207 §4.2: it might be an attacker's), else replaces the transport.
    util::Result<TlsFacts> start_tls(const TlsContext& context);
    // The client's side, after the server's reply to STARTTLS or as the first thing of all: sends what is
    // waiting, fails with Invalid if plaintext is left in the buffer (what an attacker put behind the reply
    // must not count as the server's word under TLS), else replaces the transport.  See tls_connect().
    util::Result<TlsPeerFacts> start_tls_client(const TlsContext& context, const TlsTarget& target);

    // Sends what is waiting and ends the TLS session; the socket closes with the Stream.
    void close();

    int fd() const { return transport_ ? transport_->fd() : -1; }

private:
    util::Result<void> receive();
    void replace_transport(std::unique_ptr<Transport> transport);
    // Before a handshake: nothing waits in either direction.
    util::Result<util::Deadline> ready_for_tls(std::string_view injected);
    util::Result<LineView> skip_long_line(std::size_t limit);

    std::unique_ptr<Transport> transport_;
    std::unique_ptr<char[]> input_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::string output_;
    util::Result<void> write_result_;
    util::Duration timeout_ = std::chrono::minutes(5);
    util::Duration kernel_timeout_ = util::Duration::zero();  // zero: not set yet
    util::Deadline deadline_ = util::Deadline::never();
    bool whole_writes_ = false;
    bool stops_writes_ = false;
    std::function<bool()> wants_stop_;
    std::optional<util::Instant> stop_seen_;
    util::Duration patience_ = util::Duration::zero();
};

}  // namespace net
