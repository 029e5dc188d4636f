// getpwnam(3), setresuid(2) and what lies between them.
#include "libutil/user.h"

#include "libutil/check.h"
#include "libutil/text.h"

#include <cerrno>
#include <functional>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <vector>

namespace util {

namespace {

constexpr std::size_t max_entry = 1U << 20;   // bytes of one passwd entry

Result<std::optional<User>> find(std::string_view what, const std::function<int(passwd*, char*, std::size_t, passwd**)>& get)
{
    std::vector<char> buffer(4096);
    for (;;) {
        passwd entry{};
        passwd* found = nullptr;
        int error = get(&entry, buffer.data(), buffer.size(), &found);
        if (error == ERANGE && buffer.size() < max_entry) {
            buffer.resize(buffer.size() * 4);
            continue;
        }
        // What getpwnam(3) says of names that are not there differs from one NSS module to the next.
        if (!found && (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM))
            return std::optional<User>();
        if (!found)
            return temporary(concat("looking up user ", printable(what, 100), ": ",
                                                system_error("passwd", error).text));
        return std::optional(User{.name = entry.pw_name, .uid = entry.pw_uid, .gid = entry.pw_gid, .home = entry.pw_dir,
                                  .shell = entry.pw_shell});
    }
}

}  // namespace

Result<std::optional<User>> find_user(const std::string& name)
{
    if (name.empty() || name.find('\0') != std::string::npos)
        return std::optional<User>();
    return find(name, [&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
        return ::getpwnam_r(name.c_str(), entry, buffer, size, found);
    });
}

Result<std::optional<User>> find_user(uid_t uid)
{
    return find(concat(uid), [&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
        return ::getpwuid_r(uid, entry, buffer, size, found);
    });
}

Result<void> may_become(const User& user, const UserRules& rules)
{
    if (rules.own_uid) {
        if (user.uid != ::geteuid())
            return permanent(concat("uid ", user.uid, " is another than this instance runs as"));
        return {};
    }
    if (user.uid == 0 || user.gid == 0)
        return permanent("nothing is done with root's rights");
    if (user.uid < rules.minimum_uid)
        return permanent(concat("uid ", user.uid, " is below ", rules.minimum_name));
    return {};
}

namespace {

// For good, with no way back.
bool is_become(const User& user)
{
    uid_t real = 0, effective = 0, saved = 0;
    return ::getresuid(&real, &effective, &saved) == 0 && real == user.uid && effective == user.uid && saved == user.uid;
}

Error cannot(std::string_view call)
{
    return temporary(system_error(call, errno).text);
}

}  // namespace

Result<void> become(const User& user, const UserRules& rules, std::optional<gid_t> group)
{
    TRY(may_become(user, rules));
    if (rules.own_uid || is_become(user))
        return {};
    gid_t gid = group.value_or(user.gid);
    int groups = user.name.empty() ? ::setgroups(0, nullptr) : ::initgroups(user.name.c_str(), user.gid);
    if (groups < 0)
        return cannot("setgroups");
    if (::setresgid(gid, gid, gid) < 0)
        return cannot("setresgid");
    if (::setresuid(user.uid, user.uid, user.uid) < 0)
        return cannot("setresuid");
    CHECK(is_become(user) && ::setuid(0) < 0);
    return {};
}

Result<Guise> Guise::put_on(const User& user, const UserRules& rules)
{
    TRY(may_become(user, rules));
    if (rules.own_uid)
        return Guise(false);
    int groups = user.name.empty() ? ::setgroups(0, nullptr) : ::initgroups(user.name.c_str(), user.gid);
    if (groups < 0)
        return cannot("setgroups");
    if (::setegid(user.gid) < 0)
        return cannot("setegid");
    if (::seteuid(user.uid) < 0) {
        int error = errno;
        CHECK(::setegid(0) == 0);
        return system_error("seteuid", error);
    }
    return Guise(true);
}

Guise::~Guise()
{
    if (worn_)
        CHECK(::seteuid(0) == 0 && ::setegid(0) == 0 && ::setgroups(0, nullptr) == 0);
}

}  // namespace util
