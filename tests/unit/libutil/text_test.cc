// libutil/text.h
#include "libutil/text.h"

#include "tests/unit/suite.h"

using namespace util;

namespace {

TEST(joins_text_numbers_and_truth)
{
    EQ(concat("to=<", std::string("a@b"), ">, n=", 12u, ", m=", -7L, ' ', true, false), "to=<a@b>, n=12, m=-7 yesno");
    std::string out = "x";
    append(out, UINT64_MAX, INT64_MIN);
    EQ(out, "x18446744073709551615-9223372036854775808");
}
END_TEST

TEST(compares_ascii_without_case_and_leaves_other_bytes)
{
    THAT(equal_nocase("MiXeD", "mIxEd"));
    THAT(!equal_nocase("a", "ab"));
    THAT(!equal_nocase("\xc4", "\xe4"));
    THAT(starts_with_nocase("Subject: x", "SUBJECT:"));
    THAT(!starts_with_nocase("Sub", "Subject"));
    THAT(ends_with_nocase("a.EXAMPLE", ".example"));
    THAT(!ends_with_nocase("e", "example"));
    EQ(lower("A\xc4Z"), "a\xc4z");
    EQ(upper("a{z"), "A{Z");
    EQ(HashNocase{}("ABC"), HashNocase{}("abc"));
}
END_TEST

TEST(splits_keep_empty_pieces_and_words_do_not)
{
    EQ(split("a,,b", ',').size(), 3u);
    EQ(split("", ',').size(), 1u);
    EQ(split("a,", ',').back(), "");
    auto words = split_words(" a, b\t,c ");
    EQ(words.size(), 3u);
    EQ(words[2], "c");
    EQ(split_words("").size(), 0u);
    EQ(split_first("k=v=w", '=').second, "v=w");
    EQ(split_first("k", '=').second, "");
    EQ(trim(" \t a b\r\n"), "a b");
    EQ(trim("  "), "");
}
END_TEST

TEST(numbers_are_whole_unsigned_and_bounded)
{
    EQ(*parse_unsigned("18446744073709551615"), UINT64_MAX);
    EQ(*parse_unsigned("007"), 7u);
    EQ(*parse_unsigned("100", 100), 100u);
    for (std::string_view bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1a", "18446744073709551616"})
        EQ(parse_unsigned(bad).error().kind, Kind::Invalid);
    THAT(!parse_unsigned("101", 100));
    EQ(*parse_signed("-9223372036854775808"), INT64_MIN);
    THAT(!parse_signed("9223372036854775808"));
    THAT(!parse_signed("--1"));
}
END_TEST

TEST(hex_goes_both_ways)
{
    EQ(hex(std::string_view("\x00\xff\x10", 3)), "00ff10");
    EQ(*unhex("00FF10"), std::string_view("\x00\xff\x10", 3));
    THAT(!unhex("0"));
    THAT(!unhex("0g"));
}
END_TEST

TEST(base64_has_the_vectors_of_rfc_4648)
{
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    };
    for (const auto& vector : vectors) {
        EQ(encode_base64(vector.first), vector.second);
        EQ(*decode_base64(vector.second), vector.first);
    }
    std::string all;
    for (int i = 0; i < 256; ++i)
        all.push_back(static_cast<char>(i));
    EQ(*decode_base64(encode_base64(all)), all);
}
END_TEST

TEST(base64_refuses_what_is_not_canonical)
{
    for (std::string_view bad : {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zg==Zg==", "Z-9v", "=Zm9"})
        EQ(decode_base64(bad).error().kind, Kind::Invalid);
}
END_TEST

TEST(printable_escapes_control_bytes_and_cuts)
{
    EQ(printable("a\r\n\t\\\x7f"), "a\\015\\012\\011\\\\\\177");
    EQ(printable("abcdef", 3), "abc...");
    EQ(printable("abc", 3), "abc");
    EQ(printable("\xc3\xa4"), "\xc3\xa4");
    // What terminals obey, what splits lines for some readers, what is no UTF-8.
    EQ(printable("\xc2\x9b" "2J\xc2\xa0"), "\\302\\2332J\xc2\xa0");
    EQ(printable("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"), "\\342\\200\\250\\342\\200\\251\xe2\x80\xaa");
    EQ(printable("\x85\xc3(\xc3"), "\\205\\303(\\303");
    EQ(printable("a\xc3\xa4z", 2), "a\xc3\xa4...");
}
END_TEST

TEST(utf8_is_shortest_form_without_surrogates)
{
    for (std::string_view good :
         {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        THAT(is_utf8(good));
    for (std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                 "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"})
        THAT(!is_utf8(bad));
    THAT(is_ascii("\x7f"));
    THAT(!is_ascii("\x80"));
}
END_TEST

TEST(json_quotes_anything)
{
    EQ(json_quote("a\"\\\n\r\t\x01\x7f\xc3\xa4"), "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007f\xc3\xa4\"");
    EQ(json_quote("\xffz"), "\"\xef\xbf\xbdz\"");
    EQ(json_quote("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\"\\u0080\\u009b\\u009f\xc2\xa0\"");
}
END_TEST

TEST(constant_time_equality_is_equality)
{
    THAT(equal_constant_time("abc", "abc"));
    THAT(equal_constant_time("", ""));
    THAT(!equal_constant_time("abc", "abd"));
    THAT(!equal_constant_time("abc", "abcd"));
}
END_TEST

SUITE(text, joins_text_numbers_and_truth, compares_ascii_without_case_and_leaves_other_bytes,
      splits_keep_empty_pieces_and_words_do_not, numbers_are_whole_unsigned_and_bounded, hex_goes_both_ways,
      base64_has_the_vectors_of_rfc_4648, base64_refuses_what_is_not_canonical,
      printable_escapes_control_bytes_and_cuts, utf8_is_shortest_form_without_surrogates, json_quotes_anything,
      constant_time_equality_is_equality)

}  // namespace
