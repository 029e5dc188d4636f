#include "bounce/checked_config.h"
#include "bounce/session.h"

#include "libqueue/writer.h"
#include "tests/unit/libstore/fixture.h"
#include "tests/unit/no_descriptors.h"

#include <cstring>
#include <fstream>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace test;

// The parameters with their defaults, but for those named.
struct Place {
    explicit Place(std::string_view main_cf = {})
    {
        conf::Problems problems;
        auto settings = conf::MainCf::parse(main_cf, "main.cf", "/etc/tern", problems);
        settings.override_with("myhostname", "mail.example.org");
        settings.override_with("myorigin", "example.org");
        settings.fill({&config}, problems);
        for (const auto& problem : words.problems.all())
            ck_abort_msg("%s", problem.to_text().c_str());
        ck_assert_msg(!problems.any(), "%s", problems.to_text().c_str());
        site.emplace(bounce::Site{config, "mail.example.org", "example.org", "Tern", words.templates});
    }
    operator const bounce::Site&() const { return *site; }

    bounce::CheckedConfig::Words words;
    bounce::CheckedConfig config{words};
    std::optional<bounce::Site> site;
};

constexpr std::string_view message = "Subject: secret\r\nFrom: a@b\r\n\r\nThe body.\r\n";

util::UniqueFd queue_file(const Directory& directory, std::string_view content)
{
    queue::Writer writer({.directory = directory.path, .memory_limit = 64 * 1024});
    ipc::Envelope envelope;
    envelope.queue_id = "Q1";
    OK(writer.begin(envelope));
    OK(writer.add_recipient({.address = "user@example.com"}));
    OK(writer.add_content(content));
    auto fd = writer.finish({});
    OK(fd);
    return fd.take();
}

ipc::Notify order(const Directory& directory, ipc::Notify::Kind kind = ipc::Notify::Kind::Failure,
                  std::string_view content = message)
{
    ipc::Notify made;
    made.job = 7;
    made.kind = kind;
    made.queue_id = "Q1";
    made.message = queue_file(directory, content);
    made.envelope.sender = "sender@example.net";
    made.envelope.arrival = 1'800'000'000'000'000;
    made.envelope.envelope_id = "ENV+1";
    made.expires = 1'800'400'000'000'000;
    made.recipients.push_back(
        {.index = 0, .recipient = {.address = "user@example.com", .original = "rfc822;first@example.com"}});
    made.statuses.push_back({.disposition = ipc::Disposition::Bounced,
                             .dsn = "5.1.1",
                             .text = "host mx said: 550 no",
                             .relay = "mx",
                             .diagnostic = "smtp; 550 5.1.1 no such user",
                             .remote_mta = "mx.example.com",
                             .action = ""});
    return made;
}

// The notice to the sender, or the n-th that is written.
std::string written(const ipc::Notify& made, const bounce::Site& site = Place(), std::size_t number = 0)
{
    auto letters = bounce::letters_of(made, site);
    ck_assert(number < letters.size());
    auto text = bounce::compose(made, letters[number], bounce::attachment(made, site), site, "NEW1",
                                util::from_unix_seconds(1'800'000'100));
    OK(text);
    return text.take();
}

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

TEST(of_mail_with_requiretls_only_the_header_is_sent_back)
{
    Directory directory;
    ipc::Notify made = order(directory);
    made.envelope.requiretls = true;
    made.envelope.return_part = ipc::ReturnPart::Full;
    std::string text = written(made);
    THAT(has(text, "Subject: secret") && !has(text, "The body."));
    THAT(has(text, "text/rfc822-headers"));
}
END_TEST

TEST(writes_a_failure_with_the_whole_message)
{
    Directory directory;
    std::string text = written(order(directory));
    for (std::string_view part :
         {"MAILER-DAEMON@example.org", "To: sender@example.net", "Reporting-MTA: dns; mail.example.org",
          "Final-Recipient: rfc822; user@example.com", "Original-Recipient: rfc822; first@example.com",
          "Action: failed", "Status: 5.1.1", "Remote-MTA: dns; mx.example.com",
          "Diagnostic-Code: smtp; 550 5.1.1 no such user", "Original-Envelope-Id: ENV+1", "The body.",
          "message/rfc822", "NEW1@mail.example.org"})
        ck_assert_msg(has(text, part), "%s is missing in\n%s", std::string(part).c_str(), text.c_str());
}
END_TEST

TEST(what_a_command_said_has_its_type)
{
    Directory directory;
    auto failed = order(directory);
    failed.statuses[0].text = "user unknown. Command output: no such place";
    failed.statuses[0].diagnostic = "x-unix; no such place";
    failed.statuses[0].remote_mta.clear();
    std::string text = written(failed);
    THAT(has(text, "      user unknown. Command output: no such place\r\n"));
    THAT(has(text, "Diagnostic-Code: x-unix; no such place\r\n"));
    THAT(!has(text, "Remote-MTA"));
    failed.statuses[0].diagnostic.clear();
    THAT(has(written(failed), "Diagnostic-Code: x-tern; user unknown. Command output: no such place\r\n"));
}
END_TEST

TEST(attaches_the_header_alone_where_that_is_asked_for_or_enough)
{
    Directory directory;
    auto headers = order(directory);
    headers.envelope.return_part = ipc::ReturnPart::Headers;
    std::string text = written(headers);
    THAT(has(text, "Subject: secret"));
    THAT(!has(text, "The body."));
    for (auto kind : {ipc::Notify::Kind::Delay, ipc::Notify::Kind::Success}) {
        text = written(order(directory, kind));
        THAT(has(text, "Subject: secret"));
        THAT(!has(text, "The body."));
    }
    // Exactly at bounce_size_limit it goes back whole, over it does not.
    auto exact = order(directory);
    EQ(bounce::attachment(exact, Place(util::concat("bounce_size_limit = ", message.size()))).full, true);
    EQ(bounce::attachment(exact, Place(util::concat("bounce_size_limit = ", message.size() - 1))).full, false);
}
END_TEST

TEST(tells_of_delay_and_success)
{
    Directory directory;
    std::string delay = written(order(directory, ipc::Notify::Kind::Delay));
    THAT(has(delay, "Action: delayed"));
    THAT(has(delay, "Will-Retry-Until:"));
    auto success = order(directory, ipc::Notify::Kind::Success);
    success.statuses[0].dsn = "2.0.0";
    THAT(has(written(success), "Action: delivered"));
    success.statuses[0].action = "relayed";
    THAT(has(written(success), "Action: relayed"));
}
END_TEST

TEST(writes_without_the_message_when_it_cannot_be_read)
{
    Directory directory;
    auto broken = order(directory);
    auto rubbish = util::sys::memfd("rubbish");
    OK(rubbish);
    OK(util::sys::write_all(rubbish->get(), "rubbish"));
    broken.message = rubbish.take();
    std::string text = written(broken);
    THAT(has(text, "Action: failed"));
    THAT(!has(text, "secret"));
}
END_TEST

// What letters there are: reader, recipient, and how many of the order's recipients it tells of.
std::string letters_for(const ipc::Notify& made, std::string_view main_cf = {})
{
    std::string text;
    for (const auto& letter : bounce::letters_of(made, Place(main_cf)))
        util::append(text, text.empty() ? "" : ", ", letter.sender, ">", letter.recipient, ":", letter.told.size(),
                     letter.needed ? "" : "?");
    return text;
}

TEST(finds_who_is_to_be_told)
{
    Directory directory;
    using Kind = ipc::Notify::Kind;
    auto made = order(directory);
    auto also = order(directory);
    made.recipients.push_back(
        {.index = 1, .recipient = {.address = "b@example.com", .original = {}, .notify = ipc::NotifyNever}});
    made.statuses.push_back(also.statuses[0]);
    constexpr std::string_view all = "notify_classes = bounce 2bounce delay";
    EQ(letters_for(made), ">sender@example.net:1");
    EQ(letters_for(made, all), ">sender@example.net:1, double-bounce@example.org>postmaster@example.org:2?");
    EQ(letters_for(made, "notify_classes = bounce\nbounce_notice_recipient = boss@x.example"),
       ">sender@example.net:1, double-bounce@example.org>boss@x.example:2?");
    made.kind = Kind::Delay;
    EQ(letters_for(made), ">sender@example.net:1");
    EQ(letters_for(made, "notify_classes = delay\ndelay_notice_recipient = late"),
       ">sender@example.net:1, double-bounce@example.org>late@example.org:2?");
    made.kind = Kind::Success;
    EQ(letters_for(made, all), ">sender@example.net:2");
    // Nobody wants to know, but the postmaster.
    made.kind = Kind::Failure;
    made.recipients[0].recipient.notify = ipc::NotifySuccess;
    EQ(letters_for(made), "");
    EQ(letters_for(made, all), "double-bounce@example.org>postmaster@example.org:2?");
    // The null sender: a notice about a notice.
    made.envelope.sender.clear();
    EQ(letters_for(made), "");
    EQ(letters_for(made, "notify_classes = 2bounce\n2bounce_notice_recipient = two"),
       "double-bounce@example.org>two@example.org:2");
    for (auto kind : {Kind::Delay, Kind::Success}) {
        made.kind = kind;
        EQ(letters_for(made, all), "");
    }
    made.kind = Kind::Failure;
    made.envelope.sender = "Double-Bounce@anywhere.example";
    EQ(letters_for(made, all), "");
    made.envelope.sender = "db@example.net";
    EQ(letters_for(made, "notify_classes = bounce\ndouble_bounce_sender = db@example.net"), "");
    EQ(letters_for(made, "double_bounce_sender = db@example.org"), "");   // NOTIFY=SUCCESS and NEVER
}
END_TEST

TEST(tells_the_postmaster_without_the_body)
{
    Directory directory;
    Place place("notify_classes = bounce");
    std::string text = written(order(directory), place, 1);
    for (std::string_view part : {"To: postmaster@example.org\r\n", "Subject: Postmaster copy: undelivered mail\r\n",
                                  "The message was from <sender@example.net>", "X-Tern-Sender: rfc822; sender@example.net",
                                  "Subject: secret", "Action: failed"})
        ck_assert_msg(has(text, part), "%s is missing in\n%s", std::string(part).c_str(), text.c_str());
    THAT(!has(text, "The body."));
}
END_TEST

TEST(takes_its_words_from_the_template)
{
    Directory directory;
    std::string path = directory.beside("bounce.cf");
    std::ofstream(path)
        << "failure_template = <<END\nSubject: Pech\nFrom: Post <post>\nCharset: utf-8\n\n"
           "\303\234ber $myhostname nach $maximal_queue_lifetime_hours h, $delay_warning_time_minutes m.\nEND\n";
    Place place(util::concat("bounce_template_file = ", path, "\nmaximal_queue_lifetime = 5401s\ndelay_warning_time=90s"));
    std::string text = written(order(directory), place);
    THAT(has(text, "Subject: Pech\r\n"));
    THAT(has(text, "From: Post <post@example.org>\r\n"));
    THAT(has(text, "\303\234ber mail.example.org nach 2 h, 2 m.\r\n"));
    THAT(has(text, "charset=utf-8"));
    THAT(has(written(order(directory, ipc::Notify::Kind::Delay), place), "after 1 day(s)"));
}
END_TEST

TEST(a_wrong_template_is_told_with_its_line_and_replaced)
{
    Directory directory;
    std::string path = directory.beside("bounce.cf");
    std::ofstream(path) << "failure_template = <<END\n\nfine\n$no_such_name here\nEND\n"
                           "delay_template = <<END\n\nOur $mail_words.\nEND\n";
    bounce::CheckedConfig::Words words;
    bounce::CheckedConfig config(words);
    conf::Problems problems;
    auto settings =
        conf::MainCf::parse(util::concat("bounce_template_file = ", path, "\nmail_words=words\nmyhostname=h\nmyorigin=o\n"),
                            "main.cf", "/etc/tern", problems);
    settings.fill({&config}, problems);
    THAT(!problems.any());   // a daemon goes on
    EQ(words.problems.all().size(), 1u);
    THAT(words.problems.all()[0].to_text().starts_with(path + ":4: "));
    THAT(has(words.templates.failure.body, "could not be delivered"));
    EQ(words.templates.delay.body, "Our words.\n");
    config.check(settings, problems);   // tern check does not
    THAT(problems.any());
}
END_TEST

TEST(refuses_orders_that_make_no_sense)
{
    Directory directory;
    Place place;
    auto refused = [&](const ipc::Notify& made, const bounce::Letter& letter) {
        return !bounce::compose(made, letter, {}, place, "N", util::wall_now()).ok();
    };
    auto without = order(directory);
    bounce::Letter letter{.sender = {}, .recipient = "sender@example.net", .told = {0}};
    THAT(!refused(without, letter));
    without.statuses.clear();
    THAT(refused(without, letter));
    without.recipients.clear();
    THAT(refused(without, letter));
    THAT(refused(order(directory), {.sender = {}, .recipient = "sender@example.net", .told = {}}));
    THAT(refused(order(directory), {.sender = {}, .recipient = "a b c\r\n@", .told = {0}}));
    THAT(bounce::letters_of(without, place).empty());
}
END_TEST

TEST(a_status_that_is_none_is_made_one)
{
    Directory directory;
    auto made = order(directory);
    made.statuses[0].dsn.clear();
    THAT(has(written(made), "Status: 5.0.0"));
    made.kind = ipc::Notify::Kind::Delay;
    THAT(has(written(made), "Status: 4.0.0"));
    made.kind = ipc::Notify::Kind::Success;
    made.statuses[0].dsn = "nonsense";
    THAT(has(written(made), "Status: 2.0.0"));
}
END_TEST

// --- with cleanup and qmgr played by the test --------------------------------------------------------

// cleanup(8) in a thread: takes one message, with the verdict it is told.
struct FakeCleanup {
    FakeCleanup(const std::string& path, ipc::Verdict::Kind verdict)
        : listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        ck_assert(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        ck_assert(::listen(listener.get(), 1) == 0);
        thread = std::thread([this, verdict] { serve(verdict); });
    }
    ~FakeCleanup() { thread.join(); }

    void serve(ipc::Verdict::Kind kind)
    {
        ipc::Connection connection(util::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
        ipc::Greeting greeting;
        greeting.next_queue_id = "NEW1";
        (void)connection.send(greeting).ok();
        auto taken = connection.receive_as<ipc::Begin>();
        if (!taken.ok())
            return;
        begin = taken.take();
        content = begin.content;
        for (bool last = begin.last; !last;) {
            auto piece = connection.receive_as<ipc::Content>();
            if (!piece.ok())
                return;
            content += piece->content;
            last = piece->last;
        }
        ipc::Verdict verdict;
        verdict.kind = kind;
        verdict.text = "because";
        verdict.next_queue_id = "NEW2";
        (void)connection.send(verdict).ok();
    }

    util::UniqueFd listener;
    std::thread thread;
    ipc::Begin begin;
    std::string content;
};

// Runs a session over a list of orders; the outcomes.
std::vector<ipc::Outcome> outcomes_of(const std::string& path, const std::vector<ipc::Notify>& orders)
{
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    ipc::Connection qmgr(std::move(pair->first));
    OK(qmgr.set_timeout(std::chrono::seconds(10)));
    for (const auto& made : orders)
        OK(qmgr.send(made));
    std::vector<ipc::Outcome> outcomes;
    std::thread reader([&] {
        if (!qmgr.receive_as<ipc::AgentGreeting>().ok())
            return;
        for (std::size_t i = 0; i < orders.size(); ++i) {
            auto outcome = qmgr.receive_as<ipc::Outcome>();
            if (outcome.ok())
                outcomes.push_back(outcome.take());
        }
        qmgr.close();
    });
    ipc::Submitter submitter(path, std::chrono::seconds(10));
    Place self;
    OK(bounce::Session(ipc::Connection(std::move(pair->second)), submitter, self, [] {}).run([] { return false; }));
    reader.join();
    return outcomes;
}

TEST(hands_the_notification_to_cleanup)
{
    Directory directory;
    std::string path = directory.beside("cleanup");
    ipc::Begin begin;
    std::string content;
    std::vector<ipc::Outcome> outcomes;
    {
        FakeCleanup cleanup(path, ipc::Verdict::Kind::Kept);
        std::vector<ipc::Notify> orders;
        orders.push_back(order(directory));
        outcomes = outcomes_of(path, orders);
        cleanup.thread.join();
        cleanup.thread = std::thread([] {});
        begin = cleanup.begin;
        content = cleanup.content;
    }
    EQ(outcomes.size(), 1u);
    EQ(outcomes[0].job, 7u);
    EQ(outcomes[0].status.disposition, ipc::Disposition::Delivered);
    EQ(begin.envelope.sender, "");
    EQ(begin.envelope.origin, ipc::Origin::Bounce);
    EQ(begin.envelope.queue_id, "NEW1");
    EQ(begin.recipients.size(), 1u);
    EQ(begin.recipients[0].address, "sender@example.net");
    EQ(begin.recipients[0].notify, ipc::NotifyNever);
    THAT(content.starts_with("Received: by mail.example.org (Tern)\r\n\tid NEW1; "));
    THAT(has(content, "Action: failed"));
}
END_TEST

TEST(says_that_it_failed_when_cleanup_does_not_take_it)
{
    Directory directory;
    std::string path = directory.beside("cleanup");
    {
        FakeCleanup cleanup(path, ipc::Verdict::Kind::Failed);
        std::vector<ipc::Notify> orders;
        orders.push_back(order(directory));
        auto outcomes = outcomes_of(path, orders);
        EQ(outcomes.size(), 1u);
        EQ(outcomes[0].status.disposition, ipc::Disposition::Deferred);
    }
    // Nobody is there; and one that needs nobody is done all the same.
    std::vector<ipc::Notify> orders;
    orders.push_back(order(directory));
    orders.push_back(order(directory));
    orders[1].envelope.sender.clear();
    auto outcomes = outcomes_of(directory.beside("nobody"), orders);
    EQ(outcomes.size(), 2u);
    EQ(outcomes[0].status.disposition, ipc::Disposition::Deferred);
    EQ(outcomes[1].status.disposition, ipc::Disposition::Delivered);
}
END_TEST

TEST(ends_at_garbage)
{
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    OK(ipc::send_packet(pair->first.get(), "garbage", {}));
    ipc::Submitter submitter("/nonexistent", std::chrono::seconds(1));
    Place self;
    auto ended = bounce::Session(ipc::Connection(std::move(pair->second)), submitter, self, [] {}).run([] { return false; });
    THAT(!ended.ok());
    EQ(ended.error().kind, util::Kind::Invalid);
}
END_TEST

TEST(puts_off_an_order_whose_message_did_not_fit)
{
    Directory directory;
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    OK(pair);
    ipc::Connection qmgr(std::move(pair->first));
    OK(qmgr.send(order(directory)));
    ipc::Submitter submitter("/nonexistent", std::chrono::seconds(1));
    Place self;
    {
        NoDescriptors shortage;
        // One order, then it is time to stop.
        static int turns;
        turns = 0;
        OK(bounce::Session(ipc::Connection(std::move(pair->second)), submitter, self, [] {}).run([] { return ++turns > 1; }));
    }
    OK(qmgr.receive_as<ipc::AgentGreeting>());
    auto outcome = qmgr.receive_as<ipc::Outcome>();
    OK(outcome);
    EQ(outcome->job, 7u);
    EQ(outcome->status.disposition, ipc::Disposition::Deferred);
    EQ(outcome->status.dsn, "4.3.0");
}
END_TEST

SUITE(notification, of_mail_with_requiretls_only_the_header_is_sent_back, writes_a_failure_with_the_whole_message,
      what_a_command_said_has_its_type, attaches_the_header_alone_where_that_is_asked_for_or_enough, tells_of_delay_and_success,
      writes_without_the_message_when_it_cannot_be_read, finds_who_is_to_be_told, tells_the_postmaster_without_the_body,
      takes_its_words_from_the_template, a_wrong_template_is_told_with_its_line_and_replaced, a_status_that_is_none_is_made_one,
      refuses_orders_that_make_no_sense, hands_the_notification_to_cleanup, says_that_it_failed_when_cleanup_does_not_take_it,
      ends_at_garbage, puts_off_an_order_whose_message_did_not_fit)

}  // namespace
