// tools/ternqueue/shape.h
#include "tools/ternqueue/shape.h"

#include "tests/unit/suite.h"

using namespace ternqueue;

namespace {

constexpr std::int64_t now = 1'700'000'000'000'000;

ipc::QueueItem item(std::int64_t age_seconds, std::string sender, std::vector<std::string> recipients)
{
    ipc::QueueItem made;
    made.arrival = now - age_seconds * 1'000'000;
    made.sender = std::move(sender);
    for (std::string& recipient : recipients)
        made.recipients.push_back({std::move(recipient), ""});
    return made;
}

TEST(counts_recipients_by_domain_and_age)
{
    Shape shape(now, false);
    shape.add(item(0, "s@x", {"a@one.example", "b@ONE.example"}));
    shape.add(item(5 * 60, "s@x", {"a@two.example"}));
    shape.add(item(2 * 1280 * 60, "s@x", {"a@one.example"}));
    ipc::QueueItem more = item(0, "", {"c@one.example"});   // the age is that of the item before
    more.continued = true;
    shape.add(more);
    EQ(shape.to_text(),
       "            T 5 10 20 40 80 160 320 640 1280 1280+\n"
       "      TOTAL 5 2  1  0  0  0   0   0   0    0     2\n"
       "one.example 4 2  0  0  0  0   0   0   0    0     2\n"
       "two.example 1 0  1  0  0  0   0   0   0    0     0\n");
}
END_TEST

TEST(counts_messages_by_sender)
{
    Shape shape(now, true);
    shape.add(item(0, "", {"a@one.example", "b@one.example"}));
    shape.add(item(0, "s@x.example", {"a@one.example"}));
    EQ(shape.to_json(), "{\"bounds_minutes\": [5, 10, 20, 40, 80, 160, 320, 640, 1280], "
                        "\"sum\": {\"total\": 2, \"ages\": [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]}, \"domains\": ["
                        "{\"domain\": \"mailer-daemon\", \"total\": 1, \"ages\": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]}, "
                        "{\"domain\": \"x.example\", \"total\": 1, \"ages\": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]}]}\n");
}
END_TEST

TEST(domains_beyond_the_limit_are_counted_together)
{
    Shape shape(now, false);
    for (std::size_t i = 0; i < Shape::max_domains + 7; ++i)
        shape.add(item(0, "s@x", {util::concat("a@", i, ".example")}));
    THAT(shape.to_json().find("{\"domain\": \"(others)\", \"total\": 7,") != std::string::npos);
}
END_TEST

}  // namespace

SUITE(shape, counts_recipients_by_domain_and_age, counts_messages_by_sender, domains_beyond_the_limit_are_counted_together)
