// Programs in their sandboxes -> tables(8): what is in a table that they cannot see themselves.
//
// A connection carries questions one after the other; the client closes it when it likes.
#pragma once

#include "libconf/table.h"
#include "libipc/wire.h"
#include "libutil/time.h"

namespace ipc {

struct LookUp {
    static constexpr std::string_view message_name = "look-up";
    std::string table;        // as in a parameter, without proxy:
    std::string key;
    bool domain = false;      // a domain as a key, for tables of which domains are ours

    static void fields(auto& message, auto& visit)
    {
        visit("table", message.table);
        visit("key", message.key);
        visit("domain", message.domain);
    }
};

struct LookUpAnswer {
    static constexpr std::string_view message_name = "look-up-answer";
    enum class Result : std::uint8_t { Found, NotFound, Failed, Refused, last_ = Refused };
    Result result = Result::Failed;
    std::string value;        // or why not

    static void fields(auto& message, auto& visit)
    {
        visit("result", message.result);
        visit("value", message.value);
    }
};

// A value that does not fit into a record is not answered.
constexpr std::size_t max_remote_value = 100'000;

// Asks at the socket; `timeout` is for each wait.  The connection of one question is kept for the next as
// long as the other side keeps it.
conf::RemoteLookup remote_tables(std::string socket, util::Duration timeout);

}  // namespace ipc
