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
#include <vector>

namespace ipc {

// A session that only waits, in a form that outlives its process: a session made of `state` goes on as if nothing
// had been.
struct Resting {
    struct Watch {
        std::uint64_t mailbox = 0;    // 0: the list of mailboxes
        std::uint64_t position = 0;   // as ipc::Watched
    };
    std::string state;
    std::vector<Watch> watches;       // what has news for it
    std::string late;                 // the last words to a client that was silent for too long,
    std::string farewell;             // and to one whose session is ended
};

class ProtocolSession {
public:
    virtual ~ProtocolSession() = default;

    // Bytes from the client, in pieces of any size.  The session buffers what it cannot use yet; a
    // host stops reading while wants_input() is false.
    virtual void feed(std::string_view bytes) = 0;
    virtual bool wants_input() const = 0;
    // What the door has the client hear first ("TAG OK ..."): it may be told otherwise here.
    virtual void adjust_greeting(std::string&) {}
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
    // It is over, but its connection goes on without it: what the client has sent behind the session's last command, once
    // everything it said is sent.  Nothing: the connection ends with it.
    virtual std::optional<std::string> left_over() const { return std::nullopt; }
    // What the client hears if nobody can take that connection.
    virtual std::string farewell() const { return {}; }
    // The host must end the session (shutdown, user disabled): BYE or -ERR with this text.
    virtual void terminate(std::string_view reason) = 0;
    // Does it wait, so that rest() may be asked for: for news, or only for its client?
    enum class Waits : unsigned char { No, ForNews, ForClient };
    virtual Waits waits() const { return Waits::No; }
    // Nothing: it cannot be put into such a form now.
    virtual std::optional<Resting> rest() const { return std::nullopt; }
    // Does it nothing, whatever its client sends, until the store is durable?
    virtual bool waits_for_disk() const { return false; }
    // Things may have happened that it was not told of.
    virtual void catch_up() {}

    // The user is in these groups now (access control lists).
    virtual void set_groups(const std::vector<std::string>&) {}

    // For the log at the end: "in=.. out=.. deleted=.." and the like.
    virtual std::string summary() const = 0;
};

}  // namespace ipc
