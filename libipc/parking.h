// mailbox(8) <-> usher(8): sessions that only wait are parked: usher keeps the client's connection and what is
// needed to go on, and the user's process may end.
//
//   mailbox -> usher:  ParkSession(client)     usher -> mailbox:  SessionParked
//   mailbox -> usher:  WakeSessions            usher -> mailbox:  NewSession, with what was parked
//   usher -> mailbox:  WatchMailboxes, when the process starts and sessions of its user are parked
//
// The connection is the client's own, or, with TLS, the mailbox's end of the door's pair: whatever comes for the
// session meanwhile waits in the kernel.  usher reads nothing of it, but sees that something is there.
// What a process has parked comes back to a process of the same user only, and is taken there for as hostile as
// anything that came from outside.
#pragma once

#include "libipc/mailbox.h"

namespace ipc {

constexpr std::size_t max_parked_state = 64U << 10;   // what is larger stays where it is
constexpr std::size_t max_watches = 1000;             // of one session, and in one record
constexpr std::size_t max_farewell = 200;

// What wakes a session beside its client.
struct Watched {
    std::uint64_t mailbox = 0;    // 0: the list of mailboxes
    std::uint64_t position = 0;   // what the session knows: up to this lsn; of the list, its fingerprint

    static void fields(auto& message, auto& visit)
    {
        visit("mailbox", message.mailbox);
        visit("position", message.position);
    }
};

struct ParkSession {
    static constexpr std::string_view message_name = "park-session";
    std::string session;
    util::UniqueFd client;
    std::string state;
    std::vector<Watched> watches;
    std::int64_t started = 0;     // of the monotonic clock, in microseconds
    std::int64_t deadline = 0;    // the same: the client has been silent for too long
    std::string late;             // what it is told then,
    std::string farewell;         // and when the session is ended for another reason

    static void fields(auto& message, auto& visit)
    {
        visit("session", message.session);
        visit("client", message.client);
        visit("state", message.state);
        visit("watch", message.watches);
        visit("started", message.started);
        visit("deadline", message.deadline);
        visit("late", message.late);
        visit("farewell", message.farewell);
    }
};

// The answer: usher has it, or the session stays with the mailbox.
struct SessionParked {
    static constexpr std::string_view message_name = "session-parked";
    std::string session;
    bool taken = false;

    static void fields(auto& message, auto& visit)
    {
        visit("session", message.session);
        visit("taken", message.taken);
    }
};

struct WatchMailboxes {
    static constexpr std::string_view message_name = "watch-mailboxes";
    std::vector<Watched> watches;

    static void fields(auto& message, auto& visit) { visit("watch", message.watches); }
};

// Something has happened in these mailboxes, or to the list (0).
struct WakeSessions {
    static constexpr std::string_view message_name = "wake-sessions";
    std::vector<std::uint64_t> mailboxes;

    static void fields(auto& message, auto& visit) { visit("mailbox", message.mailboxes); }
};

}  // namespace ipc
