#include "libnet/tls_client.h"
#include "libnet/crypto.h"
#include "libnet/stream.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/libnet/relay.h"
#include "tests/unit/suite.h"

#include <atomic>
#include <csignal>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <thread>

namespace {

using net::PeerStatus;
using net::TlsCheck;
using net::TlsFailure;

// A server of ours that shakes hands once and answers "pong" to a line.
struct Server {
    explicit Server(const std::string& pem, const net::TlsSettings& settings = {})
        : context(net::TlsContext::server(pem, settings))
    {
        OK(context);
    }

    void run(util::UniqueFd socket)
    {
        net::Stream stream(std::move(socket));
        stream.set_timeout(std::chrono::seconds(10));
        auto agreed = stream.start_tls(*context);
        good = agreed.ok();
        if (!good)
            return;
        facts = agreed.take();
        if (stream.read_line(100).ok()) {
            stream.write("pong\r\n");
            stream.close();
        }
    }

    util::Result<net::TlsContext> context;
    net::TlsFacts facts;
    bool good = false;
};

struct Trial {
    net::TlsTarget target = {};
    net::TlsClientSettings settings = {};
};

// The handshake, and a line each way when it was good.
util::Result<net::TlsPeerFacts> attempt(Server& server, const Trial& trial)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto context = net::TlsContext::client(trial.settings);
    OK(context);
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    std::thread thread([&] { server.run(std::move(pair.second)); });
    util::Result<net::TlsPeerFacts> facts = util::invalid("not run");
    std::string answer;
    {
        net::Stream stream(std::move(pair.first));
        stream.set_timeout(std::chrono::seconds(10));
        facts = stream.start_tls_client(*context, trial.target);
        if (facts.ok()) {
            stream.write("ping\r\n");
            auto line = stream.read_line(100);
            answer = line.ok() ? std::string(line->text) : line.error().text;
        }
    }
    thread.join();
    if (facts.ok())
        EQ(answer, "pong");
    return facts;
}

struct Authority {
    test::CertificatePem root = test::make_certificate({.common_name = "Test Root", .authority = true});
    test::CertificatePem issue(std::vector<std::string> names, int ends = 3600) const
    {
        return test::make_certificate({.common_name = "a host", .names = std::move(names), .issuer = &root, .ends = ends});
    }
};

std::string digest(const char* name, const std::string& bytes)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_get_digestbyname(name), nullptr);
    return std::string(reinterpret_cast<char*>(out), size);
}

std::string colons(const std::string& bytes)
{
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        text += (i ? ":" : "") + util::hex(std::string_view(bytes).substr(i, 1));
    return text;
}

TEST(a_self_signed_certificate_is_untrusted_and_encrypts_all_the_same)
{
    auto pem = test::make_certificate("mail.example.org");
    Server server(pem.key + pem.certificate);
    auto facts = attempt(server, {.target = {.server_name = "mail.example.org"}});
    OK(facts);
    EQ(facts->status, PeerStatus::Untrusted);
    EQ(net::name_of(facts->status), "Untrusted");
    EQ(facts->failure, TlsFailure::NotTrusted);
    EQ(facts->failure_text, "self-signed certificate");
    EQ(facts->common_name, "mail.example.org");
    EQ(facts->agreed.protocol, "TLSv1.3");
    EQ(facts->agreed.exporter, server.facts.exporter);
    EQ(facts->summary(), "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
                         "server-signature ECDSA (P-256) server-digest SHA256");
    EQ(server.facts.server_name, "mail.example.org");
    EQ(server.facts.client_certificate, "");
}
END_TEST

TEST(no_name_is_sent_unless_one_is_given)
{
    auto pem = test::make_certificate("a");
    Server server(pem.key + pem.certificate);
    OK(attempt(server, {}));
    EQ(server.facts.server_name, "");
}
END_TEST

TEST(verifies_names)
{
    Authority authority;
    struct Case {
        std::vector<std::string> certificate, wanted;
        const char* matched;  // nullptr: none
    };
    for (const Case& c : {Case{{"mail.example.com"}, {"mail.example.com"}, "mail.example.com"},
                          Case{{"mail.example.com"}, {"MAIL.Example.COM"}, "mail.example.com"},
                          Case{{"mail.example.com"}, {"example.com", "mail.example.com"}, "mail.example.com"},
                          Case{{"*.example.com"}, {"mail.example.com"}, "*.example.com"},
                          Case{{"*.example.com"}, {"a.mail.example.com"}, nullptr},
                          Case{{"*.example.com"}, {"example.com"}, nullptr},
                          Case{{"m*.example.com"}, {"mail.example.com"}, nullptr},
                          Case{{"*.com"}, {"mail.example.com"}, nullptr},
                          // A dot in front: any name below.
                          Case{{"mail.example.com"}, {".example.com"}, "mail.example.com"},
                          Case{{"a.mail.example.com"}, {".example.com"}, "a.mail.example.com"},
                          Case{{"example.com"}, {".example.com"}, nullptr},
                          Case{{"badexample.com"}, {".example.com"}, nullptr},
                          Case{{"other.example.com", "mail.example.com"}, {"mail.example.com"}, "mail.example.com"},
                          // The CN counts only where there is no other name.
                          Case{{"mail.example.com"}, {"a host"}, nullptr},
                          Case{{"mail.example.com"}, {}, nullptr}, Case{{"mail.example.com"}, {""}, nullptr}}) {
        auto pem = authority.issue(c.certificate);
        Server server(pem.key + pem.certificate);
        auto facts = attempt(server, {.target = {.check = TlsCheck::Names, .names = c.wanted},
                                      .settings = {.authorities = authority.root.certificate}});
        OK(facts);
        EQ(facts->status, c.matched ? PeerStatus::Verified : PeerStatus::Trusted);
        EQ(facts->failure, c.matched ? TlsFailure::None : TlsFailure::NameMismatch);
        EQ(facts->matched, c.matched ? c.matched : "");
        EQ(facts->names.size(), c.certificate.size());
        EQ(facts->issuer, "Test Root");
    }
}
END_TEST

TEST(a_common_name_counts_only_where_it_may)
{
    Authority authority;
    auto pem = test::make_certificate({.common_name = "mail.example.com", .issuer = &authority.root});
    for (bool strictly : {false, true}) {
        Server server(pem.key + pem.certificate);
        auto facts = attempt(
            server, {.target = {.check = TlsCheck::Names, .names = {"mail.example.com"}, .alternative_names_only = strictly},
                     .settings = {.authorities = authority.root.certificate}});
        OK(facts);
        EQ(facts->status, strictly ? PeerStatus::Trusted : PeerStatus::Verified);
        if (strictly)
            EQ(facts->failure_text, "the certificate is for no host, not for mail.example.com");
    }
}
END_TEST

TEST(says_why_a_chain_is_not_trusted)
{
    Authority authority, other;
    other.root = test::make_certificate({.common_name = "Other Root", .authority = true});
    auto target = net::TlsTarget{.check = TlsCheck::Names, .names = {"mail.example.com"}};
    auto expired = authority.issue({"mail.example.com"}, -60);
    Server old(expired.key + expired.certificate);
    auto facts = attempt(old, {.target = target, .settings = {.authorities = authority.root.certificate}});
    OK(facts);
    EQ(facts->status, PeerStatus::Untrusted);
    EQ(facts->failure, TlsFailure::Expired);
    EQ(facts->failure_text, "certificate has expired");

    auto good = authority.issue({"mail.example.com"});
    Server stranger(good.key + good.certificate);
    facts = attempt(stranger, {.target = target, .settings = {.authorities = other.root.certificate}});
    OK(facts);
    EQ(facts->status, PeerStatus::Untrusted);
    EQ(facts->failure, TlsFailure::NotTrusted);
    EQ(facts->failure_text, "unable to get local issuer certificate");

    Server unknown(good.key + good.certificate);
    facts = attempt(unknown, {.target = target});  // nobody is trusted
    OK(facts);
    EQ(facts->failure, TlsFailure::NotTrusted);
}
END_TEST

TEST(a_chain_may_have_links_in_between)
{
    Authority authority;
    auto middle = test::make_certificate({.common_name = "Middle", .authority = true, .issuer = &authority.root});
    auto leaf = test::make_certificate({.common_name = "x", .names = {"mail.example.com"}, .issuer = &middle});
    net::TlsTarget target{.check = TlsCheck::Names, .names = {"mail.example.com"}};
    Server whole(leaf.key + leaf.certificate + middle.certificate);
    EQ(attempt(whole, {.target = target, .settings = {.authorities = authority.root.certificate}})->status,
       PeerStatus::Verified);
    Server broken(leaf.key + leaf.certificate);
    EQ(attempt(broken, {.target = target, .settings = {.authorities = authority.root.certificate}})->status,
       PeerStatus::Untrusted);
    Server deep(leaf.key + leaf.certificate + middle.certificate);
    EQ(attempt(deep, {.target = target, .settings = {.authorities = authority.root.certificate, .verify_depth = 0}})->status,
       PeerStatus::Untrusted);
}
END_TEST

TEST(verifies_fingerprints_of_certificate_and_key)
{
    auto pem = test::make_certificate("a");
    for (const char* name : {"sha256", "sha1", "sha512"}) {
        std::string certificate = colons(digest(name, test::certificate_der(pem)));
        std::string key = colons(digest(name, test::key_der(pem)));
        for (const std::string& wanted :
             {certificate, key, util::upper(certificate), std::string("00:11"), certificate + ":00"}) {
            bool good = wanted.size() == certificate.size();
            Server server(pem.key + pem.certificate);
            auto facts = attempt(
                server,
                {.target = {.check = TlsCheck::Fingerprints, .fingerprints = {"AA", wanted}, .fingerprint_digest = name}});
            OK(facts);
            EQ(facts->status, good ? PeerStatus::Verified : PeerStatus::Untrusted);
            EQ(facts->failure, good ? TlsFailure::None : TlsFailure::FingerprintMismatch);
            EQ(facts->certificate, util::upper(certificate));
            EQ(facts->key, util::upper(key));
        }
    }
}
END_TEST

struct Dane {
    Authority authority;
    test::CertificatePem leaf = authority.issue({"mail.example.com"});
    std::string chain = leaf.key + leaf.certificate + authority.root.certificate;

    net::TlsPeerFacts run(std::vector<net::TlsaRecord> records, std::vector<std::string> names = {"mail.example.com"})
    {
        Server server(chain);
        auto facts =
            attempt(server, {.target = {.check = TlsCheck::Dane, .names = std::move(names), .tlsa = std::move(records)}});
        OK(facts);
        return facts.take();
    }
};

TEST(verifies_by_tlsa_records)
{
    Dane dane;
    std::string certificate = test::certificate_der(dane.leaf), key = test::key_der(dane.leaf);
    std::string root = test::certificate_der(dane.authority.root), root_key = test::key_der(dane.authority.root);
    for (const net::TlsaRecord& record :
         {net::TlsaRecord{3, 0, 0, certificate}, net::TlsaRecord{3, 0, 1, digest("sha256", certificate)},
          net::TlsaRecord{3, 0, 2, digest("sha512", certificate)}, net::TlsaRecord{3, 1, 0, key},
          net::TlsaRecord{3, 1, 1, digest("sha256", key)}, net::TlsaRecord{3, 1, 2, digest("sha512", key)},
          net::TlsaRecord{2, 0, 0, root}, net::TlsaRecord{2, 0, 1, digest("sha256", root)}, net::TlsaRecord{2, 1, 0, root_key},
          net::TlsaRecord{2, 1, 1, digest("sha256", root_key)}, net::TlsaRecord{2, 1, 2, digest("sha512", root_key)}}) {
        // Beside one that matches, others do no harm, be they wrong or unusable.
        auto facts = dane.run({{3, 1, 1, std::string(32, 'x')}, {1, 1, 1, std::string(32, 'x')}, record});
        EQ(facts.status, PeerStatus::Verified);
        EQ(facts.failure, TlsFailure::None);
        EQ(facts.matched, "TLSA " + net::to_text(record, 8));
    }
    auto facts = dane.run({{3, 1, 1, std::string(32, 'x')}, {2, 0, 1, std::string(32, 'x')}});
    EQ(facts.status, PeerStatus::Untrusted);
    EQ(facts.failure, TlsFailure::TlsaMismatch);
    // What would be right for another usage is not.
    EQ(dane.run({{3, 0, 1, digest("sha256", root)}}).failure, TlsFailure::TlsaMismatch);
    EQ(dane.run({{2, 0, 1, digest("sha256", certificate)}}).failure, TlsFailure::TlsaMismatch);
}
END_TEST

TEST(names_count_with_an_authority_s_record_only)
{
    Dane dane;
    net::TlsaRecord own{3, 1, 1, digest("sha256", test::key_der(dane.leaf))};
    net::TlsaRecord authority{2, 1, 1, digest("sha256", test::key_der(dane.authority.root))};
    EQ(dane.run({own}, {"other.example.net"}).status, PeerStatus::Verified);
    auto facts = dane.run({authority}, {"other.example.net", "third.example.net"});
    EQ(facts.status, PeerStatus::Untrusted);
    EQ(facts.failure, TlsFailure::NameMismatch);
    EQ(facts.failure_text, "the certificate is for mail.example.com, not for other.example.net, third.example.net");
    // Any of the names does.
    EQ(dane.run({authority}, {"other.example.net", "mail.example.com"}).status, PeerStatus::Verified);
}
END_TEST

TEST(an_expired_certificate_counts_if_it_is_the_server_s_own_by_dane)
{
    Dane dane;
    dane.leaf = dane.authority.issue({"mail.example.com"}, -60);
    dane.chain = dane.leaf.key + dane.leaf.certificate + dane.authority.root.certificate;
    // RFC 7671 §5.1: the validity period is the record's.
    EQ(dane.run({{3, 1, 1, digest("sha256", test::key_der(dane.leaf))}}).status, PeerStatus::Verified);
    auto facts = dane.run({{2, 1, 1, digest("sha256", test::key_der(dane.authority.root))}});
    EQ(facts.status, PeerStatus::Untrusted);
    EQ(facts.failure, TlsFailure::Expired);
}
END_TEST

// The server's certificate alone, without those that vouch for it.
net::TlsPeerFacts with_anchors(const test::CertificatePem& leaf, const std::string& chain, const std::string& anchors,
                               std::vector<std::string> names = {"mail.example.com"})
{
    Server server(leaf.key + leaf.certificate + chain);
    auto records = net::trust_anchors(anchors);
    OK(records);
    // An authority that the context trusts counts for nothing beside them.
    auto facts = attempt(server, {.target = {.check = TlsCheck::Names, .names = std::move(names), .anchors = records.take()},
                                  .settings = {.authorities = leaf.certificate + chain}});
    OK(facts);
    EQ(server.facts.server_name, "");
    return facts.take();
}

TEST(trust_anchors_stand_in_the_place_of_authorities)
{
    Authority authority, other;
    other.root = test::make_certificate({.common_name = "Other Root", .authority = true});
    auto middle = test::make_certificate({.common_name = "Middle", .authority = true, .issuer = &authority.root, .ends = 3600});
    auto leaf = test::make_certificate({.common_name = "x", .names = {"mail.example.com", "*.example.net"}, .issuer = &middle});
    std::string root_key = test::key_pem(authority.root), middle_key = test::key_pem(middle);
    for (const auto& [chain, anchors] : {std::pair{middle.certificate, authority.root.certificate},
                                         {middle.certificate, root_key},
                                         {middle.certificate, other.root.certificate + authority.root.certificate},
                                         // One in the middle is as good, and nobody has to show it.
                                         {std::string(), middle.certificate},
                                         {std::string(), middle_key}}) {
        auto facts = with_anchors(leaf, chain, anchors);
        EQ(facts.status, PeerStatus::Verified);
        EQ(facts.matched, "mail.example.com");
    }
    auto facts = with_anchors(leaf, middle.certificate + authority.root.certificate, other.root.certificate);
    EQ(facts.status, PeerStatus::Untrusted);
    EQ(facts.failure, TlsFailure::NotTrusted);
    EQ(facts.failure_text, "no trust anchor vouches for the certificate");
    // Names count as they always do.
    EQ(with_anchors(leaf, "", middle.certificate, {"other.example", "a.example.net"}).matched, "*.example.net");
    EQ(with_anchors(leaf, "", middle.certificate, {".example.com"}).status, PeerStatus::Verified);
    for (std::vector<std::string> names : {std::vector<std::string>{"example.com"}, {}, {""}}) {
        facts = with_anchors(leaf, "", middle.certificate, names);
        EQ(facts.status, PeerStatus::Trusted);
        EQ(facts.failure, TlsFailure::NameMismatch);
    }
    // An anchor that has expired is one all the same, unless the server shows it; a server's certificate is not.
    Authority old;
    old.root = test::make_certificate({.common_name = "Old Root", .authority = true, .begins = -7200, .ends = -3600});
    auto fresh = old.issue({"mail.example.com"});
    EQ(with_anchors(fresh, "", old.root.certificate).status, PeerStatus::Verified);
    EQ(with_anchors(fresh, old.root.certificate, old.root.certificate).failure, TlsFailure::Expired);
    EQ(with_anchors(authority.issue({"mail.example.com"}, -60), "", authority.root.certificate).failure, TlsFailure::Expired);
}
END_TEST

TEST(reads_trust_anchors)
{
    Authority authority;
    auto records = net::trust_anchors("some text\n" + authority.root.certificate + test::key_pem(authority.root));
    OK(records);
    EQ(records->size(), 2u);
    for (const net::TlsaRecord& record : *records)
        THAT(record == net::TlsaRecord({2, 1, 0, test::key_der(authority.root)}));
    THAT(net::any_usable(*records));
    for (const std::string& text :
         {std::string(), std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
          std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
          authority.root.key + authority.root.certificate})
        THAT(!net::trust_anchors(text).ok());
    std::string many;
    for (std::size_t i = 0; i < net::max_trust_anchors; ++i)
        many += authority.root.certificate;
    OK(net::trust_anchors(many));
    THAT(!net::trust_anchors(many + authority.root.certificate).ok());
}
END_TEST

TEST(knows_which_tlsa_records_are_usable)
{
    auto pem = test::make_certificate("a");
    std::string certificate = test::certificate_der(pem), key = test::key_der(pem);
    std::string short_digest(32, 'x'), long_digest(64, 'x');
    for (const net::TlsaRecord& good :
         {net::TlsaRecord{2, 0, 1, short_digest}, {3, 1, 2, long_digest}, {2, 0, 0, certificate}, {3, 1, 0, key}})
        THAT(net::is_usable(good));
    for (const net::TlsaRecord& bad : {net::TlsaRecord{0, 0, 1, short_digest},
                                       {1, 0, 1, short_digest},
                                       {4, 0, 1, short_digest},
                                       {255, 0, 1, short_digest},
                                       {3, 2, 1, short_digest},
                                       {3, 1, 3, short_digest},
                                       {3, 1, 1, long_digest},
                                       {3, 1, 2, short_digest},
                                       {3, 1, 1, ""},
                                       {3, 1, 0, ""},
                                       {3, 1, 0, certificate},
                                       {3, 0, 0, key},
                                       {3, 0, 0, certificate + "x"},
                                       {3, 0, 0, certificate.substr(1)}})
        THAT(!net::is_usable(bad));
    THAT(!net::any_usable({}));
    THAT(!net::any_usable({{1, 0, 1, short_digest}}));
    THAT(net::any_usable({{1, 0, 1, short_digest}, {3, 0, 1, short_digest}}));
    EQ(net::to_text({3, 1, 1, "\x01\xab\xff"}, 2), "3 1 1 01ab..");
    EQ(net::to_text({3, 1, 1, "\x01\xab"}, 2), "3 1 1 01ab");
}
END_TEST

TEST(what_cannot_be_is_refused_before_a_byte_is_sent)
{
    auto context = net::TlsContext::client({});
    OK(context);
    for (const net::TlsTarget& target :
         {net::TlsTarget{.protocols = "TLSv9"}, net::TlsTarget{.ciphers = "no-such-cipher"},
          net::TlsTarget{.check = TlsCheck::Fingerprints, .fingerprints = {"AA"}, .fingerprint_digest = "md99"},
          net::TlsTarget{.check = TlsCheck::Dane, .names = {"a.example"}},
          net::TlsTarget{.check = TlsCheck::Dane, .names = {"a.example"}, .tlsa = {{1, 1, 1, std::string(32, 'x')}}},
          net::TlsTarget{.check = TlsCheck::Dane, .tlsa = {{3, 1, 1, std::string(32, 'x')}}}}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        net::Stream stream(std::move(pair.first));
        auto facts = stream.start_tls_client(*context, target);
        THAT(!facts.ok());
        EQ(facts.error().kind, util::Kind::Invalid);
        char byte;
        EQ(::recv(pair.second.get(), &byte, 1, MSG_DONTWAIT), 0);
    }
    THAT(!net::TlsContext::client({.authorities = "-----BEGIN CERTIFICATE-----\nAAAA\n"}).ok());
    THAT(!net::TlsContext::client({.authorities = std::string(4 * 1024 * 1024 + 1, ' ')}).ok());
    THAT(!net::TlsContext::client({.chain = "no key here"}).ok());
}
END_TEST

TEST(shows_a_certificate_when_asked)
{
    auto pem = test::make_certificate("a"), own = test::make_certificate("client");
    Server server(pem.key + pem.certificate, {.ask_client_certificate = true});
    OK(attempt(server, {.settings = {.chain = own.key + own.certificate}}));
    EQ(server.facts.client_certificate, util::upper(colons(digest("sha256", test::certificate_der(own)))));
    Server again(pem.key + pem.certificate, {.ask_client_certificate = true});
    OK(attempt(again, {}));
    EQ(again.facts.client_certificate, "");
}
END_TEST

TEST(protocols_that_do_not_meet_are_an_error)
{
    auto pem = test::make_certificate("a");
    Server server(pem.key + pem.certificate, {.protocols = "TLSv1.2"});
    auto facts = attempt(server, {.target = {.protocols = ">=TLSv1.3"}});
    THAT(!facts.ok());
    EQ(facts.error().kind, util::Kind::Temporary);
    EQ(facts.error().code, 0);
    THAT(!server.good);
    Server older(pem.key + pem.certificate, {.protocols = "TLSv1.2"});
    facts = attempt(older, {});
    OK(facts);
    EQ(facts->agreed.protocol, "TLSv1.2");
    EQ(facts->details, "");
}
END_TEST

// OpenSSL alone can be a server without certificate.
TEST(a_server_without_certificate_is_anonymous)
{
    ::signal(SIGPIPE, SIG_IGN);
    for (bool checked : {false, true}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        std::thread thread([&] {
            SSL_CTX* context = SSL_CTX_new(TLS_server_method());
            SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
            SSL_CTX_set_cipher_list(context, "AECDH-AES256-SHA:@SECLEVEL=0");
            SSL* ssl = SSL_new(context);
            SSL_set_fd(ssl, pair.second.get());
            SSL_accept(ssl);
            SSL_free(ssl);
            SSL_CTX_free(context);
        });
        auto context = net::TlsContext::client({});
        net::Stream stream(std::move(pair.first));
        stream.set_timeout(std::chrono::seconds(10));
        net::TlsTarget target{.ciphers = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", .strict = false};
        if (checked) {
            target.check = TlsCheck::Names;
            target.names = {"a.example"};
        }
        auto facts = stream.start_tls_client(*context, target);
        thread.join();
        OK(facts);
        EQ(facts->status, PeerStatus::Anonymous);
        EQ(facts->agreed.cipher, "AECDH-AES256-SHA");
        EQ(facts->failure, checked ? TlsFailure::NoCertificate : TlsFailure::None);
    }
}
END_TEST

TEST(refuses_plaintext_behind_the_reply_to_starttls)
{
    auto context = net::TlsContext::client({});
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    OK(util::sys::write_all(pair.second.get(), "220 go\r\n250 an attacker's word\r\n"));
    EQ(stream.read_line(100)->text, "220 go");
    auto facts = stream.start_tls_client(*context, {});
    EQ(facts.error().kind, util::Kind::Invalid);
    EQ(facts.error().text, "plaintext follows the reply to STARTTLS");
    // Not one byte of a handshake has gone out.
    char byte;
    EQ(::recv(pair.second.get(), &byte, 1, MSG_DONTWAIT), -1);
}
END_TEST

TEST(a_silent_server_times_out_and_so_does_one_byte_at_a_time)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto context = net::TlsContext::client({});
    {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        net::Stream stream(std::move(pair.first));
        stream.set_timeout(std::chrono::milliseconds(20));
        EQ(stream.start_tls_client(*context, {}).error().code, net::timeout_code);
    }
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::minutes(5));
    stream.set_deadline(util::Deadline::in(std::chrono::milliseconds(100)));
    // A record of 16,384 bytes that takes its time.
    OK(util::sys::write_all(pair.second.get(), std::string_view("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9)));
    std::thread thread([&] {
        while (util::sys::write_all(pair.second.get(), "x").ok())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    int code = stream.start_tls_client(*context, {}).error().code;
    stream.close();
    thread.join();
    EQ(code, net::timeout_code);
}
END_TEST

// Whether the handshake was good, with the harm done to what the server sent.
util::Result<void> harmed(const net::TlsContext& context, const std::string& chain, const char* protocols,
                          const test::Harm& harm)
{
    Server server(chain, {.protocols = protocols});
    auto near = util::sys::socket_pair(SOCK_STREAM).take(), far = util::sys::socket_pair(SOCK_STREAM).take();
    std::thread serving([&] { server.run(std::move(far.second)); });
    std::thread relaying([&] {
        test::relay(near.second.get(), far.first.get(), harm);
        near.second.reset();
        far.first.reset();
    });
    util::Result<void> result;
    {
        net::Stream stream(std::move(near.first));
        // A length that is larger now is waited for.
        stream.set_timeout(harm.cut ? std::chrono::milliseconds(10'000) : std::chrono::milliseconds(100));
        auto facts = stream.start_tls_client(context, {});
        if (!facts.ok())
            result = facts.take_error();
    }
    relaying.join();
    serving.join();
    return result;
}

TEST(a_record_that_drips_in_ends_a_read_in_time)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto context = net::TlsContext::client({});
    Authority authority;
    auto pem = authority.issue({"mx.example.org"});
    Server server(pem.key + pem.certificate);
    auto near = util::sys::socket_pair(SOCK_STREAM).take(), far = util::sys::socket_pair(SOCK_STREAM).take();
    std::thread serving([&] { server.run(std::move(far.second)); });
    std::atomic<bool> drips = false;
    std::thread relaying([&] {
        char buffer[8192];
        for (;;) {
            pollfd items[2] = {{.fd = near.second.get(), .events = POLLIN, .revents = 0},
                               {.fd = far.first.get(), .events = POLLIN, .revents = 0}};
            if (::poll(items, 2, 20'000) <= 0)
                break;
            bool down = items[1].revents != 0;
            auto count = ::recv(down ? far.first.get() : near.second.get(), buffer, down && drips ? 1 : sizeof buffer, 0);
            if (count <= 0 || ::send(down ? near.second.get() : far.first.get(), buffer, std::size_t(count), MSG_NOSIGNAL) < 0)
                break;
            if (down && drips)
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        near.second.reset();
        far.first.reset();
    });
    util::Result<net::LineView> line = util::invalid("not read");
    {
        net::Stream stream(std::move(near.first));
        stream.set_timeout(std::chrono::seconds(10));
        OK(stream.start_tls_client(*context, {}));
        drips = true;
        stream.write("ping\r\n");
        stream.set_deadline(util::Deadline::in(std::chrono::milliseconds(100)));
        line = stream.read_line(100);
    }
    relaying.join();
    serving.join();
    THAT(!line.ok());
    EQ(line.error().code, net::timeout_code);
}
END_TEST

TEST(a_handshake_that_is_cut_at_any_byte_is_a_lost_connection)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::client({});
    for (const char* protocols : {"TLSv1.3", "TLSv1.2"}) {
        std::size_t at = 0;
        for (;; ++at) {
            auto result = harmed(*context, pem.key + pem.certificate, protocols, {.at = at, .cut = true});
            if (result.ok())
                break;
            EQ(result.error().code, net::closed_code);
            EQ(result.error().text, "lost connection");
            THAT(at < 5000);
        }
        THAT(at > 500);  // all of the certificate has passed
    }
}
END_TEST

TEST(a_changed_byte_anywhere_in_a_handshake_ends_it)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pem = test::make_certificate("a");
    auto context = net::TlsContext::client({});
    for (const char* protocols : {"TLSv1.3", "TLSv1.2"}) {
        for (std::size_t at = 0; at < 480; ++at) {
            auto result = harmed(*context, pem.key + pem.certificate, protocols, {.at = at, .change = 0x41});
            // The version in the first record's head says nothing yet (RFC 8446 §5.1).
            if (at == 2 && result.ok())
                continue;
            THAT(!result.ok());
            EQ(result.error().kind, util::Kind::Temporary);
            THAT(!result.error().text.empty());
        }
    }
}
END_TEST

TEST(garbage_instead_of_a_handshake_is_no_lost_connection)
{
    auto context = net::TlsContext::client({});
    for (std::string_view text :
         {"220 mail.example.org ESMTP\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x15\x03\x01\x00\x02\x02\x28"}) {
        auto pair = util::sys::socket_pair(SOCK_STREAM).take();
        net::Stream stream(std::move(pair.first));
        stream.set_timeout(std::chrono::seconds(10));
        std::string bytes(text);
        if (bytes[0] == '\x15')
            bytes = std::string("\x15\x03\x01\x00\x02\x02\x28", 7);  // a fatal alert: handshake failure
        OK(util::sys::write_all(pair.second.get(), bytes));
        auto facts = stream.start_tls_client(*context, {});
        THAT(!facts.ok());
        EQ(facts.error().kind, util::Kind::Temporary);
        EQ(facts.error().code, 0);
    }
}
END_TEST

}  // namespace

SUITE(tls_client, a_self_signed_certificate_is_untrusted_and_encrypts_all_the_same, no_name_is_sent_unless_one_is_given,
      verifies_names, a_common_name_counts_only_where_it_may, says_why_a_chain_is_not_trusted,
      a_chain_may_have_links_in_between, verifies_fingerprints_of_certificate_and_key, verifies_by_tlsa_records,
      names_count_with_an_authority_s_record_only, an_expired_certificate_counts_if_it_is_the_server_s_own_by_dane,
      trust_anchors_stand_in_the_place_of_authorities, reads_trust_anchors, knows_which_tlsa_records_are_usable,
      what_cannot_be_is_refused_before_a_byte_is_sent, shows_a_certificate_when_asked, protocols_that_do_not_meet_are_an_error,
      a_server_without_certificate_is_anonymous, refuses_plaintext_behind_the_reply_to_starttls,
      a_silent_server_times_out_and_so_does_one_byte_at_a_time, a_record_that_drips_in_ends_a_read_in_time,
      a_handshake_that_is_cut_at_any_byte_is_a_lost_connection, a_changed_byte_anywhere_in_a_handshake_ends_it,
      garbage_instead_of_a_handshake_is_no_lost_connection)
