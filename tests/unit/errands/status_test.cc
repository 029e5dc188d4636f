// errands/status.h: what a command's end means.
#include "errands/status.h"

#include "tests/unit/suite.h"

#include <csignal>

namespace {

std::string show(const ipc::DeliveryStatus& status)
{
    const char* words[] = {"sent", "deferred", "bounced"};
    return util::concat(words[std::size_t(status.disposition)], " ", status.dsn, " ", status.text);
}

std::string exited(int status, std::string_view output = "") { return show(errands::command_status(status << 8, "cmd x", output)); }

TEST(exit_statuses_mean_what_sysexits_says)
{
    EQ(exited(0), "sent 2.0.0 delivered to command: cmd x");
    EQ(exited(0, "hello\n"), "sent 2.0.0 delivered to command: cmd x (hello)");
    EQ(exited(75), "deferred 4.3.0 temporary failure");
    EQ(exited(75, "no room\nat all\n"), "deferred 4.3.0 temporary failure. Command output: no room at all");
    EQ(exited(71), "deferred 4.3.0 system resource problem");
    EQ(exited(67), "bounced 5.1.1 user unknown");
    EQ(exited(77), "bounced 5.7.0 permission denied");
    EQ(exited(1), "bounced 5.3.0 Command died with status 1: \"cmd x\"");
    EQ(exited(127, "sh: 1: cmd: not found"), "bounced 5.3.0 Command died with status 127: \"cmd x\". Command output: sh: 1: cmd: not found");
}
END_TEST

TEST(output_may_begin_with_a_status)
{
    EQ(exited(1, "4.2.1 come back\n"), "deferred 4.2.1 come back");
    EQ(exited(75, "5.7.1 never"), "bounced 5.7.1 never");
    EQ(exited(0, "5.7.1 never"), "sent 2.0.0 delivered to command: cmd x (5.7.1 never)");
    EQ(exited(1, "2.0.0 well"), "bounced 5.3.0 Command died with status 1: \"cmd x\". Command output: 2.0.0 well");
}
END_TEST

TEST(signals_and_the_end_of_time)
{
    EQ(show(errands::command_status(SIGKILL, "cmd", "")), "deferred 4.3.0 Command died with signal 9: \"cmd\"");
    EQ(show(errands::command_timeout("cmd", "")), "bounced 5.3.0 Command time limit exceeded: \"cmd\"");
}
END_TEST

TEST(output_is_one_bounded_line)
{
    std::string text = errands::command_status(1 << 8, "cmd", std::string(10'000, 'x') + "\r\nX-Injected: 1").text;
    THAT(text.size() < errands::max_command_output + 200);
    EQ(exited(1, "a\r\nb\001c").find('\n'), std::string::npos);
    EQ(exited(1, "a\r\nb\001c").find('\001'), std::string::npos);
}
END_TEST

SUITE(command_status, exit_statuses_mean_what_sysexits_says, output_may_begin_with_a_status, signals_and_the_end_of_time,
      output_is_one_bounded_line)

}  // namespace
