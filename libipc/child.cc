// The start of children, and the scoreboard.
#include "libipc/child.h"

#include "libutil/log.h"
#include "libutil/sys.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace server {

namespace {

constexpr std::string_view facts_version = "1";
constexpr std::size_t page = Scoreboard::slots + 1;
// Behind the page: for each slot a number that is odd while the note is written, the note's length, the note.  What is
// never written takes no memory.
constexpr std::size_t note_room = Scoreboard::note_size + 9;
constexpr std::size_t note_numbers = 8;   // bytes before a note
constexpr std::size_t board_size = page + Scoreboard::slots * note_room;

}  // namespace

std::string Facts::encode() const
{
    return util::concat(facts_version, " slot=", slot, " listeners=", listeners, " unprivileged=", unprivileged ? 1 : 0);
}

util::Result<Facts> Facts::decode(std::string_view text)
{
    auto words = util::split_words(text, " ");
    if (words.empty() || words.front() != facts_version)
        return util::invalid("TERN_CHILD: not of this release's master(8)");
    Facts facts;
    for (std::string_view word : words) {
        auto [name, value] = util::split_first(word, '=');
        if (name == "slot")
            facts.slot = static_cast<unsigned>(TRY(util::parse_unsigned(value, Scoreboard::slots - 1)));
        else if (name == "listeners")
            facts.listeners = static_cast<unsigned>(TRY(util::parse_unsigned(value, max_listeners)));
        else if (name == "unprivileged")
            facts.unprivileged = TRY(util::parse_unsigned(value, 1)) == 1;
    }
    return facts;
}

// --- scoreboard ----------------------------------------------------------------------------------

util::Result<Scoreboard> Scoreboard::create()
{
    auto fd = TRY(util::sys::memfd("scoreboard"));
    TRY(util::sys::ftruncate(fd.get(), board_size));
    // Its size must not change under those who have it mapped: that would be SIGBUS for all.
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return util::system_error("seal scoreboard", errno);
    return map(std::move(fd));
}

util::Result<Scoreboard> Scoreboard::map(util::UniqueFd fd)
{
    struct stat status = TRY(util::sys::fstat(fd.get()));
    if (status.st_size != static_cast<off_t>(board_size))
        return util::invalid("the scoreboard has not the size of one");
    void* memory = ::mmap(nullptr, board_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED)
        return util::system_error("map scoreboard", errno);
    return Scoreboard(std::move(fd), static_cast<std::atomic<unsigned char>*>(memory));
}

Scoreboard::Scoreboard(Scoreboard&& other) noexcept
    : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, nullptr))
{
}

Scoreboard& Scoreboard::operator=(Scoreboard&& other) noexcept
{
    if (this != &other) {
        unmap();
        fd_ = std::move(other.fd_);
        bytes_ = std::exchange(other.bytes_, nullptr);
    }
    return *this;
}

Scoreboard::~Scoreboard() { unmap(); }

void Scoreboard::unmap()
{
    static_assert(sizeof(std::atomic<unsigned char>) == 1);
    if (bytes_)
        ::munmap(bytes_, board_size);
    bytes_ = nullptr;
}

void Scoreboard::set(unsigned slot, State state)
{
    CHECK(bytes_ && slot < slots);
    bytes_[slot].store(state);
}

Scoreboard::State Scoreboard::get(unsigned slot) const
{
    CHECK(bytes_ && slot < slots);
    unsigned char byte = bytes_[slot].load();
    return byte <= Busy ? static_cast<State>(byte) : Busy;  // whoever wrote nonsense is not free
}

bool Scoreboard::any_free() const
{
    for (unsigned slot = 0; slot < slots; ++slot) {
        State state = get(slot);
        if (state == Idle || state == Starting)
            return true;
    }
    return false;
}

unsigned Scoreboard::count(State state) const
{
    unsigned found = 0;
    for (unsigned slot = 0; slot < slots; ++slot)
        found += get(slot) == state;
    return found;
}

void Scoreboard::set_note(unsigned slot, std::string_view text)
{
    CHECK(bytes_ && slot < slots);
    text = text.substr(0, note_size);
    std::atomic<unsigned char>* note = bytes_ + page + slot * note_room;
    note[0].store(static_cast<unsigned char>(note[0].load() | 1));
    note[1].store(static_cast<unsigned char>(text.size()));
    for (std::size_t i = 0; i < text.size(); ++i)
        note[note_numbers + i].store(static_cast<unsigned char>(text[i]), std::memory_order_relaxed);
    // Even again, and another number than before.
    note[0].store(static_cast<unsigned char>(note[0].load() + 1));
}

std::string Scoreboard::note(unsigned slot) const
{
    CHECK(bytes_ && slot < slots);
    const std::atomic<unsigned char>* note = bytes_ + page + slot * note_room;
    unsigned char before = note[0].load();
    std::string text(std::min<std::size_t>(note[1].load(), note_size), ' ');
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>(note[note_numbers + i].load(std::memory_order_relaxed));
    std::atomic_thread_fence(std::memory_order_acquire);
    return before % 2 == 0 && note[0].load() == before ? text : std::string();
}

void Scoreboard::set_full(bool full)
{
    CHECK(bytes_);
    bytes_[slots].store(full ? 1 : 0);
}

bool Scoreboard::is_full() const
{
    CHECK(bytes_);
    return bytes_[slots].load() != 0;
}

// --- start ---------------------------------------------------------------------------------------

namespace {

// Where a child's start failed.  A child runs in its parent's memory until it is exec'd (vfork), so
// that no page of master is copied for it: it leaves here what it cannot log itself.
struct Failure {
    const char* what = nullptr;
    int code = 0;
};

[[noreturn]] void fail_child(Failure& failure, const char* what)
{
    failure = {what, errno};
    ::_exit(127);
}

// Puts the descriptors where the child looks for them.  First all go out of the way, so that none
// is overwritten before it is moved.
void place_descriptors(std::span<int> sources, Failure& failure)
{
    int above = log_descriptor + static_cast<int>(sources.size());
    int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    int null_copy = null < 0 ? -1 : ::fcntl(null, F_DUPFD_CLOEXEC, above);
    if (null_copy < 0)
        fail_child(failure, "open /dev/null");
    for (int& source : sources) {
        source = ::fcntl(source < 0 ? null_copy : source, F_DUPFD_CLOEXEC, above);
        if (source < 0)
            fail_child(failure, "duplicate a descriptor");
    }
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (::dup2(sources[i], log_descriptor + static_cast<int>(i)) < 0)
            fail_child(failure, "place a descriptor");
    }
    if (::dup2(null_copy, STDIN_FILENO) < 0)
        fail_child(failure, "place standard input");
    if (::close_range(static_cast<unsigned>(above), ~0u, 0) < 0)
        fail_child(failure, "close_range");
}

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (std::string& text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

[[noreturn]] void become_child(const char* path, char* const* arguments, char* const* environment,
                               std::span<int> sources, Failure& failure)
{
    place_descriptors(sources, failure);
    for (int signal = 1; signal < NSIG; ++signal)
        ::signal(signal, SIG_DFL);
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // Not in the terminal's foreground group: Ctrl-C is for master alone.
    ::setpgid(0, 0);
    ::execve(path, arguments, environment);
    fail_child(failure, "exec");
}

// All signals blocked, as long as it lives: a handler must not run in a child that has its parent's
// memory.
class SignalsBlocked {
public:
    SignalsBlocked()
    {
        sigset_t all;
        sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

util::Result<pid_t> spawn(const ChildSpec& spec)
{
    CHECK(spec.listeners.size() <= max_listeners);
    auto arguments = spec.arguments;
    auto environment = spec.environment;
    Facts facts = spec.facts;
    facts.listeners = static_cast<unsigned>(spec.listeners.size());
    environment.push_back(util::concat("TERN_CHILD=", facts.encode()));
    auto argument_pointers = pointers(arguments);
    auto environment_pointers = pointers(environment);
    std::vector<int> sources{spec.log, spec.control, spec.scoreboard, spec.certificates};
    sources.insert(sources.end(), spec.listeners.begin(), spec.listeners.end());
    Failure failure;
    SignalsBlocked blocked;
    pid_t pid = ::vfork();
    if (pid < 0)
        return util::system_error("fork", errno);
    if (pid == 0)
        become_child(spec.path.c_str(), argument_pointers.data(), environment_pointers.data(), sources, failure);
    // The parent goes on when the child is exec'd or gone.
    if (failure.what)
        util::log::write(util::log::Level::Fatal,
                         util::system_error(util::concat(failure.what, " ", spec.path), failure.code).text);
    return pid;
}

}  // namespace server
