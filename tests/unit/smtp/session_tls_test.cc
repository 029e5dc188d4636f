#include "smtp/tls.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/smtp/fake_server.h"

#include <csignal>
#include <sys/socket.h>
#include <thread>

namespace {

using trust::TlsLevel;

enum class Mode { Good, NotOffered, Refused, Close, Inject, Wrapped };

// A mail server with TLS for one session; what it was told.
struct TlsServer {
    explicit TlsServer(const test::CertificatePem& pem) : context(net::TlsContext::server(pem.key + pem.certificate, {})) {}

    void serve(util::UniqueFd socket)
    {
        net::Stream stream(std::move(socket));
        stream.set_timeout(std::chrono::seconds(10));
        bool secure = mode == Mode::Wrapped;
        if (secure && !stream.start_tls(*context).ok())
            return;
        stream.write("220 mx.example.org ESMTP\r\n");
        for (;;) {
            auto line = stream.read_line(1000);
            if (!line.ok())
                return;
            commands.push_back(util::concat(secure ? "tls " : "", line->text));
            if (line->text.starts_with("EHLO")) {
                bool offer = !secure && mode != Mode::NotOffered;
                stream.write(util::concat("250-mx.example.org\r\n", offer ? "250-STARTTLS\r\n" : "",
                                          secure ? extension : in_clear, "250 DSN\r\n"));
            } else if (line->text == "STARTTLS" && mode != Mode::Refused) {
                stream.write(mode == Mode::Inject ? "220 go\r\n250 not the server's\r\n" : "220 go\r\n");
                if (mode == Mode::Close) {
                    (void)stream.flush();
                    return;
                }
                if (!stream.start_tls(*context).ok())
                    return;
                secure = true;
            } else if (line->text == "QUIT") {
                stream.write("221 bye\r\n");
                stream.close();
                return;
            } else {
                stream.write("454 4.7.0 not now\r\n");
            }
        }
    }

    util::Result<net::TlsContext> context;
    Mode mode = Mode::Good;
    std::string in_clear;
    std::string extension = "250-SIZE 1\r\n";   // offered under TLS
    std::vector<std::string> commands;
};

struct Attempt {
    Attempt() : config(smtp::Protocol::Smtp)
    {
        ::signal(SIGPIPE, SIG_IGN);
        util::log::to_nowhere();
        test::fill(config);
        config.helo_name.set("client.example.net");
        test::fill(tls_config);
        net::TlsClientSettings files;
        files.authorities = root.certificate;
        auto opened = smtp::Tls::open(tls_config, files, {});
        OK(opened);
        tls = opened.take();
        site.tls = tls.get();
    }

    void begin(util::Duration age = {})
    {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        std::thread thread([&] { server.serve(std::move(pair.second)); });
        smtp::Host host;
        host.name = "mx.example.org";
        host.address = "192.0.2.1";
        host.port = 2525;
        session.emplace(site, host, net::Stream(std::move(pair.first)), decision);
        failed = session->begin({"example.org", "example.org", "sender@example.net", age});
        clear = session->wants_clear();
        required = session->is_required();
        offered = session->server().requiretls;
        protection = session->protection();
        session->quit();
        session.reset();
        thread.join();
    }
    std::string failure() const { return failed ? util::concat(failed->status.dsn, ' ', failed->status.text) : ""; }

    test::CertificatePem root = test::make_certificate({.common_name = "Root", .authority = true});
    test::CertificatePem pem = test::make_certificate({.common_name = "x", .names = {"mx.example.org"}, .issuer = &root});
    TlsServer server{pem};
    smtp::Config config;
    trust::TlsConfig tls_config;
    std::unique_ptr<smtp::Tls> tls;
    smtp::SessionSite site{.config = config,
                           .myhostname = "client.example.net",
                           .loop_port = 25,
                           .discard = {},
                           .stopping = {},
                           .credentials = nullptr};
    trust::TlsDecision decision{.level = TlsLevel::May, .why = "test"};
    std::optional<smtp::Session> session;
    std::optional<smtp::Failure> failed;
    bool clear = false;
    bool required = false;
    bool offered = false;
    std::string protection;
};

using Words = std::vector<std::string>;

TEST(says_hello_again_under_tls)
{
    Attempt attempt;
    attempt.begin();
    EQ(attempt.failure(), "");
    THAT(attempt.server.commands == Words({"EHLO client.example.net", "STARTTLS", "tls EHLO client.example.net", "tls QUIT"}));
    EQ(attempt.protection, "may (test): encrypted, not authenticated");
    Attempt clear;
    clear.decision.level = TlsLevel::None;
    clear.begin();
    EQ(clear.failure(), "");
    THAT(clear.server.commands == Words({"EHLO client.example.net", "QUIT"}));
    EQ(clear.protection, "none (test): in clear");
}
END_TEST

TEST(tls_may_come_before_the_greeting)
{
    Attempt attempt;
    attempt.server.mode = Mode::Wrapped;
    attempt.decision.level = TlsLevel::Encrypt;
    attempt.decision.wrappermode = true;
    attempt.begin();
    EQ(attempt.failure(), "");
    THAT(attempt.server.commands == Words({"tls EHLO client.example.net", "tls QUIT"}));
}
END_TEST

TEST(what_is_not_offered_or_refused_defers_where_it_must_be)
{
    for (TlsLevel level : {TlsLevel::May, TlsLevel::Encrypt}) {
        Attempt attempt;
        attempt.decision.level = level;
        attempt.server.mode = Mode::NotOffered;
        attempt.begin();
        EQ(attempt.failure(),
           level == TlsLevel::May ? "" : "4.7.4 TLS is required, but was not offered by host mx.example.org[192.0.2.1]");
        EQ(attempt.clear, false);
        attempt.server.mode = Mode::Refused;
        attempt.begin();
        // A new connection goes without.
        EQ(attempt.clear, level == TlsLevel::May);
        if (level == TlsLevel::Encrypt)
            EQ(attempt.failure(),
               "4.7.4 TLS is required, but host mx.example.org[192.0.2.1] refused to start TLS: 454 4.7.0 not now");
        THAT(attempt.failed->site);
        EQ(attempt.failed->status.relay, "mx.example.org[192.0.2.1]:2525");
    }
}
END_TEST

TEST(a_handshake_that_fails_defers_young_mail)
{
    for (Mode mode : {Mode::Close, Mode::Inject}) {
        Attempt attempt;
        attempt.server.mode = mode;
        attempt.begin();
        EQ(attempt.clear, false);
        THAT(attempt.failure().starts_with("4.7.5 Cannot start TLS: handshake failure: "));
        THAT(attempt.failure().ends_with(mode == Mode::Close ? "lost connection" : "plaintext follows the reply to STARTTLS"));
        attempt.begin(trust::clear_retry_age);
        EQ(attempt.clear, true);
        attempt.decision.level = TlsLevel::Encrypt;
        attempt.begin(trust::clear_retry_age);
        EQ(attempt.clear, false);
    }
}
END_TEST

TEST(a_certificate_that_is_not_the_right_one_gets_no_mail)
{
    Attempt attempt;
    attempt.decision.level = TlsLevel::Verify;
    attempt.decision.target.check = net::TlsCheck::Names;
    attempt.decision.target.names = {"mx.example.org"};
    attempt.begin();
    EQ(attempt.failure(), "");
    EQ(attempt.protection, "verify (test): verified by mx.example.org");
    attempt.decision.target.names = {"other.example.org"};
    attempt.server.commands.clear();
    attempt.begin(trust::clear_retry_age);
    EQ(attempt.failure(),
       "4.7.5 Server certificate not verified: the certificate is for mx.example.org, not for other.example.org");
    EQ(attempt.clear, false);
    THAT(attempt.server.commands == Words({"EHLO client.example.net", "STARTTLS", "tls QUIT"}));
}
END_TEST

TEST(a_host_is_told_to_the_policy_with_all_that_is_known)
{
    smtp::Host host;
    host.name = "mx.example.org";
    host.address = "192.0.2.1";
    host.port = 25;
    host.mx_asked = host.mx_secure = host.address_secure = true;
    host.mx_canonical = "example.net";
    auto out = smtp::tls_host(host);
    EQ(out.address_name, "mx.example.org");
    EQ(out.mx_name, "example.net");
    THAT(out.by_mx && out.mx_secure && out.addresses_secure && !out.alias_secure);
    host.canonical = "real.example.org";
    host.canonical_secure = true;
    out = smtp::tls_host(host);
    EQ(out.address_name, "real.example.org");
    THAT(out.alias_secure);

    Attempt attempt;
    host.is_path = true;
    auto decision = attempt.tls->decide({.kind = smtp::Destination::Kind::Path, .name = "/run/x", .text = "unix:/run/x"}, host);
    EQ(decision.level, TlsLevel::None);
    EQ(decision.why, "a Unix socket");
}
END_TEST

TEST(requiretls_needs_an_offer_under_tls)
{
    using trust::TlsWish;
    auto attempt = [](TlsWish wish, std::string extension, Mode mode = Mode::Good) {
        auto made = std::make_unique<Attempt>();
        made->server.extension = std::move(extension);
        made->server.mode = mode;
        made->decision.level = TlsLevel::Verify;
        made->decision.target.check = net::TlsCheck::Names;
        made->decision.target.names = {"mx.example.org"};
        made->decision.wish = wish;
        made->begin();
        return made;
    };
    auto good = attempt(TlsWish::Verified, "250-REQUIRETLS\r\n");
    EQ(good->failure(), "");
    THAT(good->required);
    auto lacking = attempt(TlsWish::Verified, "");
    EQ(lacking->failure(), "5.7.30 REQUIRETLS support is required, but was not offered by host mx.example.org[192.0.2.1]");
    THAT(lacking->failed->unmet && !lacking->failed->permanent());
    EQ(lacking->server.commands.back(), "tls QUIT");
    auto other = attempt(TlsWish::None, "250-REQUIRETLS\r\n");
    EQ(other->failure(), "");
    THAT(!other->required);
    auto refused = attempt(TlsWish::Verified, "", Mode::Refused);
    EQ(refused->failed->status.dsn, "4.7.4");
    THAT(!refused->failed->unmet && refused->failed->site);
    auto clear = attempt(TlsWish::Verified, "", Mode::NotOffered);
    EQ(clear->failed->status.dsn, "5.7.10");
    THAT(clear->failed->unmet && !clear->failed->site);
    // In clear the word means nothing.
    Attempt plain;
    plain.server.mode = Mode::NotOffered;
    plain.server.in_clear = "250-REQUIRETLS\r\n";
    plain.begin();
    EQ(plain.failure(), "");
    THAT(!plain.offered && other->offered);
}
END_TEST

}  // namespace

SUITE(session_tls, requiretls_needs_an_offer_under_tls, says_hello_again_under_tls, tls_may_come_before_the_greeting,
      what_is_not_offered_or_refused_defers_where_it_must_be, a_handshake_that_fails_defers_young_mail,
      a_certificate_that_is_not_the_right_one_gets_no_mail, a_host_is_told_to_the_policy_with_all_that_is_known)
