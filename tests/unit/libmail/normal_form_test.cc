// libmail/normal_form.h
#include "libmail/normal_form.h"

#include "tests/unit/suite.h"

using mail::normal_form;

namespace {

TEST(what_looks_the_same_becomes_the_same)
{
    struct Case {
        const char *from, *to;
    };
    for (const Case& c :
         {Case{"", ""}, Case{"plain ASCII", "plain ASCII"}, Case{"e\xcc\x81", "\xc3\xa9"}, Case{"\xc3\xa9", "\xc3\xa9"},
          // o, horn, dot below in both orders; the dot comes first.
          Case{"o\xcc\x9b\xcc\xa3", "\xe1\xbb\xa3"}, Case{"o\xcc\xa3\xcc\x9b", "\xe1\xbb\xa3"},
          // The sign of Angstrom is a letter, and of what composes twice the whole.
          Case{"\xe2\x84\xab", "\xc3\x85"}, Case{"A\xcc\x8a\xcc\x81", "\xc7\xba"},
          // Hangul, from two and from three.
          Case{"\xe1\x84\x92\xe1\x85\xa1", "\xed\x95\x98"}, Case{"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"},
          Case{"\xed\x95\x98\xe1\x86\xab", "\xed\x95\x9c"}, Case{"\xed\x95\x9c", "\xed\x95\x9c"},
          // Excluded from composition: taken apart for good.
          Case{"\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc"},
          // Blocked: a mark of the same place stands between.
          Case{"e\xcc\x82\xcc\x81", "\xe1\xba\xbf"}, Case{"x\xcc\x82\xcc\x81", "x\xcc\x82\xcc\x81"},
          Case{"e\xcc\xa3\xcc\x82", "\xe1\xbb\x87"},
          Case{"\xcc\x81"
               "e",
               "\xcc\x81"
               "e"},
          // Compatibility characters are none of form C's business.
          Case{"\xef\xac\x81", "\xef\xac\x81"}, Case{"\xf0\x9d\x85\x9e", "\xf0\x9d\x85\x97\xf0\x9d\x85\xa5"}})
        EQ(normal_form(c.from), c.to);
}
END_TEST

TEST(what_is_no_text_stays_as_it_is)
{
    for (const char* bytes : {"\xff\xfe", "e\xcc", "\xc0\x80", "\xed\xa0\x80"}) {
        EQ(normal_form(bytes), bytes);
        EQ(mail::prepare_password(bytes), bytes);
    }
    std::string long_text;
    for (int i = 0; i < 1000; ++i)
        long_text += "\xcc\x81";   // marks without a base, all of one place
    EQ(normal_form(long_text), long_text);
}
END_TEST

TEST(passwords_have_plain_spaces)
{
    EQ(mail::prepare_password("a\xc2\xa0" "b\xe3\x80\x80" "e\xcc\x81"), "a b \xc3\xa9");
    EQ(normal_form("a\xc2\xa0" "b"), "a\xc2\xa0" "b");
    EQ(mail::prepare_password("Stra\xc3\x9f" "E"), "Stra\xc3\x9f" "E");
    EQ(mail::prepare_group("Cafe\xcc\x81"), "caf\xc3\xa9");
}
END_TEST

}  // namespace

SUITE(normal_form, what_looks_the_same_becomes_the_same, what_is_no_text_stays_as_it_is, passwords_have_plain_spaces)
