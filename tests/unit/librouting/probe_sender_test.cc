#include "librouting/probe_sender.h"

#include "tests/unit/suite.h"

using namespace std::chrono_literals;
using routing::ProbeSender;

namespace {

util::WallTime at(std::chrono::seconds seconds) { return util::WallTime(seconds); }

bool is_one(const ProbeSender& sender, std::string_view text, std::chrono::seconds now)
{
    auto address = mail::parse_address(text);
    OK(address);
    return sender.is_one(*address, at(now));
}

TEST(a_sender_stays_unless_it_has_a_lifetime)
{
    auto sender = ProbeSender::of("double-bounce", "example.org", 0s);
    EQ(sender.at(at(0s)), "double-bounce@example.org");
    EQ(sender.at(at(1'000'000s)), "double-bounce@example.org");
    THAT(is_one(sender, "Double-Bounce@Example.org", 5s) && !is_one(sender, "double-bounce@example.net", 5s));
    EQ(ProbeSender::of("probe@example.net", "example.org", 0s).at(at(0s)), "probe@example.net");
    for (const char* null : {"", "<>"}) {
        auto none = ProbeSender::of(null, "example.org", 3600s);
        EQ(none.at(at(5s)), "");
        THAT(!is_one(none, "a@example.org", 5s));
    }
}
END_TEST

TEST(a_sender_with_a_lifetime_is_good_a_lifetime_before_and_after)
{
    auto sender = ProbeSender::of("probe", "example.org", 100s);
    EQ(sender.at(at(3299s)), "probe10@example.org");   // 32 in letters
    EQ(sender.at(at(3300s)), "probe11@example.org");
    EQ(sender.at(at(3100s)), "probev@example.org");
    for (const char* good : {"probev@example.org", "probe10@example.org", "PROBE11@example.org"})
        THAT(is_one(sender, good, 3200s));
    for (const char* bad : {"probe@example.org", "probeu@example.org", "probe12@example.org", "probe10@example.net"})
        THAT(!is_one(sender, bad, 3200s));
    THAT(sender.is_base(*mail::parse_address("probe@example.org")) &&
         !sender.is_base(*mail::parse_address("probe10@example.org")));
}
END_TEST

}  // namespace

SUITE(probe_sender, a_sender_stays_unless_it_has_a_lifetime, a_sender_with_a_lifetime_is_good_a_lifetime_before_and_after)
