// What a session is told about itself when it begins: who, from where, which limits.
#pragma once

#include "imapd/engine/remotes.h"
#include "libipc/capability_rule.h"
#include "libutil/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace imapd::engine {

struct SessionLimits {
    std::size_t line = 128U << 10;             // bytes of a command without its literals
    std::size_t literal = 64U << 10;           // bytes of a literal that is no message
    std::uint64_t message = 10'240'000;        // message_size_limit: a message given to APPEND
    util::Duration autologout{std::int64_t(30 * 60) * 1'000'000};  // RFC 3501 §5.4: at least 30 min
    util::Duration slice{10'000};              // how long a command works before others have their turn
    // One session at a time gets memory for a copy of very many messages beforehand; when it gets none for so long, who waits
    // goes without.
    util::Duration wait_for_space{1'000'000};
    util::Duration progress{10'000'000};       // RFC 9585: how often a client hears that its command goes on
    std::size_t messages = 0;                  // RFC 9738: how many one command works on; 0: as many as there are
};

class SearchAids;

struct SessionFacts {
    std::string user;   // for the log; the store is already the user's
    std::string peer;   // client address, for the log
    bool tls = false;
    bool returnable = false;   // the door takes the connection back (UNAUTHENTICATE, RFC 8437)
    std::string guest;            // who it is, if not the owner of the store
    std::string guest_prefix;     // what stands before the owner's names then: "Other Users/bob@example.org/"
    std::vector<std::string> groups;   // of the one whom the session is for
    std::string server_comment;   // /shared/comment and /shared/admin of the server (RFC 5464 §3.2.1.1)
    std::string server_admin;
    Remotes* remotes = nullptr;   // to other users' mailboxes; lives longer than the session
    Namespaces namespaces;
    SessionLimits limits;
    SearchAids* search_aids = nullptr;   // none: messages are searched one by one, in slices
    std::string client;  // what it calls itself (ID, RFC 2971)
    std::vector<ipc::CapabilityRule> discard_capabilities;   // that the client shall not hear of
    std::vector<std::string> url_hosts;   // HOST or HOST:PORT of URLs that are this server's; none: no URLAUTH
    bool strict_append = false;  // headers beyond ASCII are refused without UTF8=ACCEPT (RFC 6855 §4)
};

// So long another user's mailbox process may say nothing while a command waits for it; and while LIST asks the owners
// one after the other.
constexpr util::Duration remote_patience{120'000'000};
constexpr util::Duration remote_list_patience{10'000'000};
// A client's name, and any other value of ID (RFC 2971 §3.3).
constexpr std::size_t max_id_value = 1024;
// How much output may wait before a command pauses.
constexpr std::size_t output_high = 128U << 10;

}  // namespace imapd::engine
