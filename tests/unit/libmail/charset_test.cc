// East Asian charsets beside glibc's iconv(3): every code, and what is no code.
#include "libmail/charset.h"
#include "libmail/encoded_word.h"
#include "libmail/encoding.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <iconv.h>
#include <map>

using namespace std::string_view_literals;

namespace {

class Iconv {
public:
    explicit Iconv(const std::string& charset) : conversion_(::iconv_open("UTF-8", charset.c_str()))
    {
        ck_assert_msg(conversion_ != iconv_t(-1), "iconv(3) does not know %s", charset.c_str());
    }
    ~Iconv() { ::iconv_close(conversion_); }
    Iconv(const Iconv&) = delete;
    Iconv& operator=(const Iconv&) = delete;

    // Empty for what is malformed.
    std::string operator()(std::string code)
    {
        char out[64];
        char* in_at = code.data();
        char* out_at = out;
        std::size_t in_left = code.size(), out_left = sizeof out;
        ::iconv(conversion_, nullptr, nullptr, nullptr, nullptr);
        bool bad = ::iconv(conversion_, &in_at, &in_left, &out_at, &out_left) == std::size_t(-1);
        bad = bad || ::iconv(conversion_, nullptr, nullptr, &out_at, &out_left) == std::size_t(-1);
        return bad ? std::string() : std::string(out, sizeof out - out_left);
    }

private:
    iconv_t conversion_;
};

std::string bytes(std::initializer_list<unsigned> values)
{
    std::string out;
    for (unsigned value : values)
        out += char(value);
    return out;
}

// Private use, and controls beyond ASCII.
bool is_no_text(std::string_view utf8)
{
    for (std::size_t at = 0; at < utf8.size();) {
        std::uint32_t point = mail::next_code_point(utf8, at);
        if ((point >= 0x80 && point < 0xA0) || (point >= 0xE000 && point < 0xF900) || point >= 0xF0000)
            return true;
    }
    return false;
}

std::string utf8(std::uint32_t point)
{
    std::string out;
    mail::append_utf8(out, point);
    return out;
}

// Characters that charsets of one family read differently: what iconv says of the charset, what we say.
using Differences = std::map<std::uint32_t, std::uint32_t>;

const Differences chinese{{0x30FB, 0xB7}, {0x2015, 0x2014}};  // GB 2312 and GBK
const Differences hong_kong{{0x2022, 0x2027}, {0xFF64, 0xFE51}, {0x203E, 0xAF},   {0x223C, 0xFF5E},
                            {0x2641, 0x2295}, {0x2609, 0x2299}, {0xFF0F, 0x2215}, {0xFF3C, 0xFE68},
                            {0xA5, 0xFFE5},   {0xA2, 0xFFE0},   {0xA3, 0xFFE1},   {0xFFED, 0x2593}};
const Differences japanese{{0x301C, 0xFF5E}, {0x2016, 0x2225}, {0x2212, 0xFF0D}, {0xA2, 0xFFE0},
                           {0xA3, 0xFFE1}, {0xAC, 0xFFE2},
                           {0xA5, 0x5C}, {0x203E, 0x7E}, {0xA6, 0xFFE4}, {0x7E, 0xFF5E}};

// All codes of a charset, at the start and end of text, followed by text.
class CharsetComparison {
public:
    CharsetComparison(std::string charset, const std::string& reference, Differences differences = {})
        : charset_(std::move(charset)), iconv_(reference.empty() ? charset_ : reference), differences_(std::move(differences))
    {
        THAT(mail::is_known_charset(charset_));
    }

    void code(const std::string& code)
    {
        std::string expected = iconv_(code);
        std::string got = mail::to_utf8(code, charset_);
        EQ(mail::to_utf8(util::concat("\n", code, "\n"), charset_), util::concat("\n", got, "\n"));
        THAT(util::is_utf8(got));
        if (expected.empty() || is_no_text(expected))
            return;
        ++known_;
        if (!agree(expected, got))
            ck_abort_msg("%s %s is %s, not %s", charset_.c_str(), util::hex(code).c_str(), util::hex(expected).c_str(),
                         util::hex(got).c_str());
    }
    void pairs(unsigned first_lead = 0x80, const std::string& before = {}, const std::string& after = {}, unsigned end = 0x100)
    {
        for (unsigned lead = first_lead; lead < end; ++lead)
            for (unsigned trail = 0x21; trail < end; ++trail)
                code(util::concat(before, bytes({lead, trail}), after));
    }
    void singles(const std::string& before = {}, unsigned first = 0, unsigned end = 0x80)
    {
        for (unsigned c = first; c < end; ++c)
            if (c != '\n' && c != 0x1B)
                code(before + char(c));
    }
    std::size_t known() const { return known_; }

private:
    bool agree(std::string_view expected, std::string_view got) const
    {
        std::size_t a = 0, b = 0;
        while (a < expected.size() && b < got.size()) {
            std::uint32_t theirs = mail::next_code_point(expected, a), ours = mail::next_code_point(got, b);
            auto different = differences_.find(theirs);
            if (theirs != ours && (different == differences_.end() || different->second != ours))
                return false;
        }
        return a == expected.size() && b == got.size();
    }

    std::string charset_;
    Iconv iconv_;
    Differences differences_;
    std::size_t known_ = 0;
};

}  // namespace

TEST(charsets_of_two_bytes_are_read_as_iconv_does)
{
    struct Case {
        std::string charset, reference;
        Differences differences;
        std::size_t known;  // codes that are not for private use, at least
    };
    for (const Case& c : {Case{"gb2312", "", chinese, 7'500},
                          {"GBK", "", {}, 21'000},
                          {"cp936", "", {}, 21'000},
                          {"gb18030", "", {}, 22'000},
                          {"Big5", "", {}, 13'500},
                          {"cp950", "", {}, 13'500},
                          {"big5-hkscs", "", hong_kong, 18'000},
                          {"euc-jp", "", japanese, 6'900},
                          {"eucJP-ms", "EUC-JP-MS", {}, 7'000},
                          {"shift_jis", "", japanese, 6'900},
                          {"cp932", "", {}, 7'600},
                          {"windows-31j", "CP932", {}, 7'600},
                          {"euc-kr", "", {}, 8'200},
                          {"ks_c_5601-1987", "EUC-KR", {}, 8'200},
                          {"cp949", "", {}, 17'000},
                          {"uhc", "", {}, 17'000}}) {
        CharsetComparison comparison(c.charset, c.reference, c.differences);
        for (unsigned ascii = 0; ascii < 0x80; ++ascii)
            comparison.code(bytes({ascii}));
        comparison.pairs();
        ck_assert_msg(comparison.known() >= c.known, "%s: %zu", c.charset.c_str(), comparison.known());
    }
}
END_TEST

TEST(single_bytes_beyond_ascii_are_what_they_are)
{
    for (unsigned c = 0xA1; c <= 0xDF; ++c)
        EQ(mail::to_utf8(bytes({c}), "shift_jis"), Iconv("CP932")(bytes({c})));
    for (std::string_view charset : {"gbk", "gb2312", "gb18030", "cp936"})
        EQ(mail::to_utf8("\x80"sv, charset), "\342\202\254");
}
END_TEST

TEST(three_bytes_are_jis_x_0212)
{
    for (const char* reference : {"EUC-JP", "EUC-JP-MS"}) {
        CharsetComparison comparison("euc-jp", reference, japanese);
        comparison.pairs(0x80, "\x8F");
        THAT(comparison.known() >= 6'000);
    }
}
END_TEST

TEST(four_bytes_are_all_of_unicode)
{
    CharsetComparison comparison("gb18030", "");
    auto four = [&](std::uint32_t number) {
        comparison.code(
            bytes({0x81 + number / 12'600, 0x30 + number / 1'260 % 10, 0x81 + number / 10 % 126, 0x30 + number % 10}));
    };
    // All up to U+FFFF, the hole behind them and its edges, and beyond in steps.
    for (std::uint32_t number = 0; number < 39'500; ++number)
        four(number);
    for (std::uint32_t number = 39'500; number < 188'990; number += 97)
        four(number);
    for (std::uint32_t number = 188'990; number < 189'500; ++number)
        four(number);
    for (std::uint32_t number = 189'500; number < 1'237'000; number += 31)
        four(number);
    for (std::uint32_t number = 1'237'000; number < 126 * 12'600; number += number < 1'238'000 ? 1 : 997)
        four(number);
    THAT(comparison.known() > 50'000);
    EQ(mail::to_utf8("\x90\x30\x81\x30\xE3\x32\x9A\x35"sv, "gb18030"), util::concat(utf8(0x10000), utf8(0x10FFFF)));
    // Two bytes were given to them as well, and some tables then left out the four.
    EQ(mail::to_utf8("\x84\x31\x82\x36\x82\x35\x90\x37"sv, "gb18030"), util::concat(utf8(0xFE10), utf8(0x9FB4)));
    EQ(mail::to_utf8("\xE3\x32\x9A\x36"sv, "gb18030"), "\357\277\2752\357\277\2756");
}
END_TEST

TEST(escapes_choose_the_set)
{
    for (const char* reference : {"ISO-2022-JP", "ISO-2022-JP-2"}) {
        CharsetComparison comparison(reference, "", japanese);
        comparison.singles();
        comparison.pairs(0x21, "\x1B$B", "\x1B(B", 0x80);
        comparison.pairs(0x21, "\x1B$@", "\x1B(B", 0x80);
        THAT(comparison.known() > 13'000);
    }
    CharsetComparison japanese2("iso-2022-jp-2", "ISO-2022-JP-2", {{0x7E, 0xFF5E}, {0xA6, 0xFFE4}});
    japanese2.singles("\x1B(J");
    japanese2.singles("\x1B.A\x1BN", 0x20);
    japanese2.singles("\x1B.F\x1BN", 0x20);
    japanese2.pairs(0x21, "\x1B$(D", "\x1B(B", 0x80);
    THAT(japanese2.known() > 6'000);
    // Some of GB 2312 and KS X 1001 is what their wide relatives say.
    CharsetComparison others("iso-2022-jp-2", "ISO-2022-JP-2", chinese);
    others.pairs(0x21, "\x1B$A", "\x1B(B", 0x80);
    others.pairs(0x21, "\x1B$(C", "\x1B(B", 0x80);
    THAT(others.known() > 15'000);
    CharsetComparison katakana("iso-2022-jp", "ISO-2022-JP-3");
    katakana.singles("\x1B(I", 0x20, 0x60);
    CharsetComparison korean("iso-2022-kr", "ISO-2022-KR");
    korean.pairs(0x21, "\x1B$)C\x0E", "\x0F", 0x80);
    THAT(korean.known() > 8'000);
}
END_TEST

// U+FFFD for what is malformed; what follows stays.
TEST(malformed_bytes_take_nothing_with_them)
{
    constexpr std::string_view bad = "\357\277\275";
    for (std::string_view charset : {"gbk", "gb18030", "big5", "euc-kr", "cp949", "shift_jis", "euc-jp"}) {
        // A lead byte at the end, before a line end, a blank, a quote, before what can end no character.
        EQ(mail::to_utf8("a\xE1"sv, charset), util::concat("a", bad));
        EQ(mail::to_utf8("a\xE1\r\nb"sv, charset), util::concat("a", bad, "\r\nb"));
        EQ(mail::to_utf8("\xE1 b\xE1\"c"sv, charset), util::concat(bad, " b", bad, "\"c"));
        EQ(mail::to_utf8("\xFF\x7F\xFF\xFFz"sv, charset), util::concat(bad, "\x7F", bad, bad, "z"));
    }
    EQ(mail::to_utf8("\xFF""AB"sv, "gb18030"), util::concat(bad, "AB"));
    EQ(mail::to_utf8("\x81\x30\x81"sv, "gb18030"), util::concat(bad, "0", bad));
    EQ(mail::to_utf8("\x81\x30\x81 x"sv, "gb18030"), util::concat(bad, "0", bad, " x"));
    EQ(mail::to_utf8("\xFE\x39\xFE\x39x"sv, "gb18030"), util::concat(bad, "9", bad, "9x"));
    // A pair of the right form that means nothing is one, and gives back a letter.
    EQ(mail::to_utf8("\x8D\x41\x87\xE0x"sv, "big5"), util::concat(bad, "A", bad, "x"));
    EQ(mail::to_utf8("\xC7\x41\xC7\x81""A"sv, "euc-kr"), util::concat(bad, "A", bad, "A"));
    EQ(mail::to_utf8("\x85\x40\x85\x9F\xFDx"sv, "shift_jis"), util::concat(bad, "@", bad, bad, "x"));
    EQ(mail::to_utf8("\x8F\xA1""A\x8F\xA1\xA1z\x8E\xFF\xA0q\x8F"sv, "euc-jp"),
       util::concat(bad, bad, "A", bad, "z", bad, bad, bad, "q", bad));
    // Escapes that are none, that are cut short, and sets that nobody has left.
    EQ(mail::to_utf8("\x1B"sv, "iso-2022-jp"), bad);
    EQ(mail::to_utf8("\x1B$"sv, "iso-2022-jp"), util::concat(bad, "$"));
    EQ(mail::to_utf8("a\x1B(Zb\x1BNb"sv, "iso-2022-jp"), util::concat("a", bad, "(Zb", bad, "Nb"));
    EQ(mail::to_utf8("\x1B$BF|K\\\r\nnext line"sv, "iso-2022-jp"), "\346\227\245\346\234\254\r\nnext line");
    EQ(mail::to_utf8("\x1B$BF|K\x1B(B ok"sv, "iso-2022-jp"), util::concat("\346\227\245", bad, " ok"));
    EQ(mail::to_utf8("\x1B$BF|K\nok"sv, "iso-2022-jp"), util::concat("\346\227\245", bad, "\nok"));
    EQ(mail::to_utf8("\x1B$BF|K"sv, "iso-2022-jp"), util::concat("\346\227\245", bad));
    EQ(mail::to_utf8("\x1B$BF|\x80K\\"sv, "iso-2022-jp"), util::concat("\346\227\245", bad, "\346\234\254"));
    EQ(mail::to_utf8("\x1B$B\x7D\x7D\x1B(Bz"sv, "iso-2022-jp"),
       util::concat(mail::to_utf8("\x1B$B\x7D\x7D\x1B(B"sv, "iso-2022-jp"), "z"));
    EQ(mail::to_utf8("\x1B.A\x1BNi\n\x1BNi"sv, "iso-2022-jp-2"), util::concat("\303\251\n", bad, "Ni"));
    EQ(mail::to_utf8("\x1B$)C\x0EGQ1[\nnext \x0EGQ1\x0F."sv, "iso-2022-kr"),
       util::concat("\355\225\234\352\270\200\nnext \355\225\234", bad, "."));
    EQ(mail::to_utf8("\x1B\x0EGQ\x80"sv, "iso-2022-kr"), util::concat(bad, "\355\225\234", bad));
}
END_TEST

TEST(the_names_that_are_told_are_known)
{
    auto names = mail::charset_names();
    for (std::string_view name : names) {
        THAT(mail::is_known_charset(name));
        for (char c : name)
            THAT(util::is_alnum(c) || c == '-' || c == '_');  // so that it is an atom
        EQ(std::count(names.begin(), names.end(), name), 1);
    }
    for (std::string_view name :
         {"UTF-8", "US-ASCII", "ISO-8859-1", "ISO-2022-JP", "GB18030", "Big5", "EUC-KR", "Shift_JIS", "ISO-2022-KR"})
        THAT(std::find(names.begin(), names.end(), name) != names.end());
    // Others of real mail.
    for (std::string_view name :
         {"chinesebig5", "ks_c_5601-1987", "unicode-1-1-utf-7", "x-sjis", "ANSI_X3.4-1968", "iso8859-1", "GB_2312-80", "cp950"})
        THAT(mail::is_known_charset(name));
}
END_TEST

TEST(header_words_in_wide_charsets_are_read)
{
    EQ(mail::decode_header_text("=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?= =?iso-2022-jp?B?GyRCJUYlOSVIGyhC?="),
       "\346\227\245\346\234\254\350\252\236\343\203\206\343\202\271\343\203\210");
    EQ(mail::decode_header_text("Re: =?GB2312?B?1tDOxA==?= x"), "Re: \344\270\255\346\226\207 x");
    // A character split between two words.
    EQ(mail::decode_header_text("=?big5?B?pKQ=?= =?big5?B?pA==?= =?big5?B?5Q==?="), "\344\270\255\346\226\207");
    EQ(mail::decode_header_text("=?ks_c_5601-1987?Q?=C7=D1=B1=DB?="), "\355\225\234\352\270\200");
}
END_TEST

SUITE(charset, charsets_of_two_bytes_are_read_as_iconv_does, single_bytes_beyond_ascii_are_what_they_are,
      three_bytes_are_jis_x_0212, four_bytes_are_all_of_unicode, escapes_choose_the_set, malformed_bytes_take_nothing_with_them,
      the_names_that_are_told_are_known, header_words_in_wide_charsets_are_read)
