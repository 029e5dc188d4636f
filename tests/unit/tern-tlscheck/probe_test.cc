#include "tools/tern-tlscheck/probe.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/libnet/relay.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <thread>

namespace {

using trust::TlsLevel;
using trust::TlsTrouble;

// A mail server of ours for one session; `offer` false: without STARTTLS.
void serve(util::UniqueFd socket, const net::TlsContext& context, bool offer, const std::string& ready)
{
    net::Stream stream(std::move(socket));
    stream.set_timeout(std::chrono::seconds(10));
    stream.write("220 mail.example.test ESMTP\r\n");
    for (bool secure = false;;) {
        auto line = stream.read_line(1000);
        if (!line.ok())
            return;
        if (line->text.starts_with("EHLO")) {
            stream.write(
                util::concat("250-mail.example.test\r\n", offer && !secure ? "250-STARTTLS\r\n" : "", "250 SIZE 1000\r\n"));
        } else if (line->text == "STARTTLS") {
            stream.write(ready);
            if (!stream.start_tls(context).ok())
                return;
            secure = true;
        } else {
            stream.write("221 Bye\r\n");
            stream.close();
            return;
        }
    }
}

struct Peer {
    Peer() { ::signal(SIGPIPE, SIG_IGN); }

    tlscheck::Probe probe(const test::Harm& harm = {.at = SIZE_MAX})
    {
        auto near = util::sys::socket_pair(SOCK_STREAM).take(), far = util::sys::socket_pair(SOCK_STREAM).take();
        std::thread serving([&] { serve(std::move(far.second), *server, offer, ready); });
        std::thread relaying([&] {
            test::relay(near.second.get(), far.first.get(), harm);
            near.second.reset();
            far.first.reset();
        });
        tlscheck::Probe found;
        {
            net::Stream stream(std::move(near.first));
            stream.set_timeout(std::chrono::seconds(10));
            trust::TlsDecision decision;
            decision.level = level;
            found = tlscheck::probe(stream, decision, *client, "client.example.test");
        }
        relaying.join();
        serving.join();
        return found;
    }

    test::CertificatePem pem = test::make_certificate("mail.example.test");
    util::Result<net::TlsContext> server = net::TlsContext::server(pem.key + pem.certificate, {});
    util::Result<net::TlsContext> client = net::TlsContext::client({});
    TlsLevel level = TlsLevel::May;
    bool offer = true;
    std::string ready = "220 Ready\r\n";
};

TEST(goes_as_far_as_a_delivery_does)
{
    Peer peer;
    auto found = peer.probe();
    EQ(found.text, "");
    EQ(found.greeting, "220 mail.example.test ESMTP");
    THAT(found.offered && found.facts && !found.trouble && !found.failed);
    EQ(found.facts->common_name, "mail.example.test");

    peer.level = TlsLevel::None;
    found = peer.probe();
    THAT(found.offered && !found.facts && !found.trouble && !found.failed);

    peer.level = TlsLevel::Encrypt;
    peer.offer = false;
    found = peer.probe();
    THAT(!found.offered && found.trouble == TlsTrouble::NotOffered);

    peer.offer = true;
    peer.ready = "454 4.7.0 Not now\r\n";
    found = peer.probe();
    THAT(found.trouble == TlsTrouble::Refused);
    EQ(found.text, "454 4.7.0 Not now");

    peer.ready = "220 Ready\r\n250 an attacker's\r\n";
    found = peer.probe();
    THAT(found.trouble == TlsTrouble::Handshake);
    EQ(found.text, "plaintext follows the reply to STARTTLS");
}
END_TEST

TEST(a_session_that_is_cut_at_any_byte_has_an_end_that_is_told)
{
    Peer peer;
    std::size_t at = 0, before = 0, in_handshake = 0;
    for (;; ++at) {
        auto found = peer.probe({.at = at, .cut = true});
        if (!found.failed && !found.trouble)
            break;
        EQ(found.text.starts_with("lost connection"), true);
        (found.trouble ? in_handshake : before) += 1;
        THAT(at < 5000);
    }
    // Greeting, reply to EHLO, and what comes under TLS; STARTTLS and the handshake.
    THAT(before > 60 && in_handshake > 500);
}
END_TEST

}  // namespace

SUITE(probe, goes_as_far_as_a_delivery_does, a_session_that_is_cut_at_any_byte_has_an_end_that_is_told)
