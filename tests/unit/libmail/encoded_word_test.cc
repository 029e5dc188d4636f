#include "libmail/encoded_word.h"

#include "tests/unit/suite.h"

using mail::decode_header_text;
using mail::encode_header_text;

TEST(decodes_words)
{
    // RFC 2047 §8.
    EQ(decode_header_text("(=?ISO-8859-1?Q?a?=)"), "(a)");
    EQ(decode_header_text("=?ISO-8859-1?Q?a?= b"), "a b");
    EQ(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), "ab");
    EQ(decode_header_text("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?="), "ab");
    EQ(decode_header_text("=?ISO-8859-1?Q?a_b?="), "a b");
    EQ(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?="), "a b");
    EQ(decode_header_text("=?US-ASCII*EN?Q?Keith_Moore?= <a@b>"), "Keith Moore <a@b>");
    EQ(decode_header_text("=?iso-8859-1?B?5Pb8?="), "\303\244\303\266\303\274");
    EQ(decode_header_text("=?windows-1251?q?=CF=F0=E8?="), "\320\237\321\200\320\270");
    // A character that a sender split over two words.
    EQ(decode_header_text("=?utf-8?q?=C3?= =?utf-8?q?=A4?="), "\303\244");
    EQ(decode_header_text("=?utf-8?b?w6Q=?= =?utf-8?b?w6Q=?="), "\303\244\303\244");
    EQ(decode_header_text("=?utf-8?q?a?=b"), "ab");
    EQ(decode_header_text("=?utf-8?q?" "?="), "");
    EQ(decode_header_text("=?utf-8?q?a_?="), "a ");
}
END_TEST

TEST(leaves_what_is_no_word)
{
    for (std::string_view text : {"=?", "=?=", "=?utf-8?q", "=?utf-8?q?a", "=?utf-8?x?a?=", "=?" "?q?a?=", "=?nonsense?q?a?=",
                                  "a =? b ?= c", "=?utf-8?q?a?b?="})
        EQ(decode_header_text(text), text);
    EQ(decode_header_text("a\r\n b"), "a b");
    EQ(decode_header_text("\344"), "\303\244");
    EQ(decode_header_text("\303\244"), "\303\244");
    EQ(decode_header_text("=?utf-8?q?a=0D=0Ab=00c?="), "a  b c");
}
END_TEST

TEST(encodes_only_what_needs_it)
{
    EQ(encode_header_text("plain text"), "plain text");
    EQ(encode_header_text("\303\244"), "=?utf-8?B?w6Q=?=");
    EQ(encode_header_text("a =?b"), "=?utf-8?B?YSA9P2I=?=");
    std::string longer;
    for (int i = 0; i < 100; ++i)
        longer += "\342\202\254x";
    std::string encoded = encode_header_text(longer);
    EQ(decode_header_text(encoded), longer);
    for (std::size_t at = 0; at < encoded.size();) {
        std::size_t end = std::min(encoded.find(' ', at), encoded.size());
        THAT(end - at <= 75);
        at = end + 1;
    }
}
END_TEST

TEST(floods_cost_little)
{
    std::string flood;
    while (flood.size() < 1'000'000)
        flood += "=?utf-8?q?";
    decode_header_text(flood);
    flood.clear();
    while (flood.size() < 1'000'000)
        flood += "=?utf-8?b?YWFh?= ";
    THAT(decode_header_text(flood).size() <= mail::max_decoded_header);
}
END_TEST

SUITE(encoded_word, decodes_words, leaves_what_is_no_word, encodes_only_what_needs_it, floods_cost_little)
