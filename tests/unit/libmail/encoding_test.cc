#include "libmail/casefold.h"
#include "libmail/charset.h"
#include "libmail/encoding.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

using namespace std::string_view_literals;

namespace {

std::string utf7(std::string_view text)
{
    auto decoded = mail::decode_modified_utf7(text);
    return decoded.ok() ? decoded.take() : "invalid";
}

}  // namespace

TEST(base64_is_read_leniently)
{
    EQ(mail::decode_base64_lenient("aGVsbG8="), "hello");
    EQ(mail::decode_base64_lenient("aGVs\r\nbG8="), "hello");
    EQ(mail::decode_base64_lenient("aGVsbG8"), "hello");
    EQ(mail::decode_base64_lenient("aGVsbG8=aGVsbG8="), "hellohello");
    EQ(mail::decode_base64_lenient("a!G*V-s bG8="), "hello");
    EQ(mail::decode_base64_lenient(""), "");
    EQ(mail::decode_base64_lenient("===="), "");
    EQ(mail::decode_base64_lenient("a"), "");
    EQ(mail::decode_base64_lenient("aGVsbG8=", 2), "he");
    std::string bytes;
    for (int i = 0; i < 1000; ++i) {
        bytes += char(i * 31);
        std::string lines = mail::encode_base64_lines(bytes);
        EQ(mail::decode_base64_lenient(lines), bytes);
        THAT(lines.ends_with("\r\n") && lines.find("\r\n") <= 76);
    }
}
END_TEST

TEST(quoted_printable_goes_both_ways)
{
    EQ(mail::decode_quoted_printable("a=3Db=\r\nc=3d"), "a=bc=");
    EQ(mail::decode_quoted_printable("a  \r\nb\t\n"), "a\r\nb\n");
    EQ(mail::decode_quoted_printable("a =  \r\nb"), "a b");
    EQ(mail::decode_quoted_printable("a=20 \r\n"), "a \r\n");
    EQ(mail::decode_quoted_printable("a=zz=4"), "a=zz=4");
    EQ(mail::decode_quoted_printable("a="), "a");
    EQ(mail::decode_quoted_printable("=00"), "\0"sv);
    EQ(mail::decode_quoted_printable("abcdef", 3), "abc");
    std::string text = "tr\303\244iling \r\nx=y\tz\t\r\nbare\rcr";
    for (int i = 0; i < 300; ++i)
        text += char(i % 7 == 0 ? ' ' : i);
    std::string encoded = mail::encode_quoted_printable("a \n b");
    EQ(encoded, "a=20\r\n b");
    for (std::size_t size = 0; size < text.size(); ++size) {
        std::string part = text.substr(0, size);
        std::size_t bare = 0;
        while ((bare = part.find('\n', bare)) != std::string::npos) {
            if (bare == 0 || part[bare - 1] != '\r')
                part.insert(bare++, 1, '\r');
            ++bare;
        }
        std::string wire = mail::encode_quoted_printable(part);
        EQ(mail::decode_quoted_printable(wire), part);
        for (std::string_view line : util::split(wire, '\n'))
            THAT(line.size() <= 77);
    }
}
END_TEST

TEST(modified_utf7_has_one_form)
{
    // RFC 3501 §5.1.3.
    EQ(utf7("~peter/mail/&U,BTFw-/&ZeVnLIqe-"), "~peter/mail/\345\217\260\345\214\227/\346\227\245\346\234\254\350\252\236");
    EQ(mail::encode_modified_utf7("~peter/mail/\345\217\260\345\214\227/\346\227\245\346\234\254\350\252\236"),
       "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
    EQ(utf7("A&-B"), "A&B");
    EQ(mail::encode_modified_utf7("A&B"), "A&-B");
    EQ(utf7("&2D3eAA-"), "\360\237\230\200");
    EQ(mail::encode_modified_utf7("\360\237\230\200"), "&2D3eAA-");
    EQ(utf7(""), "");
    EQ(utf7("&AOQ-"), "\303\244");
    for (std::string_view bad :
         {"&", "&AOQ", "&AOR-", "&AO-", "&AGE-", "&Jjo!-", "&U,BTFw-&ZeVnLIqe-", "&2D0-", "&3gA-", "&2D0AYQ-",
          "\303\244", "a\001", "&AOQA-", "&A-", "& -", "&/U-", "&U/BTFw-"})
        EQ(utf7(bad), "invalid");
    std::string text;
    for (std::uint32_t point = 1; point < 0x11000; point += 97) {
        mail::append_utf8(text, point);
        EQ(utf7(mail::encode_modified_utf7(text)), text);
    }
}
END_TEST

TEST(charsets_become_utf8)
{
    EQ(mail::to_utf8("\344\200", "iso-8859-1"), "\303\244\342\202\254");
    EQ(mail::to_utf8("\244", "ISO-8859-15"), "\342\202\254");
    EQ(mail::to_utf8("\317\360\350", "windows-1251"), "\320\237\321\200\320\270");
    EQ(mail::to_utf8("\360\322\311", "KOI8-R"), "\320\237\321\200\320\270");
    EQ(mail::to_utf8("\303\244\344", "utf-8"), "\303\244\357\277\275");
    EQ(mail::to_utf8("\303\244", "us-ascii"), "\303\244");
    EQ(mail::to_utf8("\344", "us-ascii"), "\303\244");
    EQ(mail::to_utf8("\344", "no-such-charset"), "\303\244");
    EQ(mail::to_utf8("\0a\0b"sv, "utf-16"), "ab");
    EQ(mail::to_utf8("\377\376a\0b\0"sv, "utf-16"), "ab");
    EQ(mail::to_utf8("\330\075\336\000"sv, "utf-16be"), "\360\237\230\200");
    EQ(mail::to_utf8("\330\075"sv, "utf-16be"), "\357\277\275");
    EQ(mail::to_utf8("a\0b"sv, "utf-16le"), "a\357\277\275");
    EQ(mail::to_utf8("Hi Mom -+Jjo--!", "utf-7"), "Hi Mom -\342\230\272-!");
    EQ(mail::to_utf8("1 +- 1", "utf-7"), "1 + 1");
    THAT(mail::is_known_charset("Windows-1252") && mail::is_known_charset("ISO_8859-2") && mail::is_known_charset("utf8"));
    THAT(!mail::is_known_charset("") && !mail::is_known_charset("x-unknown") &&
         !mail::is_known_charset(std::string(1000, 'a')));
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += char(i);
    for (std::string_view name :
         {"iso-8859-1", "iso-8859-6", "iso-8859-11", "iso-8859-16", "windows-1250", "windows-1258", "windows-874", "koi8-u",
          "macintosh", "ibm437", "cp850", "ibm852", "ibm866", "tis-620", "utf-16", "utf-16le", "utf-7", "utf-8", "us-ascii"}) {
        THAT(mail::is_known_charset(name));
        THAT(util::is_utf8(mail::to_utf8(all, name)));
    }
}
END_TEST

TEST(case_and_form_of_letters_do_not_matter)
{
    EQ(mail::fold_case(
           "\303\204\303\226\303\234 STRASSE \320\237\320\240\320\230\320\222\320\225\320\242 \316\243\317\202\317\203"),
       mail::fold_case(
           "a\314\210o\314\210u\314\210 strasse \320\277\321\200\320\270\320\262\320\265\321\202 \317\203\317\203\317\203"));
    EQ(mail::fold_case("\303\204"), "a\314\210");
    EQ(mail::fold_case("a\377"), "a\357\277\275");
    THAT(mail::contains_folded("Gr\303\234\303\237e aus K\303\226LN", mail::fold_case("k\303\266ln")));
    THAT(mail::contains_folded("K\303\226LN", mail::fold_case("ko\314\210ln")));
    THAT(!mail::contains_folded("abc", mail::fold_case("abcd")));
    THAT(mail::contains_folded("", ""));
    THAT(mail::contains_folded("abc", ""));
    // RFC 5051 §2: U+01C4 is D, z and a caron; compatibility forms are taken apart, too; so is Hangul.
    EQ(mail::fold_case("\307\204"), "dz\314\214");
    EQ(mail::fold_case("\357\254\201"), "fi");
    EQ(mail::fold_case("\352\260\201"), "\341\204\200\341\205\241\341\206\250");
    // The longest mapping is still found in the shortest text.
    THAT(mail::contains_folded("\357\267\272", mail::fold_case("\357\267\272")));
    std::string all, expected;
    for (int i = 0; i < 128 * 3; ++i) {
        all += char(i % 128);
        expected += util::to_lower(char(i % 128));
        EQ(mail::fold_case(all), expected);
        EQ(mail::fold_case("\303\204" + all), "a\314\210" + expected);
    }
}
END_TEST

TEST(keys_order_as_the_collation_does)
{
    EQ(mail::collation_key("\303\244bc"), "A\314\210BC");
    THAT(mail::collation_key("z") < mail::collation_key("_"));  // a small letter would stand behind it
    THAT(mail::collation_key("a") < mail::collation_key("\303\244"));
    THAT(mail::collation_key("\303\244") < mail::collation_key("B"));
}
END_TEST

SUITE(encoding, base64_is_read_leniently, quoted_printable_goes_both_ways, modified_utf7_has_one_form, charsets_become_utf8,
      case_and_form_of_letters_do_not_matter, keys_order_as_the_collation_does)
