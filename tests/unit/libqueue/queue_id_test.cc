// libqueue/queue_id.h
#include "libqueue/queue_id.h"

#include "tests/unit/suite.h"

using namespace queue;

namespace {

TEST(ids_of_one_process_ascend_even_when_the_clock_does_not)
{
    IdSource source;
    std::string last;
    for (int i = 0; i < 1000; ++i) {
        auto id = source.next(util::from_unix_seconds(1'800'000'000 - i));
        THAT(is_queue_id(id));
        THAT(last < id);
        last = id;
    }
}
END_TEST

TEST(processes_have_different_ids_at_one_moment)
{
    auto now = util::from_unix_seconds(1'800'000'000);
    THAT(IdSource(1).next(now) != IdSource(2).next(now));
    THAT(is_queue_id(IdSource(0).next(now)));
    THAT(is_queue_id(IdSource(UINT64_C(0xffffffffff)).next(now)));
    THAT(IdSource(7).next(now).substr(0, 11) == IdSource(8).next(now).substr(0, 11));
}
END_TEST

TEST(an_id_tells_its_time)
{
    auto now = util::from_unix_seconds(1'800'000'000) + std::chrono::microseconds(654'321);
    EQ(time_of(IdSource(5).next(now)), 1'800'000'000'654'321);
}
END_TEST

TEST(other_names_are_no_ids)
{
    for (const char* name : {"", ".", "..", "tmp.3C", "../../etc/passwd", "3Cbn4n0000", "3Cbn4n0000z",
                             "3Cbn4n0000y1", "3Cbn4n0000z1z", "3Cbn4n000/z1", "3Cbn4a0000z1",
                             "3Cbn4n0000z1234567890123456789"})
        ck_assert_msg(!is_queue_id(name), "%s", name);
}
END_TEST

SUITE(queue_id, ids_of_one_process_ascend_even_when_the_clock_does_not,
      processes_have_different_ids_at_one_moment, an_id_tells_its_time, other_names_are_no_ids)

}  // namespace
