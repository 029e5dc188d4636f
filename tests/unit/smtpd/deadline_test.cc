// A client that drips: each byte comes in time, the command does not.
#include "libutil/sys.h"
#include "smtpd/checked_config.h"
#include "smtpd/restrictions.h"
#include "smtpd/session.h"
#include "smtpd/site.h"
#include "tests/unit/smtpd/fake_names.h"
#include "tests/unit/smtpd/fakes.h"
#include "tests/unit/suite.h"

#include "libutil/log.h"

#include <ctime>

namespace {

// One byte for each read, some milliseconds apart; says how many were read.
class Dripping final : public net::Transport {
public:
    Dripping(std::string input, int& reads, std::string& output) : input_(std::move(input)), reads_(reads), output_(output) {}
    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
        ::nanosleep(&pause, nullptr);
        if (std::size_t(reads_) >= input_.size())
            return std::size_t(0);
        buffer[0] = input_[std::size_t(reads_++)];
        return std::size_t(1);
    }
    util::Result<void> write_all(std::string_view bytes) override
    {
        output_ += bytes;
        return {};
    }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return false; }

private:
    std::string input_;
    int& reads_;
    std::string& output_;
};

TEST(a_deadline_ends_a_command_that_drips)
{
    util::log::to_nowhere();
    conf::Problems problems;
    auto settings = conf::MainCf::parse("myhostname = mx.example.org\nsmtpd_per_request_deadline = yes\nsmtpd_timeout = 1s\n",
                                        "main.cf", "/nonexistent", problems);
    conf::Common common;
    routing::Config routing;
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    settings.fill({&common, &config, &routing}, problems);
    THAT(!problems.any());
    auto site = smtpd::Site::open(common, routing);
    test::FakeNames names;
    OK(site);
    auto rules = smtpd::Restrictions::open(config, common, std::move(lists), {**site, names, {}});
    OK(rules);
    test::FakeIntake intake;
    int reads = 0;
    std::string output;
    smtpd::Services services{common, config, **rules, intake, nullptr, nullptr, nullptr, {}, {}, {}};
    smtpd::Session(std::move(services),
                   net::Stream(std::make_unique<Dripping>("EHLO " + std::string(1000, 'a') + "\r\n", reads, output)),
                   {"client", "192.0.2.1", 1}).run();
    THAT(reads > 1 && reads < 200);
    THAT(output.ends_with("421 4.4.2 mx.example.org Error: timeout exceeded\r\n"));
}
END_TEST

}  // namespace

SUITE(deadline, a_deadline_ends_a_command_that_drips)
