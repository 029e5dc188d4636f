// libutil/log.h
#include "libutil/log.h"

#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>
#include <unistd.h>

using namespace util;

namespace {

std::string next_datagram(int fd)
{
    char buffer[20'000];
    ssize_t got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    return got < 0 ? "(none)" : std::string(buffer, static_cast<std::size_t>(got));
}

TEST(a_line_is_a_datagram_with_level_and_program)
{
    auto pair = sys::socket_pair(SOCK_DGRAM).take();
    log::to_socket("tern/smtpd", pair.first.get());
    log::info("3F2A9C: to=<", "a@b", ">, n=", 3);
    EQ(next_datagram(pair.second.get()), "I tern/smtpd 3F2A9C: to=<a@b>, n=3");
    log::warning("w");
    EQ(next_datagram(pair.second.get()), "W tern/smtpd w");
    log::error("e");
    EQ(next_datagram(pair.second.get()), "E tern/smtpd e");
}
END_TEST

TEST(levels_above_the_limit_are_dropped)
{
    auto pair = sys::socket_pair(SOCK_DGRAM).take();
    log::to_socket("x", pair.first.get());
    log::verbose("hidden");
    EQ(next_datagram(pair.second.get()), "(none)");
    log::set_level(log::Level::Verbose);
    THAT(log::enabled(log::Level::Verbose));
    log::verbose("seen");
    EQ(next_datagram(pair.second.get()), "V x seen");
}
END_TEST

TEST(no_caller_breaks_a_line_in_two)
{
    auto pair = sys::socket_pair(SOCK_DGRAM).take();
    log::to_socket("x", pair.first.get());
    log::info("a\nb\r\t\x7f c\\d");
    EQ(next_datagram(pair.second.get()), "I x a\\012b\\015\\011\\177 c\\d");
    log::info(std::string(16'000, 'y'));
    EQ(next_datagram(pair.second.get()).size(), 16'000u + 4);
    log::info(std::string(16'001, 'y'));
    std::string cut = next_datagram(pair.second.get());
    EQ(cut.size(), 16'000u + 4 + 3);
    THAT(cut.ends_with("y..."));
}
END_TEST

TEST(a_full_socket_never_blocks_and_drops_are_told)
{
    auto pair = sys::socket_pair(SOCK_DGRAM).take();
    log::to_socket("x", pair.first.get());
    std::string line(1000, 'z');
    for (int i = 0; i < 100'000; ++i)
        log::info(line);
    std::size_t kept = 0;
    while (next_datagram(pair.second.get()) != "(none)")
        ++kept;
    THAT(kept > 0 && kept < 100'000);
    log::info("after");
    EQ(next_datagram(pair.second.get()), concat("W x log: ", 100'000 - kept, " lines were dropped"));
    EQ(next_datagram(pair.second.get()), "I x after");
}
END_TEST

TEST(errno_survives_a_line)
{
    log::to_socket("x", -1);
    errno = ENOSPC;
    log::info("to nowhere");
    EQ(errno, ENOSPC);
    log::to_nowhere();
    THAT(!log::enabled(log::Level::Error));
}
END_TEST

SUITE(log, a_line_is_a_datagram_with_level_and_program, levels_above_the_limit_are_dropped, no_caller_breaks_a_line_in_two,
      a_full_socket_never_blocks_and_drops_are_told, errno_survives_a_line)

}  // namespace
