// A client's connection in an event loop: plain at first or throughout, TLS after start_tls().
//
// For multiplexers that hold many connections: an idle one costs OpenSSL's state and no buffers.
// Reading goes through one buffer on the stack; what is sent and not yet taken waits in a string
// that is bounded by whoever looks at queued() and pauses its source.
#pragma once

#include "libnet/tls.h"
#include "libutil/event.h"
#include "libutil/unique_fd.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace net {

class TlsChannel {
public:
    // Only `ended` may destroy the channel; all may close it.
    struct Events {
        // Bytes from the client, decrypted; at most 16 KB at once.
        std::function<void(std::string_view)> received;
        // The handshake that start_tls() began is done.
        std::function<void(const TlsFacts&)> secured = {};
        // All that was queued is sent.
        std::function<void()> drained = {};
        // The client closed its side (ok): sending goes on.  Or the connection failed, or finish()
        // is done: the channel is closed (is_open() says which).  Always called from the event loop,
        // never from within one of the methods here.
        std::function<void(util::Result<void>)> ended;
    };

    // Takes a connected socket, in whatever mode, and makes it non-blocking.  Another process that has it, too, can change
    // that, and its other options: nothing here waits then.
    TlsChannel(util::EventLoop& loop, util::UniqueFd socket, Events events);
    ~TlsChannel();
    TlsChannel(const TlsChannel&) = delete;
    TlsChannel& operator=(const TlsChannel&) = delete;

    // The server's side of a handshake, once queued output is sent.  What the client sent before
    // must be consumed: bytes that wait here or in the caller might be an attacker's.
    void start_tls(const TlsContext& context);
    bool secured() const { return secured_; }

    void send(std::string_view bytes);
    std::size_t queued() const { return output_.size() - sent_; }
    // Stops reading, or goes on.  Reading begins at once.
    void pause(bool on);
    // Sends what is queued, says close_notify, closes; then `ended` is called.
    void finish();
    void close();
    bool is_open() const { return socket_.valid(); }

    // A plain connection with nothing queued: the socket, which is the caller's from now on.
    util::UniqueFd release();
    int fd() const { return socket_.get(); }

private:
    struct FreeSsl {
        void operator()(ssl_st* connection) const;
    };

    void ready(unsigned what);
    void read();
    void flush();
    void handshake();
    // A step of OpenSSL that did not succeed: wait, end or failure.  False when the channel is over.
    bool unfinished(int result, int code, std::string_view what);
    std::size_t write_some(std::string_view bytes);
    void end(util::Result<void> how);
    void update_interest();
    void read_pending();

    util::EventLoop& loop_;
    util::UniqueFd socket_;
    Events events_;
    util::Watch watch_;
    util::Timer pending_;                 // decrypted bytes wait in OpenSSL while nothing is readable
    util::Timer report_;                  // calls `ended`
    std::unique_ptr<ssl_st, FreeSsl> connection_;
    bool handshaking_ = false;
    bool secured_ = false;
    bool paused_ = false;
    bool read_wants_write_ = false;
    bool write_wants_read_ = false;
    bool finishing_ = false;
    bool ended_ = false;                  // nothing more comes
    util::Result<void> how_ended_;
    std::string output_;
    std::size_t sent_ = 0;
};

}  // namespace net
