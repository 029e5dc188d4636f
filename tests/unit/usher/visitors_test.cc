// usher/visitors.h
#include "usher/visitors.h"

#include "tests/unit/suite.h"

#include <algorithm>

using namespace usher;

namespace {

ipc::SessionFacts facts(std::string session)
{
    ipc::SessionFacts made;
    made.session = std::move(session);
    return made;
}

std::string chosen(const Visitors& visitors, std::string account, std::string session)
{
    std::string out;
    for (const auto& one : visitors.choose({std::move(account), std::move(session)}))
        util::append(out, one.account, "=", one.count, " ");
    return out;
}

TEST(sessions_are_chosen_by_account_or_by_name)
{
    Visitors visitors;
    visitors.add("a@x", facts("1"), 5);
    visitors.add("a@x", facts("2"), 6);
    visitors.add("b@x", facts("3"), 7);
    EQ(chosen(visitors, "a@x", ""), "a@x=2 ");
    EQ(chosen(visitors, "", "3"), "b@x=1 ");
    EQ(chosen(visitors, "a@x", "3"), "");
    EQ(chosen(visitors, "", ""), "");   // nobody is meant
    EQ(visitors.all().size(), 3u);
    EQ(visitors.count("a@x"), 2u);
}
END_TEST

TEST(those_of_an_app_password_are_chosen_by_their_names)
{
    Visitors visitors;
    visitors.add("a@x", facts("1"), 5);
    visitors.add("a@x", facts("2"), 6, "phone");
    visitors.add("a@x", facts("3"), 6, "phone");
    visitors.add("b@x", facts("4"), 7, "phone");
    auto chosen = visitors.choose({"a@x", "", "phone"});
    EQ(chosen.size(), 1u);
    EQ(chosen[0].count, 2u);
    EQ(chosen[0].sessions.size(), 2u);
    EQ(chosen[0].sessions[1], "3");
    THAT(visitors.choose({"a@x", "", "tablet"}).empty());
    THAT(visitors.choose({"", "", "phone"}).empty());
    // All of the account are meant without their names.
    EQ(visitors.choose({"a@x", ""})[0].count, 3u);
    THAT(visitors.choose({"a@x", ""})[0].sessions.empty());
    std::size_t named = 0;
    for (const auto& live : visitors.all())
        named += live.app_password == "phone";
    EQ(named, 3u);
}
END_TEST

TEST(a_mailbox_ends_its_own_sessions_only)
{
    Visitors visitors;
    visitors.add("a@x", facts("1"), 5);
    visitors.add("b@x", facts("2"), 5);
    visitors.ended("a@x", "2");
    visitors.ended("c@x", "1");
    EQ(visitors.all().size(), 2u);
    visitors.ended("a@x", "1");
    visitors.gone("b@x");
    THAT(visitors.all().empty());
}
END_TEST

TEST(of_one_account_so_many_are_remembered)
{
    Visitors visitors;
    for (std::size_t i = 0; i < Visitors::max_of_account + 3; ++i)
        visitors.add("a@x", facts("1"), 5);
    EQ(visitors.count("a@x"), Visitors::max_of_account);
}
END_TEST

TEST(what_a_guest_has_open_is_found_with_whom_he_visits)
{
    Visitors visitors;
    auto guest = [](std::string session, std::string name) {
        auto made = facts(std::move(session));
        made.guest = std::move(name);
        return made;
    };
    visitors.add("a@x", guest("1", "g@x"), 5);
    visitors.add("a@x", guest("2", "h@x"), 6);
    visitors.add("b@x", guest("3", "g@x"), 7);
    visitors.add("g@x", facts("4"), 8);
    auto found = visitors.of_guest("g@x");
    std::ranges::sort(found);
    EQ(found.size(), 2u);
    EQ(found[0].first + found[0].second + found[1].first + found[1].second, "a@x1b@x3");
}
END_TEST

}  // namespace

SUITE(visitors, what_a_guest_has_open_is_found_with_whom_he_visits, sessions_are_chosen_by_account_or_by_name,
      those_of_an_app_password_are_chosen_by_their_names, a_mailbox_ends_its_own_sessions_only,
      of_one_account_so_many_are_remembered)
