#include "smtpd/content.h"
#include "tests/unit/suite.h"

#include <tuple>

namespace {

using smtpd::BareNewline;

struct Decoded {
    std::string content;
    std::string rest;
    bool done = false;
    bool bare_lf = false;
};

// The whole input in pieces of `step` bytes.
Decoded decode(std::string_view input, smtpd::ContentRules rules, std::size_t step)
{
    smtpd::DataDecoder decoder(rules);
    Decoded result;
    while (!input.empty() && !decoder.done()) {
        auto piece = input.substr(0, step);
        std::size_t used = decoder.decode(piece, result.content);
        input.remove_prefix(used);
    }
    result.rest = input;
    result.done = decoder.done();
    result.bare_lf = decoder.saw_bare_lf();
    return result;
}

struct Case {
    const char* input;
    const char* content;
    const char* rest;
    bool done;
};

void check(const Case& c, smtpd::ContentRules rules)
{
    for (std::size_t step : {1U, 2U, 3U, 1000U}) {
        auto result = decode(c.input, rules, step);
        EQ(result.content, c.content);
        EQ(result.done, c.done);
        EQ(result.rest, c.rest);
    }
}

TEST(ends_data_at_crlf_dot_crlf_only)
{
    for (const Case& c : {
             Case{"a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", true},
             Case{".\r\nQUIT", "", "QUIT", true},
             Case{"\r\n.\r\n", "\r\n", "", true},
             // Smuggling: nothing but CRLF.CRLF is an end.
             Case{"a\n.\nMAIL\r\n.\r\n", "a\r\n.\r\nMAIL\r\n", "", true},
             Case{"a\n.\r\nMAIL\r\n.\r\n", "a\r\n.\r\nMAIL\r\n", "", true},
             Case{"a\r\n.\nMAIL\r\n.\r\n", "a\r\n.\r\nMAIL\r\n", "", true},
             Case{"a\r.\r\nb\r\n.\r\n", "a .\r\nb\r\n", "", true},
             Case{"a\r.\rb\r\n.\r\n", "a . b\r\n", "", true},
             Case{"a\r\n.\rb\r\n.\r\n", "a\r\n b\r\n", "", true},
             Case{"a\r\n.\r\r\nb\r\n.\r\n", "a\r\n \r\nb\r\n", "", true},
             Case{"a\r\r\n.\r\n", "a \r\n", "", true},
             Case{"a\r\n.\r", "a\r\n", "", false},
         })
        check(c, {.bare_newline = BareNewline::Normalize});
}
END_TEST

TEST(takes_bare_newlines_for_an_end_only_when_told_so)
{
    for (const Case& c : {Case{"a\n.\nQUIT\n", "a\r\n", "QUIT\n", true},
                          Case{"a\n.\r\nQUIT\n", "a\r\n", "QUIT\n", true},
                          Case{"a\r\n.\nQUIT\n", "a\r\n", "QUIT\n", true}})
        check(c, {.bare_newline = BareNewline::No});
}
END_TEST

TEST(removes_the_dot_that_was_stuffed)
{
    for (const Case& c : {Case{"..\r\n...a\r\n.b\r\nc.\r\n.\r\n", ".\r\n..a\r\nb\r\nc.\r\n", "", true},
                          Case{"a\n..\n.\r\n\r\n.\r\n", "a\r\n.\r\n.\r\n\r\n", "", true}})
        check(c, {});
}
END_TEST

TEST(notes_bare_newlines)
{
    THAT(decode("a\nb\r\n.\r\n", {}, 1).bare_lf);
    THAT(!decode("a\r\nb\r\n.\r\n", {}, 1).bare_lf);
    THAT(decode(".\nb\r\n.\r\n", {}, 1).bare_lf);
}
END_TEST

TEST(keeps_stray_cr_when_told_so)
{
    check({"a\rb\r\rc\r\n.\r\n", "a\rb\r\rc\r\n", "", true}, {.replace_stray_cr = false});
    check({"a\rb\r\rc\r\n.\r\n", "a b  c\r\n", "", true}, {});
}
END_TEST

TEST(chunks_are_lines_whatever_their_borders)
{
    for (auto [input, expected] :
         {std::pair{"a\r\nb\nc\rd", "a\r\nb\r\nc d\r\n"}, std::pair{".\r\n.\r\n", ".\r\n.\r\n"},
          std::pair{"", ""}, std::pair{"x\r", "x \r\n"}, std::pair{"\n", "\r\n"}}) {
        for (std::size_t step : {1U, 2U, 100U}) {
            smtpd::ChunkDecoder decoder({});
            std::string out;
            for (std::string_view rest = input; !rest.empty();) {
                auto piece = rest.substr(0, step);
                decoder.decode(piece, out);
                rest.remove_prefix(piece.size());
            }
            decoder.finish(out);
            EQ(out, expected);
        }
    }
}
END_TEST

TEST(nul_and_eight_bit_bytes_pass)
{
    std::string input("a\0b\xff\r\n.\r\n", 9);
    EQ(decode(input, {}, 2).content, std::string("a\0b\xff\r\n", 6));
}
END_TEST

}  // namespace

SUITE(content, ends_data_at_crlf_dot_crlf_only, takes_bare_newlines_for_an_end_only_when_told_so,
      removes_the_dot_that_was_stuffed, notes_bare_newlines, keeps_stray_cr_when_told_so,
      chunks_are_lines_whatever_their_borders, nul_and_eight_bit_bytes_pass)
