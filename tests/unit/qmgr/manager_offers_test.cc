// qmgr/manager.h. Offers: the commit race and what comes before a message has its name.
#include "tests/unit/no_descriptors.h"
#include "tests/unit/qmgr/fixture.h"

namespace {

using namespace test;

TEST(a_message_that_is_delivered_in_time_never_gets_a_name)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>();
    auto second = agent.next_as<ipc::Job>();
    EQ(first.queue_id, id_a);
    EQ(first.sender, "sender@example.org");
    EQ(first.recipients.size(), 1u);
    auto reader = queue::Reader::open(first.message.get());
    OK(reader);
    EQ(*reader->read_content(1000), "Subject: x\r\n\r\nbody\r\n");
    agent.answer(first, ipc::Disposition::Delivered);
    THAT(cleaner.silent());
    agent.answer(second, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    EQ(bed.manager->messages().size(), 0u);
    EQ(bed.count(queue::Place::Incoming), 0u);
}
END_TEST

TEST(a_message_that_all_refuse_is_refused_and_not_bounced)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    auto ruling = cleaner.next_as<ipc::Ruling>();
    EQ(ruling.kind, ipc::Ruling::Kind::Refused);
    EQ(ruling.text, "no such user");
    EQ(ruling.dsn, "5.1.1");
    EQ(bed.manager->messages().size(), 0u);
    // Not when an alias led there.
    cleaner.offer(id_b, {"a@here"}, true, true);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Bounced, "no such user");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
}
END_TEST

TEST(a_temporary_failure_keeps_and_defers)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here", "b@here"});
    Agent agent(bed, local, 10);
    auto first = agent.next_as<ipc::Job>();
    auto second = agent.next_as<ipc::Job>();
    agent.answer(second, ipc::Disposition::Deferred, "try later");
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    agent.answer(first, ipc::Disposition::Delivered);
    bed.settle();
    EQ(bed.manager->messages().size(), 1u);
    cleaner.name(id_a);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming), 0u);
    auto file = bed.directory->open_file(queue::Place::Deferred, std::string(id_a), O_RDONLY);
    OK(file);
    auto reader = queue::Reader::open(file->get());
    OK(reader);
    THAT(reader->recipients()[0].done);
    THAT(!reader->recipients()[1].done);
    auto story = reader->story();
    EQ(story->damaged, 0u);
    EQ(story->entries.back().status->text, "try later");
    auto status = bed.directory->stat(queue::Place::Deferred, std::string(id_a));
    std::int64_t since = util::unix_seconds(util::wall_now()) - status->st_mtim.tv_sec;
    THAT(since >= 0 && since < 300);
    // As long after the last attempt as the message was old then.
    std::int64_t arrival = queue::time_of(id_a);
    auto wait = [&](std::int64_t age) {
        return (bed.manager->next_attempt(std::string(id_a), arrival + age * 1'000'000) - arrival) / 1'000'000 - age;
    };
    EQ(wait(-50), 300);
    EQ(wait(299), 300);
    EQ(wait(1000), 1000);
    EQ(wait(9000), 4000);
}
END_TEST

TEST(a_race_ends_in_time_and_the_delivery_goes_on)
{
    Bed bed;
    int local = bed.listen("local");
    Bed::set(bed.config.commit_race_time, "30ms");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    agent.answer(job, ipc::Disposition::Delivered);
    bed.settle();
    // Not removed before it is named.
    EQ(bed.manager->messages().size(), 1u);
    cleaner.name(id_a);
    bed.until([&] { return bed.manager->messages().empty(); });
    EQ(bed.count(queue::Place::Incoming), 0u);
}
END_TEST

TEST(what_does_not_race_waits_for_its_name)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"}, false);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
    bed.until([&] { return bed.count(queue::Place::Incoming) == 0; });
    EQ(bed.manager->messages().size(), 0u);
}
END_TEST

TEST(a_content_filter_overrules_routes_and_a_redirect_recipients)
{
    Bed bed;
    int scan = bed.listen("scan"), local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.summary.content_filter = "scan:[127.0.0.1]:10025";
    cleaner.offer(id_a, {"a@here", "b@there"});
    Agent filter(bed, scan, 10);
    auto job = filter.next_as<ipc::Job>();
    EQ(job.nexthop, "[127.0.0.1]:10025");
    EQ(job.recipients.size(), 2u);
    filter.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    cleaner.summary.content_filter = "scan:";
    cleaner.offer(id_b, {"a@here"});
    job = filter.next_as<ipc::Job>();
    EQ(job.nexthop, "here");
    filter.answer(job, ipc::Disposition::Delivered);
    cleaner.next();
    cleaner.summary = {};
    cleaner.summary.redirect = "else@where";
    cleaner.offer(id_a, {"a@here", "b@there"});
    Agent agent(bed, local, 10);
    job = agent.next_as<ipc::Job>();
    EQ(job.recipients.size(), 1u);
    EQ(job.recipients[0].recipient.address, "else@where");
    EQ(job.recipients[0].recipient.original, "rfc822;a@here");
    agent.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
}
END_TEST

TEST(cleanup_gone_before_the_ruling_takes_the_message_along)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    {
        Cleaner cleaner(bed, *bed.manager);
        cleaner.offer(id_a, {"a@here"});
        bed.until([&] { return bed.manager->messages().size() == 1; });
    }
    bed.until([&] { return bed.manager->messages().empty(); });
    // The connection for the job was made; no job comes.
    Agent agent(bed, local, 10);
    THAT(agent.silent());
}
END_TEST

TEST(cleanup_gone_after_keep_may_have_named_the_file)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    for (bool linked : {true, false}) {
        std::string id(linked ? id_a : id_b);
        {
            Cleaner cleaner(bed, *bed.manager);
            cleaner.offer(id, {"a@here"}, false);
            EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
            if (linked)
                OK(cleaner.writer->name(id));
        }
        if (linked) {
            Agent agent(bed, local, 10);
            agent.answer(agent.next_as<ipc::Job>(), ipc::Disposition::Delivered);
            bed.until([&] { return bed.manager->messages().empty(); });
        } else {
            bed.until([&] { return bed.manager->messages().empty(); });
        }
        EQ(bed.count(queue::Place::Incoming), 0u);
    }
}
END_TEST

TEST(an_offer_that_did_not_fit_is_kept_and_delivered_when_it_has_its_name)
{
    Bed bed;
    int local = bed.listen("local");
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    cleaner.offer(id_a, {"a@here"});
    {
        test::NoDescriptors shortage;
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
        EQ(bed.manager->messages().size(), 0u);
    }
    cleaner.name(id_a);
    Agent agent(bed, local, 10);
    auto job = agent.next_as<ipc::Job>();
    EQ(job.queue_id, id_a);
    agent.answer(job, ipc::Disposition::Delivered);
    bed.until([&] { return bed.count(queue::Place::Incoming) == 0; });
}
END_TEST

SUITE(manager_offers, a_message_that_is_delivered_in_time_never_gets_a_name,
      a_message_that_all_refuse_is_refused_and_not_bounced, a_temporary_failure_keeps_and_defers,
      a_race_ends_in_time_and_the_delivery_goes_on, what_does_not_race_waits_for_its_name,
      a_content_filter_overrules_routes_and_a_redirect_recipients,
      cleanup_gone_before_the_ruling_takes_the_message_along, cleanup_gone_after_keep_may_have_named_the_file,
      an_offer_that_did_not_fit_is_kept_and_delivered_when_it_has_its_name)

}  // namespace
