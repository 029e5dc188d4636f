#include "smtp/body_checks.h"

#include "libqueue/writer.h"
#include "libutil/log.h"
#include "tests/unit/smtp/fake_server.h"

namespace {

constexpr std::string_view body_id = "3Cbn4n0000z1234";

struct BodyBed {
    BodyBed()
    {
        util::log::to_nowhere();
        test::fill(config);
    }
    smtp::HeaderChecks checks()
    {
        auto opened = smtp::HeaderChecks::open(config);
        OK(opened);
        return opened.take();
    }
    // What becomes of a body that comes in pieces of that size; the answer must not depend on it.
    std::string apply(std::string_view header, std::string_view body)
    {
        std::string answer;
        for (std::size_t size : {body.size() + 1, std::size_t(1), std::size_t(7)}) {
            auto tables = checks();
            smtp::BodyChecks body_checks(config, tables, body_id, header);
            std::string out;
            for (std::string_view rest = body; !rest.empty(); rest.remove_prefix(std::min(size, rest.size())))
                OK(body_checks.feed(rest.substr(0, size), out));
            OK(body_checks.finish(out));
            if (answer.empty())
                answer = out;
            EQ(out, answer);
        }
        return answer;
    }

    smtp::Config config{smtp::Protocol::Smtp};
};

TEST(lines_are_left_out_replaced_and_put_before_others)
{
    struct Case {
        const char* table;
        const char* wanted;
    };
    for (const Case& c :
         {Case{"regexp:{{/^two/ IGNORE}}", "one\r\nthree\r\n\r\nlast"},
          Case{"regexp:{{/^two/ STRIP why}}", "one\r\nthree\r\n\r\nlast"},
          Case{"regexp:{{/^two/ REPLACE 2}}", "one\r\n2\r\nthree\r\n\r\nlast"},
          Case{"regexp:{{/^two/ PREPEND 1.5}}", "one\r\n1.5\r\ntwo\r\nthree\r\n\r\nlast"},
          Case{"regexp:{{/^last/ REPLACE end}}", "one\r\ntwo\r\nthree\r\n\r\nend"},
          Case{"regexp:{{/^$/ REPLACE -}}", "one\r\ntwo\r\nthree\r\n-\r\nlast"}, Case{"regexp:{{/./ IGNORE}}", "\r\n"}}) {
        BodyBed bed;
        OK(bed.config.body_checks.read(c.table));
        EQ(bed.apply("Subject: x\r\n\r\n", "one\r\ntwo\r\nthree\r\n\r\nlast"), c.wanted);
    }
}
END_TEST

TEST(what_cannot_be_done_changes_no_line)
{
    for (const char* table :
         {"regexp:{{/./ REJECT no}}", "regexp:{{/./ REPLACE}}", "regexp:{{/./ PREPEND }}", "regexp:{{/./ WARN x}}",
          "regexp:{{/./ INFO}}", "regexp:{{/./ DUNNO}}", "regexp:{{/./ nonsense}}"}) {
        BodyBed bed;
        OK(bed.config.body_checks.read(table));
        EQ(bed.apply("", "one\r\ntwo"), "one\r\ntwo");
    }
}
END_TEST

constexpr std::string_view mixed_header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
constexpr std::string_view mixed_body =
    "preamble\r\n--b\r\nContent-Type: text/plain\r\nX-Part: 1\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inner\r\nMIME-Version: 1.0\r\nX-Inner: a\r\n\tb\r\n\r\ntext\r\n--b--\r\n";

std::string without(std::string_view text, std::string_view piece)
{
    std::string out(text);
    std::size_t at = out.find(piece);
    THAT(at != std::string::npos);
    return out.erase(at, piece.size());
}

TEST(each_kind_of_field_has_its_table)
{
    BodyBed mime;
    OK(mime.config.mime_header_checks.read("regexp:{{/^X-/ IGNORE} {/^MIME-Version/ IGNORE}}"));
    EQ(mime.apply(mixed_header, mixed_body), without(without(mixed_body, "X-Part: 1\r\n"), "MIME-Version: 1.0\r\n"));
    BodyBed nested;
    OK(nested.config.nested_header_checks.read("regexp:{{/^X-/ IGNORE}}"));
    EQ(nested.apply(mixed_header, mixed_body), without(mixed_body, "X-Inner: a\r\n\tb\r\n"));
    BodyBed replaced;
    OK(replaced.config.nested_header_checks.read("regexp:{{/^X-Inner:.*b/ REPLACE X-Outer: c} {/^Subject/ PREPEND X-New: d}}"));
    std::string text = without(mixed_body, "X-Inner: a\r\n\tb\r\n");
    text.insert(text.find("MIME-Version: 1.0\r\n") + 19, "X-Outer: c\r\n");
    text.insert(text.find("Subject"), "X-New: d\r\n");
    EQ(replaced.apply(mixed_header, mixed_body), text);
    // Without MIME all is text.
    EQ(nested.apply("Subject: x\r\n\r\n", mixed_body), mixed_body);
    BodyBed body;
    OK(body.config.body_checks.read("regexp:{{/^text/ REPLACE TEXT} {/^X-/ IGNORE} {/^preamble/ IGNORE}}"));
    text = without(mixed_body, "preamble\r\n");
    for (std::size_t at = 0; (at = text.find("\r\ntext\r\n", at)) != std::string::npos; ++at)
        text.replace(at, 8, "\r\nTEXT\r\n");
    EQ(body.apply(mixed_header, mixed_body), text);
}
END_TEST

TEST(checks_of_lines_end_at_their_limit_in_each_part)
{
    BodyBed bed;
    OK(bed.config.body_checks.read("regexp:{{/^x/ IGNORE}}"));
    bed.config.body_checks_size_limit.set(6);
    EQ(bed.apply("", "x\r\nx\r\nx\r\nx\r\n"), "x\r\nx\r\n");
    bed.config.body_checks_size_limit.set(0);
    EQ(bed.apply("", "a\r\nx\r\nx\r\nx\r\nx\r\n"), "a\r\n");
}
END_TEST

TEST(a_field_without_end_does_not_wait_in_memory)
{
    BodyBed bed;
    OK(bed.config.nested_header_checks.read("regexp:{{/^X-Long/ IGNORE}}"));
    auto tables = bed.checks();
    smtp::BodyChecks checks(bed.config, tables, body_id, "Content-Type: message/rfc822\r\n\r\n");
    std::string out, all = "X-Long: a\r\n";
    OK(checks.feed(all, out));
    EQ(out, "");
    std::string line = " " + std::string(997, 'x') + "\r\n";
    while (all.size() <= smtp::BodyChecks::max_waiting + 2000) {
        OK(checks.feed(line, out));
        all += line;
    }
    THAT(out.size() > smtp::BodyChecks::max_waiting);
    OK(checks.feed("X-Long: b\r\nSubject: c\r\n\r\nbody\r\n", out));
    OK(checks.finish(out));
    EQ(out, all + "Subject: c\r\n\r\nbody\r\n");
}
END_TEST

TEST(a_table_that_fails_ends_the_message)
{
    BodyBed bed;
    OK(bed.config.body_checks.read("fail:all"));
    auto tables = bed.checks();
    smtp::BodyChecks checks(bed.config, tables, body_id, "");
    std::string out;
    auto fed = checks.feed("one\r\ntwo\r\n", out);
    THAT(!fed.ok() && fed.error().text.starts_with("smtp_body_checks: "));
    EQ(out, "");
}
END_TEST

// --- the source of a queue file --------------------------------------------------------------------

struct BodyFile {
    explicit BodyFile(const std::vector<std::string>& content)
    {
        writer.emplace(queue::WriterOptions{});
        ipc::Envelope envelope;
        envelope.queue_id = body_id;
        OK(writer->begin(envelope));
        OK(writer->add_recipient({"a@b", "", 0}));
        for (const std::string& piece : content)
            OK(writer->add_content(piece));
        queue::Summary summary;
        summary.body_offset = content.front().size();
        auto sealed = writer->finish(summary);
        OK(sealed);
        fd = sealed.take();
        auto opened = queue::Reader::open(fd.get(), queue::Check::Content);
        OK(opened);
        reader.emplace(opened.take());
    }
    std::string read(const smtp::ContentChange& change, bool seven_bit = false, std::uint64_t limit = 1000)
    {
        auto source = smtp::open_queue_source(*reader, seven_bit, change, limit);
        if (!source.ok())
            return source.error().text;
        std::string out;
        for (;;) {
            auto piece = (*source)->next();
            OK(piece);
            if (piece->empty())
                return out;
            out += *piece;
        }
    }

    std::optional<queue::Writer> writer;
    util::UniqueFd fd;
    std::optional<queue::Reader> reader;
};

TEST(header_and_body_are_changed_each_by_its_own)
{
    BodyBed bed;
    OK(bed.config.header_checks.read("regexp:{{/^X/ IGNORE}}"));
    OK(bed.config.body_checks.read("regexp:{{/^X/ IGNORE} {/^last/ IGNORE}}"));
    auto tables = bed.checks();
    smtp::ContentChange header{.header = [&](std::string_view text) { return tables.apply(text, body_id); }};
    smtp::ContentChange body{
        .body = [&](std::string_view text) { return std::make_unique<smtp::BodyChecks>(bed.config, tables, body_id, text); }};
    smtp::ContentChange both{.header = header.header, .body = body.body};
    BodyFile file({"X: 1\r\nSubject: x\r\n\r\n", "X: 2\r\n\303\244\r\n", "last\r\n"});
    EQ(file.read({}), "X: 1\r\nSubject: x\r\n\r\nX: 2\r\n\303\244\r\nlast\r\n");
    EQ(file.read(header), "Subject: x\r\n\r\nX: 2\r\n\303\244\r\nlast\r\n");
    EQ(file.read(body), "X: 1\r\nSubject: x\r\n\r\n\303\244\r\n");
    EQ(file.read(both), "Subject: x\r\n\r\n\303\244\r\n");
    std::string converted = file.read(both, true);
    THAT(converted.starts_with("Subject: x\r\n") && converted.ends_with("\r\n\r\n=C3=A4\r\n"));
    EQ(file.read(both, true, file.reader->content_size()), converted);
    EQ(file.read(both, true, file.reader->content_size() - 1),
       "8-bit content that is too large to be converted for a server without 8BITMIME");
}
END_TEST

}  // namespace

SUITE(body_checks, lines_are_left_out_replaced_and_put_before_others, what_cannot_be_done_changes_no_line,
      each_kind_of_field_has_its_table, checks_of_lines_end_at_their_limit_in_each_part,
      a_field_without_end_does_not_wait_in_memory, a_table_that_fails_ends_the_message,
      header_and_body_are_changed_each_by_its_own)
