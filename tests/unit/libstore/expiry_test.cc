// Mail that is kept for a time only.
#include "libstore/expiry.h"

#include "tests/unit/libstore/fixture.h"

namespace {

using namespace test;

constexpr std::int64_t day = 86'400;

std::int64_t wall_seconds()
{
    return std::chrono::duration_cast<std::chrono::seconds>(util::wall_now().time_since_epoch()).count();
}

std::uint64_t expire(store::Store& store, std::vector<store::ExpiryRule> rules, std::int64_t now, std::size_t limit = 100)
{
    store::Expiry expiry(store, std::move(rules), now);
    for (int steps = 0; steps < 1000; ++steps) {
        auto done = expiry.step(limit);
        OK(done);
        if (*done)
            return expiry.messages();
    }
    ck_abort_msg("it does not end");
}

TEST(a_rule_names_mailboxes_with_those_below_or_a_use)
{
    Directory directory;
    auto store = open(directory.path);
    for (auto name : {"Trash/old", "Trashy", "INBOX/lists", "Spam"})
        OK(store->create_mailbox(name, store::SpecialUse::None));
    std::vector<store::ExpiryRule> rules = {{"Trash", 1}, {"\\junk", 2}, {"inbox", 3}, {"Sp", 4}};
    auto rule = [&](std::string_view name) {
        const auto* found = store::rule_for(rules, mailbox(*store, name));
        return found ? found->seconds : 0;
    };
    EQ(rule("Trash"), 1);
    EQ(rule("Trash/old"), 1);
    EQ(rule("Trashy"), 0);
    EQ(rule("Junk"), 2);
    EQ(rule("INBOX"), 3);
    EQ(rule("INBOX/lists"), 0);
    EQ(rule("Spam"), 0);
    rules.push_back({"*", 9});
    EQ(rule("Spam"), 9);
    EQ(rule("Trash"), 1);
}
END_TEST

TEST(mail_goes_when_its_time_in_the_mailbox_is_over)
{
    Directory directory;
    auto store = open(directory.path);
    for (auto name : {"one", "two", "three", "four", "five"})
        add(*store, "Trash", name);
    add(*store, "INBOX", "stays");
    auto now = wall_seconds();
    EQ(expire(*store, {{"Trash", 30 * day}}, now), 0U);
    EQ(expire(*store, {{"Trash", 30 * day}}, now + 30 * day - 60), 0U);
    EQ(expire(*store, {}, now + 1000 * day), 0U);
    // In steps of two messages.
    EQ(expire(*store, {{"Trash", 30 * day}}, now + 30 * day + 60, 2), 5U);
    EQ(mailbox(*store, "Trash").entries.size(), 0U);
    EQ(mailbox(*store, "INBOX").entries.size(), 1U);
    EQ(expire(*store, {{"Trash", 30 * day}}, now + 30 * day + 60), 0U);
    // As after EXPUNGE it can be put back.
    auto deleted = store->deleted_messages();
    OK(deleted);
    EQ(deleted->size(), 5U);
}
END_TEST

TEST(the_time_begins_anew_in_another_mailbox)
{
    Directory directory;
    auto store = open(directory.path);
    add(*store, "INBOX", "old");
    auto id = id_of(*store, "INBOX");
    auto saved = mailbox(*store, "INBOX").entries[0].save_seconds;
    auto uid = mailbox(*store, "INBOX").entries[0].uid;
    OK(store->move(id, std::span(&uid, 1), id_of(*store, "Trash")));
    THAT(mailbox(*store, "Trash").entries[0].save_seconds >= saved);
    EQ(expire(*store, {{"INBOX", 1}}, wall_seconds() + day), 0U);
    EQ(expire(*store, {{"\\Trash", day}}, wall_seconds() + 2 * day), 1U);
}
END_TEST

}  // namespace

SUITE(expiry, a_rule_names_mailboxes_with_those_below_or_a_use, mail_goes_when_its_time_in_the_mailbox_is_over,
      the_time_begins_anew_in_another_mailbox)
