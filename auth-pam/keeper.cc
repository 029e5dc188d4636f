// Processes for log-ins.
#include "auth-pam/keeper.h"

#include "libipc/child.h"
#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/orphans.h"
#include "libutil/sys.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace auth_pam {

namespace {

constexpr util::Duration sweep_interval{250'000};

// In the new process: as after an exec, with nothing of the parent's but standard descriptors, the log and
// the end of its own connection.
int become_plain(int result)
{
    for (int number = 1; number < NSIG; ++number)
        if (number != SIGKILL && number != SIGSTOP)
            ::signal(number, SIG_DFL);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    // What modules start dies with the process, if it stays in its group.
    ::setsid();
    int kept = ::fcntl(result, F_DUPFD_CLOEXEC, server::log_descriptor + 1);
    if (kept < 0)
        ::_exit(1);
    int place = server::log_descriptor + 1;
    if (kept != place && ::dup3(kept, place, O_CLOEXEC) < 0)
        ::_exit(1);
    ::close_range(unsigned(place) + 1, ~0U, 0);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::clearenv();
    ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    return place;
}

}  // namespace

void Keeper::ask_pam(const ipc::CheckUser& wanted, const Rules& rules, int result)
{
    ipc::UserChecked answer = attempt(wanted, rules);
    std::vector<int> none;
    (void)ipc::send_packet(result, ipc::encode(answer, none), none);
}

Keeper::Keeper(util::EventLoop& loop, Settings settings, Work work)
    : loop_(loop), settings_(std::move(settings)), work_(std::move(work)), sweep_timer_(loop, [this] { sweep(); })
{
}

Keeper::~Keeper() { stop(); }

void Keeper::stop()
{
    for (const auto& entry : attempts_)
        util::end_group(entry.first);
}

void Keeper::accept(util::UniqueFd connection, std::function<void()> gone)
{
    std::uint64_t id = next_peer_++;
    Peer& peer = peers_[id];
    peer.gone = std::move(gone);
    ipc::Channel::Events events;
    events.received = [this, id](ipc::Packet& packet) { received(id, packet); };
    events.closed = [this, id](const util::Error& error) {
        if (error.kind == util::Kind::Invalid)
            util::log::warning("dropped a connection: ", error.text);
        std::erase_if(waiting_, [id](const Waiting& one) { return one.peer == id; });
        auto over = std::move(peers_.at(id).gone);
        peers_.erase(id);
        over();
    };
    peer.channel = std::make_unique<ipc::Channel>(loop_, std::move(connection), std::move(events));
}

void Keeper::received(std::uint64_t peer, ipc::Packet& packet)
{
    auto wanted = ipc::decode<ipc::CheckUser>(packet);
    if (!wanted.ok())
        return peers_.at(peer).channel->fail(wanted.take_error());
    if (waiting_.size() >= max_waiting)
        return give_up(peer, wanted->request, "too many log-ins wait for PAM");
    waiting_.push_back({peer, wanted.take(), util::now() + settings_.timeout});
    serve_waiting();
}

void Keeper::serve_waiting()
{
    while (!waiting_.empty() && attempts_.size() < settings_.process_limit) {
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        if (auto started = start(next); !started.ok())
            give_up(next.peer, next.wanted.request, started.error().text);
        if (next.wanted.password)
            ::explicit_bzero(next.wanted.password->data(), next.wanted.password->size());
    }
    if ((!waiting_.empty() || !attempts_.empty()) && !sweep_timer_.running())
        sweep_timer_.start(sweep_interval);
}

util::Result<void> Keeper::start(Waiting& waiting)
{
    auto pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0) {
        work_(waiting.wanted, settings_.rules, become_plain(pair.second.get()));
        ::_exit(0);
    }
    Attempt& attempt = attempts_[pid];
    attempt.peer = waiting.peer;
    attempt.request = waiting.wanted.request;
    attempt.deadline = waiting.deadline;
    ipc::Channel::Events events;
    events.received = [this, pid](ipc::Packet& packet) {
        Attempt& heard = attempts_.at(pid);
        auto checked = ipc::decode<ipc::UserChecked>(packet);
        if (!checked.ok() || heard.answered || checked->request != heard.request)
            return heard.result->fail(util::invalid("a process for PAM broke the protocol"));
        heard.answered = true;
        answer(heard.peer, *checked);
    };
    // Its exit follows, and is what counts.
    events.closed = [](const util::Error&) {};
    attempt.result = std::make_unique<ipc::Channel>(loop_, std::move(pair.first), std::move(events));
    return {};
}

void Keeper::answer(std::uint64_t peer, const ipc::UserChecked& answer)
{
    if (auto found = peers_.find(peer); found != peers_.end())
        found->second.channel->send(answer);
}

void Keeper::give_up(std::uint64_t peer, std::uint64_t request, std::string_view why)
{
    answer(peer, {.request = request, .verdict = ipc::UserChecked::Verdict::Unavailable, .uid = 0, .text = std::string(why)});
}

void Keeper::reap()
{
    // With helpers that modules have left behind.
    util::bury_groups([this](pid_t pid, int) { ended(pid); });
    // And those that went into a session of their own, as pam_exec's do.
    util::kill_orphans([this](pid_t pid) { return attempts_.contains(pid) || attempts_.contains(::getsid(pid)); });
    serve_waiting();
}

void Keeper::ended(pid_t pid)
{
    auto found = attempts_.find(pid);
    if (found == attempts_.end())
        return;
    // What it said last may still be in the connection.
    if (!found->second.answered && found->second.result->is_open()) {
        auto packet = ipc::receive_packet(found->second.result->fd(), MSG_DONTWAIT);
        auto checked = packet.ok() && *packet ? ipc::decode<ipc::UserChecked>(**packet)
                                              : util::Result<ipc::UserChecked>(util::temporary("it said nothing"));
        if (checked.ok() && checked->request == found->second.request) {
            found->second.answered = true;
            answer(found->second.peer, *checked);
        }
    }
    Attempt attempt = std::move(found->second);
    attempts_.erase(found);
    if (!attempt.answered)
        give_up(attempt.peer, attempt.request, "the process that asked PAM has ended");
}

void Keeper::sweep()
{
    util::Instant now = util::now();
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        give_up(waiting_.front().peer, waiting_.front().wanted.request,
                "PAM is slow, and others came first (auth_pam_process_limit)");
        waiting_.pop_front();
    }
    for (auto& [pid, attempt] : attempts_) {
        if (attempt.deadline > now)
            continue;
        if (!std::exchange(attempt.answered, true))
            give_up(attempt.peer, attempt.request, "PAM took longer than auth_pam_timeout");
        util::end_group(pid);
    }
    serve_waiting();
}

}  // namespace auth_pam
