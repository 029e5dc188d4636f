// The directories of an instance.
#include "master/directories.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <unistd.h>

namespace master {

namespace {

struct Wanted {
    std::string path;
    uid_t uid = 0;
    gid_t gid = 0;
    mode_t mode = 0755;
    bool keep_if_there = false;  // may be shared with others: only made, never changed
};

util::Result<void> prepare(const Wanted& wanted, bool unprivileged)
{
    bool made = false;
    if (auto result = util::sys::mkdir(wanted.path, 0700))
        made = true;
    else if (result.error().code != EEXIST)
        return result;
    auto fd = util::sys::open(wanted.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd)
        return fd.take_error();
    if (!made && wanted.keep_if_there)
        return {};
    struct stat now = TRY(util::sys::fstat(fd->get()));
    uid_t uid = unprivileged ? ::geteuid() : wanted.uid;
    gid_t gid = unprivileged ? now.st_gid : wanted.gid;
    if (now.st_uid != uid || now.st_gid != gid) {
        TRY(util::sys::fchown(fd->get(), uid, gid));
        if (!made)
            util::log::warning(wanted.path, ": owner changed to ", uid, ":", gid);
        now.st_mode = 0;  // a change of owner takes set-gid away
    }
    if ((now.st_mode & 07777) != wanted.mode) {
        TRY(util::sys::fchmod(fd->get(), wanted.mode));
        if (!made && now.st_mode != 0)
            util::log::warning(wanted.path, ": mode changed");
    }
    return {};
}

std::string parent_of(const std::string& path)
{
    std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace

util::Result<void> prepare_directories(const Plan& plan, bool unprivileged)
{
    auto owner = [&](std::string_view program) { return server::identity_of(plan.common, program, unprivileged); };
    server::Identity mail = TRY(owner("qmgr"));
    server::Identity cleanup = TRY(owner("cleanup"));
    server::Identity pickup = TRY(owner("pickup"));
    server::Identity log = TRY(owner("log"));
    server::Identity sts = TRY(owner("sts"));
    server::Identity verify = TRY(owner("verify"));
    server::Identity auth = TRY(owner("auth"));
    gid_t drop = unprivileged ? ::getegid() : TRY(server::resolve_group(*plan.common.setgid_group));
    const std::string& queue = *plan.common.queue_directory;
    std::vector<Wanted> all{
        {.path = queue, .mode = 0755},
        // cleanup may add to incoming, and neither list it nor remove what others added.
        {.path = queue + "/incoming", .uid = mail.uid, .gid = cleanup.gid, .mode = 03730},
        {.path = queue + "/deferred", .uid = mail.uid, .gid = mail.gid, .mode = 0700},
        {.path = queue + "/hold", .uid = mail.uid, .gid = mail.gid, .mode = 0700},
        {.path = queue + "/corrupt", .uid = mail.uid, .gid = mail.gid, .mode = 0700},
        {.path = queue + "/maildrop", .uid = pickup.uid, .gid = drop, .mode = 01730},
        // All daemons belong to the group of mail_owner, besides their own.
        {.path = queue + "/private", .gid = mail.gid, .mode = 0710},
        {.path = queue + "/public", .mode = 0755},
        {.path = parent_of(plan.pid_file()), .mode = 0755, .keep_if_there = true},
        {.path = *plan.common.data_directory, .uid = mail.uid, .gid = mail.gid, .mode = 0755},
        {.path = *plan.common.data_directory + "/sts", .uid = sts.uid, .gid = sts.gid, .mode = 0700},
        {.path = *plan.common.data_directory + "/verify", .uid = verify.uid, .gid = verify.gid, .mode = 0700},
        {.path = *plan.common.data_directory + "/auth", .uid = auth.uid, .gid = auth.gid, .mode = 0700},
        {.path = *plan.common.mail_store_directory, .mode = 0711, .keep_if_there = true},
    };
    if (!plan.common.maillog_file->empty() && !plan.common.maillog_file->starts_with("/dev/"))
        all.push_back({.path = parent_of(*plan.common.maillog_file),
                       .uid = log.uid,
                       .gid = log.gid,
                       .mode = 0755,
                       .keep_if_there = true});
    for (const Wanted& wanted : all)
        TRY(prepare(wanted, unprivileged));
    return {};
}

util::Result<void> prepare_terndrop(const Plan& plan)
{
    std::string path = *plan.common.command_directory + "/terndrop";
    gid_t drop = TRY(server::resolve_group(*plan.common.setgid_group));
    TRY(util::sys::chown(path, 0, drop));
    return util::sys::chmod(path, 02755);
}

}  // namespace master
