// setgroups(2), setresgid(2), setresuid(2), and whether they have done it.
#include "libutil/change_identity.h"

#include <cerrno>
#include <grp.h>
#include <unistd.h>

namespace util {

Result<void> change_identity(uid_t uid, gid_t gid)
{
    if (::setgroups(0, nullptr) < 0)
        return system_error("setgroups", errno);
    if (::setresgid(gid, gid, gid) < 0)
        return system_error("setresgid", errno);
    if (::setresuid(uid, uid, uid) < 0)
        return system_error("setresuid", errno);
    uid_t real = 0, effective = 0, saved = 0;
    if (::getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid || saved != uid || ::setuid(0) == 0)
        return permanent("the identity did not change for good");
    return {};
}

}  // namespace util
