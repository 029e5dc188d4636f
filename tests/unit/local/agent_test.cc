#include "tests/unit/local/fixture.h"
#include "tests/unit/no_descriptors.h"

namespace {

using namespace test;
using ipc::Disposition;

TEST(answers_stored_and_then_the_outcome)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    std::string account;
    auto mailbox = office.mailbox(&account);
    EQ(account, "user@example.org");
    auto order = office.next<ipc::Deliver>(mailbox);
    EQ(order.queue_id, "Q1");
    EQ(order.recipient, "user@example.org");
    EQ(order.prefix, "Return-Path: <from@example.com>\r\nDelivered-To: user@example.org\r\n");
    EQ(order.content, "Subject: x\r\n\r\nbody\r\n");
    THAT(!order.message.valid());
    Office::store(mailbox, order.delivery, 5);
    auto notice = office.next<ipc::StoredNotice>(office.qmgr);
    EQ(notice.job, 1u);
    EQ(notice.index, 10u);
    Office::durable(mailbox, 5);
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.job, 1u);
    EQ(outcome.index, 10u);
    EQ(outcome.status.disposition, Disposition::Delivered);
    EQ(outcome.status.dsn, "2.0.0");
    EQ(outcome.status.relay, "local");
    EQ(outcome.status.text, "delivered to mailbox");
}
END_TEST

TEST(says_stored_only_where_another_delivery_waits_for_it)
{
    Office office;
    auto job = office.job(1, {"user@example.org"});
    job.tell_stored = false;
    OK(office.qmgr.send(job));
    auto mailbox = office.mailbox();
    auto order = office.next<ipc::Deliver>(mailbox);
    Office::store(mailbox, order.delivery, 5);
    Office::durable(mailbox, 5);
    EQ(office.next<ipc::Outcome>(office.qmgr).job, 1u);
}
END_TEST

TEST(keeps_many_deliveries_in_flight_on_one_connection)
{
    Office office;
    for (std::uint64_t i = 0; i < 50; ++i)
        OK(office.qmgr.send(office.job(i, {"user@example.org"})));
    auto mailbox = office.mailbox();
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 50; ++i)
        numbers.push_back(office.next<ipc::Deliver>(mailbox).delivery);
    for (std::size_t i = 0; i < 50; ++i)
        Office::store(mailbox, numbers[i], i + 1);
    for (int i = 0; i < 50; ++i)
        office.next<ipc::StoredNotice>(office.qmgr);
    Office::durable(mailbox, 20);
    for (int i = 0; i < 20; ++i)
        EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Delivered);
    EQ(office.agent->deliveries(), 30u);
    Office::durable(mailbox, 50);
    for (int i = 0; i < 30; ++i)
        office.next<ipc::Outcome>(office.qmgr);
    EQ(office.agent->deliveries(), 0u);
}
END_TEST

TEST(shares_a_large_message_as_a_sealed_descriptor)
{
    Office office;
    std::string large = "Subject: x\r\n\r\n" + std::string(200'000, 'y') + "\r\n";
    OK(office.qmgr.send(office.job(1, {"a@example.org", "b@example.org"}, large)));
    for (int i = 0; i < 2; ++i) {
        auto mailbox = office.mailbox();
        auto order = office.next<ipc::Deliver>(mailbox);
        EQ(order.content, "");
        THAT(order.message.valid());
        THAT(util::sys::is_sealed(order.message.get()));
        EQ(order.size, large.size());
        std::string read(large.size(), '\0');
        auto count = util::sys::pread(order.message.get(), read, 0);
        OK(count);
        EQ(read == large, true);
        Office::store(mailbox, order.delivery, 1);
        office.next<ipc::StoredNotice>(office.qmgr);
        Office::durable(mailbox, 1);
        EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Delivered);
    }
}
END_TEST

TEST(finds_the_user_behind_an_extension)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user+lists@example.org"})));
    std::string account;
    auto mailbox = office.mailbox(&account);
    EQ(account, "user@example.org");
    auto order = office.next<ipc::Deliver>(mailbox);
    EQ(order.recipient, "user+lists@example.org");
    THAT(order.prefix.find("Delivered-To: user+lists@example.org\r\n") != std::string::npos);
}
END_TEST

TEST(bounces_unknown_users_and_loops_and_defers_what_it_cannot_know)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"nobody@example.org", "looped@EXAMPLE.org", "broken@example.org"},
                                   "Delivered-To: Looped@example.org\r\nSubject: x\r\n\r\n")));
    auto unknown = office.next<ipc::Outcome>(office.qmgr);
    EQ(unknown.status.disposition, Disposition::Bounced);
    EQ(unknown.status.dsn, "5.1.1");
    auto loop = office.next<ipc::Outcome>(office.qmgr);
    EQ(loop.index, 11u);
    EQ(loop.status.disposition, Disposition::Bounced);
    EQ(loop.status.dsn, "5.4.6");
    auto broken = office.next<ipc::Outcome>(office.qmgr);
    EQ(broken.status.disposition, Disposition::Deferred);
    EQ(office.agent->deliveries(), 0u);
}
END_TEST

TEST(defers_what_is_no_queue_file)
{
    Office office;
    auto job = office.job(1, {"user@example.org", "other@example.org"});
    auto file = util::sys::memfd("rubbish");
    OK(file);
    OK(util::sys::write_all(file->get(), "rubbish"));
    job.message = file.take();
    OK(office.qmgr.send(job));
    for (int i = 0; i < 2; ++i) {
        auto outcome = office.next<ipc::Outcome>(office.qmgr);
        EQ(outcome.status.disposition, Disposition::Deferred);
        EQ(outcome.status.dsn, "4.3.0");
    }
}
END_TEST

ipc::Outcome outcome_of_refusal(local::AgentSettings settings, bool permanent, std::string_view dsn)
{
    Office office(settings);
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto mailbox = office.mailbox();
    ipc::DeliveryRefused refused;
    refused.delivery = office.next<ipc::Deliver>(mailbox).delivery;
    refused.permanent = permanent;
    refused.dsn = dsn;
    refused.text = "because";
    OK(mailbox.send(refused));
    return office.next<ipc::Outcome>(office.qmgr);
}

TEST(tells_what_a_mailbox_refused)
{
    auto full = outcome_of_refusal({}, true, "5.2.2");
    EQ(full.status.disposition, Disposition::Bounced);
    EQ(full.status.dsn, "5.2.2");
    EQ(full.status.text, "because");
    local::AgentSettings patient;
    patient.over_quota_defer = true;
    full = outcome_of_refusal(patient, true, "5.2.2");
    EQ(full.status.disposition, Disposition::Deferred);
    EQ(full.status.dsn, "4.2.2");
    auto disk = outcome_of_refusal({}, false, "4.3.1");
    EQ(disk.status.disposition, Disposition::Deferred);
    EQ(disk.status.dsn, "4.3.1");
}
END_TEST

TEST(tries_a_second_time_when_the_mailbox_dies_and_then_defers)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    {
        auto mailbox = office.mailbox();
        auto order = office.next<ipc::Deliver>(mailbox);
        Office::store(mailbox, order.delivery, 1);
        office.next<ipc::StoredNotice>(office.qmgr);
    }   // dead before it was durable
    {
        auto mailbox = office.mailbox();
        auto order = office.next<ipc::Deliver>(mailbox);
        EQ(order.content, "Subject: x\r\n\r\nbody\r\n");
        Office::store(mailbox, order.delivery, 1);
        office.loop.run_for(std::chrono::milliseconds(2));
    }
    auto outcome = office.next<ipc::Outcome>(office.qmgr);   // no second notice
    EQ(outcome.status.disposition, Disposition::Deferred);
    EQ(outcome.status.dsn, "4.3.0");
}
END_TEST

TEST(delivers_the_second_time_when_the_mailbox_is_back)
{
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i)
        OK(office.qmgr.send(office.job(i, {"user@example.org"})));
    {
        auto mailbox = office.mailbox();
        for (int i = 0; i < 5; ++i)
            office.next<ipc::Deliver>(mailbox);
    }
    auto mailbox = office.mailbox();
    for (std::uint64_t i = 0; i < 10; ++i)
        Office::store(mailbox, office.next<ipc::Deliver>(mailbox).delivery, i + 1);
    Office::durable(mailbox, 10);
    std::size_t delivered = 0;
    while (delivered < 10) {
        auto packet = office.receive(office.qmgr);
        THAT(packet.has_value());
        if (packet->name() == ipc::StoredNotice::message_name)
            continue;
        auto outcome = ipc::decode<ipc::Outcome>(*packet);
        OK(outcome);
        EQ(outcome->status.disposition, Disposition::Delivered);
        ++delivered;
    }
}
END_TEST

TEST(tells_of_a_message_over_which_two_mailboxes_ended)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    for (int i = 0; i < 2; ++i) {
        auto mailbox = office.mailbox();
        OK(mailbox.send(ipc::DeliveriesWanted{}));
        EQ(office.next<ipc::Deliver>(mailbox).queue_id, "Q1");
        office.loop.run_for(std::chrono::milliseconds(2));
    }
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Deferred);
    EQ(outcome.deaths, 2u);
}
END_TEST

TEST(tells_of_a_death_that_the_second_try_hides)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    for (bool is_up : {true, false}) {
        auto mailbox = office.mailbox();
        if (is_up) {
            OK(mailbox.send(ipc::DeliveriesWanted{}));
        }
        office.next<ipc::Deliver>(mailbox);
        office.loop.run_for(std::chrono::milliseconds(2));
    }
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Deferred);
    EQ(outcome.deaths, 1u);
}
END_TEST

TEST(blames_no_message_for_a_mailbox_that_does_not_start)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    for (int i = 0; i < 2; ++i)
        office.next<ipc::Deliver>(office.mailbox());
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Deferred);
    EQ(outcome.deaths, 0u);
}
END_TEST

TEST(finds_the_one_message_of_many_that_ends_mailboxes)
{
    Office office;
    constexpr std::uint64_t jobs = 6, guilty = 3;
    for (std::uint64_t i = 1; i <= jobs; ++i)
        OK(office.qmgr.send(office.job(i, {"user@example.org"})));
    {
        auto mailbox = office.mailbox();
        OK(mailbox.send(ipc::DeliveriesWanted{}));
        for (std::uint64_t i = 0; i < jobs; ++i)
            office.next<ipc::Deliver>(mailbox);
        office.loop.run_for(std::chrono::milliseconds(2));
    }
    OK(office.qmgr.send(office.job(jobs + 1, {"user@example.org"})));   // another one, which waits for the end of it
    std::size_t done = 0, lsn = 0;
    auto finish = [&](ipc::Connection& mailbox, const ipc::Deliver& order) {
        Office::store(mailbox, order.delivery, ++lsn);
        Office::durable(mailbox, lsn);
        office.next<ipc::StoredNotice>(office.qmgr);
        auto outcome = office.next<ipc::Outcome>(office.qmgr);
        EQ(outcome.status.disposition, Disposition::Delivered);
        EQ(outcome.deaths, 0u);
        ++done;
    };
    {
        auto mailbox = office.mailbox();
        OK(mailbox.send(ipc::DeliveriesWanted{}));
        for (;;) {
            auto order = office.next<ipc::Deliver>(mailbox);
            EQ(ipc::receive_packet(mailbox.fd(), MSG_DONTWAIT).ok(), false);   // one at a time
            if (order.queue_id == util::concat("Q", guilty))
                break;
            finish(mailbox, order);
        }
        office.loop.run_for(std::chrono::milliseconds(2));
    }
    auto blamed = office.next<ipc::Outcome>(office.qmgr);
    EQ(blamed.job, guilty);
    EQ(blamed.deaths, 2u);
    auto mailbox = office.mailbox();
    OK(mailbox.send(ipc::DeliveriesWanted{}));
    while (done < jobs)
        finish(mailbox, office.next<ipc::Deliver>(mailbox));
    EQ(office.agent->deliveries(), 0u);
}
END_TEST

// The end of the mailbox is found by the next message for it, which is not to blame.
TEST(blames_the_message_that_a_mailbox_had_also_when_a_send_finds_its_end)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    {
        auto mailbox = office.mailbox();
        OK(mailbox.send(ipc::DeliveriesWanted{}));
        office.next<ipc::Deliver>(mailbox);
        office.loop.run_for(std::chrono::milliseconds(2));
        OK(office.qmgr.send(office.job(2, {"user@example.org"})));
    }
    {
        auto mailbox = office.mailbox();
        OK(mailbox.send(ipc::DeliveriesWanted{}));
        for (int i = 0; i < 2; ++i) {
            auto order = office.next<ipc::Deliver>(mailbox);
            if (order.queue_id == "Q1")
                continue;
            Office::store(mailbox, order.delivery, 1);
            Office::durable(mailbox, 1);
        }
        office.next<ipc::StoredNotice>(office.qmgr);
        EQ(office.next<ipc::Outcome>(office.qmgr).job, 2u);
    }
    auto blamed = office.next<ipc::Outcome>(office.qmgr);
    EQ(blamed.job, 1u);
    EQ(blamed.deaths, 2u);
}
END_TEST

TEST(defers_all_that_wait_for_a_mailbox_on_trial)
{
    Office office;
    for (std::uint64_t i = 1; i <= 3; ++i)
        OK(office.qmgr.send(office.job(i, {"user@example.org"})));
    {
        auto mailbox = office.mailbox();
        OK(mailbox.send(ipc::DeliveriesWanted{}));
        for (int i = 0; i < 3; ++i)
            office.next<ipc::Deliver>(mailbox);
        office.loop.run_for(std::chrono::milliseconds(2));
    }
    ipc::MailboxFailed failed;
    failed.request = office.wanted().request;
    failed.text = "why";
    OK(office.usher.send(failed));
    for (int i = 0; i < 3; ++i) {
        auto outcome = office.next<ipc::Outcome>(office.qmgr);
        EQ(outcome.status.text, "mailbox unavailable: why");
        EQ(outcome.deaths, 0u);
    }
    // And it is forgotten: the next goes out as usual.
    OK(office.qmgr.send(office.job(4, {"user@example.org"})));
    EQ(office.next<ipc::Deliver>(office.mailbox()).queue_id, "Q4");
}
END_TEST

TEST(defers_when_there_is_no_mailbox_to_be_had)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    for (bool permanent : {false, true}) {
        if (permanent)
            OK(office.qmgr.send(office.job(2, {"user@example.org"})));
        auto order = office.wanted();
        ipc::MailboxFailed failed;
        failed.request = order.request;
        failed.permanent = permanent;
        failed.text = "why";
        OK(office.usher.send(failed));
        auto outcome = office.next<ipc::Outcome>(office.qmgr);
        EQ(outcome.status.disposition, Disposition::Deferred);
        EQ(outcome.status.dsn, permanent ? "4.3.5" : "4.3.0");
        EQ(outcome.status.text, "mailbox unavailable: why");
    }
}
END_TEST

TEST(defers_while_usher_is_away_and_finds_it_again)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    office.wanted();
    office.usher.close();
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Deferred);
    OK(office.qmgr.send(office.job(2, {"user@example.org"})));
    auto mailbox = office.mailbox();
    EQ(office.next<ipc::Deliver>(mailbox).queue_id, "Q2");
    // Nobody listens at all.
    office.usher.close();
    office.listener.reset();
    OK(office.qmgr.send(office.job(3, {"other@example.org"})));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Deferred);
}
END_TEST

TEST(gives_up_a_mailbox_that_does_not_answer)
{
    local::AgentSettings settings;
    settings.timeout = std::chrono::milliseconds(20);
    Office office(settings);
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto first = office.mailbox();
    office.next<ipc::Deliver>(first);
    auto second = office.mailbox();   // the second try
    office.next<ipc::Deliver>(second);
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Deferred);
}
END_TEST

TEST(a_mailbox_may_say_stored_and_durable_at_once)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto mailbox = office.mailbox();
    ipc::DeliveryStored stored;
    stored.delivery = office.next<ipc::Deliver>(mailbox).delivery;
    stored.lsn = stored.durable = 7;
    OK(mailbox.send(stored));
    // Nothing before it: the end says all.
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Delivered);
}
END_TEST

TEST(believes_no_mailbox_that_talks_nonsense)
{
    for (int kind = 0; kind < 4; ++kind) {
        Office office;
        OK(office.qmgr.send(office.job(1, {"user@example.org", "other@example.org"})));
        auto bad = office.mailbox();
        auto good = office.mailbox();
        auto order = office.next<ipc::Deliver>(bad);
        if (kind == 0)
            OK(ipc::send_packet(bad.fd(), "garbage", {}));
        else if (kind == 1)
            Office::store(bad, order.delivery + 1000, 1);   // what it was not ordered to
        else if (kind == 2) {
            Office::store(bad, order.delivery, 1);
            Office::store(bad, order.delivery, 1);          // twice
        } else {
            // Durable without stored ends nothing.
            Office::durable(bad, 1'000'000);
            OK(ipc::send_packet(bad.fd(), "garbage", {}));
        }
        auto again = office.mailbox();
        auto second = office.next<ipc::Deliver>(again);
        Office::store(again, second.delivery, 1);
        Office::durable(again, 1);
        Office::store(good, office.next<ipc::Deliver>(good).delivery, 1);
        Office::durable(good, 1);
        for (int delivered = 0; delivered < 2;) {
            auto packet = office.receive(office.qmgr);
            THAT(packet.has_value());
            if (packet->name() == ipc::StoredNotice::message_name)
                continue;
            EQ(ipc::decode<ipc::Outcome>(*packet)->status.disposition, Disposition::Delivered);
            ++delivered;
        }
    }
}
END_TEST

TEST(closes_the_connection_that_was_idle_longest)
{
    local::AgentSettings settings;
    settings.connection_limit = 2;
    Office office(settings);
    auto deliver = [&](std::uint64_t number, std::string account) {
        OK(office.qmgr.send(office.job(number, {account})));
        auto mailbox = office.mailbox();
        Office::store(mailbox, office.next<ipc::Deliver>(mailbox).delivery, 1);
        office.next<ipc::StoredNotice>(office.qmgr);
        Office::durable(mailbox, 1);
        office.next<ipc::Outcome>(office.qmgr);
        return mailbox;
    };
    auto a = deliver(1, "a@example.org");
    auto b = deliver(2, "b@example.org");
    auto c = deliver(3, "c@example.org");
    THAT(!office.receive(a).has_value());
    // b is still open: the next delivery goes there without usher.
    OK(office.qmgr.send(office.job(4, {"b@example.org"})));
    EQ(office.next<ipc::Deliver>(b).queue_id, "Q4");
}
END_TEST

TEST(drops_a_manager_that_sends_garbage_and_goes_on)
{
    Office office;
    for (std::string_view garbage : {std::string_view("x"),
                                     std::string_view("job\0job\0"
                                                      "99:1",
                                                      12),
                                     std::string_view("job\0", 4)}) {
        auto bad = office.manager();
        office.next<ipc::AgentGreeting>(bad);
        OK(ipc::send_packet(bad.fd(), garbage, {}));
        THAT(!office.receive(bad).has_value());
    }
    office.until([&] { return office.gone == 3; });
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto mailbox = office.mailbox();
    EQ(office.next<ipc::Deliver>(mailbox).queue_id, "Q1");
}
END_TEST

TEST(takes_as_many_jobs_as_it_asked_for)
{
    local::AgentSettings settings;
    settings.job_limit = 3;
    Office office(settings);
    EQ(office.capacity, 3u);
    for (std::uint64_t i = 0; i < 3; ++i)
        OK(office.qmgr.send(office.job(i, {"user@example.org"})));
    auto mailbox = office.mailbox();
    for (int i = 0; i < 3; ++i)
        office.next<ipc::Deliver>(mailbox);
    OK(office.qmgr.send(office.job(4, {"user@example.org"})));
    THAT(!office.receive(office.qmgr).has_value());
}
END_TEST

TEST(finishes_its_deliveries_before_it_stops)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto mailbox = office.mailbox();
    auto order = office.next<ipc::Deliver>(mailbox);
    bool done = false;
    OK(office.qmgr.send(office.job(2, {"user@example.org"})));
    office.agent->stop([&] { done = true; });
    THAT(!office.qmgr.send(office.job(3, {"user@example.org"})).ok());   // qmgr knows that it was not taken
    EQ(done, false);
    Office::store(mailbox, order.delivery, 1);
    Office::store(mailbox, office.next<ipc::Deliver>(mailbox).delivery, 2);
    Office::durable(mailbox, 2);
    office.until([&] { return done; });
    EQ(office.agent->deliveries(), 0u);
}
END_TEST

TEST(goes_on_when_qmgr_is_gone)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto mailbox = office.mailbox();
    auto order = office.next<ipc::Deliver>(mailbox);
    office.qmgr.close();
    office.until([&] { return office.gone == 1; });
    Office::store(mailbox, order.delivery, 1);
    Office::durable(mailbox, 1);
    office.until([&] { return office.agent->deliveries() == 0; });
}
END_TEST

TEST(defers_a_job_whose_message_did_not_fit_and_takes_the_next)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org", "other@example.org"})));
    {
        NoDescriptors shortage;
        for (int i = 0; i < 2; ++i) {
            auto outcome = office.next<ipc::Outcome>(office.qmgr);
            EQ(outcome.job, 1u);
            EQ(outcome.status.disposition, Disposition::Deferred);
            EQ(outcome.status.dsn, "4.3.0");
            THAT(outcome.status.text.find("RLIMIT_NOFILE") != std::string::npos);
        }
    }
    OK(office.qmgr.send(office.job(2, {"user@example.org"})));
    auto mailbox = office.mailbox();
    EQ(office.next<ipc::Deliver>(mailbox).queue_id, "Q2");
}
END_TEST

TEST(defers_when_the_connection_to_a_mailbox_did_not_fit)
{
    Office office;
    OK(office.qmgr.send(office.job(1, {"user@example.org"})));
    auto order = office.wanted();
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    ipc::Connection mailbox(std::move(pair->second));
    OK(office.usher.send(ipc::MailboxOpened{.request = order.request, .connection = std::move(pair->first)}));
    {
        NoDescriptors shortage;
        auto outcome = office.next<ipc::Outcome>(office.qmgr);
        EQ(outcome.status.disposition, Disposition::Deferred);
        THAT(outcome.status.text.find("mailbox unavailable: no descriptor is free") != std::string::npos);
    }
    THAT(!office.receive(mailbox).has_value());   // its end is told
    // usher's connection lives, and the next order goes over it.
    OK(office.qmgr.send(office.job(2, {"user@example.org"})));
    auto again = office.mailbox();
    EQ(office.next<ipc::Deliver>(again).queue_id, "Q2");
}
END_TEST

SUITE(agent, answers_stored_and_then_the_outcome, says_stored_only_where_another_delivery_waits_for_it,
      keeps_many_deliveries_in_flight_on_one_connection,
      shares_a_large_message_as_a_sealed_descriptor, finds_the_user_behind_an_extension,
      bounces_unknown_users_and_loops_and_defers_what_it_cannot_know, defers_what_is_no_queue_file,
      tells_what_a_mailbox_refused, tries_a_second_time_when_the_mailbox_dies_and_then_defers,
      tells_of_a_message_over_which_two_mailboxes_ended,
      tells_of_a_death_that_the_second_try_hides, blames_no_message_for_a_mailbox_that_does_not_start,
      blames_the_message_that_a_mailbox_had_also_when_a_send_finds_its_end,
      finds_the_one_message_of_many_that_ends_mailboxes, defers_all_that_wait_for_a_mailbox_on_trial,
      delivers_the_second_time_when_the_mailbox_is_back, defers_when_there_is_no_mailbox_to_be_had,
      defers_while_usher_is_away_and_finds_it_again, gives_up_a_mailbox_that_does_not_answer,
      a_mailbox_may_say_stored_and_durable_at_once,
      believes_no_mailbox_that_talks_nonsense, closes_the_connection_that_was_idle_longest,
      drops_a_manager_that_sends_garbage_and_goes_on, takes_as_many_jobs_as_it_asked_for,
      finishes_its_deliveries_before_it_stops, goes_on_when_qmgr_is_gone, 
      defers_a_job_whose_message_did_not_fit_and_takes_the_next, defers_when_the_connection_to_a_mailbox_did_not_fit)

}  // namespace
