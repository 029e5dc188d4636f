// Users and processes (see user.h).
#include "tools/ternbox/user.h"

#include "libutil/standard_fds.h"
#include "libconf/accounts_file.h"
#include "libconf/common.h"
#include "libutil/log.h"
#include "libutil/sandbox.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>

namespace ternbox {

util::Result<User> find_user(const std::string& config_directory, const std::string& name)
{
    User user;
    if (name.starts_with('/')) {
        auto status = TRY(util::sys::stat(name));
        user = {name, status.st_uid, status.st_gid};
    } else {
        conf::AccountsReader accounts(config_directory + "/accounts");
        auto account = TRY(accounts.find(name));
        if (!account)
            return util::not_found(util::concat(name, ": no such account"));
        user = {account->home, account->uid, account->gid, account->address};
    }
    if (::geteuid() == 0 && user.uid == 0)
        return util::permanent(util::concat(user.directory, ": a mail store that belongs to root is not opened"));
    if (::geteuid() != 0 && ::geteuid() != user.uid) {
        // A private instance of an unprivileged person: all mail is the caller's own.
        auto status = util::sys::stat(user.directory);
        if (status.ok() && status->st_uid != ::geteuid())
            return util::permanent(util::concat(user.directory, ": belongs to another user; try as root"));
    }
    return user;
}

util::Result<void> make_home(const std::string& config_directory, const User& user)
{
    auto status = util::sys::lstat(user.directory);
    if (status.ok() || status.error().kind != util::Kind::NotFound)
        return {};
    conf::Common common;
    TRY(conf::load_common(common, config_directory));
    std::string root = *common.mail_store_directory;
    std::string_view below = user.directory;
    if (!below.starts_with(root + "/"))
        return util::not_found(util::concat(user.directory, ": no such directory"));
    below.remove_prefix(root.size() + 1);
    // Between the root and the user's own directory all is root's, so no name can be exchanged.
    auto directory = TRY(util::sys::open(root, O_RDONLY | O_DIRECTORY));
    auto levels = util::split(below, '/');
    for (std::size_t i = 0; i < levels.size(); ++i) {
        std::string name(levels[i]);
        if (name.empty() || name == "." || name == "..")
            return util::invalid(util::concat(user.directory, ": not a plain path"));
        bool last = i + 1 == levels.size();
        auto made = util::sys::mkdirat(directory.get(), name, last ? 0700 : 0711);
        if (!made.ok() && made.error().code != EEXIST)
            return made;
        directory = TRY(util::sys::openat(directory.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        if (last && made.ok() && ::geteuid() == 0)
            TRY(util::sys::fchown(directory.get(), user.uid, user.gid));
        else if (!last && made.ok())
            TRY(util::sys::fchmod(directory.get(), 0711));
    }
    return {};
}

bool is_unused(const User& user)
{
    auto directory = util::sys::open(user.directory, O_RDONLY | O_DIRECTORY);
    if (!directory.ok())
        return directory.error().kind == util::Kind::NotFound;
    auto names = util::sys::list_directory(directory->get());
    return names.ok() && names->empty();
}

util::Result<void> take_identity(const User& user)
{
    if (::geteuid() == 0) {
        if (::setgroups(0, nullptr) < 0 || ::setresgid(user.gid, user.gid, user.gid) < 0 ||
            ::setresuid(user.uid, user.uid, user.uid) < 0)
            return util::system_error("change to the user", errno);
    }
    return {};
}

util::Result<void> become(const User& user)
{
    TRY(take_identity(user));
    util::Sandbox sandbox;
    sandbox.write(user.directory).threads();
    TRY(sandbox.prepare(util::Sandbox::Mode::Yes, 0));
    TRY(sandbox.enter());
    return {};
}

namespace {

// The process that holds the flock on the directory, by /proc/locks; 0: none.
util::Result<pid_t> lock_holder(const std::string& directory)
{
    auto status = TRY(util::sys::stat(directory));
    std::string text = TRY(util::sys::read_file("/proc/locks", 16U << 20));
    for (std::string_view line : util::split(text, '\n')) {
        // "1: FLOCK  ADVISORY  WRITE 708 08:01:131 0 EOF", device numbers in hexadecimal
        auto words = util::split_words(line, " ");
        if (words.size() < 6 || words[1] != "FLOCK")
            continue;
        auto place = util::split(words[5], ':');
        if (place.size() != 3)
            continue;
        auto inode = util::parse_unsigned(place[2]);
        unsigned device_major = 0;
        unsigned device_minor = 0;
        std::from_chars(place[0].data(), place[0].data() + place[0].size(), device_major, 16);
        std::from_chars(place[1].data(), place[1].data() + place[1].size(), device_minor, 16);
        auto pid = util::parse_unsigned(words[4], INT32_MAX);
        if (inode.ok() && *inode == status.st_ino && device_major == major(status.st_dev) &&
            device_minor == minor(status.st_dev) && pid.ok())
            return pid_t(*pid);
    }
    return pid_t(0);
}

}  // namespace

util::Result<void> ask_to_leave(const User& user)
{
    pid_t pid = TRY(lock_holder(user.directory));
    if (pid == 0)
        return util::not_found("nobody has the store open");
    auto name = util::sys::read_file(util::concat("/proc/", pid, "/comm"), 100);
    if (!name.ok() || util::trim(*name) != "mailbox")
        return util::temporary(util::concat("process ", pid, " has the store open, which is no mailbox process"));
    if (::kill(pid, SIGTERM) < 0 && errno != ESRCH)
        return util::system_error(util::concat("end process ", pid), errno);
    return {};
}

int run_as(const User& user, const std::function<int(int fd)>& work,
           const std::function<util::Result<void>(int fd)>& talk)
{
    auto pair = util::sys::socket_pair(SOCK_STREAM);
    if (!pair.ok()) {
        util::log::error(pair.error().text);
        return EX_OSERR;
    }
    pid_t child = ::fork();
    if (child < 0) {
        util::log::error("fork: out of processes");
        return EX_OSERR;
    }
    if (child == 0) {
        pair->first.reset();
        auto became = become(user);
        if (!became.ok())
            util::log::error(became.error().text);
        ::_exit(became.ok() ? util::end_output("ternbox", work(pair->second.get())) : EX_NOPERM);
    }
    pair->second.reset();
    auto talked = talk(pair->first.get());
    pair->first.reset();
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_TEMPFAIL;
    // When the child failed it has said why, and this end only saw it go; unless it was the child that saw this end go.
    if (!talked.ok() && (code == 0 || talked.error().code == EEXIST)) {
        util::log::error(talked.error().text);
        code = talked.error().code == EEXIST ? EX_DATAERR : EX_IOERR;
    }
    return code;
}

}  // namespace ternbox
