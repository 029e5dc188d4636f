// Whom programs run as, and where their sockets are.
#pragma once

#include "libconf/common.h"
#include "libutil/result.h"

#include <sys/types.h>

namespace server {

// A uid, and the gid that goes with it.
struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    bool operator==(const Identity&) const = default;
};

// A user's name, or a number.  A number needs no entry in the passwd file; its gid is then the same
// number.  NotFound when there is no such user.
util::Result<Identity> resolve_owner(std::string_view text);
// The same for a group.
util::Result<gid_t> resolve_group(std::string_view text);

// Whom a program runs as: its owner's identity (programs.h), or the caller's own when the instance
// is unprivileged.
util::Result<Identity> identity_of(const conf::Common& common, std::string_view program, bool unprivileged);

// The path of a service's Unix socket: for programs only, or for all users of the machine.
std::string private_socket(const conf::Common& common, std::string_view service);
std::string public_socket(const conf::Common& common, std::string_view service);

}  // namespace server
