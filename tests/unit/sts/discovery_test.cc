#include "sts/discovery.h"
#include "libutil/log.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <map>

namespace {

using Record = trust::StsRecordAnswer;
using Result = ipc::StsReply::Result;
using trust::StsFailure;
using trust::StsMode;

std::string directory_of_policies()
{
    char path[] = "/tmp/tern-sts-XXXXXX";
    CHECK(::mkdtemp(path));
    return path;
}

// The world as sts(8) sees it; fetches are counted.
struct World {
    World() { util::log::to_nowhere(); }

    ipc::StsReply ask() { return discovery.answer("example.com"); }
    void publish(std::string id, StsMode mode = StsMode::Enforce, std::uint32_t max_age = 86400 * 7)
    {
        record = {Record::Status::Found, std::move(id), {}};
        fetched = {StsFailure::None, {}, {.mode = mode, .max_age = max_age, .mx = {"mail.example.com"}}};
    }
    void fail(StsFailure failure) { fetched = {failure, "why", {}}; }

    Record record;
    trust::StsFetched fetched{StsFailure::Fetch, "nothing", {}};
    std::int64_t now = 1'700'000'000;
    int fetches = 0;
    std::int64_t cost = 0;   // seconds of a fetch
    sts::PolicyStore store{directory_of_policies(), 100};
    sts::Discovery discovery{store,
                             {.record = [this](const std::string&) { return record; },
                              .fetch = [this](const std::string&) { ++fetches; now += cost; return fetched; },
                              .clock = [this] { return now; }},
                             {.failure = 300, .refresh = 86400}};
};

TEST(without_a_record_nothing_is_fetched)
{
    World world;
    for (auto status : {Record::Status::None, Record::Status::Broken, Record::Status::Failed}) {
        world.record.status = status;
        auto reply = world.ask();
        EQ(reply.result, Result::None);
        EQ(reply.failure, status == Record::Status::Broken ? "sts-policy-invalid" : "");
    }
    world.publish("1");
    EQ(world.discovery.answer("com").result, Result::None);
    EQ(world.discovery.answer("../../etc/passwd.x").result, Result::None);
    EQ(world.fetches, 0);
}
END_TEST

TEST(a_policy_is_fetched_once_for_each_id)
{
    World world;
    world.publish("1");
    auto reply = world.ask();
    EQ(reply.result, Result::Found);
    EQ(reply.id, "1");
    EQ(reply.fetched, world.now);
    EQ(trust::parse_sts_policy(reply.policy)->mode, StsMode::Enforce);
    world.now += 86400;
    (void)world.ask();
    EQ(world.fetches, 1);
    world.publish("2", StsMode::Testing);
    reply = world.ask();
    EQ(world.fetches, 2);
    EQ(trust::parse_sts_policy(reply.policy)->mode, StsMode::Testing);
    // It survives a restart.
    sts::Discovery other(world.store,
                         {.record = [&](const std::string&) { return world.record; },
                          .fetch =
                              [](const std::string&) {
                                  return trust::StsFetched{StsFailure::Fetch, "no", {}};
                              },
                          .clock = [&] { return world.now; }},
                         {});
    EQ(other.answer("example.com").id, "2");
}
END_TEST

TEST(a_policy_that_runs_out_is_fetched_again)
{
    World world;
    world.publish("1", StsMode::Enforce, 1000);
    (void)world.ask();
    world.now += 999;
    (void)world.ask();
    EQ(world.fetches, 1);
    world.now += 1;
    EQ(world.ask().result, Result::Found);
    EQ(world.fetches, 2);
    world.now += 1000;
    world.fail(StsFailure::Webpki);
    auto reply = world.ask();
    EQ(reply.result, Result::None);
    EQ(reply.failure, "sts-webpki-invalid");
}
END_TEST

TEST(a_failure_leaves_the_old_policy_and_waits)
{
    World world;
    world.publish("1");
    (void)world.ask();
    world.record.id = "2";
    world.fail(StsFailure::Invalid);
    auto reply = world.ask();
    EQ(reply.result, Result::Found);
    EQ(reply.id, "1");
    EQ(reply.failure, "sts-policy-invalid");
    EQ(world.fetches, 2);
    world.now += 299;
    EQ(world.ask().failure, "sts-policy-invalid");
    EQ(world.fetches, 2);
    // Another id is another matter.
    world.record.id = "3";
    (void)world.ask();
    EQ(world.fetches, 3);
    world.now += 300;
    (void)world.ask();
    EQ(world.fetches, 4);
    // A clock that was set back does not keep it from asking.
    world.now -= 1000;
    (void)world.ask();
    EQ(world.fetches, 5);
}
END_TEST

TEST(a_record_that_is_gone_does_not_take_the_policy_away)
{
    World world;
    world.publish("1");
    (void)world.ask();
    for (auto status : {Record::Status::None, Record::Status::Broken, Record::Status::Failed}) {
        world.record.status = status;
        EQ(world.ask().result, Result::Found);
    }
    EQ(world.fetches, 1);
    world.now += 86400 * 7;
    EQ(world.ask().result, Result::None);
}
END_TEST

TEST(refreshing_fetches_what_is_old_and_forgets_what_has_run_out)
{
    World world;
    world.publish("1");
    (void)world.ask();
    world.now += 86399;
    world.discovery.refresh();
    EQ(world.fetches, 1);
    world.now += 1;
    world.discovery.refresh();
    EQ(world.fetches, 2);
    EQ((*world.store.load("example.com"))->fetched, world.now);
    // When it fails it is tried again later, and the policy stays.
    world.now += 86400;
    world.fail(StsFailure::Fetch);
    world.discovery.refresh();
    world.discovery.refresh();
    EQ(world.fetches, 3);
    THAT((*world.store.load("example.com"))->policy.has_value());
    world.record.status = Record::Status::None;
    world.now += 300;
    world.discovery.refresh();
    EQ(world.fetches, 3);
    world.now += 86400 * 7;
    world.discovery.refresh();
    THAT(!*world.store.load("example.com"));
}
END_TEST

TEST(slow_servers_do_not_hold_a_pass_for_ever)
{
    World world;
    world.publish("1", StsMode::Enforce, trust::max_sts_age);
    for (int i = 0; i < 50; ++i)
        (void)world.discovery.answer(util::concat("d", i, ".example"));
    world.now += 86400;
    world.fail(StsFailure::Fetch);
    world.cost = 60;
    int before = world.fetches;
    world.discovery.refresh();
    EQ(world.fetches - before, 10);
    // Somewhere else each time: all have their turn.
    world.publish("1", StsMode::Enforce, trust::max_sts_age);
    auto is_old = [&](int i) { return (*world.store.load(util::concat("d", i, ".example")))->fetched <= 1'700'000'000; };
    int old = 50;
    for (int pass = 0; pass < 200 && old > 0; ++pass) {
        world.now += 3000;
        world.discovery.refresh();
        old = 0;
        for (int i = 0; i < 50; ++i)
            old += is_old(i);
    }
    EQ(old, 0);
}
END_TEST

}  // namespace

SUITE(discovery, without_a_record_nothing_is_fetched, a_policy_is_fetched_once_for_each_id,
      a_policy_that_runs_out_is_fetched_again, a_failure_leaves_the_old_policy_and_waits,
      a_record_that_is_gone_does_not_take_the_policy_away, refreshing_fetches_what_is_old_and_forgets_what_has_run_out,
      slow_servers_do_not_hold_a_pass_for_ever)
