// Forking for usher.
#include "mailbox/fork_server.h"

#include "libipc/connection.h"
#include "libutil/change_identity.h"
#include "libutil/log.h"
#include "libutil/sandbox.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mailbox {

namespace {

// What a process of each user may, and to become it.
util::Sandbox server_fence(const ipc::ForkServer& settings)
{
    util::Sandbox fence;
    fence.write(settings.directory).threads().forks().processes().credentials().never_lingers();
    for (int capability : {CAP_SETGID, CAP_SETUID})
        fence.capability(capability);
    for (int call : {SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_prctl})
        fence.allow(call);
    return fence;
}

util::Result<void> enter_fence(const ipc::ForkServer& settings)
{
    util::Sandbox::Mode mode = !settings.sandbox            ? util::Sandbox::Mode::No
                               : settings.sandbox_required ? util::Sandbox::Mode::Require
                                                           : util::Sandbox::Mode::Yes;
    if (!util::sanitizer::on)
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    util::Sandbox fence = server_fence(settings);
    TRY(fence.prepare(mode, static_cast<int>(settings.landlock_abi_limit)));
    TRY(fence.enter());
    return {};
}

// A sibling, whose end usher hears of.  The C library's fork() makes only children; there is one thread, and no
// handler for forks, so that it would do nothing else.
pid_t fork_sibling()
{
    return static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

// In the new process.
util::Result<void> settle(const ipc::ForkServer& settings, ipc::ForkMailbox& order, int control)
{
    if (::dup2(order.control.get(), control) < 0)
        return util::system_error("dup2", errno);
    order.control.reset();
    if (settings.own_uid)
        return {};
    return util::change_identity(order.uid, order.gid);
}

}  // namespace

Title::Title(char* from) : room_(from, std::strlen(from)) {}

void Title::set(std::string_view text) const
{
    std::size_t length = std::min(text.size(), room_.size());
    std::ranges::copy(text.substr(0, length), room_.begin());
    std::ranges::fill(room_.subspan(length), '\0');
}

util::Result<bool> fork_for_usher(const ipc::ForkServer& settings, int control)
{
    TRY(enter_fence(settings));
    ipc::Connection usher(util::UniqueFd{control});
    // Not closed here: in a new process the number is that of its own socket.
    auto number = [&] { return usher.release().release(); };
    TRY(usher.set_timeout(util::Duration(settings.idle_time)));
    for (std::uint32_t forked = 0; forked < settings.most; ++forked) {
        auto packet = ipc::receive_packet(control);
        if (!packet.ok() && packet.error().code != EAGAIN)
            return packet.take_error();
        if (!packet.ok() || !*packet)
            break;
        auto order = TRY(ipc::decode<ipc::ForkMailbox>(**packet));
        if (!order.control.valid() || (!settings.own_uid && (order.uid == 0 || order.gid == 0)))
            return util::invalid("usher's order is not one for a user's process");
        pid_t pid = fork_sibling();
        if (pid == 0) {
            TRY(settle(settings, order, number()));
            return true;
        }
        ipc::MailboxForked answer{.pid = pid};
        if (pid < 0)
            answer = {.pid = 0, .failure = util::system_error("fork", errno).text};
        auto sent = usher.send(answer);
        if (!sent.ok() && sent.error().code == EPIPE)
            break;   // usher has waited for it in vain; the new process finds its socket closed
        TRY(std::move(sent));
    }
    return false;
}

}  // namespace mailbox
