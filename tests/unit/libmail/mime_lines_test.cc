// libmail/mime_lines.h
#include "libmail/mime_lines.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

using mail::FieldClass;

namespace {

// Everything that is told, one line each: "part Subject: x", "nested ...", "text@7 ...", "fault ...".
struct Recorder final : mail::MimeLinesSink {
    std::string out;
    std::string_view body;
    std::uint64_t begin = 0;
    std::uint64_t next = 0;   // what is told comes in order and lies in the body

    void field(FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length) override
    {
        place(text, offset, length);
        util::append(out, field_class == FieldClass::Part ? "part " : "nested ", util::printable(text), "\n");
    }
    void line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position) override
    {
        place(text, offset, length);
        util::append(out, "text@", position, ' ', text, "\n");
    }
    void fault(mail::MimeFault fault, std::string_view) override { util::append(out, "fault ", mail::describe(fault), "\n"); }
    void place(std::string_view text, std::uint64_t offset, std::uint64_t length)
    {
        THAT(offset >= next && offset - begin + length <= body.size());
        EQ(body.substr(offset - begin, text.size()), text);
        next = offset + length;
    }
};

std::string read(std::string_view type, std::string_view body, std::string_view encoding = "", mail::MimeLimits limits = {})
{
    std::string whole;
    for (std::size_t piece : {std::size_t(100'000), std::size_t(1), std::size_t(7)}) {
        Recorder recorder;
        recorder.body = body;
        recorder.begin = recorder.next = 1000;
        mail::MimeLines lines(limits, recorder);
        lines.begin(type, encoding, 1000);
        for (std::size_t at = 0; at < body.size(); at += piece)
            lines.feed(body.substr(at, piece));
        lines.finish();
        if (piece == 100'000)
            whole = recorder.out;
        EQ(recorder.out, whole);
    }
    return whole;
}

TEST(plain_bodies_are_text)
{
    EQ(read("", "one\r\n\r\nthree"), "text@0 one\ntext@5 \ntext@7 three\n");
    EQ(read("text/html", "--x\r\nA: b\r\n"), "text@0 --x\ntext@5 A: b\n");
    EQ(read("multipart/mixed", "--x\r\n"), "text@0 --x\n");
    EQ(read("", ""), "");
}
END_TEST

TEST(parts_have_fields_and_text)
{
    EQ(read("multipart/mixed; boundary=x",
            "pre\r\n--x\r\nContent-Type: text/plain\r\nA: b\r\n c\r\n\r\ntext\r\n--x\r\n\r\nmore\r\n--x--\r\npost\r\n"),
       "text@0 pre\ntext@5 --x\npart Content-Type: text/plain\\015\\012\npart A: b\\015\\012 c\\015\\012\ntext@0 text\ntext@6 --x\n"
       "text@0 more\ntext@6 --x--\ntext@0 post\n");
}
END_TEST

TEST(attached_messages_are_nested)
{
    EQ(read("multipart/mixed; boundary=x",
            "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/digest; boundary=y\r\n\r\n"
            "--y\r\n\r\nSubject: inner\r\n\r\ntext\r\n--y--\r\n--x\r\nlast: z\r\n\r\nt\r\n--x--\r\n"),
       "text@0 --x\npart Content-Type: message/rfc822\\015\\012\nnested Subject: in\\015\\012\n"
       "nested Content-Type: multipart/digest; boundary=y\\015\\012\ntext@0 --y\nnested Subject: inner\\015\\012\ntext@0 text\n"
       "text@6 --y--\ntext@0 --x\npart last: z\\015\\012\ntext@0 t\ntext@3 --x--\n");
    EQ(read("message/rfc822", "Subject: x\r\n\r\ntext\r\n"), "nested Subject: x\\015\\012\ntext@0 text\n");
    EQ(read("message/rfc822", "Subject: x"), "nested Subject: x\n");
}
END_TEST

TEST(the_longest_boundary_that_fits_is_meant)
{
    std::string_view body =
        "--a\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\nP: 1\r\n\r\nx\r\n--a\r\nP: 2\r\n\r\ny\r\n--ab\r\nz\r\n";
    // Once "a" has come, "ab" is over, and --ab is a delimiter of "a".
    EQ(read("multipart/mixed; boundary=a", body),
       "text@0 --a\npart Content-Type: multipart/mixed; boundary=ab\\015\\012\ntext@0 --ab\npart P: 1\\015\\012\ntext@0 x\ntext@3 --a\n"
       "part P: 2\\015\\012\ntext@0 y\ntext@3 --ab\npart z\\015\\012\n");
}
END_TEST

TEST(a_delimiter_ends_a_header_too)
{
    EQ(read("multipart/mixed; boundary=x", "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n--x\r\nB: c\r\n--x--\r\nend"),
       "text@0 --x\npart Content-Type: multipart/mixed; boundary=y\\015\\012\ntext@43 --x\npart B: c\\015\\012\ntext@6 --x--\ntext@0 end\n");
}
END_TEST

TEST(long_lines_come_in_pieces_and_boundaries_are_cut)
{
    mail::MimeLimits limits{2, 4, 12, 10};
    EQ(read("", std::string(10, 'a') + "\r\n" + std::string(11, 'b') + "\r\n" + std::string(25, 'c'), "", limits),
       "text@0 aaaaaaaaaa\ntext@12 bbbbbbbbbb\ntext@22 b\ntext@25 cccccccccc\ntext@35 cccccccccc\ntext@45 ccccc\n");
    // Told apart by four bytes only.
    EQ(read("multipart/mixed; boundary=abcdef", "--abcdxx\r\nLong: 23456789\r\n\r\nt\r\n--abcd--\r\n", "", limits),
       "text@0 --abcdxx\npart Long: 234567\ntext@0 t\ntext@3 --abcd--\n");
    // A delimiter line that is longer than a piece.
    EQ(read("multipart/mixed; boundary=x", "--x yyyyyyyyyyyyyyyy\r\nA: b\r\n\r\n", "", limits),
       "text@0 --x yyyyyy\ntext@0 yyyyyyyyyy\npart A: b\\015\\012\n");
}
END_TEST

TEST(broken_rules_are_told)
{
    mail::MimeLimits limits;
    limits.nesting = 1;
    std::string_view nested = "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\nA: b\r\n";
    EQ(read("multipart/mixed; boundary=x", nested, "", limits),
       "text@0 --x\npart Content-Type: multipart/mixed; boundary=y\\015\\012\nfault MIME nesting exceeds safety limit\n"
       "text@0 --y\ntext@5 A: b\n");
    THAT(read("multipart/mixed; boundary=x", nested).find("fault") == std::string::npos);
    EQ(read("", "\xe4\r\n"), "fault improper use of 8-bit data in message body\ntext@0 \xe4\n");
    EQ(read("", "\xe4\r\n", "8BIT"), "text@0 \xe4\n");
    EQ(read("", "\xe4\r\n", "binary (x)"), "text@0 \xe4\n");
    EQ(read("multipart/mixed; boundary=x", "a\r\n", "base64"),
       "fault invalid message/* or multipart/* encoding domain\ntext@0 a\n");
    EQ(read("message/partial", "a\r\n", "8bit"), "fault invalid message/* or multipart/* encoding domain\ntext@0 a\n");
    EQ(read("message/rfc822", "A: b\r\n", "8bit"), "nested A: b\\015\\012\n");
    EQ(read("message/rfc822", "S: \xe4\r\n"),
       "fault improper use of 8-bit data in message header\nnested S: \\344\\015\\012\n");
}
END_TEST

SUITE(mime_lines, plain_bodies_are_text, parts_have_fields_and_text, attached_messages_are_nested,
      the_longest_boundary_that_fits_is_meant, a_delimiter_ends_a_header_too,
      long_lines_come_in_pieces_and_boundaries_are_cut, broken_rules_are_told)

}  // namespace
