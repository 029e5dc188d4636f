// Who is logged in: tern(1) asks usher(8), which has it from the sessions it handed over and from what mailbox
// processes tell of their ends.  root may ask; where one uid runs all, that one.
//
//   tool:  WhoWanted                     usher: WhoAnswer.., the last of them with `last`
//   tool:  EndSessions, GroupsChanged    usher: SessionsEnding
//   usher: EndSessions                   to a mailbox process, which says goodbye to the clients
//   mailbox: SessionEnded                to usher
#pragma once

#include "libipc/mailbox.h"

namespace ipc {

constexpr std::size_t max_who_items = 200;  // of each kind in one record

struct WhoWanted {
    static constexpr std::string_view message_name = "who";
    unsigned version = 1;

    static void fields(auto& message, auto& visit) { visit("version", message.version); }
};

struct LiveSession {
    std::string account;
    SessionFacts facts;
    std::int64_t since = 0;  // microseconds since 1970
    std::string app_password = {};  // the name of the one it was opened with
    bool parked = false;            // it waits without a mailbox process

    static void fields(auto& message, auto& visit)
    {
        visit("account", message.account);
        visit("facts", message.facts);
        visit("since", message.since);
        visit("app_password", message.app_password);
        visit("parked", message.parked);
    }
};

struct LiveMailbox {
    std::string account;
    std::int32_t pid = 0;
    std::int64_t since = 0;  // microseconds since 1970
    std::uint32_t sessions = 0;
    bool ready = false;  // it has opened the store

    static void fields(auto& message, auto& visit)
    {
        visit("account", message.account);
        visit("pid", message.pid);
        visit("since", message.since);
        visit("sessions", message.sessions);
        visit("ready", message.ready);
    }
};

struct WhoAnswer {
    static constexpr std::string_view message_name = "who-answer";
    std::vector<LiveSession> sessions;
    std::vector<LiveMailbox> mailboxes;
    bool last = false;

    static void fields(auto& message, auto& visit)
    {
        visit("session", message.sessions);
        visit("mailbox", message.mailboxes);
        visit("last", message.last);
    }
};

// All of an account, or one; `session` alone names one of whatever account.  With `app_password` those of
// the account that were opened with it, with `main_password` those that were opened with none.
struct EndSessions {
    static constexpr std::string_view message_name = "end-sessions";
    std::string account;
    std::string session;
    std::string app_password = {};
    bool main_password = false;

    static void fields(auto& message, auto& visit)
    {
        visit("account", message.account);
        visit("session", message.session);
        visit("app_password", message.app_password);
        visit("main_password", message.main_password);
    }

    // Of the account's, does it mean those that were opened with this app password, or with none?
    bool means(std::string_view opened_with) const
    {
        return main_password ? opened_with.empty() : app_password.empty() || app_password == opened_with;
    }
};

// An account is in other groups than before: its sessions go by them, and what it has open in others' mailboxes ends.
// SessionsEnding.
struct GroupsChanged {
    static constexpr std::string_view message_name = "groups-changed";
    std::string account;

    static void fields(auto& message, auto& visit) { visit("account", message.account); }
};

struct SessionsEnding {
    static constexpr std::string_view message_name = "sessions-ending";
    std::uint64_t count = 0;

    static void fields(auto& message, auto& visit) { visit("count", message.count); }
};

struct SessionEnded {
    static constexpr std::string_view message_name = "session-ended";
    std::string session;

    static void fields(auto& message, auto& visit) { visit("session", message.session); }
};

}  // namespace ipc
