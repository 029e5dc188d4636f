// cleanup/header_scan.h
#include "cleanup/header_scan.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

using namespace cleanup;

namespace {

const HeaderRules rules{40, {"bcc", "return-path"}};

std::string patched(std::string_view text, const std::vector<queue::Patch>& patches)
{
    std::string out;
    std::size_t at = 0;
    for (const auto& patch : patches) {
        out += text.substr(at, patch.offset - at);
        out += patch.replacement;
        at = patch.offset + patch.length;
    }
    return out + std::string(text.substr(at));
}

HeaderScan scan(std::string_view text, std::size_t piece = 1000)
{
    HeaderScan header(rules);
    for (std::size_t i = 0; i < text.size(); i += piece)
        header.feed(text.substr(i, piece));
    header.finish();
    return header;
}

TEST(fields_are_dropped_and_counted_whatever_the_pieces)
{
    std::string_view text = "Received: a\r\nReturn-Path: <x@y>\r\nReceived: b\r\n\tfolded\r\nBCC : secret,\r\n more\r\n"
                            "Message-ID: <1@x>\r\nFrom: me\r\n\r\nReceived: body\r\nBcc: body\r\n";
    for (std::size_t piece = 1; piece < 40; ++piece) {
        auto header = scan(text, piece);
        EQ(header.hops(), 2u);
        EQ(header.message_id(), "<1@x>");
        THAT(header.has("from"));
        THAT(!header.has("date"));
        EQ(text.substr(header.body_offset()), "Received: body\r\nBcc: body\r\n");
        EQ(text.substr(header.header_end(), 2), "\r\n");
        EQ(patched(text, header.patches()),
           "Received: a\r\nReceived: b\r\n\tfolded\r\nMessage-ID: <1@x>\r\nFrom: me\r\n\r\nReceived: body\r\nBcc: body\r\n");
    }
}
END_TEST

TEST(tls_required_counts_when_it_says_no)
{
    THAT(scan("From: a\r\nTLS-Required: No\r\n\r\n").tls_optional());
    THAT(scan("tls-required:\r\n\tno\r\n").tls_optional());
    THAT(!scan("TLS-Required: Yes\r\n\r\n").tls_optional());
    THAT(!scan("TLS-Required: Nobody\r\n\r\n").tls_optional());
    THAT(!scan("X-TLS-Required: No\r\n\r\nTLS-Required: No\r\n").tls_optional());
}
END_TEST

TEST(a_field_that_is_too_long_is_cut)
{
    std::string long_field = "Subject: " + std::string(100, 'x') + "\r\n";
    std::string text = "From: me\r\n" + long_field + "To: you\r\n\r\nbody";
    for (std::size_t piece : {1U, 7U, 1000U}) {
        auto header = scan(text, piece);
        EQ(patched(text, header.patches()), "From: me\r\nSubject: " + std::string(31, 'x') + "\r\nTo: you\r\n\r\nbody");
        THAT(header.has("to"));
    }
    // At the edge: 40 bytes and the line's end.
    std::string edge = "Subject: " + std::string(31, 'x') + "\r\n\r\n";
    EQ(scan(edge).patches().size(), 0u);
    edge.insert(10, "x");
    EQ(scan(edge).patches().size(), 1u);
}
END_TEST

TEST(headers_without_end_or_body_are_headers)
{
    auto header = scan("From: me\r\nTo: you");
    EQ(header.body_offset(), 17u);
    EQ(header.header_end(), 17u);
    THAT(header.ends_within_line());
    EQ(scan("").body_offset(), 0u);
    EQ(scan("\r\nbody").body_offset(), 2u);
    EQ(scan("\r\nbody").header_end(), 0u);
    EQ(scan("\n").header_end(), 0u);
    // A line that is no field does not end the header.
    THAT(scan("From joe Mon\r\nTo: x\r\n\r\n").has("to"));
    EQ(scan("a\r\n").body_offset(), 3u);
    THAT(!scan("a\r\n").ends_within_line());
}
END_TEST

TEST(for_own_clients_text_begins_the_body)
{
    for (std::string text : {"Received: x\r\nhello: not\r\n all: fields\r\nhello you\r\n",
                             "Received: x\r\nhello: not\r\n all: fields\r\nhello you\r\nBcc: x\r\n\r\n",
                             "Received: x\r\nhello: not\r\n all: fields\r\nhello you"}) {
        for (std::size_t piece : {1, 7, 1000}) {
            HeaderScan header(rules, nullptr, true);
            for (std::size_t at = 0; at < text.size(); at += piece)
                header.feed(std::string_view(text).substr(at, piece));
            header.finish();
            THAT(header.lacks_empty_line());
            EQ(header.header_end(), text.find("hello you"));
            EQ(header.body_offset(), header.header_end());
            THAT(!header.ends_within_line());
            EQ(header.patches().size(), 0u);
        }
    }
    HeaderScan good(rules, nullptr, true);
    good.feed("A: b\r\n\r\nc\r\n");
    good.finish();
    THAT(!good.lacks_empty_line());
}
END_TEST

TEST(missing_fields_are_added)
{
    MissingFields fields{"me@x", "now", "<id>", "To: undisclosed-recipients:;"};
    EQ(scan("Subject: x\r\n\r\n").complete(fields),
       "Message-Id: <id>\r\nDate: now\r\nFrom: me@x\r\nTo: undisclosed-recipients:;\r\n");
    EQ(scan("From: a\r\nDate: b\r\nMessage-ID: c\r\nCc: d\r\n\r\n").complete(fields), "");
    EQ(scan("From: a\r\nDate: b\r\nMessage-ID: c\r\nTo: d\r\nResent-To: e\r\n\r\n").complete(fields),
       "Resent-Message-Id: <id>\r\nResent-Date: now\r\nResent-From: me@x\r\n");
    // The log has the message-id that the message goes out with.
    HeaderScan without = scan("Subject: x\r\n\r\n"), with = scan("Message-ID: <c>\r\nResent-To: e\r\n\r\n");
    (void)without.complete(fields);
    (void)with.complete(fields);
    EQ(without.message_id(), "<id>");
    EQ(with.message_id(), "<c>");
}
END_TEST

TEST(very_many_fields_to_drop_are_bounded)
{
    std::string text, together;
    for (std::size_t i = 0; i < PatchList::max_patches; ++i) {
        text += "Bcc: x\r\nA: b\r\n";
        together += "Bcc: x\r\n";
    }
    // Neighbours are one change.
    EQ(scan(together).patches().size(), 1u);
    THAT(!scan(text).changes().overflow());
    EQ(scan(text).patches().size(), PatchList::max_patches);
    THAT(scan(text + "Bcc: x\r\n").changes().overflow());
}
END_TEST

TEST(additions_are_bounded)
{
    PatchList list;
    list.add(0, 0, std::string(PatchList::max_added, 'x'));
    THAT(!list.overflow());
    list.add(1, 0, "x");
    THAT(list.overflow());
    EQ(list.patches().size(), 1u);
}
END_TEST

SUITE(header_scan, tls_required_counts_when_it_says_no, fields_are_dropped_and_counted_whatever_the_pieces,
      a_field_that_is_too_long_is_cut, headers_without_end_or_body_are_headers, for_own_clients_text_begins_the_body,
      missing_fields_are_added, very_many_fields_to_drop_are_bounded, additions_are_bounded)

}  // namespace
