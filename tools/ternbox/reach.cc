// The way to a user's mail.
#include "tools/ternbox/reach.h"

#include "libconf/common.h"
#include "libipc/mailbox.h"
#include "libutil/command.h"
#include "libutil/random.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace ternbox {

namespace {

constexpr auto answer_time = std::chrono::seconds(60);
constexpr int control_descriptor = 3;   // as mailbox(8) expects it

ipc::SessionFacts facts()
{
    ipc::SessionFacts facts;
    facts.service = ipc::Service::Imap;
    facts.session = util::hex(util::random_string(8));
    facts.client_address = "ternbox";
    return facts;
}

// Of the socket pair one end is for the mailbox process.
util::Result<util::UniqueFd> make_pair(util::UniqueFd& client)
{
    auto pair = TRY(util::sys::socket_pair(SOCK_STREAM));
    client = std::move(pair.first);
    return std::move(pair.second);
}

[[noreturn]] void become_mailbox(const std::string& program, const User& user, int control)
{
    int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    int high = ::fcntl(control, F_DUPFD_CLOEXEC, 10);
    if (null < 0 || high < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(null, STDOUT_FILENO) < 0 ||
        ::dup2(null, STDERR_FILENO) < 0 || ::dup2(high, control_descriptor) < 0 ||
        !util::sys::close_from(control_descriptor + 1) || !take_identity(user).ok())
        ::_exit(127);
    util::reset_signals();
    std::string name = "mailbox";
    char* arguments[] = {name.data(), nullptr};
    char* environment[] = {nullptr};
    ::execve(program.c_str(), arguments, environment);
    ::_exit(127);
}

}  // namespace

Way::Way(Way&& other) noexcept :
    client_(std::move(other.client_)), control_(std::move(other.control_)), process_(std::exchange(other.process_, 0))
{
}

Way::~Way()
{
    client_.reset();
    control_.close();   // it saves everything, and ends
    while (process_ > 0 && ::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

util::Result<Way> Way::find(const std::string& config_directory, const User& user, const std::string& account,
                            const Patience& patience)
{
    conf::Common common;
    TRY(conf::load_common(common, config_directory));
    Way way;
    if (!account.empty() && TRY(way.ask_usher(*common.queue_directory, account)))
        return way;
    TRY(way.start(*common.daemon_directory + "/mailbox", user, account, patience));
    return way;
}

// False when usher is not there, or not for the caller.
util::Result<bool> Way::ask_usher(const std::string& queue_directory, const std::string& account)
{
    auto usher = ipc::Connection::connect(queue_directory + "/private/usher", answer_time);
    if (!usher.ok())
        return false;
    ipc::OpenUserSession wanted;
    wanted.account = account;
    wanted.facts = facts();
    wanted.client = TRY(make_pair(client_));
    if (!usher->send(wanted).ok())
        return false;
    wanted.client.reset();
    auto answer = usher->receive();
    if (!answer.ok())   // it closes where the caller may ask for nothing
        return false;
    if (auto opened = ipc::decode<ipc::SessionOpened>(*answer); opened.ok())
        return true;
    auto failed = TRY(ipc::decode<ipc::MailboxFailed>(*answer));
    return failed.permanent ? util::permanent(failed.text) : util::temporary(failed.text);
}

util::Result<void> Way::start(const std::string& program, const User& user, const std::string& account,
                              const Patience& patience)
{
    auto pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    control_ = ipc::Connection(std::move(pair.first));
    TRY(control_.set_timeout(patience.wait + answer_time));
    ipc::MailboxSettings settings;
    settings.account = account.empty() ? user.directory : account;
    settings.directory = user.directory;
    settings.lock_wait = std::max<std::int64_t>(1, patience.wait.count());
    // Housekeeping is that of the mailbox process that usher starts, as is filling the search index, for which nobody gives
    // a turn here; nothing is forgotten unasked.
    settings.undelete_time = INT64_MAX;
    settings.undelete_limit = UINT64_MAX;
    TRY(control_.send(settings));
    ipc::NewSession session;
    session.order = 1;
    session.facts = facts();
    session.client = TRY(make_pair(client_));
    TRY(control_.send(session));
    session.client.reset();
    process_ = ::fork();
    if (process_ < 0)
        return util::system_error("fork", errno);
    if (process_ == 0)
        become_mailbox(program, user, pair.second.get());
    pair.second.reset();
    return wait_until_taken();
}

util::Result<void> Way::wait_until_taken()
{
    for (;;) {
        auto packet = control_.receive();
        if (!packet.ok())
            return util::temporary("the mailbox process does not start");
        if (auto reason = ipc::decode<ipc::NotStarted>(*packet); reason.ok())
            return util::temporary(
                util::concat(util::printable(reason->reason, 200), " (option -t tells who has it to leave)"));
        auto taken = ipc::decode<ipc::SessionTaken>(*packet);
        if (!taken.ok())
            continue;   // the number of its sessions
        return taken->refusal.empty() ? util::Result<void>() : util::temporary(util::printable(taken->refusal, 200));
    }
}

}  // namespace ternbox
