#include "local/directory.h"

#include "tests/unit/suite.h"

namespace {

TEST(cuts_at_the_first_delimiter)
{
    struct {
        std::string_view address, delimiters, expected;
    } cases[] = {
        {"user+ext@example.org", "+", "user@example.org"},
        {"user+a+b@example.org", "+", "user@example.org"},
        {"user-a+b@example.org", "+-", "user@example.org"},
        {"user@example.org", "+", ""},
        {"+ext@example.org", "+", ""},
        {"user+@example.org", "+", "user@example.org"},
        {"user@ex+ample.org", "+", ""},
        {"user+ext@example.org", "", ""},
        {"user+ext", "+", "user"},
        {"owner-list@example.org", "-", ""},
        {"list-request@example.org", "-", ""},
        {"owner-list+x@example.org", "+", "owner-list@example.org"},
        {"a@b+c@example.org", "+", "a@b@example.org"},
    };
    for (const auto& c : cases)
        EQ(local::without_extension(c.address, c.delimiters), c.expected);
}
END_TEST

SUITE(directory, cuts_at_the_first_delimiter)

}  // namespace
