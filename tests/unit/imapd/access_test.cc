// imapd/engine/access.h: whom an entry of a list means.
#include "imapd/engine/access.h"

#include "tests/unit/suite.h"

namespace {

using imapd::engine::AccessList;
using imapd::engine::prepared_identifier;
using imapd::engine::rights_text;

constexpr std::string_view owner_name = "owner@example.org";

// The rights of somebody by a list's text.
std::string rights(std::string_view list, std::string_view user, const std::vector<std::string>& groups = {})
{
    return rights_text(AccessList::parse(list).rights_of(user, owner_name, groups));
}

TEST(a_member_has_what_his_groups_have_and_lacks_what_they_lack)
{
    constexpr std::string_view list = "lr group=staff\nsw group=chiefs\ni bert@example.org\nr -group=lent\nl anyone\n";
    EQ(rights(list, "anna@example.org"), "l");
    EQ(rights(list, "anna@example.org", {"staff"}), "lr");
    EQ(rights(list, "anna@example.org", {"chiefs", "other", "staff"}), "lrsw");
    EQ(rights(list, "bert@example.org", {"staff", "lent"}), "li");
    EQ(rights(list, "bert@example.org"), "li");
}
END_TEST

TEST(a_group_is_no_user_and_a_user_no_group)
{
    EQ(rights("lr group=staff\n", "group=staff"), "\"\"");
    EQ(rights("lr staff\n", "anna@example.org", {"staff"}), "\"\"");
    EQ(rights("lr group=anna@example.org\n", "anna@example.org"), "\"\"");
    EQ(rights("lr group=\n", "anna@example.org", {""}), "lr");   // no account has such a one
}
END_TEST

TEST(the_owner_is_a_member_like_others_but_keeps_two_rights)
{
    EQ(rights("lr group=staff\n", owner_name, {"staff"}), "lrswipkxteacd");
    EQ(rights("i owner@example.org\nrs group=staff\n", owner_name, {"staff"}), "lrsia");
    EQ(rights("lrswipkxtea -group=staff\n", owner_name, {"staff"}), "la");
}
END_TEST

TEST(identifiers_of_groups_are_checked)
{
    EQ(prepared_identifier("group=Staff", owner_name).value_or("?"), "group=staff");
    EQ(prepared_identifier("-GROUP=staff", owner_name).value_or("?"), "-group=staff");
    EQ(prepared_identifier("group=a@b", owner_name).value_or("?"), "group=a@b");
    EQ(prepared_identifier("staff", owner_name).value_or("?"), "staff@example.org");
    for (std::string_view bad : {"group=", "group=a b", "group=a,b", "group=a:b", "-group="})
        EQ(prepared_identifier(bad, owner_name).error().kind, util::Kind::Invalid);
    EQ(prepared_identifier("$staff", owner_name).error().kind, util::Kind::NotFound);
    OK(prepared_identifier("group=" + std::string(64, 'x'), owner_name));
    EQ(prepared_identifier("group=" + std::string(65, 'x'), owner_name).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(groups_are_among_those_with_whom_a_mailbox_is_shared)
{
    std::vector<std::string> sharers;
    AccessList::parse("lr group=staff\nr -group=lent\nlr owner@example.org\n").add_sharers(owner_name, sharers);
    EQ(sharers, std::vector<std::string>{"group=staff"});
}
END_TEST

}  // namespace

SUITE(imap_access, a_member_has_what_his_groups_have_and_lacks_what_they_lack, a_group_is_no_user_and_a_user_no_group,
      the_owner_is_a_member_like_others_but_keeps_two_rights, identifiers_of_groups_are_checked,
      groups_are_among_those_with_whom_a_mailbox_is_shared)
