// libipc/command_status.h: what a command's end means.
#include "libipc/command_status.h"

#include "tests/unit/suite.h"

#include <csignal>

namespace {

std::string show(const ipc::DeliveryStatus& status)
{
    const char* words[] = {"sent", "deferred", "bounced"};
    return util::concat(words[std::size_t(status.disposition)], " ", status.dsn, " ", status.text);
}

std::string exited(int status, std::string_view output = "")
{
    return show(ipc::command_status(status << 8, "cmd x", "delivered to command: cmd x", output));
}

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
    EQ(exited(127, "sh: 1: cmd: not found"),
       "bounced 5.3.0 Command died with status 127: \"cmd x\". Command output: sh: 1: cmd: not found");
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
    EQ(show(ipc::command_status(SIGKILL, "cmd", "delivered", "")), "deferred 4.3.0 Command died with signal 9: \"cmd\"");
    EQ(show(ipc::command_timeout("cmd", "")), "bounced 5.3.0 Command time limit exceeded: \"cmd\"");
}
END_TEST

TEST(output_is_one_bounded_line)
{
    std::string text = ipc::command_status(1 << 8, "cmd", "delivered", std::string(10'000, 'x') + "\r\nX-Injected: 1").text;
    THAT(text.size() < ipc::max_command_output + 200);
    EQ(exited(1, "a\r\nb\001c").find('\n'), std::string::npos);
    EQ(exited(1, "a\r\nb\001c").find('\001'), std::string::npos);
}
END_TEST

TEST(what_a_command_said_is_for_the_notification)
{
    auto said = [](int wait_status, std::string_view output) {
        return ipc::command_status(wait_status, "cmd", "delivered", output).diagnostic;
    };
    EQ(said(67 << 8, ""), "x-unix; user unknown");
    EQ(said(67 << 8, "no such\nplace\n"), "x-unix; no such place");
    EQ(said(1 << 8, ""), "x-unix; Command died with status 1: \"cmd\"");
    EQ(said(1 << 8, "oops"), "x-unix; oops");
    EQ(said(1 << 8, "5.7.1 go away"), "x-unix; go away");
    EQ(said(SIGKILL, "half"), "x-unix; half");
    EQ(said(0, "fine"), "");
    EQ(ipc::command_timeout("cmd", "slow").diagnostic, "x-unix; slow");
    EQ(ipc::command_timeout("cmd", "").diagnostic, "x-unix; Command time limit exceeded: \"cmd\"");
}
END_TEST

SUITE(command_status, exit_statuses_mean_what_sysexits_says, output_may_begin_with_a_status, signals_and_the_end_of_time,
      output_is_one_bounded_line, what_a_command_said_is_for_the_notification)

}  // namespace
