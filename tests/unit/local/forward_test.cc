// local/forwarder.h, and agent.h for recipients that become several: the test is cleanup and errands, too.
#include "tests/unit/local/fixture.h"

namespace {

using test::Office;
using ipc::Disposition;
using util::concat;

// A service at a socket beside the office.
class Service {
public:
    Service(Office& office, const char* name)
        : office_(office), listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        std::string path = office.directory.beside(name);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        ck_assert(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        ck_assert(::listen(listener_.get(), 20) == 0);
    }

    ipc::Connection accept()
    {
        ipc::Connection connection;
        office_.until([&] {
            connection = ipc::Connection(util::UniqueFd(::accept(listener_.get(), nullptr, nullptr)));
            return connection.valid();
        });
        return connection;
    }

private:
    Office& office_;
    util::UniqueFd listener_;
};

ipc::Connection greeted(Service& cleanup, const std::string& id)
{
    auto connection = cleanup.accept();
    ipc::Greeting greeting;
    greeting.next_queue_id = id;
    OK(connection.send(greeting));
    return connection;
}

ipc::Verdict verdict(ipc::Verdict::Kind kind, std::string next = "")
{
    ipc::Verdict made;
    made.kind = kind;
    made.text = "the reason";
    made.next_queue_id = std::move(next);
    return made;
}

constexpr std::string_view aliases =
    "alias_maps = inline:{{far=x@far.example} {both=bert@example.org, x@far.example} "
    "{list=x@far.example, y@far.example} {owner-list=bert@example.org} {run=\"|cmd\", x@far.example} "
    "{two=a@example.org, b@example.org}}\n";

TEST(one_address_takes_the_senders_wishes_along)
{
    Office office({}, aliases);
    Service cleanup(office, "cleanup");
    auto job = office.job(1, {"far@mail.example.net"});
    job.recipients[0].recipient.notify = ipc::NotifySuccess | ipc::NotifyDelay;
    job.recipients[0].recipient.original = "rfc822;first@x.example";
    OK(office.qmgr.send(job));
    auto connection = greeted(cleanup, "NEW1");
    auto begin = office.next<ipc::Begin>(connection);
    EQ(begin.envelope.queue_id, "NEW1");
    EQ(begin.envelope.sender, "from@example.com");
    EQ(begin.envelope.origin, ipc::Origin::Mailbox);
    EQ(begin.recipients.size(), 1u);
    EQ(begin.recipients[0].address, "x@far.example");
    EQ(begin.recipients[0].original, "rfc822;first@x.example");
    EQ(unsigned(begin.recipients[0].notify), unsigned(ipc::NotifySuccess | ipc::NotifyDelay));
    EQ(begin.last, true);
    THAT(begin.content.starts_with("Received: by mail.example.net (Tern)\r\n\tid NEW1; "));
    THAT(begin.content.ends_with("\r\nDelivered-To: far@mail.example.net\r\nSubject: x\r\n\r\nbody\r\n"));
    OK(connection.send(verdict(ipc::Verdict::Kind::Kept, "NEW2")));
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Delivered);
    EQ(outcome.status.text, "forwarded as NEW1");
    EQ(outcome.status.action, "none");
    EQ(outcome.expanded, true);
    // The connection serves the next one.
    OK(office.qmgr.send(office.job(2, {"far@mail.example.net"})));
    EQ(office.next<ipc::Begin>(connection).envelope.queue_id, "NEW2");
}
END_TEST

TEST(an_alias_for_several_tells_of_success_itself)
{
    Office office({}, aliases);
    Service cleanup(office, "cleanup");
    auto job = office.job(1, {"both@mail.example.net"});
    job.recipients[0].recipient.notify = ipc::NotifySuccess;
    OK(office.qmgr.send(job));
    auto mailbox = office.mailbox();
    auto order = office.next<ipc::Deliver>(mailbox);
    EQ(order.recipient, "bert@example.org");
    THAT(order.prefix.ends_with("Delivered-To: both@mail.example.net\r\n"));
    Office::store(mailbox, order.delivery, 1);
    Office::durable(mailbox, 1);
    // Only when the mailbox has it does the new message go out.
    auto connection = greeted(cleanup, "NEW1");
    auto begin = office.next<ipc::Begin>(connection);
    EQ(unsigned(begin.recipients[0].notify), unsigned(ipc::NotifyNever));
    OK(connection.send(verdict(ipc::Verdict::Kind::Kept)));
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Delivered);
    EQ(outcome.status.action, "expanded");
}
END_TEST

TEST(a_mailing_list_keeps_the_senders_wishes_to_itself)
{
    Office office({}, aliases);
    Service cleanup(office, "cleanup");
    auto job = office.job(1, {"list@mail.example.net"});
    job.recipients[0].recipient.notify = ipc::NotifySuccess;
    job.recipients[0].recipient.original = "rfc822;first@x.example";
    OK(office.qmgr.send(job));
    auto connection = greeted(cleanup, "NEW1");
    auto begin = office.next<ipc::Begin>(connection);
    EQ(begin.envelope.sender, "owner-list@mail.example.net");
    EQ(begin.recipients.size(), 2u);
    for (const ipc::Recipient& recipient : begin.recipients) {
        EQ(recipient.original, "");
        EQ(unsigned(recipient.notify), unsigned(ipc::NotifyDefault));
    }
    OK(connection.send(verdict(ipc::Verdict::Kind::Kept)));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.action, "");
}
END_TEST

TEST(nothing_is_forwarded_while_another_has_to_wait)
{
    Office office({}, aliases);
    Service cleanup(office, "cleanup"), errands(office, "errands");
    OK(office.qmgr.send(office.job(1, {"run@mail.example.net"})));
    auto runner = errands.accept();
    auto order = office.next<ipc::RunEntry>(runner);
    EQ(order.place.name, "run");
    EQ(order.entry, 0u);
    EQ(order.content, "Subject: x\r\n\r\nbody\r\n");
    EQ(order.recipient, "run@mail.example.net");
    ipc::ErrandDone done;
    done.request = order.request;
    done.status.dsn = "4.3.0";
    done.status.text = "temporary failure";
    OK(runner.send(done));
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Deferred);
    // The next try: the command has done its work, the message goes out.
    OK(office.qmgr.send(office.job(2, {"run@mail.example.net"})));
    order = office.next<ipc::RunEntry>(runner);
    done.request = order.request;
    done.status.disposition = Disposition::Delivered;
    OK(runner.send(done));
    auto connection = greeted(cleanup, "NEW1");
    EQ(office.next<ipc::Begin>(connection).recipients.size(), 1u);
    OK(connection.send(verdict(ipc::Verdict::Kind::Failed)));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.text, "cannot be forwarded now: the reason");
}
END_TEST

TEST(the_worst_of_several_counts)
{
    Office office({}, aliases);
    OK(office.qmgr.send(office.job(1, {"two@mail.example.net"})));
    auto first = office.mailbox(), second = office.mailbox();
    auto order = office.next<ipc::Deliver>(first);
    ipc::DeliveryRefused refused;
    refused.delivery = order.delivery;
    refused.permanent = true;
    refused.dsn = "5.2.2";
    refused.text = "over quota";
    OK(first.send(refused));
    order = office.next<ipc::Deliver>(second);
    Office::store(second, order.delivery, 1);
    Office::durable(second, 1);
    auto outcome = office.next<ipc::Outcome>(office.qmgr);
    EQ(outcome.status.disposition, Disposition::Bounced);
    EQ(outcome.status.text, "a@example.org: over quota");
    EQ(office.agent->deliveries(), 0u);
}
END_TEST

TEST(large_messages_and_many_recipients_go_in_pieces)
{
    std::string many = "alias_maps = inline:{{many=";
    for (int i = 0; i < 120; ++i)
        util::append(many, i ? ", r" : "r", i, "@far.example");
    Office office({}, many + "}}\n");
    Service cleanup(office, "cleanup");
    std::string large = "Subject: x\r\n\r\n";
    while (large.size() < 300'000)
        large += "a line of text\r\n";
    OK(office.qmgr.send(office.job(1, {"many@mail.example.net"}, large)));
    auto connection = greeted(cleanup, "NEW1");
    auto begin = office.next<ipc::Begin>(connection);
    std::size_t recipients = begin.recipients.size();
    std::string content = begin.content;
    for (bool last = begin.last; !last;) {
        auto packet = office.receive(connection);
        THAT(packet.has_value());
        if (packet->name() == ipc::More::message_name) {
            EQ(content, "");
            recipients += ipc::decode<ipc::More>(*packet)->recipients.size();
            continue;
        }
        auto piece = ipc::decode<ipc::Content>(*packet);
        OK(piece);
        content += piece->content;
        last = piece->last;
    }
    EQ(recipients, 120u);
    THAT(content.ends_with(large));
    OK(connection.send(verdict(ipc::Verdict::Kind::Kept)));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Delivered);
}
END_TEST

TEST(a_cleanup_that_is_away_or_talks_nonsense_defers)
{
    Office office({}, aliases);
    OK(office.qmgr.send(office.job(1, {"far@mail.example.net"})));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Deferred);
    Service cleanup(office, "cleanup");
    OK(office.qmgr.send(office.job(2, {"far@mail.example.net"})));
    {
        auto connection = greeted(cleanup, "NEW1");
        office.next<ipc::Begin>(connection);
    }
    EQ(office.next<ipc::Outcome>(office.qmgr).status.text, "cannot be forwarded now: cleanup went away");
    OK(office.qmgr.send(office.job(3, {"far@mail.example.net"})));
    auto connection = greeted(cleanup, "NEW1");
    office.next<ipc::Begin>(connection);
    OK(connection.send(ipc::AgentGreeting{}));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Deferred);
    OK(office.qmgr.send(office.job(4, {"far@mail.example.net"})));
    connection = greeted(cleanup, "NEW1");
    office.next<ipc::Begin>(connection);
    OK(connection.send(verdict(ipc::Verdict::Kind::Refused)));
    EQ(office.next<ipc::Outcome>(office.qmgr).status.disposition, Disposition::Bounced);
}
END_TEST

TEST(without_the_service_there_are_no_users_and_nobody_is_asked_twice)
{
    Office office({}, "");
    OK(office.qmgr.send(office.job(1, {"user@mail.example.net"})));
    EQ(office.next<ipc::Deliver>(office.mailbox()).recipient, "user@mail.example.net");
    Service errands(office, "errands");
    OK(office.qmgr.send(office.job(2, {"other@mail.example.net"})));
    auto runner = errands.accept();
    auto asked = office.next<ipc::ReadList>(runner);
    EQ(asked.place.name, "other");
    EQ(asked.recipient, "other@mail.example.net");
    ipc::ListPart none;
    none.request = asked.request;
    none.result = ipc::ListPart::Result::NoUser;
    OK(runner.send(none));
    office.mailbox();
    OK(office.qmgr.send(office.job(3, {"other@mail.example.net", "user@example.org"})));
    office.mailbox();
    EQ(ipc::receive_packet(runner.fd(), MSG_DONTWAIT).ok(), false);
}
END_TEST

SUITE(forward, one_address_takes_the_senders_wishes_along, an_alias_for_several_tells_of_success_itself,
      a_mailing_list_keeps_the_senders_wishes_to_itself, nothing_is_forwarded_while_another_has_to_wait,
      the_worst_of_several_counts, large_messages_and_many_recipients_go_in_pieces,
      a_cleanup_that_is_away_or_talks_nonsense_defers, without_the_service_there_are_no_users_and_nobody_is_asked_twice)

}  // namespace
