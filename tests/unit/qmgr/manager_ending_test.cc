// qmgr/manager.h. How messages leave memory: notices, deferral, marks.
#include "tests/unit/no_descriptors.h"
#include "tests/unit/qmgr/fixture.h"

#include <set>

namespace {

using namespace test;

TEST(with_soft_bounce_a_failure_for_good_is_deferred)
{
    Bed bed;
    Bed::set(bed.config.soft_bounce, "yes");
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
}
END_TEST

TEST(a_failure_after_keep_is_told_to_the_sender)
{
    Bed bed;
    int local = bed.listen("local");
    int bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent reporter(bed, bounce, 1);
    auto notify = reporter.next_as<ipc::Notify>();
    EQ(notify.kind, ipc::Notify::Kind::Failure);
    EQ(notify.recipients.size(), 1u);
    EQ(notify.recipients[0].recipient.address, "b@here");
    EQ(notify.statuses[0].text, "no such user");
    EQ(notify.envelope.sender, "sender@example.org");
    reporter.confirm(notify);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming) + bed.count(queue::Place::Deferred), 0u);
}
END_TEST

// Of each kind: all recipients are told of, each once, in orders that fit.
TEST(very_many_recipients_are_told_of_in_several_notices)
{
    std::vector<std::string> recipients;
    for (int i = 0; i < 1200; ++i)
        recipients.push_back(util::concat("a-recipient-with-a-rather-long-address-", i, "@here"));
    for (ipc::Notify::Kind kind :
         {ipc::Notify::Kind::Failure, ipc::Notify::Kind::Success, ipc::Notify::Kind::Delay, ipc::Notify::Kind::Report}) {
        Bed bed;
        Bed::set(bed.config.delay_warning_time, "1s");
        int local = bed.listen("local"), bounce = bed.listen("bounce");
        bed.start();
        Cleaner cleaner(bed, *bed.manager);
        cleaner.arrived_before = kind == ipc::Notify::Kind::Delay ? 10s : 0s;
        cleaner.report = kind == ipc::Notify::Kind::Report ? ipc::Report::Delivery : ipc::Report::None;
        cleaner.offer(id_a, recipients, false, false, kind == ipc::Notify::Kind::Success ? ipc::NotifySuccess : 0);
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        cleaner.name(id_a);
        Agent agent(bed, local, 10);
        for (std::size_t i = 0; i < recipients.size(); ++i)
            agent.answer(agent.next_as<ipc::Job>(),
                         kind == ipc::Notify::Kind::Failure ? ipc::Disposition::Bounced
                         : kind == ipc::Notify::Kind::Delay ? ipc::Disposition::Deferred
                                                            : ipc::Disposition::Delivered, "a reason");
        Agent reporter(bed, bounce, 1);
        std::set<std::uint32_t> told;
        int notices = 0;
        while (told.size() < recipients.size()) {
            auto notify = reporter.next_as<ipc::Notify>();
            EQ(notify.kind, kind);
            for (const auto& recipient : notify.recipients)
                THAT(told.insert(recipient.index).second);
            reporter.confirm(notify);
            ++notices;
        }
        THAT(notices > 1);
        bed.until([&] { return bed.manager->messages().empty(); });
        EQ(bed.count(queue::Place::Deferred), kind == ipc::Notify::Kind::Delay ? 1u : 0u);
    }
}
END_TEST

TEST(a_notice_that_was_lost_is_ordered_again)
{
    Bed bed;
    int local = bed.listen("local");
    int bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"}, true, false, ipc::NotifySuccess | ipc::NotifyFailure);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    for (ipc::Notify::Kind kind : {ipc::Notify::Kind::Failure, ipc::Notify::Kind::Success}) {
        Agent reporter(bed, bounce, 1);
        EQ(reporter.next_as<ipc::Notify>().kind, kind);   // and bounce ends
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Deferred), 1u);
    // Also when qmgr has ended, too.
    bed.manager.reset();
    while (util::UniqueFd(::accept4(bounce, nullptr, nullptr, SOCK_CLOEXEC)).valid()) { }
    bed.start();
    THAT(bed.manager->flush_message(std::string(id_a)));
    Agent reporter(bed, bounce, 1);
    for (ipc::Notify::Kind kind : {ipc::Notify::Kind::Failure, ipc::Notify::Kind::Success}) {
        auto notify = reporter.next_as<ipc::Notify>();
        EQ(notify.kind, kind);
        EQ(notify.recipients.size(), 1u);
        reporter.confirm(notify);
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming) + bed.count(queue::Place::Deferred), 0u);
}
END_TEST

TEST(a_message_stays_in_memory_until_its_file_says_who_has_it)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>();
    auto second = agent.next_as<ipc::Job>();
    {
        test::NoDescriptors shortage;
        shortage.leave(3);
        agent.answer(first, ipc::Disposition::Delivered);
        agent.answer(second, ipc::Disposition::Deferred, "not now");
        bed.until([&] {
            const Message* message = bed.manager->find(std::string(id_a));
            ck_assert_msg(message, "it is forgotten");
            return message->outstanding == 0;
        });
        bed.settle();
        EQ(bed.manager->messages().size(), 1u);
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Deferred), 1u);
    // One recipient is left, and no more.
    bed.manager->flush();
    auto third = agent.next_as<ipc::Job>();
    EQ(third.recipients.size(), 1u);
    EQ(third.recipients[0].recipient.address, second.recipients[0].recipient.address);
}
END_TEST

SUITE(manager_ending, with_soft_bounce_a_failure_for_good_is_deferred, a_failure_after_keep_is_told_to_the_sender,
      a_notice_that_was_lost_is_ordered_again, very_many_recipients_are_told_of_in_several_notices,
      a_message_stays_in_memory_until_its_file_says_who_has_it)

}  // namespace
