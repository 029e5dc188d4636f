// usher/visitors.h
#include "usher/visitors.h"

#include "tests/unit/suite.h"

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

}  // namespace

SUITE(visitors, sessions_are_chosen_by_account_or_by_name, a_mailbox_ends_its_own_sessions_only, of_one_account_so_many_are_remembered)
