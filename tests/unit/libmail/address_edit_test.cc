// libmail/address_edit.h
#include "libmail/address_edit.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

using mail::Address;

namespace {

// What is left of a field whose addresses become NEW@new, but for those that stay: with "keep" in them.
std::string edited(std::string_view value, std::size_t limit = 10'000)
{
    auto edits = mail::edit_addresses(value, limit, [](const Address& address) -> util::Result<std::optional<Address>> {
        if (address.local_part.find("keep") != std::string::npos)
            return std::optional<Address>();
        return std::optional(Address{util::upper(address.local_part), address.domain.empty() ? "origin" : "new"});
    });
    OK(edits);
    return mail::apply_edits(value, *edits);
}

TEST(addresses_are_replaced_where_they_stand)
{
    struct Case {
        std::string_view text, wanted;
    };
    for (const Case& c : {
             Case{"a@b", "A@new"}, Case{" a@b ", " A@new "}, Case{"<a@b>", "<A@new>"},
             Case{"joe", "JOE@origin"}, Case{"<joe>", "<JOE@origin>"},
             Case{"Joe Doe <a@b>", "Joe Doe <A@new>"}, Case{"\"Doe, Joe\" <a@b>", "\"Doe, Joe\" <A@new>"},
             Case{"\"a@x <b@y>\" <a@b>", "\"a@x <b@y>\" <A@new>"}, Case{"a@b (Joe, x@y)", "A@new (Joe, x@y)"},
             Case{"(x@y, z) a@b", "(x@y, z) A@new"}, Case{"=?utf-8?q?J=40x?= <a@b>", "=?utf-8?q?J=40x?= <A@new>"},
             Case{"a@b, c@d", "A@new, C@new"}, Case{"a@b,\r\n\tc@d,\r\n keep@d", "A@new,\r\n\tC@new,\r\n keep@d"},
             Case{"friends: a@b, Joe <c@d>;, e@f", "friends: A@new, Joe <C@new>;, E@new"},
             Case{"undisclosed-recipients:;", "undisclosed-recipients:;"}, Case{"<>", "<>"}, Case{"", ""},
             Case{"\"a b\"@c", "\"A B\"@new"}, Case{"a@[192.0.2.1]", "A@new"}, Case{"a @ b", "A@new"},
             Case{"a . b @ c . d", "A.B@new"}, Case{"<@r1,@r2:a@b>", "<A@new>"}, Case{"<@r1:keep@B>", "<keep@B>"},
             Case{"keep@Host.Example", "keep@Host.Example"}, Case{"a@x <a@b>", "a@x <A@new>"},
             Case{"a@b <", "a@b <"}, Case{"[list] <a@b>", "[list] <A@new>"},
             Case{"J\xc3\xb6rg <a@b>", "J\xc3\xb6rg <A@new>"},
         })
        EQ(edited(c.text), c.wanted);
}
END_TEST

TEST(what_is_no_address_stays)
{
    for (std::string_view text : {
             "Joe Doe", "a@b c@d", "<a@b", "a@b>", "a@b <c@d> <e@f>", "a@@b", "@b", "<@b>", "a@b@c", "\"never ends <a@b>",
             "(never ends a@b", "=?utf-8?q?Joe?=", "a(x)@b", "a@", "a@b..c", "<a b@c>", "\"quoted\" word", "a\\@b",
             "J\xf6rg@x", "a@[1.2.3", ",,,;;", "::", "a@b\x01",
         })
        EQ(edited(text), text);
}
END_TEST

TEST(the_token_limit_leaves_the_rest)
{
    // Each address is three tokens, each comma one.
    EQ(edited("a@b, c@d, e@f", 8), "A@new, C@new, e@f");
    EQ(edited("a@b, c@d, e@f", 7), "A@new, c@d, e@f");
    EQ(edited("a@b, c@d", 7), "A@new, C@new");
}
END_TEST

TEST(an_error_of_the_change_is_told)
{
    auto edits = mail::edit_addresses("a@b", 100, [](const Address&) -> util::Result<std::optional<Address>> {
        return util::temporary("the table is away");
    });
    EQ(edits.error().text, "the table is away");
}
END_TEST

SUITE(address_edit, addresses_are_replaced_where_they_stand, what_is_no_address_stays, the_token_limit_leaves_the_rest,
      an_error_of_the_change_is_told)

}  // namespace
