#include "libmail/line.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

using mail::BareLineEnds;

namespace {

// The content, then "|" and what is left when the end was found; fed in pieces of `step` bytes.
std::string unstuff(std::string_view input, BareLineEnds bare, std::size_t step)
{
    mail::DotReader reader(bare);
    std::string out;
    std::size_t at = 0;
    while (at < input.size() && !reader.finished())
        at += reader.feed(input.substr(at, step), out);
    if (reader.finished())
        util::append(out, '|', input.substr(at));
    return out;
}

std::string stuff(std::string_view input, std::size_t step)
{
    mail::DotWriter writer;
    std::string out;
    for (std::size_t at = 0; at < input.size(); at += step)
        writer.feed(input.substr(at, step), out);
    writer.finish(out);
    return out;
}

std::string crlf(std::string_view input, bool bare_cr, std::size_t step, bool complete = true)
{
    mail::CrlfWriter writer(bare_cr);
    std::string out;
    for (std::size_t at = 0; at < input.size(); at += step)
        writer.feed(input.substr(at, step), out);
    writer.finish(out, complete);
    return out;
}

struct LineCase {
    std::string_view input, output;
};

}  // namespace

TEST(only_crlf_dot_crlf_ends_data)
{
    constexpr LineCase cases[] = {
        {".\r\nQUIT", "|QUIT"},
        {"a\r\n.\r\nQUIT", "a\r\n|QUIT"},
        {"a\r\n..\r\n.\r\n", "a\r\n.\r\n|"},
        {"a\r\n.b\r\n.\r\n", "a\r\nb\r\n|"},
        {"a\n.\r\nb", "a\n.\r\nb"},
        {"a\n.\nb", "a\n.\nb"},
        {"a\r\n.\nb", "a\r\n\nb"},
        {"a\r.\r\nb", "a\r.\r\nb"},
        {"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n|"},
        {"a\r\r\n.\r\n", "a\r\r\n|"},
        {"\r\n.\r\n", "\r\n|"},
        {"a\r\n.\r\r\nb", "a\r\n\r\r\nb"},
    };
    for (const LineCase& c : cases)
        for (std::size_t step : {1, 2, 3, 100})
            EQ(unstuff(c.input, BareLineEnds::Keep, step), c.output);
}
END_TEST

TEST(normalizing_makes_lines_but_no_end)
{
    constexpr LineCase cases[] = {
        {"a\nb\r\n.\r\n", "a\r\nb\r\n|"},       {"a\n.\r\nb", "a\r\n.\r\nb"}, {"a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n|"},
        {"a\n..b\r\n.\r\n", "a\r\n.b\r\n|"},    {"a\rb\r\n.\r\n", "a\r\nb\r\n|"},
        {"a\r.\r\nb", "a\r\n.\r\nb"},           {"a\r\n.\nb", "a\r\n.\r\nb"},
    };
    for (const LineCase& c : cases)
        for (std::size_t step : {1, 2, 3, 100})
            EQ(unstuff(c.input, BareLineEnds::Normalize, step), c.output);
}
END_TEST

TEST(faults_are_noted)
{
    using namespace std::string_view_literals;
    mail::DotReader reader;
    std::string out;
    reader.feed("a\r\nb\r\n"sv, out);
    THAT(!reader.saw_bare_lf() && !reader.saw_bare_cr() && !reader.saw_nul());
    reader.feed("a\n"sv, out);
    THAT(reader.saw_bare_lf());
    reader.feed("a\rb"sv, out);
    THAT(reader.saw_bare_cr());
    reader.feed("a\0b"sv, out);
    THAT(reader.saw_nul());
    EQ(out, "a\r\nb\r\na\na\rba\0b"sv);
}
END_TEST

TEST(dots_are_stuffed_and_the_end_is_added)
{
    constexpr LineCase cases[] = {
        {"", ".\r\n"},
        {"a", "a\r\n.\r\n"},
        {"a\r\n", "a\r\n.\r\n"},
        {".\r\n..\r\n", "..\r\n...\r\n.\r\n"},
        {"a\n.b", "a\n.b\r\n.\r\n"},
        {"a\n", "a\n\r\n.\r\n"},
        {"\r\n.\r\n", "\r\n..\r\n.\r\n"},
    };
    for (const LineCase& c : cases)
        for (std::size_t step : {1, 2, 3, 100}) {
            EQ(stuff(c.input, step), c.output);
            std::string back = unstuff(c.output, BareLineEnds::Keep, step);
            THAT(back.starts_with(c.input) && back.ends_with('|'));
        }
}
END_TEST

TEST(line_ends_become_crlf)
{
    constexpr LineCase cases[] = {
        {"", ""},           {"a", "a\r\n"},           {"a\n", "a\r\n"},       {"a\r\nb\n", "a\r\nb\r\n"},
        {"\n\n", "\r\n\r\n"}, {"a\rb\n", "a\rb\r\n"}, {"a\r\r\n", "a\r\r\n"}, {"a\r", "a\r\r\n"},
    };
    for (const LineCase& c : cases)
        for (std::size_t step : {1, 2, 3, 100})
            EQ(crlf(c.input, false, step), c.output);
    for (std::size_t step : {1, 2, 3, 100}) {
        EQ(crlf("a\rb\r", true, step), "a\r\nb\r\n");
        EQ(crlf("a", true, step, false), "a");
    }
}
END_TEST

TEST(floods_cost_linear_time)
{
    for (std::string_view unit : {std::string_view("\r"), std::string_view("\0", 1), std::string_view("\n"),
                                  std::string_view("\r\n."), std::string_view(".")}) {
        std::string flood;
        while (flood.size() < 8'000'000)
            flood += unit;
        std::string out;
        mail::DotReader(BareLineEnds::Normalize).feed(flood, out);
        out.clear();
        mail::DotWriter().feed(flood, out);
        out.clear();
        mail::CrlfWriter(true).feed(flood, out);
        THAT(out.size() >= flood.size());
    }
}
END_TEST

SUITE(line, only_crlf_dot_crlf_ends_data, normalizing_makes_lines_but_no_end, faults_are_noted,
      dots_are_stuffed_and_the_end_is_added, line_ends_become_crlf, floods_cost_linear_time)
