#include "libmail/base_subject.h"

#include "tests/unit/suite.h"

TEST(what_replies_and_forwards_add_is_taken_off)
{
    struct Case {
        const char* value;
        const char* base;
        bool is_reply;
    };
    // RFC 5256 §2.1 and §5.
    constexpr Case cases[] = {
        {"plain", "plain", false},
        {"", "", false},
        {"  two   \t spaces ", "two spaces", false},
        {"Re: a", "a", true},
        {"RE:a", "a", true},
        {"fw: a", "a", true},
        {"Fwd : a", "a", true},
        {"Re[2]: a", "a", true},
        {"re [x] : a", "a", true},
        {"Re: Fwd: re: a", "a", true},
        {"[list] a", "a", false},
        {"[list] Re: [other] a", "a", true},
        {"[one] [two] re: a", "a", true},
        // A blob stays when it is all there is.
        {"[list]", "[list]", false},
        {"Re: [list]", "[list]", true},
        {"[one][two]", "[two]", false},
        {"a (fwd)", "a", true},
        {"a (FWD) (fwd) ", "a", true},
        {"[Fwd: a]", "a", true},
        {"[fwd: Re: a (fwd)]", "a", true},
        {"[Fwd: [Fwd: a]]", "a", true},
        // Words that only begin like them.
        {"Reply: a", "Reply: a", false},
        {"forward: a", "forward: a", false},
        {"re a", "re a", false},
        {"[open a", "[open a", false},
        {"Re:", "", true},
        {"=?UTF-8?Q?Re:_=C3=A4?=", "\303\244", true},
        {"Re:\r\n folded", "folded", true},
    };
    for (const auto& one : cases) {
        auto base = mail::base_subject(one.value);
        EQ(base.text, one.base);
        if (base.is_reply != one.is_reply)
            EQ(std::string(one.value), one.is_reply ? "is a reply" : "is none");
    }
}
END_TEST

TEST(hostile_subjects_take_no_longer_than_others)
{
    std::string blobs, replies, forwards;
    for (int i = 0; i < 10'000; ++i) {
        blobs += "[a]";
        replies += "[a]re:";
        forwards += "[fwd:";
    }
    EQ(mail::base_subject(blobs).text, "[a]");
    EQ(mail::base_subject(replies).text, "");
    EQ(mail::base_subject(forwards + std::string(10'000, ']')).text, "");
}
END_TEST

SUITE(base_subject, what_replies_and_forwards_add_is_taken_off, hostile_subjects_take_no_longer_than_others)
