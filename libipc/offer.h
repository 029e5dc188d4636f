// cleanup(8) -> qmgr(8): the commit race.
//
//   cleanup: Offer(descriptor)      a sealed, nameless message
//   qmgr:    Ruling                 once: delivered, refused or keep
//   cleanup: Named                  after keep: the file has its name in incoming/ and is synced
//            NotNamed               keeping failed; the client got 4xx; qmgr forgets
//
// Many offers of one cleanup follow each other on one connection.  cleanup gone before the ruling:
// no further jobs start.  cleanup gone after keep: qmgr looks for the name itself.  qmgr gone before
// the ruling: cleanup keeps.
#pragma once

#include "libipc/wire.h"

namespace ipc {

struct Offer {
    static constexpr std::string_view message_name = "offer";
    std::string queue_id;
    util::UniqueFd message;       // read-only; a sealed memfd, or a file nobody else can write
    std::uint64_t size = 0;       // of the descriptor's content
    bool race = false;            // may be delivered before it is named; else ruled keep at once
    bool expanded = false;        // some recipient came from an alias or a bcc: never "refused"

    static void fields(auto& message, auto& visit)
    {
        visit("queue_id", message.queue_id);
        visit("message", message.message);
        visit("size", message.size);
        visit("race", message.race);
        visit("expanded", message.expanded);
    }
};

struct Ruling {
    static constexpr std::string_view message_name = "ruling";
    enum class Kind : std::uint8_t { Keep, Delivered, Refused, last_ = Refused };
    std::string queue_id;
    Kind kind = Kind::Keep;
    std::string dsn;      // with Refused: of the first recipient
    std::string text;

    static void fields(auto& message, auto& visit)
    {
        visit("queue_id", message.queue_id);
        visit("kind", message.kind);
        visit("dsn", message.dsn);
        visit("text", message.text);
    }
};

struct Named {
    static constexpr std::string_view message_name = "named";
    std::string queue_id;

    static void fields(auto& message, auto& visit) { visit("queue_id", message.queue_id); }
};

struct NotNamed {
    static constexpr std::string_view message_name = "not-named";
    std::string queue_id;

    static void fields(auto& message, auto& visit) { visit("queue_id", message.queue_id); }
};

}  // namespace ipc
