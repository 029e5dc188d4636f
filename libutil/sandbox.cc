// The sandbox: Landlock, limits, and the order in which the fences close.
#include "libutil/sandbox.h"

#include "libutil/log.h"
#include "libutil/sandbox_seccomp.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace util {

namespace {

constexpr std::uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t write_rights =
    read_rights | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_REFER;
constexpr std::uint64_t all_of_abi_1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
constexpr std::uint64_t truncate_right = 1ull << 14;   // ABI 3; not in every <linux/landlock.h>
constexpr std::uint64_t device_ioctl_right = 1ull << 15;  // ABI 5
constexpr std::uint64_t file_only_rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                           LANDLOCK_ACCESS_FS_READ_FILE | truncate_right | device_ioctl_right;
constexpr std::uint64_t bind_right = 1;            // ABI 4: of TCP
constexpr std::uint64_t connect_right = 2;
constexpr std::uint64_t scope_abstract_unix = 1;   // ABI 6: abstract Unix sockets of others
constexpr std::uint64_t scope_signal = 2;          // ABI 6: signals to processes outside

// struct landlock_ruleset_attr of ABI 6: the header may be older.
struct RulesetAttributes {
    std::uint64_t handled_fs;
    std::uint64_t handled_network;
    std::uint64_t scoped;
};

// The rights that a kernel of this ABI knows.
std::uint64_t known_rights(int abi)
{
    std::uint64_t rights = all_of_abi_1;
    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights |= truncate_right;
    if (abi >= 5)
        rights |= device_ioctl_right;
    return rights;
}

Result<void> limit(int resource, std::uint64_t value, std::string_view what)
{
    rlimit now{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) < 0)
        return system_error(concat("getrlimit ", what), errno);
    rlim_t bound = std::min<rlim_t>(value, now.rlim_max);
    rlimit wanted{bound, bound};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &wanted) < 0)
        return system_error(concat("setrlimit ", what), errno);
    return {};
}

}  // namespace

int Sandbox::kernel_landlock_abi()
{
    long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : static_cast<int>(abi);
}

Sandbox& Sandbox::rule(std::string path, std::uint64_t rights)
{
    if (!path.empty())
        declared_.rules.push_back({std::move(path), rights});
    return *this;
}

Sandbox& Sandbox::read(std::string path) { return rule(std::move(path), read_rights); }
Sandbox& Sandbox::execute(std::string path)
{
    declared_.programs = true;
    return rule(std::move(path), read_rights | LANDLOCK_ACCESS_FS_EXECUTE);
}
Sandbox& Sandbox::write(std::string path) { return rule(std::move(path), write_rights | truncate_right); }
Sandbox& Sandbox::add(std::string path)
{
    // REFER: naming a nameless file goes by way of /proc, "another directory".  REMOVE_FILE is for
    // the temporary name where O_TMPFILE is missing; whose file it may be is the sticky bit's rule.
    return rule(std::move(path), LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                     LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                     LANDLOCK_ACCESS_FS_REFER | truncate_right);
}
Sandbox& Sandbox::modify(std::string path)
{
    return rule(std::move(path), read_rights | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_right);
}
Sandbox& Sandbox::connect()
{
    declared_.connect = true;
    return *this;
}
Sandbox& Sandbox::network()
{
    declared_.network = true;
    declared_.connect = true;
    return *this;
}
Sandbox& Sandbox::network_from()
{
    declared_.network_from = true;
    return network();
}
Sandbox& Sandbox::processes()
{
    declared_.processes = true;
    return *this;
}
Sandbox& Sandbox::forks()
{
    declared_.forks = true;
    return *this;
}
Sandbox& Sandbox::threads()
{
    declared_.threads = true;
    return *this;
}
Sandbox& Sandbox::never_lingers()
{
    declared_.never_lingers = true;
    return *this;
}
Sandbox& Sandbox::credentials()
{
    declared_.credentials = true;
    return *this;
}
Sandbox& Sandbox::capability(int number)
{
    declared_.capabilities |= std::uint64_t(1) << number;
    return *this;
}
Sandbox& Sandbox::allow_new_privileges()
{
    declared_.new_privileges = true;
    return *this;
}
Sandbox& Sandbox::allow(int system_call)
{
    declared_.allowed.push_back(system_call);
    return *this;
}
Sandbox& Sandbox::limit_memory(std::uint64_t bytes)
{
    declared_.memory = bytes;
    return *this;
}
Sandbox& Sandbox::limit_files(std::uint64_t count)
{
    declared_.files = count;
    return *this;
}

Result<void> Sandbox::prepare(Mode mode, int landlock_abi_limit)
{
    mode_ = mode;
    if (sanitizer::on) {
        read("/proc").read("/proc/self/exe");  // the second one: names in reports
        // Programs are not static there: what starts them reads their libraries.
        if (declared_.programs)
            execute("/usr/lib").execute("/lib64");
    }
    if (mode == Mode::No || declared_.new_privileges)
        return {};
    int abi = std::min(kernel_landlock_abi(), landlock_abi_limit);
    if (abi < 1) {
        if (mode == Mode::Require)
            return permanent("sandbox = require, and this kernel has no Landlock");
        return {};
    }
    return prepare_landlock(abi);
}

Result<void> Sandbox::prepare_landlock(int abi)
{
    std::uint64_t known = known_rights(abi);
    RulesetAttributes attributes{.handled_fs = known, .handled_network = 0, .scoped = 0};
    std::size_t size = sizeof attributes.handled_fs;
    if (abi >= 4) {
        size += sizeof attributes.handled_network;
        attributes.handled_network = (declared_.network ? 0 : connect_right) | (declared_.network_from ? 0 : bind_right);
    }
    if (abi >= 6) {
        size += sizeof attributes.scoped;
        attributes.scoped = scope_abstract_unix | (declared_.processes ? 0 : scope_signal);
    }
    UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
    if (!ruleset.valid())
        return system_error("landlock_create_ruleset", errno);
    for (const Rule& rule : declared_.rules) {
        auto parent = sys::open(rule.path, O_PATH);
        if (!parent && parent.error().code == ENOENT) {
            log::verbose("sandbox: ", rule.path, " does not exist");
            continue;
        }
        if (!parent)
            return parent.take_error();
        struct stat status = TRY(sys::fstat(parent->get()));
        std::uint64_t rights = rule.rights & known;
        if (!S_ISDIR(status.st_mode))
            rights &= file_only_rights;
        landlock_path_beneath_attr beneath{};
        beneath.allowed_access = rights;
        beneath.parent_fd = parent->get();
        if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
            return system_error(concat("landlock_add_rule ", rule.path), errno);
    }
    ruleset_ = std::move(ruleset);
    landlock_abi_ = abi;
    return {};
}

Result<void> Sandbox::limit_resources() const
{
    TRY(limit(RLIMIT_CORE, 0, "core"));
    if (declared_.memory > 0 && !sanitizer::on)
        TRY(limit(RLIMIT_DATA, declared_.memory, "data"));
    if (declared_.files > 0)
        TRY(limit(RLIMIT_NOFILE, declared_.files, "nofile"));
    return {};
}

Result<void> Sandbox::drop_capabilities() const
{
    if (::geteuid() != 0)
        return {};  // they went with the uid
    // The bounding set first: to lower it takes a capability that goes too.
    for (int number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
        if (declared_.capabilities >> number & 1)
            continue;
        if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0 && errno != EPERM)  // EPERM: not all of root, and less is fine
            return system_error("PR_CAPBSET_DROP", errno);
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
    if (::syscall(SYS_capget, &header, sets) < 0)
        return system_error("capget", errno);
    for (int half = 0; half < _LINUX_CAPABILITY_U32S_3; ++half) {
        sets[half].permitted &= static_cast<std::uint32_t>(declared_.capabilities >> (32 * half));
        sets[half].effective = sets[half].permitted;
        sets[half].inheritable = 0;
    }
    if (::syscall(SYS_capset, &header, sets) < 0)
        return system_error("capset", errno);
    return {};
}

Result<bool> Sandbox::load_seccomp() const
{
    SeccompChoice choice{.files = !declared_.rules.empty(),
                         .connect = declared_.connect,
                         .network = declared_.network,
                         .network_from = declared_.network_from,
                         .processes = declared_.processes,
                         .forks = declared_.forks,
                         .programs = declared_.programs,
                         .threads = declared_.threads,
                         .credentials = declared_.credentials,
                         .never_lingers = declared_.never_lingers,
                         .more = declared_.allowed};
    return enter_seccomp(choice);
}

Result<Sandbox::Outcome> Sandbox::enter()
{
    Outcome outcome;
    TRY(limit_resources());
    if (mode_ == Mode::No) {
        outcome.missing.push_back("sandbox = no: neither Landlock nor seccomp");
        return outcome;
    }
    if (declared_.new_privileges)
        return outcome;
    TRY(drop_capabilities());
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return system_error("PR_SET_NO_NEW_PRIVS", errno);
    outcome.no_new_privileges = true;
    if (ruleset_.valid()) {
        if (::syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) < 0)
            return system_error("landlock_restrict_self", errno);
        outcome.landlock_abi = landlock_abi_;
        ruleset_.reset();
    } else {
        outcome.missing.push_back("no Landlock in this kernel: directories are fenced by owner and mode only");
    }
    outcome.seccomp = TRY(load_seccomp());
    if (!outcome.seccomp) {
        outcome.missing.push_back("no seccomp: system calls are not limited");
        if (mode_ == Mode::Require)
            return permanent("sandbox = require, and there is no seccomp in this kernel or build");
    }
    return outcome;
}

}  // namespace util
