// Sessions that a client resumes, counted at the server.
#include "libnet/tls_client.h"
#include "libnet/stream.h"
#include "libutil/sys.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <sys/socket.h>
#include <thread>

namespace {

using net::PeerStatus;
using net::TlsCheck;

struct Site {
    explicit Site(net::TlsClientSettings settings = {}, net::TlsSettings server_settings = {})
    {
        ::signal(SIGPIPE, SIG_IGN);
        server_settings.session_tickets = true;
        auto made = net::TlsContext::server(pem.key + pem.certificate, server_settings);
        OK(made);
        server.emplace(made.take());
        settings.authorities = root.certificate;
        if (settings.max_sessions == 0)
            settings.max_sessions = 10;
        auto context = net::TlsContext::client(settings);
        OK(context);
        client.emplace(context.take());
    }

    // A connection with a line each way, so that tickets arrive.
    net::TlsPeerFacts connect(const net::TlsTarget& target)
    {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        bool resumed = false;
        std::thread thread([&, socket = std::move(pair.second)]() mutable {
            net::Stream stream(std::move(socket));
            stream.set_timeout(std::chrono::seconds(10));
            auto agreed = stream.start_tls(*server);
            if (!agreed.ok())
                return;
            resumed = agreed->resumed;
            if (stream.read_line(100).ok()) {
                stream.write("pong\r\n");
                stream.close();
            }
        });
        util::Result<net::TlsPeerFacts> facts = util::invalid("not run");
        {
            net::Stream stream(std::move(pair.first));
            stream.set_timeout(std::chrono::seconds(10));
            facts = stream.start_tls_client(*client, target);
            if (facts.ok()) {
                stream.write("ping\r\n");
                EQ(stream.read_line(100)->text, "pong");
                if (ends_well)
                    stream.close();
            }
        }
        thread.join();
        OK(facts);
        EQ(facts->agreed.resumed, resumed);
        ++(resumed ? resumptions : handshakes);
        return facts.take();
    }

    test::CertificatePem root = test::make_certificate({.common_name = "Root", .authority = true});
    test::CertificatePem pem =
        test::make_certificate({.common_name = "a host", .names = {"mail.example.org"}, .issuer = &root});
    std::optional<net::TlsContext> server, client;
    bool ends_well = true;
    int handshakes = 0;
    int resumptions = 0;
};

net::TlsTarget session_target(std::string name = "mail.example.org")
{
    net::TlsTarget target;
    target.server_name = "mail.example.org";
    target.check = TlsCheck::Names;
    target.names = {std::move(name)};
    target.peer = "mail.example.org[192.0.2.1]:25";
    return target;
}

TEST(the_same_server_under_the_same_rules_is_resumed_with_what_was_found)
{
    for (const char* protocols : {">=TLSv1.2", "TLSv1.2"}) {
        Site site;
        auto target = session_target();
        target.protocols = protocols;
        auto first = site.connect(target);
        THAT(!first.agreed.resumed);
        for (int i = 0; i < 3; ++i) {
            auto again = site.connect(target);
            EQ(again.status, PeerStatus::Verified);
            EQ(again.matched, "mail.example.org");
            EQ(again.certificate, first.certificate);
            EQ(again.agreed.protocol, first.agreed.protocol);
            EQ(again.agreed.server_name, "mail.example.org");
            THAT(!again.agreed.exporter.empty() && again.agreed.exporter != first.agreed.exporter);
        }
        EQ(site.handshakes, 1);
        EQ(site.resumptions, 3);
    }
}
END_TEST

TEST(dane_is_resumed_with_the_record_that_matched)
{
    Site site;
    auto target = session_target();
    auto seen = site.connect(target);
    // The key's digest, as a record has it.
    std::string digest;
    auto value = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
    for (std::size_t i = 0; i < seen.key.size(); i += 3)
        digest += char(value(seen.key[i]) * 16 + value(seen.key[i + 1]));
    target.check = TlsCheck::Dane;
    target.tlsa = {{3, 1, 1, digest}};
    auto first = site.connect(target);
    auto again = site.connect(target);
    THAT(!first.agreed.resumed && again.agreed.resumed);
    EQ(again.status, PeerStatus::Verified);
    EQ(again.matched, first.matched);
    // Another record is another check.
    target.tlsa = {{3, 1, 1, std::string(32, 'x')}};
    auto other = site.connect(target);
    THAT(!other.agreed.resumed);
    EQ(other.status, PeerStatus::Untrusted);
}
END_TEST

TEST(no_session_crosses_from_one_rule_to_another)
{
    Site site({.max_sessions = 100});
    auto lax = session_target();
    lax.check = TlsCheck::None;
    (void)site.connect(lax);
    auto strict = session_target("other.example.org");
    EQ(site.connect(strict).status, PeerStatus::Trusted);
    EQ(site.resumptions, 0);

    std::vector<net::TlsTarget> all{lax, session_target()};
    auto add = [&](auto change) {
        auto target = session_target();
        change(target);
        all.push_back(target);
    };
    add([](net::TlsTarget& t) { t.peer = "mail.example.org[192.0.2.2]:25"; });
    add([](net::TlsTarget& t) { t.server_name = "www.example.org"; });
    add([](net::TlsTarget& t) { t.protocols = "TLSv1.3"; });
    add([](net::TlsTarget& t) { t.ciphers = "HIGH:!aNULL"; });
    add([](net::TlsTarget& t) { t.strict = false; });
    add([](net::TlsTarget& t) { t.alternative_names_only = true; });
    add([](net::TlsTarget& t) { t.names = {"mail.example.org", "x"}; });
    add([](net::TlsTarget& t) { t.fingerprints = {"AB"}; });
    add([](net::TlsTarget& t) { t.fingerprint_digest = "sha512"; });
    add([](net::TlsTarget& t) { t.tlsa = {{3, 1, 1, std::string(32, 'x')}}; });
    for (std::size_t i = 1; i < all.size(); ++i)
        THAT(!site.connect(all[i]).agreed.resumed);
    for (const net::TlsTarget& target : all)
        THAT(site.connect(target).agreed.resumed);
}
END_TEST

TEST(what_did_not_pass_its_check_is_checked_again)
{
    Site site;
    auto target = session_target("other.example.org");
    for (int i = 0; i < 2; ++i)
        EQ(site.connect(target).status, PeerStatus::Trusted);
    EQ(site.handshakes, 2);
}
END_TEST

TEST(sessions_end_in_time_and_are_bounded)
{
    Site brief({.max_sessions = 10, .session_lifetime = util::Duration::zero()});
    for (int i = 0; i < 2; ++i)
        (void)brief.connect(session_target());
    EQ(brief.resumptions, 0);

    Site narrow({.max_sessions = 2});
    auto target = session_target();
    for (const char* peer : {"a", "b", "c"}) {
        target.peer = peer;
        (void)narrow.connect(target);
    }
    EQ(narrow.handshakes, 3);
    for (const char* peer : {"b", "c"}) {
        target.peer = peer;
        THAT(narrow.connect(target).agreed.resumed);
    }
    target.peer = "a";
    THAT(!narrow.connect(target).agreed.resumed);
}
END_TEST

TEST(a_session_that_broke_off_is_not_resumed)
{
    Site site;
    site.ends_well = false;
    for (int i = 0; i < 2; ++i)
        (void)site.connect(session_target());
    EQ(site.handshakes, 2);
}
END_TEST

TEST(who_names_no_peer_keeps_none)
{
    Site site;
    auto target = session_target();
    target.peer.clear();
    for (int i = 0; i < 2; ++i)
        (void)site.connect(target);
    EQ(site.handshakes, 2);
}
END_TEST

}  // namespace

SUITE(tls_sessions, the_same_server_under_the_same_rules_is_resumed_with_what_was_found,
      dane_is_resumed_with_the_record_that_matched, no_session_crosses_from_one_rule_to_another,
      what_did_not_pass_its_check_is_checked_again, sessions_end_in_time_and_are_bounded,
      a_session_that_broke_off_is_not_resumed, who_names_no_peer_keeps_none)
