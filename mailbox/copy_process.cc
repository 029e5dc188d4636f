// A copy of the mailbox process that reads for it.
#include "mailbox/copy_process.h"

#include "libutil/log.h"
#include "libutil/sanitizer.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace mailbox {

namespace {

constexpr std::size_t answer_piece = 64U << 10;
// Stacks of threads and the like, which count as data.
constexpr std::uint64_t other_memory = 32U << 20;

bool is_one_of(int fd, std::span<const int> descriptors)
{
    return std::find(descriptors.begin(), descriptors.end(), fd) != descriptors.end();
}

bool is_regular(int fd)
{
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Regular files are the store's, wherever they stand among the rest: close_range() would need to be told.  A socket would
// never see its end while a copy has it; the descriptor of the directory is the lock of the store, which a successor of this
// mailbox would wait for.  Of all that may be open, few are: poll() says at once which are not.
void close_all_else(std::span<const int> descriptors)
{
    rlimit limit{};
    int end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? int(std::min<rlim_t>(limit.rlim_cur, 1 << 20)) : 1 << 16;
    std::array<pollfd, descriptors_at_once> some;
    for (int first = 3; first < end; first += int(some.size())) {
        auto count = std::min(some.size(), std::size_t(end - first));
        for (std::size_t i = 0; i < count; ++i)
            some[i] = {.fd = first + int(i), .events = 0, .revents = 0};
        bool told = ::poll(some.data(), count, 0) >= 0;
        for (std::size_t i = 0; i < count; ++i)
            if (!(told && (some[i].revents & POLLNVAL)) && !is_one_of(some[i].fd, descriptors) && !is_regular(some[i].fd))
                ::close(some[i].fd);
    }
}

void set_limit(__rlimit_resource resource, std::uint64_t value)
{
    rlimit now{};
    if (::getrlimit(resource, &now) < 0)
        return;
    rlim_t bound = std::min<rlim_t>(value, now.rlim_max);
    rlimit wanted{bound, bound};
    (void)::setrlimit(resource, &wanted);
}

void limit_copy(const CopyLimits& limits)
{
    auto seconds = std::max<std::int64_t>(1, limits.time.count() / 1'000'000);
    if (!util::sanitizer::on) {
        struct mallinfo2 now = ::mallinfo2();
        set_limit(RLIMIT_DATA, now.arena + now.hblkhd + other_memory + limits.memory);
    }
    set_limit(RLIMIT_CPU, std::uint64_t(seconds));
    itimerval alarm{};
    alarm.it_value.tv_sec = seconds;
    ::setitimer(ITIMER_REAL, &alarm, nullptr);
    if (limits.nice > 0)
        (void)::setpriority(PRIO_PROCESS, 0, limits.nice);
}

void say_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            ::_exit(1);   // nobody listens
        bytes.remove_prefix(std::size_t(count));
    }
}

[[noreturn]] void be_copy(pid_t parent, int pipe, const CopyLimits& limits, util::Sandbox& fences,
                          std::span<const int> descriptors, const std::function<void(const CopyProcess::Say&)>& work)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != parent)
        ::_exit(1);
    for (int signal : {SIGTERM, SIGALRM, SIGXCPU})
        ::signal(signal, SIG_DFL);
    limit_copy(limits);
    auto entered = fences.enter();
    if (!entered.ok()) {
        util::log::error("a copy of the mailbox has no fences: ", entered.error().text);
        ::_exit(1);
    }
    std::vector<int> kept(descriptors.begin(), descriptors.end());
    kept.push_back(pipe);
    close_all_else(kept);
    work([pipe](std::string_view bytes) { say_all(pipe, bytes); });
    ::_exit(0);
}

}  // namespace

util::Result<std::unique_ptr<CopyProcess>> CopyProcess::start(util::EventLoop& loop, const CopyLimits& limits,
                                                              util::Sandbox& fences, std::span<const int> descriptors,
                                                              const std::function<void(const Say&)>& work,
                                                              std::function<void()> heard)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return util::system_error("pipe", errno);
    util::UniqueFd reading(ends[0]);
    util::UniqueFd writing(ends[1]);
    TRY(util::sys::set_nonblocking(reading.get(), true));
    pid_t parent = ::getpid();
    pid_t pid = ::fork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0)
        be_copy(parent, writing.get(), limits, fences, descriptors, work);
    auto copy = std::make_unique<CopyProcess>(pid, std::move(reading));
    CopyProcess* self = copy.get();
    copy->heard_ = std::move(heard);
    copy->watch_ = util::Watch(loop, copy->pipe_.get(), util::Watch::Read, [self](unsigned) { self->ready(); });
    return copy;
}

CopyProcess::~CopyProcess()
{
    watch_.reset();
    if (pid_ < 0)
        return;
    ::kill(pid_, SIGKILL);
    end();
}

void CopyProcess::ready()
{
    char buffer[answer_piece];
    ssize_t count = ::read(pipe_.get(), buffer, sizeof buffer);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count > 0) {
        said_.append(buffer, std::size_t(count));
        if (said_.size() > max_copy_words) {
            ::kill(pid_, SIGKILL);
            end();
        }
    } else {
        end();
    }
    auto heard = heard_;   // which may end this object
    heard();
}

// Its memory is gone when its descriptors are: the wait is short.
void CopyProcess::end()
{
    watch_.reset();
    pipe_.reset();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR)
        ;
    pid_ = -1;
    if (WIFSIGNALED(status))
        failure_ = util::concat("it was ended by signal ", WTERMSIG(status), " (", ::strsignal(WTERMSIG(status)), ")");
    else if (WEXITSTATUS(status) != 0)
        failure_ = util::concat("it ended with status ", WEXITSTATUS(status));
}

}  // namespace mailbox
