#include "libmail/mime.h"

#include "libutil/text.h"
#include "libutil/time.h"
#include "tests/unit/cpu_time.h"
#include "tests/unit/suite.h"

using mail::MimeTreeView;
using mail::parse_mime;
using mail::Part;

namespace {

// The tree as text: type(children), with sizes and lines of bodies.
std::string shape(const MimeTreeView& tree, std::uint32_t index = 0)
{
    const Part& part = tree.parts[index];
    std::string out = util::concat(part.type.type, '/', part.type.subtype, ' ', part.end - part.body, ':', part.body_lines);
    if (part.kind == Part::Kind::Leaf)
        return out;
    out += part.kind == Part::Kind::Multipart ? " [" : " {";
    for (std::uint32_t child = part.first_child; child != Part::none; child = tree.parts[child].next_sibling)
        util::append(out, child == part.first_child ? "" : ", ", shape(tree, child));
    out += part.kind == Part::Kind::Multipart ? ']' : '}';
    return out;
}

std::string shape_of(std::string_view message) { return shape(parse_mime(message)); }

std::string multipart(std::string_view subtype, std::string_view boundary)
{
    return util::concat("Content-Type: multipart/", subtype, "; boundary=\"", boundary, "\"\r\n\r\n");
}

}  // namespace

TEST(plain_messages)
{
    EQ(shape_of(""), "text/plain 0:0");
    EQ(shape_of("\r\n"), "text/plain 0:0");
    EQ(shape_of("\r\nabc"), "text/plain 3:0");
    EQ(shape_of("A: b\r\n"), "text/plain 0:0");
    EQ(shape_of("A: b\r\n\r\nx\r\ny"), "text/plain 4:1");
    EQ(shape_of("A: b\n\nx\ny\n"), "text/plain 4:2");
    EQ(shape_of("Content-Type: image/png\r\n\r\nx\r\n"), "image/png 3:1");
    EQ(shape_of("Content-Type: nonsense\r\n\r\n"), "text/plain 0:0");
    EQ(shape_of("Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"), "a/b 0:0");
}
END_TEST

TEST(parts_end_before_the_line_end_of_the_delimiter)
{
    std::string head = multipart("mixed", "b");
    EQ(shape_of(head + "--b\r\n\r\nx\r\n--b--\r\n"), "multipart/mixed 17:4 [text/plain 1:0]");
    EQ(shape_of(head + "pre\r\n--b\r\n\r\nx\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\ny\r\n--b--\r\nepilogue\r\n"),
       util::concat("multipart/mixed 63:11 [text/plain 3:1, a/b 1:0]"));
    // No empty line between header and delimiter, no body at all, nothing between delimiters.
    EQ(shape_of(head + "--b\r\nContent-Type: a/b\r\n--b\r\n\r\n--b\r\n--b--\r\n"),
       "multipart/mixed 43:6 [a/b 0:0, text/plain 0:0, text/plain 0:0]");
    // Bare LF, blanks behind the delimiter.
    EQ(shape_of("Content-Type: multipart/mixed; boundary=b\n\n--b  \n\nx\n--b-- \n"), "multipart/mixed 16:4 [text/plain 1:0]");
}
END_TEST

TEST(missing_ends_and_zero_parts)
{
    std::string head = multipart("mixed", "b");
    EQ(shape_of(head + "--b\r\n\r\nx\r\n"), "multipart/mixed 10:3 [text/plain 3:1]");
    EQ(shape_of(head + "--b\r\n"), "multipart/mixed 5:1 [text/plain 0:0]");
    EQ(shape_of(head + "--b"), "multipart/mixed 3:0 [text/plain 0:0]");
    EQ(shape_of(head), "multipart/mixed 0:0 []");
    EQ(shape_of(head + "no delimiter\r\n"), "multipart/mixed 14:1 []");
    EQ(shape_of(head + "--b--\r\nx\r\n"), "multipart/mixed 10:2 []");
    EQ(shape_of("Content-Type: multipart/mixed\r\n\r\n--b\r\n"), "text/plain 5:1");
    EQ(shape_of("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n"), "text/plain 4:1");
}
END_TEST

TEST(a_boundary_that_begins_with_another)
{
    std::string inner_longer = multipart("mixed", "b") + "--b\r\n" + multipart("mixed", "bc") +
                               "--bc\r\n\r\nx\r\n--bc--\r\n--b\r\n\r\ny\r\n--b--\r\n";
    EQ(shape_of(inner_longer), util::concat("multipart/mixed ", inner_longer.size() - multipart("mixed", "b").size(),
                                            ":11 [multipart/mixed 17:3 [text/plain 1:0], text/plain 1:0]"));
    std::string inner_shorter = multipart("mixed", "bc") + "--bc\r\n" + multipart("mixed", "b") +
                                "--b\r\n\r\nx\r\n--b--\r\n--bc\r\n\r\ny\r\n--bc--\r\n";
    EQ(shape_of(inner_shorter), util::concat("multipart/mixed ", inner_shorter.size() - multipart("mixed", "bc").size(),
                                             ":11 [multipart/mixed 15:3 [text/plain 1:0], text/plain 1:0]"));
    // The outer delimiter ends inner multiparts that have no end of their own.
    EQ(shape_of(multipart("mixed", "o") + "--o\r\n" + multipart("alternative", "i") +
                "--i\r\n\r\nx\r\n--o\r\n\r\ny\r\n--o--\r\n"),
       "multipart/mixed 85:10 [multipart/alternative 8:2 [text/plain 1:0], text/plain 1:0]");
    // The same boundary twice: the innermost.
    EQ(shape_of(multipart("mixed", "b") + "--b\r\n" + multipart("mixed", "b") + "--b\r\n\r\nx\r\n--b--\r\n"),
       "multipart/mixed 69:7 [multipart/mixed 17:4 [text/plain 1:0]]");
}
END_TEST

TEST(messages_within_messages)
{
    EQ(shape_of("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody\r\n"), "message/rfc822 20:3 {text/plain 6:1}");
    EQ(shape_of("Content-Type: message/global\r\n\r\nContent-Type: a/b\r\n\r\n"), "message/global 21:2 {a/b 0:0}");
    EQ(shape_of(multipart("digest", "b") +
                "--b\r\n\r\nSubject: x\r\n\r\ny\r\n--b\r\nContent-Type: text/plain\r\n\r\nz\r\n--b--\r\n"),
       "multipart/digest 67:10 [message/rfc822 15:2 {text/plain 1:0}, text/plain 1:0]");
    // Cut short by the delimiter.
    EQ(shape_of(multipart("digest", "b") + "--b\r\n--b--\r\n"), "multipart/digest 12:2 [message/rfc822 0:0 {text/plain 0:0}]");
    EQ(shape_of(multipart("mixed", "b") + "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n--b--\r\n"),
       "multipart/mixed 56:5 [message/rfc822 10:0 {text/plain 0:0}]");
    EQ(shape_of("Content-Type: message/external-body\r\n\r\nA: b\r\n\r\n"), "message/external-body 8:2");
}
END_TEST

TEST(limits_hold)
{
    std::string deep;
    for (std::size_t i = 0; i < 3 * mail::max_mime_depth; ++i)
        util::append(deep, multipart("mixed", util::concat("b", i, 'x')), "--b", i, "x\r\n");
    MimeTreeView tree = parse_mime(deep);
    EQ(tree.parts.size(), mail::max_mime_depth + 1);
    EQ(tree.parts.back().type.type, "text");

    std::string nested;
    for (std::size_t i = 0; i < 3 * mail::max_mime_depth; ++i)
        nested += "Content-Type: message/rfc822\r\n\r\n";
    tree = parse_mime(nested);
    EQ(tree.parts.size(), mail::max_mime_depth + 1);
    EQ(tree.parts.back().type.subtype, "octet-stream");

    std::string wide = multipart("mixed", "b");
    for (std::size_t i = 0; i < mail::max_mime_parts + 10; ++i)
        wide += "--b\r\n\r\nx\r\n";
    tree = parse_mime(wide);
    EQ(tree.parts.size(), mail::max_mime_parts);
    EQ(tree.root().end, wide.size());

    std::string boundary(mail::max_boundary_length, 'b');
    EQ(parse_mime(multipart("mixed", boundary) + "--" + boundary + "\r\n\r\nx").parts.size(), 2U);
    boundary += 'b';
    EQ(parse_mime(multipart("mixed", boundary) + "--" + boundary + "\r\n\r\nx").parts.size(), 1U);
}
END_TEST

TEST(floods_of_parts_cost_linear_time)
{
    // Each of these took a parser somewhere minutes: boundaries that share a long beginning, lines
    // that nearly are delimiters, a header of colons, folded lines without end.
    std::string common(mail::max_boundary_length - 10, 'b');
    std::string deep;
    for (std::size_t i = 0; i < mail::max_mime_depth; ++i)
        util::append(deep, multipart("mixed", util::concat(common, i)), "--", common, i, "\r\n");
    std::string floods[] = {deep, "A: b\r\n", "A:", ""};
    while (floods[0].size() < 8'000'000)
        util::append(floods[0], "--", common, "\r\n");
    while (floods[1].size() < 8'000'000)
        floods[1] += " x\r\n";
    while (floods[2].size() < 8'000'000)
        floods[2] += ":";
    while (floods[3].size() < 8'000'000)
        floods[3] += "content-type: text/plain\r\n";
    double start = test::cpu_seconds();
    for (const std::string& flood : floods)
        parse_mime(flood);
    THAT(test::cpu_seconds() - start < 10);
}
END_TEST

TEST(lines_are_counted_at_every_alignment)
{
    std::string text;
    for (int i = 0; i < 300; ++i) {
        text += i % 7 == 0 ? '\n' : char(i * 37);
        std::uint64_t expected = 0;
        for (char c : text)
            expected += c == '\n' ? 1 : 0;
        EQ(mail::count_lines(text), expected);
    }
    EQ(mail::count_lines(std::string(100'003, '\n')), 100'003U);
}
END_TEST

SUITE(mime, plain_messages, parts_end_before_the_line_end_of_the_delimiter, missing_ends_and_zero_parts,
      a_boundary_that_begins_with_another, messages_within_messages, limits_hold, floods_of_parts_cost_linear_time,
      lines_are_counted_at_every_alignment)
