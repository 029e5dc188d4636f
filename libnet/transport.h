// Transport: what a Stream reads from and writes to; a socket, TLS over a socket, a test's script.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"
#include "libutil/unique_fd.h"

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace net {

// Every failure is Temporary; Error::code tells them apart:
constexpr int closed_code = 104;       // ECONNRESET: the peer has gone
constexpr int timeout_code = 110;      // ETIMEDOUT: nothing came, or nothing was taken, in time
constexpr int interrupted_code = 4;    // EINTR: a signal came, and the owner wants to stop

class Transport {
public:
    virtual ~Transport() = default;

    // Waits for at least one byte; 0 is the orderly end.  EINTR is reported, not repeated.
    virtual util::Result<std::size_t> read(std::span<char> buffer) = 0;
    virtual util::Result<void> write_all(std::string_view bytes) = 0;
    // How long one read or write may wait (kept by the kernel: SO_RCVTIMEO and SO_SNDTIMEO).
    virtual util::Result<void> set_timeout(util::Duration timeout) = 0;
    // write_all() ends with a timeout when this is over, however many bytes the peer takes at a time.
    virtual void set_write_deadline(util::Deadline) {}
    // Asked when a signal interrupts write_all(): yes ends it with interrupted_code, and the peer lacks some of it.
    virtual void set_write_stop(std::function<bool()>) {}
    // Could read() return without waiting?
    virtual bool readable() = 0;
    // Tells the peer that nothing follows (TLS close_notify); errors are of no use here.
    virtual void finish() {}
    // The socket beneath; -1 where there is none.
    virtual int fd() const { return -1; }
    // Gives the socket up, for STARTTLS.
    virtual util::UniqueFd release() { return {}; }
};

// Over a connected stream socket in blocking mode.
std::unique_ptr<Transport> socket_transport(util::UniqueFd socket);

namespace detail {

// SO_RCVTIMEO and SO_SNDTIMEO of a socket.
util::Result<void> set_socket_timeout(int fd, util::Duration timeout);
// Before what is left of a write is tried again.
util::Result<void> go_on_writing(int fd, util::Deadline deadline, const std::function<bool()>& stop);
// The Error for a failed read or write.
util::Error transport_error(std::string_view what, int code);

}  // namespace detail

}  // namespace net
