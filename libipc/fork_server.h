// usher(8) <-> a fork server: a mailbox(8) that has begun and forks, so that each further one need not begin anew.
//
//   usher -> server: ForkServer, before it exists; then ForkMailbox(descriptor) again and again
//   server -> usher: MailboxForked, for each
//
// The descriptor is the control socket of the new mailbox process, with MailboxSettings in it already.  That process is
// usher's child, not the server's.  There is one order at a time, and usher does nothing else until the answer has come,
// or fork_server_patience has passed (usher/launcher.h): then it closes the socket and starts that process itself.
//
// The server ends when usher closes the socket, when it has forked as many as it may (`most`), when nothing has come for
// `idle_time`, and after an order that is not one for a user's process.  usher starts another when there is need of one,
// and closes the socket after a reload, since the server has the old parameters.
#pragma once

#include "libipc/wire.h"

#include <sys/types.h>

namespace ipc {

struct ForkServer {
    static constexpr std::string_view message_name = "fork-server";
    std::string directory;                // mail_store_directory
    bool sandbox = true;
    bool sandbox_required = false;
    std::uint32_t landlock_abi_limit = 1000;
    bool own_uid = false;                 // without privileges: nobody changes the uid
    std::uint32_t most = 0;               // processes that it may fork
    std::int64_t idle_time = 0;           // microseconds without an order, after which it ends
    std::string log_name = "tern/mailbox";

    static void fields(auto& message, auto& visit)
    {
        visit("directory", message.directory);
        visit("sandbox", message.sandbox);
        visit("sandbox_required", message.sandbox_required);
        visit("landlock_abi_limit", message.landlock_abi_limit);
        visit("own_uid", message.own_uid);
        visit("most", message.most);
        visit("idle_time", message.idle_time);
        visit("log_name", message.log_name);
    }
};

struct ForkMailbox {
    static constexpr std::string_view message_name = "fork-mailbox";
    uid_t uid = 0;
    gid_t gid = 0;
    util::UniqueFd control;

    static void fields(auto& message, auto& visit)
    {
        visit("uid", message.uid);
        visit("gid", message.gid);
        visit("control", message.control);
    }
};

struct MailboxForked {
    static constexpr std::string_view message_name = "mailbox-forked";
    std::int32_t pid = 0;
    std::string failure;          // if pid is 0: why there is none

    static void fields(auto& message, auto& visit)
    {
        visit("pid", message.pid);
        visit("failure", message.failure);
    }
};

}  // namespace ipc
