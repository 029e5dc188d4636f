// cleanup/stray.h
#include "cleanup/stray.h"

#include "tests/unit/suite.h"

using namespace cleanup;

namespace {

// The text through a filter, whole and in every pair of pieces and byte by byte.
std::string filtered(const std::string& text)
{
    auto through = [&](std::size_t first) {
        StrayFilter filter;
        std::string a = text.substr(0, first), b = text.substr(first);
        filter.filter(a);
        filter.filter(b);
        return a + b + std::string(filter.finish());
    };
    std::string whole = through(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        EQ(through(i), whole);
    StrayFilter filter;
    std::string bytes;
    for (char c : text) {
        std::string one(1, c);
        filter.filter(one);
        bytes += one;
    }
    EQ(bytes + std::string(filter.finish()), whole);
    return whole;
}

TEST(line_ends_stay_and_strays_become_spaces)
{
    EQ(filtered(""), "");
    EQ(filtered("a\r\nb\r\n\r\n"), "a\r\nb\r\n\r\n");
    EQ(filtered("a\nb\r\n"), "a b\r\n");
    EQ(filtered("a\rb\r\n"), "a b\r\n");
    EQ(filtered("\r\r\n"), " \r\n");
    EQ(filtered("\n\r"), "  ");
    EQ(filtered("\n\n"), "  ");
    EQ(filtered("a\r\n.\r\r\nb\r\n.\n"), "a\r\n. \r\nb\r\n. ");
    EQ(filtered("\r"), " ");
    EQ(filtered("x\r\n\n\r\n"), "x\r\n \r\n");
}
END_TEST

TEST(replacements_are_counted)
{
    StrayFilter filter;
    std::string text = "a\nb\rc\r\nd\r";
    filter.filter(text);
    filter.finish();
    EQ(filter.replaced(), 3u);
}
END_TEST

SUITE(stray, line_ends_stay_and_strays_become_spaces, replacements_are_counted)

}  // namespace
