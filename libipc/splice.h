// Passes bytes between a TLS client and the socket of its session, for as long as both live.
//
// What neither side takes is bounded: one read in either direction waits here, then the source is
// paused.
#pragma once

#include "libnet/tls_channel.h"
#include "libutil/event.h"

#include <functional>
#include <string>

namespace ipc {

class Splice {
public:
    // `client` is the owner's and outlives the splice; its events are to be passed on to the
    // methods below.  `over` is called from the event loop when both sides are done; it may destroy
    // the splice.
    Splice(util::EventLoop& loop, net::TlsChannel& client, util::UniqueFd session,
           std::function<void()> over);

    void client_sent(std::string_view bytes);
    void client_drained();
    void client_ended(const util::Result<void>& how);

    // The session is over and the client's connection goes on.  What the session said goes to the client; what was for
    // the session and it has not read comes back, from its end of the socket among other places.  No more of either
    // than max_taken_back: then Invalid.  After this the splice passes nothing on.
    static constexpr std::size_t max_taken_back = 1U << 20;
    util::Result<std::string> take_back(int session_end);
    // Will the client send more?
    bool client_done() const { return client_done_; }

    std::uint64_t bytes_in() const { return bytes_in_; }
    std::uint64_t bytes_out() const { return bytes_out_; }

private:
    void ready(unsigned what);
    void read_session();
    void write_session();
    void close_session();
    void update_interest();

    util::EventLoop& loop_;
    net::TlsChannel& client_;
    util::UniqueFd session_;
    std::function<void()> over_;
    util::Watch watch_;
    std::string to_session_;        // what the session does not take yet
    bool client_done_ = false;      // the client sends no more
    bool session_done_ = false;     // the session sends no more
    std::uint64_t bytes_in_ = 0;
    std::uint64_t bytes_out_ = 0;
};

}  // namespace ipc
