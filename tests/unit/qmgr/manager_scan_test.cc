// qmgr/manager.h. Queue files that are found, and what is ordered by hand.
#include "tests/unit/no_descriptors.h"
#include "tests/unit/qmgr/fixture.h"

namespace {

using namespace test;

TEST(what_is_to_be_held_is_held_until_it_is_released)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.summary.hold = true;
    cleaner.offer(id_a, {"a@here"});
    // No race, whatever cleanup asks for.
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    bed.until([&] { return bed.count(queue::Place::Hold) == 1; });
    EQ(bed.manager->messages().size(), 0u);
    // Found by a scan: the same.
    cleaner.offer(id_b, {"a@here"}, false);
    cleaner.next();
    bed.manager.reset();
    OK(cleaner.writer->name(std::string(id_b)));
    bed.start();
    bed.manager->start();
    bed.until([&] { return bed.count(queue::Place::Hold) == 2; });
    OK(bed.manager->change(std::string(id_a), Manager::Change::Release));
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(job.queue_id, id_a);
    agent.answer(job, ipc::Disposition::Delivered);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Hold), 1u);
}
END_TEST

TEST(what_is_forced_to_expire_goes_back_after_one_more_attempt)
{
    Bed bed;
    int local = bed.listen("local");
    int bounce = bed.listen("bounce");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"}, false);
    cleaner.next();
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred);
    bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
    // Elsewhere it is not.
    EQ(bed.manager->change(std::string(id_a), Manager::Change::Expire, queue::active_queue).error().text, "no such message");
    OK(bed.manager->change(std::string(id_a), Manager::Change::Expire));
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred);
    Agent notifier(bed, bounce, 1);
    auto order = notifier.next_as<ipc::Notify>();
    EQ(order.kind, ipc::Notify::Kind::Failure);
    EQ(order.queue_id, id_a);
}
END_TEST

TEST(files_of_an_earlier_life_are_delivered_and_damaged_ones_set_aside)
{
    Bed bed;
    int local = bed.listen("local");
    {
        Bed::set(bed.config.queue_run_delay, "1s");
        bed.start();
        Cleaner cleaner(bed, *bed.manager);
        for (auto id : {id_a, id_b}) {
            cleaner.offer(id, {"a@here"}, false);
            cleaner.next();
            OK(cleaner.writer->name(std::string(id)));
        }
        bed.manager.reset();
    }
    auto damaged = bed.directory->open_file(queue::Place::Incoming, std::string(id_b), O_RDWR);
    OK(util::sys::pwrite_all(damaged->get(), "X", 200));
    bed.start();
    bed.manager->start();
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(job.queue_id, id_a);
    // An agent that outlives this qmgr keeps the next one's hands off.
    bed.manager.reset();
    bed.start();
    bed.manager->start();
    bed.until([&] { return bed.count(queue::Place::Corrupt) == 1; });
    bed.settle();
    EQ(bed.manager->messages().size(), 0u);
    job.message.reset();
    Agent second(bed, local, 10);
    second.answer(second.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    bed.until([&] { return bed.count(queue::Place::Incoming) == 0; });
}
END_TEST

TEST(a_queue_file_for_which_no_descriptor_is_free_waits_where_it_is)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    {
        Cleaner cleaner(bed, *bed.manager);
        cleaner.offer(id_a, {"a@here"}, false);
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        cleaner.name(id_a);
        Agent agent(bed, local, 10);
        agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Deferred, "not now");
        bed.until([&] { return bed.count(queue::Place::Deferred) == 1; });
        bed.settle();
    }
    {
        test::NoDescriptors shortage;
        THAT(!bed.manager->flush_message(std::string(id_a)));
        auto held = bed.manager->change(std::string(id_a), Manager::Change::Hold);
        EQ(held.error().code, EMFILE);
        EQ(bed.manager->messages().size(), 0u);
    }
    EQ(bed.count(queue::Place::Deferred), 1u);
    EQ(bed.count(queue::Place::Corrupt), 0u);
    OK(bed.manager->change(std::string(id_a), Manager::Change::Hold));
    EQ(bed.count(queue::Place::Hold), 1u);
}
END_TEST

SUITE(manager_scan, what_is_to_be_held_is_held_until_it_is_released,
      what_is_forced_to_expire_goes_back_after_one_more_attempt,
      files_of_an_earlier_life_are_delivered_and_damaged_ones_set_aside,
      a_queue_file_for_which_no_descriptor_is_free_waits_where_it_is)

}  // namespace
