#include "pipe/runner.h"

#include "libipc/command_status.h"
#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/orphans.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "pipe/command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace piping {

using util::concat;
using util::Result;

namespace {

using namespace std::chrono_literals;

// Between two looks whether it is time to stop.
constexpr util::Duration longest_wait = 1s;

class Run {
public:
    static Result<Run> start(const Service& service, const ipc::Job& job);

    enum class End : std::uint8_t { ByItself, TimeLimit, Stopped };
    End wait(util::Instant deadline, bool (*stopping)(), util::Duration stop_time);

    int wait_status() const { return wait_status_; }
    const std::string& printed() const { return printed_; }
    // What the process said instead of becoming a command.
    std::optional<ipc::DeliveryStatus> settled();

private:
    bool ended(util::Duration within);
    void read_output();
    void kill_group();

    pid_t pid_ = -1;
    util::UniqueFd process_, result_, output_;
    int wait_status_ = 0;
    std::string printed_;
};

Result<Run> Run::start(const Service& service, const ipc::Job& job)
{
    util::sys::SocketPair pair = TRY(util::sys::socket_pair(SOCK_SEQPACKET));
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return util::system_error("pipe", errno);
    util::UniqueFd output(ends[0]), printed_to(ends[1]);
    TRY(util::sys::set_nonblocking(output.get(), true));
    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0)
        become_command(service, job, pair.second.get(), printed_to.get());
    Run run;
    run.pid_ = pid;
    run.result_ = std::move(pair.first);
    run.output_ = std::move(output);
    run.process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!run.process_.valid()) {
        util::Error error = util::system_error("pidfd_open", errno);
        run.kill_group();
        return error;
    }
    return run;
}

// Reaped here in any case: nobody waits for it later.
void Run::kill_group()
{
    util::end_group(pid_);
    while (::waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
    }
}

// All of it is read, some is kept.  What others left behind may print for ever: no more than a pipe holds at a time.
void Run::read_output()
{
    char buffer[4096];
    for (int round = 0; round < 16 && output_.valid(); ++round) {
        auto count = util::sys::read(output_.get(), buffer);
        if (!count && (count.error().code == EAGAIN || count.error().code == EINTR))
            return;
        if (!count || *count == 0)
            return output_.reset();
        printed_.append(buffer, std::min(*count, ipc::max_command_output - printed_.size()));
    }
}

bool Run::ended(util::Duration within)
{
    pollfd wanted[] = {{.fd = process_.get(), .events = POLLIN, .revents = 0},
                       {.fd = output_.get(), .events = POLLIN, .revents = 0}};
    if (::poll(wanted, std::size(wanted), util::Deadline::in(within).poll_milliseconds()) <= 0)
        return false;
    if (wanted[1].revents || wanted[0].revents)
        read_output();
    if (!wanted[0].revents)
        return false;
    while (::waitpid(pid_, &wait_status_, 0) < 0 && errno == EINTR) {
    }
    return true;
}

Run::End Run::wait(util::Instant deadline, bool (*stopping)(), util::Duration stop_time)
{
    End why = End::TimeLimit;
    for (;;) {
        if (why == End::TimeLimit && stopping()) {
            why = End::Stopped;
            deadline = std::min(deadline, util::now() + stop_time);
        }
        util::Duration left = deadline - util::now();
        if (left <= util::Duration::zero())
            break;
        if (ended(std::min(left, longest_wait)))
            return End::ByItself;
    }
    kill_group();
    read_output();
    return why;
}

std::optional<ipc::DeliveryStatus> Run::settled()
{
    auto packet = ipc::receive_packet(result_.get(), MSG_DONTWAIT);
    if (!packet || !*packet)
        return std::nullopt;
    auto said = ipc::decode<Settled>(**packet);
    return said ? std::optional(std::move(said->status)) : std::nullopt;
}

// As Postfix has it: of a pipe, the command's name without its arguments.
std::string name_of(const Service& service)
{
    return service.attributes.command.front().pieces().front().text;
}

ipc::DeliveryStatus deferred(std::string text) { return ipc::status_of(ipc::Disposition::Deferred, "4.3.0", std::move(text)); }

}  // namespace

ipc::DeliveryStatus run_command(const Service& service, const ipc::Job& job, bool (*stopping)(), util::Duration stop_time)
{
    auto run = Run::start(service, job);
    if (!run)
        return deferred(run.error().text);
    Run::End end = run->wait(util::now() + service.time_limit, stopping, stop_time);
    if (auto settled = run->settled())
        return std::move(*settled);
    switch (end) {
    case Run::End::TimeLimit: return ipc::command_timeout(name_of(service), run->printed());
    case Run::End::Stopped: return deferred("the mail system stopped before the command had ended");
    case Run::End::ByItself: break;
    }
    return ipc::command_status(run->wait_status(), name_of(service), concat("delivered via ", service.name, " service"),
                               run->printed());
}

}  // namespace piping
