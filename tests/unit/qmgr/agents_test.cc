// qmgr/agents.h: which agent gets a job.
#include "tests/unit/qmgr/fixture.h"

namespace {

using namespace test;

TEST(the_agent_that_holds_a_connection_gets_the_next_job_for_it)
{
    Bed bed;
    int smtp = bed.listen("smtp");
    bed.route = [](const ipc::Recipient& recipient, const std::string&) {
        return routing::Route{"smtp", recipient.address.substr(recipient.address.find('@') + 1)};
    };
    bed.start();
    Cleaner cleaner(bed, *bed.manager);
    unsigned count = 0;
    auto offer = [&](const char* address) { cleaner.offer(util::concat("3Cbn4n000", count++, "z1234"), {address}); };
    auto deliver = [&](Agent& agent, std::string_view nexthop) {
        auto job = agent.next_as<ipc::Job>();
        EQ(job.nexthop, nexthop);
        agent.answer(job, ipc::Disposition::Delivered);
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    };
    // Two, each with a job and then with a connection.
    offer("x@a.example");
    Agent first(bed, smtp, 1);
    auto job = first.next_as<ipc::Job>();
    THAT(!job.followed);
    offer("x@b.example");
    Agent second(bed, smtp, 1);
    auto other = second.next_as<ipc::Job>();
    EQ(other.nexthop, "b.example");
    first.connected = second.connected = true;
    first.answer(job, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    second.answer(other, ipc::Disposition::Delivered);
    EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
    offer("y@a.example");
    deliver(first, "a.example");
    offer("y@b.example");
    deliver(second, "b.example");
    // For another destination the one whose connection is the oldest gives it up.
    offer("x@c.example");
    deliver(first, "c.example");
    // One that has none is asked first.
    second.connected = false;
    offer("z@b.example");
    deliver(second, "b.example");
    offer("y@c.example");
    deliver(first, "c.example");
    offer("x@d.example");
    deliver(second, "d.example");
}
END_TEST

// It is found by what is sent: a message that no agent had is not to blame.
TEST(an_agent_that_went_before_it_had_a_job_is_no_death_of_the_message)
{
    for (std::uint32_t capacity : {1U, 5U}) {
        Bed bed;
        int local = bed.listen("local");
        bed.start();
        Cleaner cleaner(bed, *bed.manager);
        cleaner.offer(id_b, {"first@example.org"});
        Agent agent(bed, local, capacity);
        auto first = agent.next_as<ipc::Job>();
        agent.answer(first, ipc::Disposition::Delivered);
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Delivered);
        cleaner.offer(id_a, {"user@example.org"});
        agent.connection.close();
        Agent next(bed, local, capacity);
        auto job = next.next_as<ipc::Job>();
        EQ(job.queue_id, id_a);
        EQ(bed.manager->find(std::string(id_a))->deaths, 0u);
        // This one has it.
        next.connection.close();
        Agent last(bed, local, capacity);
        job = last.next_as<ipc::Job>();
        EQ(bed.manager->find(std::string(id_a))->deaths, 1u);
        last.answer(job, ipc::Disposition::Delivered);
        EQ(cleaner.next_as<ipc::Ruling>().kind, ipc::Ruling::Kind::Keep);
    }
}
END_TEST

}  // namespace

SUITE(agents, an_agent_that_went_before_it_had_a_job_is_no_death_of_the_message, the_agent_that_holds_a_connection_gets_the_next_job_for_it)
