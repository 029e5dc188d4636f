#include "libmail/imap_render.h"

#include "tests/unit/suite.h"

namespace {

std::string structure(std::string_view message, bool extended = false)
{
    return mail::render_body_structure(message, mail::parse_mime(message), extended);
}

}  // namespace

TEST(strings_are_quoted_or_literal)
{
    auto text = [](std::string_view value) {
        std::string out;
        mail::append_imap_nstring(out, value);
        return out;
    };
    EQ(text({}), "NIL");
    EQ(text(""), "\"\"");
    EQ(text("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EQ(text("a\r\nb"), "{4}\r\na\r\nb");
    EQ(text("\303\251"), "{2}\r\n\303\251");
    EQ(text(std::string_view("a\0b", 3)), "{3}\r\na?b");
    EQ(text(std::string(1000, 'x')), "\"" + std::string(1000, 'x') + "\"");
    EQ(text(std::string(1001, 'x')), "{1001}\r\n" + std::string(1001, 'x'));
}
END_TEST

TEST(renders_an_envelope)
{
    EQ(mail::render_envelope("Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: Bob <bob@example.com>\r\n"
                             "To: a@b, \"X, Y\" <c@d>\r\nSubject: hi\r\n there\r\nMessage-ID: <1@x>\r\n\r\n"),
       "(\"Mon, 23 Nov 2026 10:00:00 +0000\" \"hi there\" ((\"Bob\" NIL \"bob\" \"example.com\")) "
       "((\"Bob\" NIL \"bob\" \"example.com\")) ((\"Bob\" NIL \"bob\" \"example.com\")) "
       "((NIL NIL \"a\" \"b\")(\"X, Y\" NIL \"c\" \"d\")) NIL NIL NIL \"<1@x>\")");
}
END_TEST

TEST(renders_a_plain_message)
{
    EQ(structure("Subject: x\r\n\r\nhello\r\nworld\r\n"),
       "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 14 2)");
    EQ(structure("Subject: x\r\n\r\nhello\r\nworld\r\n", true),
       "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 14 2 NIL NIL NIL NIL)");
}
END_TEST

TEST(envelopes_of_odd_headers)
{
    auto envelope = [](std::string_view header) { return mail::render_envelope(header); };
    EQ(envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    // Empty is not absent; an empty Sender or Reply-To counts as absent.
    EQ(envelope("Subject:\r\nDate: \r\nMessage-ID:\r\nIn-Reply-To: \r\nFrom: a@b\r\nSender: \r\nReply-To: (none)\r\n"),
       "(\"\" \"\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL \"\" \"\")");
    EQ(envelope("From: a@b\r\nSender: c@d\r\nReply-To: e@f\r\n"),
       "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"e\" \"f\")) NIL NIL NIL NIL NIL)");
    // Groups, an empty one among them.
    EQ(envelope("To: team: a@b, C <c@d>;, x@y\r\nCc: undisclosed-recipients:;\r\n"),
       "(NIL NIL NIL NIL NIL ((NIL NIL \"team\" NIL)(NIL NIL \"a\" \"b\")(\"C\" NIL \"c\" \"d\")(NIL NIL NIL NIL)(NIL NIL \"x\" \"y\")) "
       "((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)");
    // A source route; an address without domain; the empty name.
    EQ(envelope("Bcc: <@r1,@r2:a@b>, nobody, \"\" <c@d>\r\n"),
       "(NIL NIL NIL NIL NIL NIL NIL ((NIL \"@r1,@r2\" \"a\" \"b\")(NIL NIL \"nobody\" \"\")(\"\" NIL \"c\" \"d\")) NIL NIL)");
    // Repeated fields: destinations add up, of others the first counts.
    EQ(envelope("To: a@b\r\nSubject: one\r\nTo: c@d\r\nSubject: two\r\n"),
       "(NIL \"one\" NIL NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)");
    // Encoded-words stay, raw bytes become literals, folds go.
    EQ(envelope("Subject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\nFrom: J\303\266 <a@b>\r\n"),
       "(NIL \"=?utf-8?q?a?= =?utf-8?q?b?=\" (({3}\r\nJ\303\266 NIL \"a\" \"b\")) (({3}\r\nJ\303\266 NIL \"a\" \"b\")) "
       "(({3}\r\nJ\303\266 NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)");
    EQ(envelope("From: a@b\r\nFrom: c@d\r\n"),
       "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)");
    EQ(envelope("Subject: NIL\r\n"), "(NIL \"NIL\" NIL NIL NIL NIL NIL NIL NIL NIL)");
}
END_TEST

TEST(structures_of_odd_messages)
{
    // Zero parts.
    EQ(structure("Content-Type: multipart/mixed; boundary=b\r\n\r\n"),
       "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")");
    // All of the extension data.
    EQ(structure(
           "Content-Type: image/png; name=\"a b.png\"\r\nContent-ID: <i>\r\nContent-Description: d\r\nContent-MD5: m==\r\n"
           "Content-Transfer-Encoding: BASE64 (c)\r\nContent-Disposition: attachment; filename=\"a\\\"b\"\r\n"
           "Content-Language: de, en-US\r\nContent-Location: http://x\r\n\r\nAAAA\r\n",
           true),
       "(\"image\" \"png\" (\"name\" \"a b.png\") \"<i>\" \"d\" \"BASE64\" 6 \"m==\" "
       "(\"attachment\" (\"filename\" \"a\\\"b\")) (\"de\" \"en-US\") \"http://x\")");
    EQ(structure("Content-Type: multipart/mixed; boundary=b\r\nContent-Disposition: inline\r\nContent-Language: en\r\n\r\n"
                 "--b\r\n\r\nx\r\n--b--\r\n", true),
       "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") "
       "(\"inline\" NIL) (\"en\") NIL)");
    EQ(structure("Content-Type: multipart/mixed; boundary=b\r\n\r\n", true),
       "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)");
    // message/rfc822: envelope, structure, lines.
    EQ(structure("Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nbody\r\n"),
       "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 20 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
       "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1) 3)");
    // RFC 2231: joined; with a charset as "name*".
    EQ(structure("Content-Type: a/b; x*0=1; x*1=2; y*0*=utf-8''%c3; y*1*=%A4\r\n\r\n"),
       "(\"a\" \"b\" (\"x\" \"12\" \"y*\" \"utf-8''%C3%A4\") NIL NIL \"7bit\" 0)");
    EQ(structure("Content-Type: text/x; charset=\"\303\266\"\r\n\r\n"),
       "(\"text\" \"x\" (\"charset\" {2}\r\n\303\266) NIL NIL \"7bit\" 0 0)");
}
END_TEST

TEST(sections_are_parsed)
{
    for (std::string_view good : {"", "HEADER", "TEXT", "1", "1.2.3", "1.MIME", "1.2.HEADER", "1.TEXT", "4294967295"})
        EQ(mail::section_text(*mail::parse_section(good)), good);
    EQ(mail::section_text(*mail::parse_section("header.fields")), "HEADER.FIELDS ()");
    auto section = *mail::parse_section("1.HEADER.FIELDS.NOT");
    section.fields = {"To", "a b", ""};
    EQ(mail::section_text(section), "1.HEADER.FIELDS.NOT (To \"a b\" \"\")");
    for (std::string_view bad : {"MIME", "0", "1.", ".1", "1..2", "01", "1.0", "4294967296", "99999999999999999999", "HEADERS",
                                 "TEXT.1", "1.FOO", "1HEADER", "-1", " 1"})
        THAT(!mail::parse_section(bad).ok());
    std::string deep = "1";
    for (std::size_t i = 1; i < mail::max_section_depth; ++i)
        deep += ".1";
    OK(mail::parse_section(deep));
    THAT(!mail::parse_section(deep + ".1").ok());
}
END_TEST

TEST(sections_are_found)
{
    std::string message =
        "Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\none\r\n"
        "--b\r\nContent-Type: message/rfc822\r\nX: y\r\n\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
        "--i\r\n\r\nplain\r\n--i\r\nContent-Type: text/html\r\n\r\nhtml\r\n--i--\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: flat\r\n\r\ntext\r\n--b--\r\n";
    auto tree = mail::parse_mime(message);
    auto content = [&](std::string_view name) {
        return mail::section_content(message, tree, *mail::parse_section(name)).value_or("none");
    };
    EQ(content("1"), "one");
    EQ(content("1.MIME"), "Content-Type: text/plain\r\n\r\n");
    EQ(content("1.HEADER"), "none");
    EQ(content("1.TEXT"), "none");
    EQ(content("1.1"), "none");
    EQ(content("2.MIME"), "Content-Type: message/rfc822\r\nX: y\r\n\r\n");
    EQ(content("2.HEADER"), "Subject: inner\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n");
    EQ(content("2.1"), "plain");
    EQ(content("2.2"), "html");
    EQ(content("2.2.MIME"), "Content-Type: text/html\r\n\r\n");
    EQ(content("2.3"), "none");
    EQ(content("2.HEADER") + content("2.TEXT"), content("2"));
    EQ(content("3.1"), "text");
    EQ(content("3.1.MIME"), "Subject: flat\r\n\r\n");
    EQ(content("3.1.1"), "none");
    EQ(content("4"), "none");
    EQ(content("HEADER") + content("TEXT"), message);
    auto fields = *mail::parse_section("2.HEADER.FIELDS");
    fields.fields = {"SUBJECT", "X"};
    EQ(*mail::section_content(message, tree, fields), "Subject: inner\r\n\r\n");
    // A message that is no multipart is its own part 1.
    message = "A: b\r\n\r\nbody";
    tree = mail::parse_mime(message);
    EQ(content("1"), "body");
    EQ(content("1.MIME"), "A: b\r\n\r\n");
    EQ(content("2"), "none");
    message = "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nbody";
    tree = mail::parse_mime(message);
    EQ(content("1"), "A: b\r\n\r\nbody");
    EQ(content("1.HEADER"), "A: b\r\n\r\n");
    EQ(content("1.1"), "body");
}
END_TEST

TEST(fields_are_selected)
{
    std::string_view header = "To: a\r\n b\r\nX: 1\r\nto: c\r\nbroken\r\nY : 2\r\n\r\n";
    EQ(mail::select_fields(header, {"TO"}, false), "To: a\r\n b\r\nto: c\r\n\r\n");
    EQ(mail::select_fields(header, {"TO", "x"}, true), "broken\r\nY : 2\r\n\r\n");
    EQ(mail::select_fields(header, {"Y"}, false), "Y : 2\r\n\r\n");
    EQ(mail::select_fields(header, {}, false), "\r\n");
    EQ(mail::select_fields(header, {}, true), header);
    EQ(mail::select_fields("A: b\r\n", {"A"}, false), "A: b\r\n");
}
END_TEST

TEST(encodings_are_undone)
{
    auto decoded = [](std::string_view encoding, std::string_view body) {
        std::string message = "Content-Transfer-Encoding: " + std::string(encoding) + "\r\n\r\n" + std::string(body);
        auto tree = mail::parse_mime(message);
        auto content = mail::decoded_content(message, tree.root());
        return content.ok() ? content.take() : "unknown";
    };
    EQ(decoded("base64", "aGk=\r\n"), "hi");
    EQ(decoded("BASE64", ""), "");
    EQ(decoded("quoted-printable", "a=\r\nb=3D"), "ab=");
    EQ(decoded("8bit", "a\r\n"), "a\r\n");
    EQ(decoded("", "a"), "a");
    EQ(decoded("x-uuencode", "a"), "unknown");
}
END_TEST

TEST(the_bundle_has_what_clients_ask_for)
{
    auto rendered =
        mail::render_message("Received: x\r\nSubject: hi\r\n there\r\nfrom: a@b\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
                             "Message-Id: <m>\r\nX-Spam: y\r\n\r\nHello\r\n> quoted\r\n   world\r\n");
    EQ(rendered.header_cache,
       "Subject: hi\r\n there\r\nfrom: a@b\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\nMessage-Id: <m>\r\n");
    EQ(rendered.preview, "Hello world");
    EQ(rendered.date->zone_minutes, 60);
    EQ(rendered.body, structure("Subject: x\r\n\r\nHello\r\n> quoted\r\n   world\r\n"));
    THAT(mail::is_cached_field("LIST-Id") && mail::is_cached_field("References") && !mail::is_cached_field("received"));
    THAT(!mail::is_cached_field("") && !mail::is_cached_field(std::string(100, 'a')));
    std::string big = "To: " + std::string(mail::max_header_cache - 6, 'x') + "\r\n";
    EQ(mail::render_message(big).header_cache.size(), mail::max_header_cache);
    EQ(mail::render_message(big + "Cc: y\r\n").header_cache, "");
}
END_TEST

TEST(previews_are_words)
{
    auto preview = [](std::string_view message) { return mail::render_message(message).preview; };
    EQ(preview(
           "Content-Type: text/html\r\n\r\n<html><head><title>T</title><style>a{}</style></head><body><p>A &amp; B&#8364;</p><!-- c --> <b>d</b></body>"),
       "A & B\342\202\254 d");
    EQ(preview("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4=F6"),
       "\303\244\303\266");
    EQ(preview("Content-Type: image/png\r\n\r\nxx"), "");
    EQ(preview("\r\n> all\r\n> quoted\r\n"), "> all > quoted");
    EQ(preview("\r\n" + std::string(1000, 'x')), std::string(mail::preview_length, 'x'));
    EQ(preview("Content-Type: text/plain; charset=utf-8\r\n\r\n\303\244\302\240b\001c"), "\303\244 b c");
    EQ(preview("Content-Type: text/html\r\n\r\n<"), "");
    EQ(preview("Content-Type: text/html\r\n\r\na<script>x"), "a");
}
END_TEST

SUITE(imap_render, strings_are_quoted_or_literal, renders_an_envelope, renders_a_plain_message, envelopes_of_odd_headers,
      structures_of_odd_messages, sections_are_parsed, sections_are_found, fields_are_selected, encodings_are_undone,
      the_bundle_has_what_clients_ask_for, previews_are_words)
