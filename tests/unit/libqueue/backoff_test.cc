// When a deferred message is tried again.
#include "libqueue/backoff.h"
#include "tests/unit/suite.h"

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t birth = 1'795'000'000 * second + 123'456;

std::string id_born_then()
{
    return queue::IdSource(7).next(util::WallTime(util::Duration(birth)));
}

}  // namespace

TEST(an_id_tells_its_time)
{
    THAT(queue::is_queue_id(id_born_then()));
    EQ(queue::time_of(id_born_then()), birth);
}
END_TEST

TEST(a_message_waits_as_long_again_as_it_is_old)
{
    queue::Backoff backoff{300 * second, 4000 * second};
    const std::pair<std::int64_t, std::int64_t> cases[] = {
        {0, 300}, {299, 300}, {301, 301}, {1000, 1000}, {4000, 4000}, {100'000, 4000}, {-5, 300}};
    for (const auto& [age, wait] : cases) {
        struct stat status {};
        std::int64_t last = birth + age * second;
        status.st_mtim = {.tv_sec = last / second, .tv_nsec = last % second * 1000};
        EQ(backoff.next_attempt(id_born_then(), status), last + wait * second);
    }
}
END_TEST

SUITE(backoff, an_id_tells_its_time, a_message_waits_as_long_again_as_it_is_old)
