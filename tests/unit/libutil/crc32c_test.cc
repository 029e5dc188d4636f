// libutil/crc32c.h, libutil/random.h and libutil/time.h
#include "libutil/crc32c.h"

#include "libutil/random.h"
#include "libutil/time.h"
#include "tests/unit/suite.h"

using namespace util;

namespace {

TEST(has_the_vectors_of_rfc_3720)
{
    // RFC 3720 appendix B.4, there in the byte order of the wire.
    std::string ascending, descending;
    for (int i = 0; i < 32; ++i) {
        ascending.push_back(static_cast<char>(i));
        descending.push_back(static_cast<char>(31 - i));
    }
    const std::pair<std::string, std::uint32_t> vectors[] = {
        {std::string(32, '\0'), 0x8a9136aa},
        {std::string(32, '\xff'), 0x62a8ab43},
        {ascending, 0x46dd794e},
        {descending, 0x113fdb5c},
        {"123456789", 0xe3069283},
        {"", 0},
    };
    for (const auto& vector : vectors) {
        EQ(crc32c(vector.first), vector.second);
        EQ(crc32c_by_tables(vector.first), vector.second);
    }
}
END_TEST

TEST(both_ways_agree_and_continue)
{
    for (std::size_t size = 0; size < 100; ++size) {
        std::string bytes = random_string(size);
        std::uint32_t whole = crc32c(bytes);
        EQ(crc32c_by_tables(bytes), whole);
        std::string_view view = bytes;
        EQ(crc32c(view.substr(size / 3), crc32c(view.substr(0, size / 3))), whole);
    }
}
END_TEST

TEST(random_is_not_constant)
{
    EQ(random_string(16).size(), 16u);
    THAT(random_string(16) != random_string(16));
    THAT(random_u64() != random_u64());
}
END_TEST

TEST(delays_look_like_postfix)
{
    EQ(format_delay(0us), "0");
    EQ(format_delay(4ms), "0");
    EQ(format_delay(50ms), "0.05");
    EQ(format_delay(120ms), "0.12");
    EQ(format_delay(1234ms), "1.2");
    EQ(format_delay(1s), "1");
    EQ(format_delay(9960ms), "10");
    EQ(format_delay(3600s), "3600");
    EQ(format_delay(-1s), "0");
}
END_TEST

TEST(deadlines_round_up_and_end)
{
    EQ(Deadline::never().poll_milliseconds(), -1);
    EQ(Deadline::at(now() - 1s).poll_milliseconds(), 0);
    THAT(Deadline::at(now() - 1s).passed());
    THAT(!Deadline::never().passed());
    int left = Deadline::in(10s).poll_milliseconds();
    THAT(left > 5000 && left <= 10000);
    EQ(Deadline::in(std::chrono::hours(24 * 365 * 100)).poll_milliseconds(), 2147483647);
}
END_TEST

SUITE(crc32c, has_the_vectors_of_rfc_3720, both_ways_agree_and_continue, random_is_not_constant,
      delays_look_like_postfix, deadlines_round_up_and_end)

}  // namespace
