// The log's sinks.
//
// To the log daemon a line is one datagram, "LEVEL PROGRAM TEXT": LEVEL is one letter (see
// level_letters), PROGRAM has no spaces.  The daemon takes pid, uid and the time itself: a sender
// cannot speak for another.
#include "libutil/log.h"

#include "libutil/time.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace util::log {

namespace {

constexpr std::string_view level_letters = "PFEWIV";
// A longer line is cut; a datagram of this size always fits a Unix socket's buffer.
constexpr std::size_t line_limit = 16'000;

enum class Sink { Stderr, Socket, Nowhere };

// The one global of the suite: every line of code may have to log.
struct State {
    Sink sink = Sink::Stderr;
    int fd = -1;
    Level level = Level::Info;
    std::string program = "tern";
    std::uint64_t dropped = 0;
};

State& state()
{
    static State instance;
    return instance;
}

bool send_line(State& log, Level level, std::string_view line)
{
    std::string datagram = concat(level_letters[static_cast<std::size_t>(level)], " ", log.program, " ", line);
    ssize_t sent;
    do {
        sent = ::send(log.fd, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void write_stderr(State& log, Level level, std::string_view line)
{
    std::string out = concat(log.program, "[", ::getpid(), "]: ");
    if (level != Level::Info && level != Level::Verbose)
        append(out, name_of(level), ": ");
    append(out, line, "\n");
    // What standard error does not take is lost: there is nobody left to tell.
    if (::write(STDERR_FILENO, out.data(), out.size()) < 0)
        ++log.dropped;
}

}  // namespace

std::string_view name_of(Level level)
{
    constexpr std::string_view names[] = {"panic", "fatal", "error", "warning", "info", "verbose"};
    return names[static_cast<std::size_t>(level)];
}

void to_stderr(std::string_view program)
{
    state().sink = Sink::Stderr;
    state().program = program;
}

void to_socket(std::string_view program, int fd)
{
    state().sink = Sink::Socket;
    state().program = program;
    state().fd = fd;
}

void to_nowhere() { state().sink = Sink::Nowhere; }

void set_level(Level level) { state().level = level; }

bool enabled(Level level) { return level <= state().level && state().sink != Sink::Nowhere; }

void write(Level level, std::string_view line)
{
    if (!enabled(level))
        return;
    State& log = state();
    int saved = errno;
    bool clean = line.size() <= line_limit && std::ranges::all_of(line, is_printable);
    std::string escaped;
    if (!clean) {
        // Backslashes stay: what came through printable() already must not double.
        for (std::string_view rest = line.substr(0, line_limit); !rest.empty();) {
            std::size_t end = std::min(rest.find('\\'), rest.size());
            escaped.append(printable(rest.substr(0, end), line_limit));
            escaped.append(rest.substr(end, 1));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        if (line.size() > line_limit)
            escaped.append("...");
        line = escaped;
    }
    if (log.sink == Sink::Stderr) {
        write_stderr(log, level, line);
    } else {
        if (log.dropped > 0 &&
            send_line(log, Level::Warning, concat("log: ", log.dropped, " lines were dropped")))
            log.dropped = 0;
        if (!send_line(log, level, line)) {
            ++log.dropped;
            // What ends a process must be seen somewhere.
            if (level <= Level::Fatal)
                write_stderr(log, level, line);
        }
    }
    errno = saved;
}

void exit_fatal() { std::exit(1); }

}  // namespace util::log
