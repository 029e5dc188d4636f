// A protocol session without I/O: what the mailbox process hosts for a client of IMAP or POP3.
//
// The host feeds bytes in, sends bytes out, and tells the session what happened in the store and
// how late it is.  The session never waits and never touches a descriptor.  A long command works
// in slices, so that deliveries and the user's other sessions go on meanwhile.
#pragma once

#include "libutil/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipc {

class ProtocolSession {
public:
    virtual ~ProtocolSession() = default;

    // Bytes from the client, in pieces of any size.  The session buffers what it cannot use yet; a
    // host stops reading while wants_input() is false.
    virtual void feed(std::string_view bytes) = 0;
    virtual bool wants_input() const = 0;
    // The client closed its side.
    virtual void end_of_input() = 0;

    // What is to be sent; the host erases from the front what it has sent.  While more than the
    // host's limit waits here, the host calls neither work() nor feed().
    virtual std::string& output() = 0;

    // True while there is work that needs no input: a command that has more to do.  work() does
    // about one slice (10 ms) of it.
    virtual bool has_work() const = 0;
    virtual void work() = 0;

    // A mailbox of the store changed (0: the list of mailboxes), or durable() grew.
    virtual void store_changed(std::uint64_t mailbox) = 0;
    virtual void durable_grew() = 0;

    // The session's next deadline (autologout), and what happens when it has come.
    virtual std::optional<util::Instant> deadline() const = 0;
    virtual void deadline_passed(util::Instant now) = 0;

    // Is the session over?  The host sends the rest of output() and closes.
    virtual bool finished() const = 0;
    // The host must end the session (shutdown, user disabled): BYE or -ERR with this text.
    virtual void terminate(std::string_view reason) = 0;
    // For the log at the end: "in=.. out=.. deleted=.." and the like.
    virtual std::string summary() const = 0;
};

}  // namespace ipc
