// qmgr/manager.h. What agents answer, and agents that end.
#include "tests/unit/qmgr/fixture.h"

#include <map>

namespace {

using namespace test;

TEST(what_is_to_be_verified_goes_only_to_agents_that_know_how)
{
    for (bool knows : {false, true}) {
        Bed bed;
        int local = bed.listen("local");
        int bounce = bed.listen("bounce");
        bed.start();
        Cleaner cleaner(bed, *bed.manager);
        cleaner.report = ipc::Report::Deliverability;
        cleaner.offer(id_a, {"a@here"});
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        cleaner.name(id_a);
        Agent agent(bed, local, 10, knows);
        if (knows) {
            auto job = agent.next_as<ipc::Job>();
            THAT(job.verify);
            agent.answer(job, ipc::Disposition::Bounced, "nobody there");
        }
        Agent notifier(bed, bounce, 1);
        auto order = notifier.next_as<ipc::Notify>();
        EQ(order.kind, ipc::Notify::Kind::Report);
        EQ(order.statuses.at(0).text, knows ? "nobody there" : "goes to transport local, destination here");
        THAT(agent.silent());
        // A report, and no bounce.
        notifier.confirm(order);
        bed.until([&] { return bed.manager->messages().empty(); });
        EQ(bed.count(queue::Place::Incoming) + bed.count(queue::Place::Deferred), 0u);
    }
}
END_TEST

TEST(stored_is_asked_for_where_it_makes_room_for_another)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    constexpr std::string_view id_c = "3Cbn4n0002z1234";
    for (std::string_view id : {id_a, id_b, id_c})
        cleaner.offer(id, {"a@here"});
    Agent agent(bed, local, 10);
    THAT(!agent.next_as<ipc::Job>().tell_stored);
    auto second = agent.next_as<ipc::Job>();
    THAT(second.tell_stored);
    THAT(agent.silent());
    ipc::StoredNotice notice;
    notice.job = second.job;
    OK(agent.connection.send(notice));
    THAT(agent.next_as<ipc::Job>().tell_stored);
}
END_TEST

TEST(all_extensions_of_a_user_are_one_destination)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    bed.manager->set_recipient_delimiter("+");
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "a+1@here", "A+2@here", "a+3@here", "b@here"});
    Agent agent(bed, local, 10);
    // Two of one user (local_destination_concurrency_limit), and another's.
    std::string recipients;
    for (int i = 0; i < 3; ++i)
        recipients += agent.next_as<ipc::Job>().recipients[0].recipient.address + " ";
    THAT(agent.silent());
    THAT(recipients.find("b@here ") != std::string::npos);
}
END_TEST

TEST(a_message_during_which_two_agents_ended_is_held)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    {
        Agent agent(bed, local, 10);
        agent.next();
    }
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    {
        Agent agent(bed, local, 10);
        agent.next();
    }
    bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
    EQ(bed.manager->messages().size(), 0u);
}
END_TEST

TEST(of_many_messages_that_lose_their_agent_only_the_guilty_one_is_held)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    for (auto id : {id_a, id_b}) {
        cleaner.offer(id, {"a@here"}, false);
        cleaner.next();
        cleaner.name(id);
    }
    {
        Agent agent(bed, local, 10);
        agent.next();
        agent.next();
    }
    // One at a time now.
    int seen = 0;
    bed.until([&] { return true; });
    while (bed.count(queue::Place::Hold) + (2 - bed.manager->messages().size()) < 2 && seen < 10) {
        Agent agent(bed, local, 10);
        auto job = agent.next_as<ipc::Job>();
        THAT(agent.silent());
        if (job.queue_id == id_b) {
            ++seen;
            agent.connection.close();
            bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
            break;
        }
        agent.answer(job, ipc::Disposition::Delivered);
        auto next = agent.next_as<ipc::Job>();
        EQ(next.queue_id, id_b);
        agent.connection.close();
        bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
        break;
    }
    EQ(bed.directory->list(queue::Place::Hold)->front(), std::string(id_b));
}
END_TEST

TEST(a_message_over_which_two_mailboxes_ended_is_held_and_can_be_released)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    auto fatal = agent.next_as<ipc::Job>();
    ipc::Outcome outcome;
    outcome.job = fatal.job;
    outcome.index = fatal.recipients[0].index;
    outcome.status.text = "the mailbox process ended";
    outcome.deaths = 2;
    OK(agent.connection.send(outcome));
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
    EQ(bed.manager->messages().size(), 0u);
    auto file = bed.directory->open_file(queue::Place::Hold, std::string(id_a), O_RDONLY);
    OK(file);
    auto reader = queue::Reader::open(file->get());
    OK(reader);
    auto story = reader->story();
    OK(story);
    EQ(story->entries.back().kind, queue::StoryEntry::Kind::Held);
    // Released, it goes to the one who did not have it, and starts with a clean record.
    OK(bed.manager->change(std::string(id_a), Manager::Change::Release));
    auto again = agent.next_as<ipc::Job>();
    EQ(again.recipients.size(), 1u);
    EQ(again.recipients[0].recipient.address, fatal.recipients[0].recipient.address);
    agent.answer(again, ipc::Disposition::Delivered);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Hold), 0u);
}
END_TEST

TEST(a_transport_without_a_service_defers)
{
    Bed bed;
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
}
END_TEST

TEST(a_transport_may_pass_a_recipient_on_once)
{
    Bed bed;
    int local = bed.listen("local"), other = bed.listen("other");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    auto pass_on = [](Agent& from, std::string to) {
        auto job = from.next_as<ipc::Job>();
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = job.recipients[0].index;
        outcome.pass_to = std::move(to);
        OK(from.connection.send(outcome));
    };
    pass_on(agent, "other:[host]");
    Agent second(bed, other, 10);
    auto job = second.next_as<ipc::Job>();
    EQ(job.nexthop, "[host]");
    EQ(job.recipients[0].recipient.address, "a@here");
    second.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    // Twice is a loop: it waits for somebody to mend it.
    cleaner.offer(id_b, {"a@here"});
    pass_on(agent, "other:[host]");
    pass_on(second, "local");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    EQ(bed.manager->messages().size(), 1u);
    for (const auto& entry : bed.manager->messages()) {
        EQ(entry.second->recipients[0].status->dsn, "4.3.5");
        EQ(entry.second->recipients[0].status->text, "passed on to other:[host], and from there to local");
    }
}
END_TEST

TEST(the_owner_of_a_list_hears_of_its_failures_and_the_sender_of_others)
{
    Bed bed;
    int local = bed.listen("local"), bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "list@here", "other@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    for (int i = 0; i < 3; ++i) {
        auto job = agent.next_as<ipc::Job>();
        ipc::Outcome outcome;
        outcome.job = job.job;
        outcome.index = job.recipients[0].index;
        outcome.status.disposition = ipc::Disposition::Bounced;
        outcome.status.dsn = "5.1.1";
        if (job.recipients[0].recipient.address.starts_with("list"))
            outcome.return_to = "owner-list@here";
        OK(agent.connection.send(outcome));
    }
    Agent reporter(bed, bounce, 1);
    std::map<std::string, std::size_t> told;
    for (int i = 0; i < 2; ++i) {
        auto notify = reporter.next_as<ipc::Notify>();
        told[notify.envelope.sender] += notify.recipients.size();
        reporter.confirm(notify);
    }
    EQ(told["sender@example.org"], 2u);
    EQ(told["owner-list@here"], 1u);
    bed.until([&] { return bed.manager->messages().empty(); });
}
END_TEST

TEST(who_is_behind_a_local_alias_is_not_told_to_strangers)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    ipc::Outcome outcome;
    outcome.job = job.job;
    outcome.index = job.recipients[0].index;
    outcome.status.disposition = ipc::Disposition::Bounced;
    outcome.status.dsn = "5.1.1";
    outcome.expanded = true;
    OK(agent.connection.send(outcome));
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
}
END_TEST

// A long delay must not hide a short one that begins later.
TEST(each_rate_delay_ends_in_its_own_time)
{
    Bed bed;
    OK(bed.config.rate_delay.read_member("patient_destination_rate_delay", "100s"));
    OK(bed.config.rate_delay.read_member("brisk_destination_rate_delay", "1s"));
    bed.route = [](const ipc::Recipient& recipient, const std::string&) {
        return routing::Route{recipient.address.starts_with("p") ? "patient" : "brisk", "there"};
    };
    int patient = bed.listen("patient"), brisk = bed.listen("brisk");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"p@there"});
    Agent slow(bed, patient, 1);
    slow.answer(slow.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    cleaner.offer(id_b, {"p@there"});
    bed.settle();
    THAT(slow.silent());
    cleaner.offer("3Cbn4n0002z1234", {"b@there"});
    Agent quick(bed, brisk, 1);
    quick.answer(quick.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    cleaner.offer("3Cbn4n0003z1234", {"b@there"});
    bed.settle();
    THAT(quick.silent());
    EQ(quick.next_as<ipc::Job>().queue_id, "3Cbn4n0003z1234");
    THAT(slow.silent());
}
END_TEST

// A destination dies, and with it many messages are deferred: others' are worked on meanwhile.
TEST(many_messages_are_deferred_a_slice_at_a_time)
{
    constexpr std::size_t count = 500;
    Bed bed;
    Bed::set(bed.config.initial_concurrency, "1");
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    for (std::size_t i = 0; i < count; ++i) {
        std::string number = std::to_string(10'000 + i);
        cleaner.offer(util::concat("3Cbn4n", number.substr(1), "z1234"), {"a@here"}, false);
        cleaner.next();
        cleaner.name(util::concat("3Cbn4n", number.substr(1), "z1234"));
    }
    bed.until([&] { return bed.manager->messages().size() == count; });
    Agent agent(bed, local, 1);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred, "gone", true);
    std::size_t between = 0;
    bed.until([&] {
        std::size_t left = bed.manager->messages().size();
        between += left > 0 && left < count - 1;
        return left == 0;
    });
    THAT(between > 0);
    EQ(bed.count(queue::Place::Deferred), count);
}
END_TEST

TEST(recipients_who_are_done_make_room_before_their_message_ends)
{
    Bed bed;
    Bed::set(bed.config.message_recipient_limit, "2");
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"}, false);
    cleaner.next();
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>(), second = agent.next_as<ipc::Job>();
    cleaner.offer(id_b, {"c@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_b);
    THAT(agent.silent());
    EQ(bed.manager->messages().size(), 1u);
    agent.answer(first, ipc::Disposition::Delivered);
    auto third = agent.next_as<ipc::Job>();
    EQ(third.queue_id, id_b);
    EQ(bed.manager->messages().size(), 2u);
    agent.answer(second, ipc::Disposition::Deferred);
    agent.answer(third, ipc::Disposition::Delivered);
    bed.until([&] { return bed.manager->messages().empty(); });
}
END_TEST

SUITE(manager_outcomes, recipients_who_are_done_make_room_before_their_message_ends, each_rate_delay_ends_in_its_own_time,
      many_messages_are_deferred_a_slice_at_a_time, what_is_to_be_verified_goes_only_to_agents_that_know_how,
      stored_is_asked_for_where_it_makes_room_for_another, all_extensions_of_a_user_are_one_destination,
      a_message_during_which_two_agents_ended_is_held, of_many_messages_that_lose_their_agent_only_the_guilty_one_is_held,
      a_message_over_which_two_mailboxes_ended_is_held_and_can_be_released, a_transport_without_a_service_defers,
      a_transport_may_pass_a_recipient_on_once, the_owner_of_a_list_hears_of_its_failures_and_the_sender_of_others,
      who_is_behind_a_local_alias_is_not_told_to_strangers)

}  // namespace
