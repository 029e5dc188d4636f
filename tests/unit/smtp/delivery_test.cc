// A job from its nexthop to its outcomes, with servers that are played.
#include "smtp/delivery.h"

#include "libipc/connection.h"
#include "libqueue/writer.h"
#include "librouting/router.h"
#include "libutil/sys.h"
#include "tests/unit/smtp/fake_server.h"

#include <cstdlib>
#include <sys/mman.h>

using ipc::Disposition;

namespace {

struct NoLookup final : smtp::Lookup {
    smtp::MxAnswer mx(std::string_view) override
    {
        smtp::MxAnswer answer;
        answer.status = hosts.empty() ? smtp::LookupStatus::NoSuchName : smtp::LookupStatus::Found;
        answer.text = "Host or domain name not found.";
        for (std::size_t i = 0; i < hosts.size(); ++i)
            answer.hosts.push_back({static_cast<std::uint16_t>(i), hosts[i]});
        return answer;
    }
    smtp::SrvAnswer srv(std::string_view) override { return {}; }
    std::vector<smtp::AddressAnswer> addresses(std::span<const std::string> names) override
    {
        std::vector<smtp::AddressAnswer> answers;
        for (const std::string& name : names)
            answers.push_back({smtp::LookupStatus::Found, {util::concat("192.0.2.", name)}, false, "", false, ""});
        return answers;
    }
    std::vector<std::string> hosts;   // "1" has the address 192.0.2.1
};

// A job for example.org, whose hosts are played by servers; one that is not there refuses the connection.
struct Bed {
    explicit Bed(std::size_t recipients = 1)
        : services{.config = config,
                   .session = {.config = config,
                               .myhostname = "client.example.net",
                               .loop_port = 25,
                               .discard = {},
                               .stopping = {},
                               .credentials = nullptr},
                   .hosts = {.config = config, .own = {}, .loop_port = 25, .path_name = "", .random = {}},
                   .lookup = lookup,
                   .connect = [this](const smtp::Host& host) { return connect(host); }}
    {
        test::fill(config);
        char name[] = "/tmp/tern-smtp-test.XXXXXX";
        path = ::mkdtemp(name);
        job.job = 7;
        job.queue_id = "3Cbn4n0000z1234";
        job.nexthop = "example.org";
        job.sender = "sender@example.net";
        job.arrival = job.activated = util::wall_now().time_since_epoch().count();
        for (std::uint32_t i = 0; i < recipients; ++i)
            job.recipients.push_back({i, {util::concat("r", i, "@example.org"), "", 0}});
        write();
    }
    ~Bed()
    {
        services.kept.session.reset();
        THAT(std::system(("rm -rf " + path).c_str()) == 0);
    }

    void write(std::string_view content = "Subject: x\r\n\r\nbody\r\n")
    {
        queue::Writer writer({.directory = path});
        ipc::Envelope envelope;
        envelope.queue_id = job.queue_id;
        envelope.sender = job.sender;
        envelope.requiretls = requiretls;
        OK(writer.begin(envelope));
        for (const auto& one : job.recipients)
            OK(writer.add_recipient(one.recipient));
        OK(writer.add_content(content));
        auto fd = writer.finish({});
        OK(fd);
        job.message = fd.take();
    }

    util::Result<net::Stream> connect(const smtp::Host& host)
    {
        ++connections;
        auto found = servers.find(host.address);
        if (found == servers.end())
            return util::Error{util::Kind::Temporary, "Connection refused", ECONNREFUSED};
        // Of each connection only commands stay.
        test::FakeServer& server = found->second;
        server.out.clear();
        server.sent = 0;
        server.in_data = false;
        server.input.clear();
        server.chunk_left = 0;
        server.chunk.clear();
        return net::Stream(std::make_unique<test::FakeTransport>(server));
    }

    void run()
    {
        outcomes.clear();
        smtp::Delivery delivery(services, job, [this](const ipc::Outcome& outcome) {
            std::vector<int> descriptors;
            ipc::Packet packet{ipc::encode(outcome, descriptors), {}, false};
            outcomes.push_back(ipc::decode<ipc::Outcome>(packet).take());
            return util::Result<void>();
        });
        OK(delivery.run());
        EQ(outcomes.size(), job.recipients.size());
    }
    const ipc::DeliveryStatus& status(std::uint32_t index = 0)
    {
        for (const auto& outcome : outcomes)
            if (outcome.index == index)
                return outcome.status;
        ck_abort_msg("no outcome");
    }

    smtp::Config config{smtp::Protocol::Smtp};
    NoLookup lookup;
    std::map<std::string, test::FakeServer> servers;
    smtp::Services services;
    std::string path;
    ipc::Job job;
    std::vector<ipc::Outcome> outcomes;
    int connections = 0;
    bool requiretls = false;
};

TEST(servers_are_tried_in_their_order)
{
    Bed bed;
    bed.lookup.hosts = {"1", "2"};
    bed.servers["192.0.2.2"];
    bed.run();
    EQ(bed.status().disposition, Disposition::Delivered);
    EQ(bed.status().relay, "2[192.0.2.2]:25");
    EQ(bed.connections, 2);
    EQ(bed.outcomes[0].job, 7);
    THAT(!bed.outcomes[0].destination_failed);
    THAT(!bed.outcomes[0].connected);
}
END_TEST

TEST(who_is_refused_for_now_is_tried_with_the_next_server)
{
    Bed bed(3);
    bed.lookup.hosts = {"1", "2"};
    bed.servers["192.0.2.1"].replies["RCPT"] = {"250 ok", "450 4.2.0 greylisted", "550 5.1.1 no"};
    bed.servers["192.0.2.2"];
    bed.run();
    EQ(bed.status(0).relay, "1[192.0.2.1]:25");
    EQ(bed.status(1).relay, "2[192.0.2.2]:25");
    EQ(bed.status(1).disposition, Disposition::Delivered);
    EQ(bed.status(2).disposition, Disposition::Bounced);
    EQ(bed.servers["192.0.2.2"].commands[2], "RCPT TO:<r1@example.org>");
    EQ(bed.servers["192.0.2.1"].commands.back(), "QUIT");
    // The last one's word holds.
    bed.servers["192.0.2.2"].replies["RCPT"] = {"451 4.3.0 not now"};
    bed.servers["192.0.2.1"].replies["RCPT"] = {"450 4.2.0 greylisted"};
    bed.run();
    EQ(bed.status(1).dsn, "4.3.0");
    EQ(bed.status(1).disposition, Disposition::Deferred);
    THAT(!bed.outcomes[0].destination_failed);
}
END_TEST

TEST(a_server_that_may_have_the_message_is_the_last_one)
{
    Bed bed;
    bed.lookup.hosts = {"1", "2"};
    test::FakeServer& server = bed.servers["192.0.2.1"];
    bed.servers["192.0.2.2"];
    bed.run();
    EQ(bed.connections, 1);
    server.closes_after = server.sent - std::string_view("250 2.0.0 Ok: queued as 12345\r\n").size();
    bed.run();
    EQ(bed.connections, 2);
    EQ(bed.status().text, "lost connection with 1[192.0.2.1] while sending end of data -- message may be sent more than once");
    EQ(bed.status().disposition, Disposition::Deferred);
    // Before that the next one is asked.
    server.closes_after -= std::string_view("354 go on\r\n").size();
    bed.run();
    EQ(bed.connections, 4);
    EQ(bed.status().relay, "2[192.0.2.2]:25");
}
END_TEST

// The end that a last line gets is in the size that is announced, in the chunks' sizes, and in a server's limit.
TEST(the_size_that_is_announced_is_that_of_what_is_sent)
{
    for (std::string_view extensions : {"PIPELINING CHUNKING", "PIPELINING", "CHUNKING"}) {
        for (std::string_view end : {"", "\r\n", "\r", "\n"}) {
            for (std::size_t size = 2040; size <= 2050; ++size) {
                Bed bed;
                bed.lookup.hosts = {"1"};
                OK(bed.config.bdat_chunk_size.read("1024"));
                test::FakeServer& server = bed.servers["192.0.2.1"];
                server.extensions = extensions;
                server.replies["EHLO"] = {"250-mx\n250-SIZE 2048\n" + server.ehlo_reply()};
                std::string content = "Subject: x\r\n\r\n";
                content += std::string(900, 'a') + "\r\n";
                content += std::string(900, 'b') + "\r\n";
                content += std::string(size - content.size() - end.size(), 'c');
                content += end;
                bed.write(content);
                bed.run();
                std::string whole = content + (end == "\r\n" ? "" : "\r\n");
                if (whole.size() > 2048) {
                    EQ(bed.status().dsn, "5.3.4");
                    THAT(!server.said("MAIL"));
                    continue;
                }
                EQ(bed.status().disposition, Disposition::Delivered);
                THAT(server.said(util::concat("MAIL FROM:<sender@example.net> SIZE=", whole.size())));
                if (!server.said("BDAT"))
                    continue;
                EQ(server.contents.at(0), whole);
                THAT(server.said("BDAT 1024"));
                std::string last = util::concat("BDAT ", whole.size() - 1024, " LAST");
                THAT(server.said(last));
            }
        }
    }
    Bed empty;
    empty.lookup.hosts = {"1"};
    empty.write("");
    empty.servers["192.0.2.1"].extensions = "PIPELINING CHUNKING SIZE";
    empty.run();
    EQ(empty.status().disposition, Disposition::Delivered);
    THAT(empty.servers["192.0.2.1"].said("MAIL FROM:<sender@example.net> SIZE=0"));
    THAT(empty.servers["192.0.2.1"].said("BDAT 0 LAST"));
}
END_TEST

TEST(a_server_that_only_says_it_knows_bdat_gets_data)
{
    Bed bed(2);
    bed.lookup.hosts = {"1", "2"};
    bed.servers["192.0.2.2"];
    test::FakeServer& server = bed.servers["192.0.2.1"];
    server.extensions = "PIPELINING CHUNKING";
    server.knows_bdat = false;
    server.replies["BDAT"] = {"500 5.5.2 what?"};
    server.replies["RCPT"] = {"250 ok", "550 5.1.1 no", "250 ok"};
    bed.run();
    EQ(bed.connections, 2);
    EQ(bed.status(0).relay, "1[192.0.2.1]:25");
    EQ(bed.status(0).disposition, Disposition::Delivered);
    EQ(bed.status(1).dsn, "5.1.1");
    // It is remembered; and it counts for nothing among the servers that may be tried.
    bed.run();
    EQ(bed.connections, 3);
    bed.services.without_bdat.clear();
    server.replies["RCPT"] = {"250 ok", "550 5.1.1 no", "450 4.2.0 later"};
    bed.config.mx_session_limit.set(2);
    bed.run();
    EQ(bed.connections, 6);
    EQ(bed.status(0).relay, "2[192.0.2.2]:25");
    EQ(bed.status(0).disposition, Disposition::Delivered);
}
END_TEST

TEST(mail_with_requiretls_comes_back_when_no_host_is_good_enough)
{
    Bed bed(2);
    bed.lookup.hosts = {"1", "2", "3"};
    bed.requiretls = true;
    bed.write();
    auto policy = smtp::RequireTls::open(bed.config);
    OK(policy);
    bed.services.require_tls = &*policy;
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
        bed.servers[address].extensions = "REQUIRETLS";
    bed.run();
    EQ(bed.connections, 3);
    EQ(bed.status(1).disposition, Disposition::Bounced);
    EQ(bed.status(1).dsn, "5.7.10");
    EQ(bed.status(1).text, "TLS is required, but was not started with host 1[192.0.2.1]");
    THAT(!bed.outcomes[0].destination_failed);
    THAT(!bed.servers["192.0.2.1"].said("MAIL"));
    // A host that is not there now may be good enough another time.
    bed.servers.erase("192.0.2.2");
    bed.run();
    EQ(bed.status().disposition, Disposition::Deferred);
    EQ(bed.status().dsn[0], '4');
    // Who hears of a failure had better hear of it (RFC 8689 §5).
    bed.servers["192.0.2.2"];
    bed.job.sender = "";
    bed.write();
    bed.run();
    EQ(bed.status().disposition, Disposition::Delivered);
    THAT(bed.servers["192.0.2.1"].said("MAIL FROM:<>"));
    THAT(!bed.servers["192.0.2.1"].said("MAIL FROM:<> REQUIRETLS"));
}
END_TEST

TEST(a_connection_in_clear_is_not_used_again_for_requiretls)
{
    Bed bed;
    bed.lookup.hosts = {"1"};
    auto policy = smtp::RequireTls::open(bed.config);
    OK(policy);
    bed.services.require_tls = &*policy;
    bed.servers["192.0.2.1"];
    bed.job.followed = true;
    bed.run();
    THAT(bed.outcomes[0].connected);
    bed.requiretls = true;
    bed.write();
    bed.run();
    EQ(bed.status().dsn, "5.7.10");
    EQ(bed.connections, 2);
}
END_TEST

TEST(what_requiretls_asks_for_is_said_of_each_destination)
{
    Bed bed;
    bed.requiretls = true;
    bed.write();
    bed.config.fallback_relay.set({"[192.0.2.9]:26"});
    bed.config.requiretls_policy.set({"inline:{example.org=opportunistic}", "enforce"});
    auto policy = smtp::RequireTls::open(bed.config);
    OK(policy);
    bed.services.require_tls = &*policy;
    bed.servers["192.0.2.9"];   // without STARTTLS
    bed.run();
    EQ(bed.connections, 1);
    THAT(!bed.servers["192.0.2.9"].said("MAIL"));
    THAT(bed.status().disposition != Disposition::Delivered);
}
END_TEST

TEST(no_server_at_all_is_the_destinations_fault)
{
    Bed bed;
    bed.lookup.hosts = {"1", "2"};
    bed.run();
    EQ(bed.status().text, "connect to 2[192.0.2.2]:25: Connection refused");
    EQ(bed.status().dsn, "4.4.1");
    EQ(bed.status().relay, "none");
    THAT(bed.outcomes[0].destination_failed);
}
END_TEST

TEST(limits_bound_addresses_and_sessions)
{
    Bed bed;
    bed.lookup.hosts = {"1", "2", "3", "4", "5", "6", "7"};
    bed.run();
    EQ(bed.connections, 5);
    Bed sessions;
    sessions.lookup.hosts = {"1", "2", "3"};
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
        sessions.servers[address].replies["RCPT"] = {"450 4.2.0 later"};
    sessions.run();
    EQ(sessions.connections, 2);
    EQ(sessions.status().dsn, "4.2.0");
}
END_TEST

TEST(domains_that_are_not_there_are_final)
{
    Bed bed;
    bed.run();
    EQ(bed.status().disposition, Disposition::Bounced);
    EQ(bed.status().dsn, "5.4.4");
    Bed wrong;
    wrong.job.nexthop = "a..b";
    wrong.run();
    EQ(wrong.status().dsn, "4.3.5");
}
END_TEST

TEST(fallback_relays_come_last)
{
    Bed bed;
    bed.config.fallback_relay.set({"[192.0.2.9]:26"});
    bed.servers["192.0.2.9"];
    bed.run();
    EQ(bed.status().relay, "192.0.2.9[192.0.2.9]:26");
    EQ(bed.status().disposition, Disposition::Delivered);
}
END_TEST

TEST(a_password_is_for_its_own_destination)
{
    Bed bed;
    bed.config.fallback_relay.set({"[192.0.2.9]:26"});
    bed.config.sasl_auth_enable.set(true);
    bed.config.sasl_security_options.set({});
    test::FakeServer& server = bed.servers["192.0.2.9"];
    server.replies["EHLO"] = {"250-mx\n250 AUTH PLAIN"};
    server.replies["AUTH"] = {"235 ok"};
    for (bool its_own : {false, true}) {
        OK(bed.config.sasl_password_maps.read(its_own ? "inline:{[192.0.2.9]:26=anna:geheim}"
                                                      : "inline:{example.org=anna:geheim}"));
        auto credentials = smtp::Credentials::open(bed.config, "+");
        OK(credentials);
        bed.services.session.credentials = credentials->get();
        bed.run();
        EQ(bed.status().disposition, Disposition::Delivered);
        EQ(server.said("AUTH"), its_own);
    }
}
END_TEST

TEST(each_destination_has_its_own_tls_policy)
{
    for (bool fallback : {false, true}) {
        Bed bed;
        trust::TlsConfig tls_config;
        test::fill(tls_config);
        tls_config.security_level.set(trust::TlsLevel::May);
        OK(tls_config.policy_maps.read("inline:{[192.0.2.9]:26=encrypt}"));
        auto tls = smtp::Tls::open(tls_config, {}, {});
        OK(tls);
        bed.services.session.tls = tls->get();
        bed.servers["192.0.2.9"];   // without STARTTLS
        if (fallback)
            bed.config.fallback_relay.set({"[192.0.2.9]:26"});
        else
            bed.job.nexthop = "[192.0.2.8]:26, [192.0.2.9]:26";
        bed.run();
        EQ(bed.status().dsn, "4.7.4");
        THAT(!bed.servers["192.0.2.9"].said("MAIL"));
    }
}
END_TEST

TEST(a_refusal_for_good_before_mail_is_the_last_word)
{
    Bed bed;
    bed.lookup.hosts = {"1", "2"};
    bed.servers["192.0.2.1"].replies["EHLO"] = {"550 5.7.1 blocked"};
    bed.servers["192.0.2.1"].replies["HELO"] = {"550 5.7.1 blocked"};
    bed.servers["192.0.2.2"];
    bed.run();
    EQ(bed.status().disposition, Disposition::Bounced);
    EQ(bed.status().text, "host 1[192.0.2.1] refused to talk to me: 550 5.7.1 blocked");
    EQ(bed.connections, 1);
}
END_TEST

TEST(a_connection_is_kept_while_more_follows_and_used_again)
{
    Bed bed;
    bed.lookup.hosts = {"1"};
    bed.servers["192.0.2.1"];
    bed.run();
    THAT(!bed.services.kept.session);
    bed.job.followed = true;
    bed.run();
    THAT(bed.outcomes[0].connected);
    THAT(bed.services.kept.holds("example.org"));
    bed.write();
    bed.run();
    EQ(bed.connections, 2);
    EQ(bed.status().disposition, Disposition::Delivered);
    bed.job.followed = false;
    bed.run();
    EQ(bed.connections, 2);
    THAT(!bed.outcomes[0].connected);
    THAT(!bed.services.kept.session);
    EQ(bed.servers["192.0.2.1"].commands.back(), "QUIT");
}
END_TEST

TEST(a_kept_connection_is_for_its_destination_and_its_limits_hold)
{
    Bed bed;
    bed.lookup.hosts = {"1"};
    bed.servers["192.0.2.1"];
    bed.job.followed = true;
    bed.run();
    bed.job.nexthop = "example.com";
    bed.run();
    EQ(bed.connections, 2);
    bed.config.connection_reuse_count_limit.set(2);
    bed.run();
    EQ(bed.connections, 2);
    THAT(!bed.outcomes[0].connected);
    bed.run();
    EQ(bed.connections, 3);
    bed.config.connection_reuse_time_limit.set(util::Duration::zero());
    bed.run();
    bed.run();
    EQ(bed.connections, 4);
    Bed listed;
    listed.lookup.hosts = {"1"};
    listed.servers["192.0.2.1"];
    listed.config.connection_cache_destinations.set({"example.org"});
    listed.run();
    THAT(listed.outcomes[0].connected);
}
END_TEST

TEST(a_kept_connection_that_was_closed_costs_nothing)
{
    Bed bed;
    bed.lookup.hosts = {"1"};
    bed.servers["192.0.2.1"];
    bed.job.followed = true;
    bed.run();
    bed.servers["192.0.2.1"].say("421 4.4.2 idle");
    bed.run();
    EQ(bed.status().disposition, Disposition::Delivered);
    EQ(bed.connections, 2);
    // Closed without a word, as is found out when MAIL has been sent.
    test::FakeServer& server = bed.servers["192.0.2.1"];
    server.replies["MAIL"] = {"421 4.4.2 idle", "250 ok"};
    bed.run();
    EQ(bed.status().disposition, Disposition::Delivered);
    EQ(bed.connections, 3);
}
END_TEST

TEST(a_refused_reset_says_nothing_of_the_next_message)
{
    Bed bed;
    bed.lookup.hosts = {"1"};
    test::FakeServer& server = bed.servers["192.0.2.1"];
    server.replies["RCPT"] = {"550 5.1.1 nobody", "250 ok"};
    server.replies["RSET"] = {"502 5.5.1 what is that"};
    bed.job.followed = true;
    bed.run();
    EQ(bed.status().disposition, Disposition::Bounced);
    THAT(bed.services.kept.session);
    bed.run();
    EQ(bed.status().disposition, Disposition::Delivered);
    EQ(bed.connections, 2);
}
END_TEST

TEST(a_connection_in_clear_by_a_failure_is_for_one_message)
{
    for (bool offered : {true, false}) {
        Bed bed;
        trust::TlsConfig tls_config;
        test::fill(tls_config);
        tls_config.security_level.set(trust::TlsLevel::May);
        auto tls = smtp::Tls::open(tls_config, {}, {});
        OK(tls);
        bed.services.session.tls = tls->get();
        bed.lookup.hosts = {"1"};
        test::FakeServer& server = bed.servers["192.0.2.1"];
        server.extensions = offered ? "STARTTLS" : "";
        server.replies["STARTTLS"] = {"454 4.7.0 not now"};
        bed.job.followed = true;
        bed.run();
        EQ(bed.status().disposition, Disposition::Delivered);
        EQ(server.said("STARTTLS"), offered);
        // The next one may have a password, or be too young for that.
        EQ(bed.services.kept.session != nullptr, !offered);
    }
}
END_TEST

TEST(a_job_ends_before_its_process_counts_as_stuck)
{
    Bed bed;
    bed.lookup.hosts = {"1", "2"};
    bed.servers["192.0.2.1"];
    bed.servers["192.0.2.2"];
    bed.services.job_time = util::Duration::zero();
    bed.run();
    EQ(bed.status().disposition, Disposition::Deferred);
    EQ(bed.status().text, "conversation with 1[192.0.2.1] timed out while receiving the initial server greeting");
    EQ(bed.connections, 1);
}
END_TEST

TEST(a_loop_is_returned_or_passed_on)
{
    Bed bed;
    bed.lookup.hosts = {"1"};
    bed.services.hosts.own = {*conf::IpAddress::parse("192.0.2.1")};
    bed.run();
    EQ(bed.status().dsn, "5.4.6");
    EQ(bed.outcomes[0].pass_to, "");
    bed.config.best_mx_transport.set("local:here");
    bed.run();
    EQ(bed.outcomes[0].pass_to, "local:here");
}
END_TEST

TEST(queue_files_that_cannot_be_read_wait)
{
    Bed bed;
    bed.job.message = util::UniqueFd(::memfd_create("rotten", MFD_CLOEXEC));
    bed.run();
    EQ(bed.status().disposition, Disposition::Deferred);
    EQ(bed.status().dsn, "4.3.0");
    THAT(!bed.outcomes[0].destination_failed);
}
END_TEST

TEST(addresses_are_quoted_and_what_is_none_is_returned)
{
    Bed bed(2);
    bed.lookup.hosts = {"1"};
    bed.servers["192.0.2.1"];
    bed.job.recipients[0].recipient.address = "\"a b\"@example.org";
    bed.job.recipients[1].recipient.address = "@";
    bed.run();
    EQ(bed.servers["192.0.2.1"].commands[2], "RCPT TO:<\"a b\"@example.org>");
    EQ(bed.status(1).dsn, "5.1.3");
}
END_TEST

// With SRS; strangers are all but those of relay.example.
struct ForwardingBed : Bed {
    explicit ForwardingBed(std::size_t recipients, std::string_view relay_domains = "relay.example") : Bed(recipients)
    {
        std::string secrets = path + "/secrets";
        OK(util::sys::replace_file(secrets, "tops3cret\n", 0600));
        conf::Problems problems;
        auto main_cf = conf::MainCf::parse(
            util::concat("myhostname = mx.ours.example\nvirtual_mailbox_domains =\nsrs_domain = srs.ours.example\n"
                         "relay_domains = ",
                         relay_domains, "\nsrs_secrets_file = ", secrets, '\n'),
            "main.cf", "/x", problems);
        main_cf.fill({&common, &routes}, problems);
        EQ(problems.to_text(), "");
        auto opened = routing::Router::open(common, routes);
        OK(opened);
        router = opened.take();
        OK(router->open_srs());
        services.router = router.get();
        lookup.hosts = {"1"};
        servers["192.0.2.1"];
    }
    void forward(std::uint32_t index, std::string address)
    {
        job.recipients[index].recipient.address = std::move(address);
        job.recipients[index].recipient.forwarded = true;
    }
    // "MAIL FROM:<..>" becomes its sender up to the signature; other commands but RCPT are left out.
    std::string told()
    {
        std::string out;
        for (const std::string& command : servers["192.0.2.1"].commands) {
            bool sender = command.starts_with("MAIL FROM:<");
            if (!sender && !command.starts_with("RCPT TO:<"))
                continue;
            std::string path_text = command.substr(sender ? 11 : 9, command.find('>') - (sender ? 11 : 9));
            if (path_text.starts_with("SRS0="))
                path_text = "SRS0" + path_text.substr(12);
            util::append(out, out.empty() ? "" : " ", sender ? "from " : "", path_text);
        }
        return out;
    }

    conf::Common common;
    routing::Config routes;
    std::unique_ptr<routing::Router> router;
};

TEST(who_is_forwarded_to_hears_of_another_sender)
{
    ForwardingBed bed(4);
    bed.forward(1, "x@far.example");
    bed.forward(2, "y@relay.example");
    bed.forward(3, "z@far.example");
    bed.servers["192.0.2.1"].replies["RCPT TO:<x@far.example>"] = {"550 no"};
    bed.run();
    EQ(bed.told(),
       "from sender@example.net r0@example.org y@relay.example from SRS0=example.net=sender@srs.ours.example x@far.example z@far.example");
    EQ(bed.connections, 1);
    EQ(bed.status(1).disposition, Disposition::Bounced);
    for (std::uint32_t index : {0U, 2U, 3U})
        EQ(bed.status(index).disposition, Disposition::Delivered);
    // Nobody is told of a connection that is not kept in the end.
    for (const auto& outcome : bed.outcomes)
        THAT(!outcome.connected);
    THAT(!bed.services.kept.session);
}
END_TEST

TEST(a_first_part_that_fails_leaves_the_second_its_chance)
{
    ForwardingBed bed(2);
    bed.forward(1, "x@far.example");
    bed.servers["192.0.2.1"].replies["MAIL"] = {"450 not from you", "250 ok"};
    bed.run();
    EQ(bed.status(0).disposition, Disposition::Deferred);
    EQ(bed.status(1).disposition, Disposition::Delivered);
}
END_TEST

TEST(senders_of_ours_and_of_nobody_stay)
{
    for (const char* sender : {"x@relay.example", "", "MAILER-DAEMON"}) {
        ForwardingBed bed(1);
        bed.job.sender = sender;
        bed.forward(0, "x@far.example");
        bed.run();
        EQ(bed.told(), util::concat("from ", sender, " x@far.example"));
    }
    ForwardingBed plain(1);
    plain.services.router = nullptr;
    plain.forward(0, "x@far.example");
    plain.run();
    EQ(plain.told(), "from sender@example.net x@far.example");
}
END_TEST

TEST(whose_addresses_are_ours_must_be_known)
{
    ForwardingBed bed(2, "fail:broken");
    bed.forward(1, "x@far.example");
    bed.run();
    for (std::uint32_t index : {0U, 1U}) {
        EQ(bed.status(index).disposition, Disposition::Deferred);
        EQ(bed.status(index).dsn, "4.3.0");
    }
    EQ(bed.connections, 0);
}
END_TEST

}  // namespace

SUITE(delivery, who_is_forwarded_to_hears_of_another_sender, a_first_part_that_fails_leaves_the_second_its_chance,
      senders_of_ours_and_of_nobody_stay, whose_addresses_are_ours_must_be_known,
      mail_with_requiretls_comes_back_when_no_host_is_good_enough, a_connection_in_clear_is_not_used_again_for_requiretls,
      what_requiretls_asks_for_is_said_of_each_destination, servers_are_tried_in_their_order,
      who_is_refused_for_now_is_tried_with_the_next_server, a_server_that_may_have_the_message_is_the_last_one,
      the_size_that_is_announced_is_that_of_what_is_sent, a_server_that_only_says_it_knows_bdat_gets_data,
      no_server_at_all_is_the_destinations_fault, limits_bound_addresses_and_sessions, domains_that_are_not_there_are_final,
      fallback_relays_come_last, a_password_is_for_its_own_destination, each_destination_has_its_own_tls_policy,
      a_refusal_for_good_before_mail_is_the_last_word, a_connection_is_kept_while_more_follows_and_used_again,
      a_kept_connection_is_for_its_destination_and_its_limits_hold, a_kept_connection_that_was_closed_costs_nothing,
      a_refused_reset_says_nothing_of_the_next_message, a_connection_in_clear_by_a_failure_is_for_one_message,
      a_job_ends_before_its_process_counts_as_stuck, a_loop_is_returned_or_passed_on, queue_files_that_cannot_be_read_wait,
      addresses_are_quoted_and_what_is_none_is_returned)
