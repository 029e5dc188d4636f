#include "libtrust/tls_policy.h"
#include "libutil/sys.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/suite.h"

#include <memory>
#include <unistd.h>

namespace {

using net::TlsCheck;
using trust::PolicySource;
using trust::StsAnswer;
using trust::StsMode;
using trust::TlsaAnswer;
using trust::TlsLevel;
using Names = std::vector<std::string>;

// A policy over a main.cf text, and a DNS that is told what to say.
struct Site {
    explicit Site(const std::string& text, bool lmtp = false) : config(lmtp)
    {
        conf::Problems problems;
        auto settings = conf::MainCf::parse(text, "main.cf", "/etc/tern", problems);
        settings.fill({&config}, problems);
        errors = problems.to_text();
        auto opened = trust::TlsPolicy::open(config);
        OK(opened);
        policy = std::make_unique<trust::TlsPolicy>(opened.take());
    }

    trust::TlsDecision decide(trust::TlsWish wish = trust::TlsWish::None)
    {
        asked.clear();
        return policy->decide(host, {[this](const std::string& name, std::uint16_t port) {
                                         asked.push_back(util::concat(name, ':', port));
                                         for (const auto& entry : tlsa)
                                             if (entry.first == name)
                                                 return entry.second;
                                         return TlsaAnswer{};
                                     },
                                     [this](const std::string& domain) {
                                         asked.push_back("sts " + domain);
                                         return sts;
                                     },
                                     [this](const std::string& path) -> util::Result<std::vector<net::TlsaRecord>> {
                                         asked.push_back(path);
                                         if (path == "/none")
                                             return util::not_found("/none: not there");
                                         return std::vector<net::TlsaRecord>{good};
                                     }},
                              wish);
    }

    // A host whose names and addresses are all validated, with one record.
    void sign() { sign({.status = TlsaAnswer::Status::Found, .secure = true, .records = {good}}); }
    void sign(TlsaAnswer answer)
    {
        host.mx_secure = host.addresses_secure = host.alias_secure = true;
        tlsa = {{host.name, std::move(answer)}};
    }
    void publish(StsMode mode, std::string mx = "mail.example.net")
    {
        sts = {
            .status = StsAnswer::Status::Found, .policy = {.mode = mode, .max_age = 86400, .mx = {std::move(mx)}}, .id = "1"};
    }

    trust::TlsConfig config;
    std::string errors;
    std::unique_ptr<trust::TlsPolicy> policy;
    trust::TlsHost host{.nexthop = "example.com", .domain = "example.com", .name = "mail.example.net", .address = "192.0.2.1",
                        .by_mx = true, .mx_name = "example.com", .address_name = "mail.example.net"};
    std::vector<std::pair<std::string, TlsaAnswer>> tlsa;
    StsAnswer sts;
    Names asked;
    net::TlsaRecord good{3, 1, 1, std::string(32, 'x')};
};

TEST(levels_of_the_parameter)
{
    Site none("smtp_tls_security_level = none\n");
    auto decision = none.decide();
    EQ(decision.level, TlsLevel::None);
    THAT(!decision.encrypts() && !decision.refusal);
    THAT(none.asked.empty());

    Site may("smtp_tls_security_level = may\nsmtp_tls_mta_sts = no\n");
    decision = may.decide();
    EQ(decision.level, TlsLevel::May);
    EQ(decision.why, "smtp_tls_security_level");
    EQ(decision.target.check, TlsCheck::None);
    EQ(decision.target.strict, false);
    EQ(decision.target.protocols, ">=TLSv1");
    EQ(decision.target.ciphers, "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH");
    EQ(decision.target.server_name, "");
    THAT(may.asked.empty());

    Site encrypt("smtp_tls_security_level = encrypt\nsmtp_tls_mta_sts = no\nsmtp_tls_mandatory_ciphers = high\n"
                 "smtp_tls_exclude_ciphers = MD5\nsmtp_tls_mandatory_exclude_ciphers = kRSA DES\n");
    decision = encrypt.decide();
    THAT(decision.mandatory() && !decision.authenticates());
    EQ(decision.target.check, TlsCheck::None);
    EQ(decision.target.protocols, ">=TLSv1.2");
    EQ(decision.target.ciphers, "aNULL:-aNULL:HIGH:@STRENGTH:!MD5:!kRSA:!DES");

    Site verify("smtp_tls_security_level = verify\nsmtp_tls_servername = hostname\n");
    decision = verify.decide();
    EQ(decision.target.check, TlsCheck::Names);
    THAT(decision.target.names == Names({"mail.example.net"}));
    THAT(decision.target.strict);
    THAT(decision.target.ciphers.ends_with(":!aNULL"));
    EQ(decision.target.server_name, "mail.example.net");
    verify.host.name = "192.0.2.1";
    EQ(verify.decide().target.server_name, "");

    Site secure("smtp_tls_security_level = secure\nsmtp_tls_servername = nexthop\n");
    decision = secure.decide();
    THAT(decision.target.names == Names({"example.com", ".example.com"}));
    EQ(decision.target.server_name, "example.com");

    Site fingerprint("smtp_tls_security_level = fingerprint\nsmtp_tls_fingerprint_cert_match = AA:BB CC:DD\n"
                     "smtp_tls_fingerprint_digest = sha1\n");
    decision = fingerprint.decide();
    EQ(decision.target.check, TlsCheck::Fingerprints);
    THAT(decision.target.fingerprints == Names({"AA:BB", "CC:DD"}));
    EQ(decision.target.fingerprint_digest, "sha1");
    THAT(fingerprint.asked.empty());
}
END_TEST

TEST(a_table_has_the_last_word)
{
    Site site(
        "smtp_tls_policy_maps = inline:{{[mail.example.net]:587 = verify match=a.example ciphers=high exclude=RC4 protocols=TLSv1.3 "
        "servername=b.example connection_reuse=no}, {example.com = may}, {.example.org = encrypt}, {bad.example = sure}}\n"
        "smtp_tls_exclude_ciphers = MD5\n");
    EQ(site.errors, "");
    site.host.nexthop = "[mail.example.net]:587";
    auto decision = site.decide();
    EQ(decision.level, TlsLevel::Verify);
    EQ(decision.why, "smtp_tls_policy_maps [mail.example.net]:587");
    THAT(decision.target.names == Names({"a.example"}));
    EQ(decision.target.ciphers, "aNULL:-aNULL:HIGH:@STRENGTH:!RC4:!aNULL");
    EQ(decision.target.protocols, "TLSv1.3");
    EQ(decision.target.server_name, "b.example");
    EQ(decision.connection_reuse, false);

    site.host.nexthop = site.host.domain = "example.com";
    site.sign();
    site.publish(StsMode::Enforce);
    decision = site.decide();
    EQ(decision.level, TlsLevel::May);
    THAT(site.asked.empty());

    site.host.nexthop = site.host.domain = "a.Example.org";
    EQ(site.decide().level, TlsLevel::Encrypt);
    site.host.nexthop = site.host.domain = "example.org";
    EQ(site.decide().level, TlsLevel::Dane);

    site.host.nexthop = site.host.domain = "bad.example";
    decision = site.decide();
    THAT(decision.refusal == trust::TlsRefusal({"4.7.5", "client TLS configuration problem"}));
    THAT(decision.problem.find("unknown TLS level: sure") != std::string::npos);

    Site broken("smtp_tls_policy_maps = fail:away\n");
    decision = broken.decide();
    THAT(decision.refusal == trust::TlsRefusal({"4.7.5", "client TLS configuration problem"}));
}
END_TEST

TEST(dane_where_all_is_validated)
{
    Site site("");
    site.sign();
    site.publish(StsMode::Enforce);
    auto decision = site.decide();
    THAT(!decision.refusal);
    EQ(decision.level, TlsLevel::Dane);
    EQ(decision.source, PolicySource::Tlsa);
    EQ(decision.target.check, TlsCheck::Dane);
    THAT(decision.target.tlsa == std::vector<net::TlsaRecord>({site.good}));
    EQ(decision.target.server_name, "mail.example.net");
    THAT(decision.target.names == Names({"mail.example.net", "example.com"}));
    EQ(decision.why, "smtp_tls_security_level, TLSA records of mail.example.net");
    // DANE first: nobody asks for a policy of MTA-STS.
    THAT(site.asked == Names({"mail.example.net:25"}));

    site.host.mx_name = "mx.example.org";  // example.com is an alias
    site.host.port = 26;
    decision = site.decide();
    THAT(decision.target.names == Names({"mail.example.net", "mx.example.org", "example.com"}));
    THAT(site.asked == Names({"mail.example.net:26"}));
}
END_TEST

TEST(dane_asks_where_aliases_lead_and_then_at_the_alias)
{
    Site site("smtp_tls_mta_sts = no\n");
    site.sign();
    site.host.address_name = "real.example.org";
    auto decision = site.decide();
    EQ(decision.target.server_name, "mail.example.net");
    THAT(site.asked == Names({"real.example.org:25", "mail.example.net:25"}));
    site.tlsa.emplace_back("real.example.org",
                           TlsaAnswer{.status = TlsaAnswer::Status::Found, .secure = true, .records = {site.good}});
    decision = site.decide();
    EQ(decision.target.server_name, "real.example.org");
    THAT(site.asked == Names({"real.example.org:25"}));
    // The alias is validated, where it leads is not (RFC 7672 §2.2.2).
    site.host.addresses_secure = false;
    decision = site.decide();
    EQ(decision.target.server_name, "mail.example.net");
    THAT(site.asked == Names({"mail.example.net:25"}));
    site.host.alias_secure = false;
    decision = site.decide();
    EQ(decision.level, TlsLevel::May);
    THAT(site.asked.empty());
}
END_TEST

TEST(without_dnssec_dane_is_may_and_dane_only_waits)
{
    auto level_of = [](Site& site) { return site.decide().level; };
    Site dane("smtp_tls_mta_sts = no\n");
    EQ(level_of(dane), TlsLevel::May);
    EQ(dane.decide().target.protocols, ">=TLSv1");
    THAT(dane.asked.empty());
    dane.sign();
    dane.tlsa.clear();
    EQ(level_of(dane), TlsLevel::May);
    THAT(dane.asked == Names({"mail.example.net:25"}));
    dane.sign({.status = TlsaAnswer::Status::Found, .secure = false, .records = {dane.good}});
    EQ(level_of(dane), TlsLevel::May);

    Site only("smtp_tls_security_level = dane-only\n");
    THAT(only.decide().refusal == trust::TlsRefusal({"4.7.5", "no DNSSEC for the destination"}));
    only.host.mx_secure = true;
    THAT(only.decide().refusal == trust::TlsRefusal({"4.7.5", "no DNSSEC for mail.example.net"}));
    only.sign();
    only.tlsa.clear();
    THAT(only.decide().refusal == trust::TlsRefusal({"4.7.5", "no TLSA records found"}));
    only.sign();
    auto decision = only.decide();
    THAT(!decision.refusal);
    EQ(decision.level, TlsLevel::DaneOnly);
    EQ(decision.target.check, TlsCheck::Dane);
    // A destination without MX lookup needs no secure one.
    only.host.by_mx = only.host.mx_secure = false;
    decision = only.decide();
    THAT(!decision.refusal);
    THAT(decision.target.names == Names({"mail.example.net"}));
}
END_TEST

TEST(a_tlsa_lookup_that_fails_defers)
{
    for (const char* text : {"", "smtp_tls_security_level = dane-only\n"}) {
        Site site(text);
        site.sign({.status = TlsaAnswer::Status::Failed, .text = "forged"});
        site.publish(StsMode::None);
        auto decision = site.decide();
        THAT(decision.refusal == trust::TlsRefusal({"4.7.5", "TLSA lookup error for mail.example.net:25"}));
        EQ(decision.problem, "forged");
    }
}
END_TEST

TEST(unusable_records_mean_encryption)
{
    TlsaAnswer unusable{.status = TlsaAnswer::Status::Found, .secure = true, .records = {{1, 1, 1, std::string(32, 'x')}}};
    Site dane("");
    dane.sign(unusable);
    dane.publish(StsMode::None);
    auto decision = dane.decide();
    EQ(decision.level, TlsLevel::Encrypt);
    EQ(decision.target.check, TlsCheck::None);
    EQ(decision.target.protocols, ">=TLSv1.2");
    EQ(decision.source, PolicySource::Tlsa);
    THAT(!decision.refusal);
    Site only("smtp_tls_security_level = dane-only\n");
    only.sign(unusable);
    THAT(only.decide().refusal == trust::TlsRefusal({"4.7.5", "TLSA records unusable"}));
}
END_TEST

TEST(an_mx_record_that_is_not_secure_has_a_parameter)
{
    struct Case {
        const char* text;
        TlsLevel level;
        TlsCheck check;
    };
    for (const Case& c : {Case{"", TlsLevel::Dane, TlsCheck::Dane},
                          Case{"smtp_tls_dane_insecure_mx_policy = encrypt\n", TlsLevel::Encrypt, TlsCheck::None},
                          Case{"smtp_tls_dane_insecure_mx_policy = may\n", TlsLevel::May, TlsCheck::None}}) {
        Site site(c.text);
        site.sign();
        site.host.mx_secure = false;
        auto decision = site.decide();
        EQ(decision.level, c.level);
        EQ(decision.target.check, c.check);
        // A policy of MTA-STS says more then.
        site.publish(StsMode::Enforce);
        decision = site.decide();
        EQ(decision.source, PolicySource::Sts);
        EQ(decision.level, TlsLevel::Secure);
        THAT(site.asked == Names({"sts example.com"}));
    }
}
END_TEST

TEST(mta_sts_where_dane_does_not_apply)
{
    for (const char* level : {"may", "encrypt", "dane"}) {
        Site site(util::concat("smtp_tls_security_level = ", level, "\n"));
        site.publish(StsMode::Enforce);
        auto decision = site.decide();
        THAT(!decision.refusal);
        EQ(decision.level, TlsLevel::Secure);
        EQ(decision.source, PolicySource::Sts);
        EQ(decision.target.check, TlsCheck::Names);
        THAT(decision.target.names == Names({"mail.example.net"}));
        THAT(decision.target.alternative_names_only);
        EQ(decision.target.server_name, "mail.example.net");
        EQ(decision.target.protocols, ">=TLSv1.2");
        THAT(decision.why.ends_with(", MTA-STS policy of example.com"));

        site.publish(StsMode::Enforce, "*.example.com");
        THAT(site.decide().refusal ==
             trust::TlsRefusal({"4.7.5", "MTA-STS policy of example.com does not list MX host mail.example.net"}));

        site.publish(StsMode::Testing, "*.example.com");
        decision = site.decide();
        THAT(!decision.refusal && decision.testing);
        EQ(decision.target.check, TlsCheck::Names);
        EQ(decision.level, std::string_view(level) == "encrypt" ? TlsLevel::Encrypt : TlsLevel::May);

        site.publish(StsMode::None);
        decision = site.decide();
        THAT(site.asked == Names({"sts example.com"}));
        EQ(decision.source, PolicySource::Local);
        EQ(decision.target.check, TlsCheck::None);

        site.sts = {.status = StsAnswer::Status::Failed, .text = "away"};
        THAT(site.decide().refusal == trust::TlsRefusal({"4.7.5", "MTA-STS policy lookup error for example.com"}));
    }
}
END_TEST

TEST(trust_anchors_are_those_of_the_table_or_of_the_parameter)
{
    Site site("smtp_tls_policy_maps = inline:{{example.com=secure tafile=/a tafile=/b}}\n");
    auto decision = site.decide();
    EQ(decision.target.check, TlsCheck::Names);
    EQ(decision.target.anchors.size(), 2u);
    THAT(site.asked == Names({"/a", "/b"}));
    EQ(decision.why, "smtp_tls_policy_maps example.com, tafile=/a, tafile=/b");
    // What cannot be read is not passed over.
    Site lost("smtp_tls_policy_maps = inline:{{example.com=verify tafile=/none}}\n");
    decision = lost.decide();
    THAT(decision.refusal == trust::TlsRefusal({"4.7.5", "client TLS configuration problem"}));
    EQ(decision.problem, "smtp_tls_policy_maps: /none: not there");
    // The parameter's: at the levels that look at authorities, and not in the place of records and published policies.
    auto pem = test::make_certificate({.common_name = "Root", .authority = true});
    std::string path = "/tmp/tern-anchors." + std::to_string(::getpid());
    OK(util::sys::replace_file(path, pem.certificate, 0600));
    std::string anchored = "smtp_tls_trust_anchor_file = " + path + "\n";
    for (const char* level : {"verify", "secure"}) {
        Site other(anchored + "smtp_tls_security_level = " + level + "\n");
        decision = other.decide();
        EQ(decision.target.anchors.size(), 1u);
        EQ(decision.target.anchors[0].data, test::key_der(pem));
        EQ(decision.why, "smtp_tls_security_level, smtp_tls_trust_anchor_file");
    }
    for (const char* level : {"none", "may", "encrypt", "dane", "fingerprint"})
        THAT(Site(anchored + "smtp_tls_security_level = " + level + "\n").decide().target.anchors.empty());
    Site published(anchored);
    published.publish(StsMode::Enforce);
    decision = published.decide();
    THAT(decision.level == TlsLevel::Secure && decision.target.anchors.empty());
    Site table(anchored + "smtp_tls_policy_maps = static:{verify tafile=/a}\n");
    EQ(table.decide().target.anchors[0].data, table.good.data);
    OK(util::sys::unlink(path));
    trust::TlsConfig config;
    conf::Problems problems;
    conf::MainCf::parse(anchored, "main.cf", "/etc/tern", problems).fill({&config}, problems);
    EQ(trust::TlsPolicy::open(config).error().text.substr(0, 28), "smtp_tls_trust_anchor_file: ");
}
END_TEST

TEST(mta_sts_is_not_asked_for_elsewhere)
{
    for (const char* text :
         {"smtp_tls_mta_sts = no\n", "smtp_tls_security_level = none\n", "smtp_tls_security_level = secure\n",
          "smtp_tls_security_level = dane-only\n", "smtp_tls_policy_maps = static:may\n"}) {
        Site site(text);
        site.publish(StsMode::Enforce);
        (void)site.decide();
        THAT(site.asked.empty());
    }
    Site host("");
    host.host.by_mx = false;
    host.publish(StsMode::Enforce);
    EQ(host.decide().level, TlsLevel::May);
    THAT(host.asked.empty());
    Site service("");
    service.host.by_srv = true;
    service.publish(StsMode::Enforce);
    EQ(service.decide().level, TlsLevel::May);
    THAT(service.asked.empty());
    Site lmtp("", true);
    lmtp.publish(StsMode::Enforce);
    EQ(lmtp.decide().level, TlsLevel::May);
    THAT(lmtp.asked.empty());
}
END_TEST

TEST(wrappermode_needs_mandatory_tls)
{
    Site site("smtp_tls_wrappermode = yes\nsmtp_tls_policy_maps = inline:{{example.com = encrypt}, {example.org = may}}\n");
    EQ(site.errors, "");
    THAT(site.decide().wrappermode);
    site.host.nexthop = "example.org";
    THAT(site.decide().refusal.has_value());
    THAT(Site("smtp_tls_wrappermode = yes\nsmtp_tls_security_level = may\n").errors.find("smtp_tls_wrappermode: needs") !=
         std::string::npos);
}
END_TEST

TEST(mistakes_in_parameters_are_told)
{
    for (const char* text :
         {"smtp_tls_protocols = TLSv9\n", "smtp_tls_mandatory_protocols = !TLSv1.2\n", "smtp_tls_exclude_ciphers = @STRENGTH\n",
          "smtp_tls_mandatory_exclude_ciphers = !x\n", "smtp_tls_security_level = fingerprint\n",
          "smtp_tls_security_level = sure\n", "smtp_tls_ciphers = strong\n", "smtp_tls_dane_insecure_mx_policy = secure\n"})
        THAT(!Site(text).errors.empty());
    EQ(Site("").errors, "");
    EQ(Site("lmtp_tls_security_level = encrypt\n", true).errors, "");
}
END_TEST

TEST(requiretls_wants_a_host_that_is_proved_and_a_certificate_of_its_own)
{
    using trust::TlsWish;
    // Neither DNSSEC nor MTA-STS: nothing is sent to it.
    Site plain("smtp_tls_security_level = may\n");
    auto decision = plain.decide(TlsWish::Verified);
    THAT(decision.refusal.has_value());
    EQ(decision.refusal->dsn, "5.7.10");
    EQ(decision.refusal->text,
       "REQUIRETLS: neither DNSSEC nor a policy of MTA-STS vouches for MX host mail.example.net of example.com");

    // DNSSEC: the certificate is checked for the host's name.
    plain.host.mx_secure = true;
    decision = plain.decide(TlsWish::Verified);
    THAT(!decision.refusal && decision.required() && decision.authenticates());
    EQ(decision.level, TlsLevel::Verify);
    EQ(decision.target.check, TlsCheck::Names);
    THAT(decision.target.names == Names{"mail.example.net"});
    EQ(decision.target.strict, true);
    EQ(decision.target.protocols, ">=TLSv1.2");
    EQ(decision.why, "smtp_tls_security_level, REQUIRETLS");

    // No MX was asked for: the name is the administrator's.
    Site fixed("smtp_tls_security_level = none\n");
    fixed.host.by_mx = false;
    EQ(fixed.decide(TlsWish::Verified).level, TlsLevel::Verify);

    // MTA-STS says which hosts there are, also when it is only being tested.
    for (StsMode mode : {StsMode::Enforce, StsMode::Testing}) {
        Site sts("smtp_tls_security_level = dane\n");
        sts.publish(mode);
        decision = sts.decide(TlsWish::Verified);
        THAT(!decision.refusal && !decision.testing);
        EQ(decision.level, TlsLevel::Secure);
        sts.publish(mode, "other.example.net");
        EQ(sts.decide(TlsWish::Verified).refusal->dsn, "5.7.10");
    }

    // DANE is good as it is; what cannot be looked up may be known later.
    Site dane("smtp_tls_security_level = dane\n");
    dane.sign();
    decision = dane.decide(TlsWish::Verified);
    EQ(decision.level, TlsLevel::Dane);
    EQ(decision.target.check, TlsCheck::Dane);
    dane.sign({.status = TlsaAnswer::Status::Failed, .secure = false, .records = {}, .text = "SERVFAIL"});
    EQ(dane.decide(TlsWish::Verified).refusal->dsn, "4.7.5");

    // Encryption may be enough.
    Site lax("smtp_tls_security_level = may\n");
    decision = lax.decide(TlsWish::Encrypted);
    THAT(!decision.refusal && decision.required());
    EQ(decision.level, TlsLevel::Encrypt);
    EQ(decision.target.check, TlsCheck::None);
    Site secure("smtp_tls_security_level = secure\n");
    EQ(secure.decide(TlsWish::Encrypted).level, TlsLevel::Secure);
}
END_TEST

TEST(tls_required_no_passes_over_what_the_domain_publishes)
{
    using trust::TlsWish;
    Site dane("smtp_tls_security_level = dane\n");
    dane.sign();
    auto decision = dane.decide(TlsWish::Optional);
    EQ(decision.level, TlsLevel::May);
    EQ(decision.target.check, TlsCheck::None);
    THAT(dane.asked.empty());
    Site sts("smtp_tls_security_level = may\n");
    sts.publish(StsMode::Enforce, "other.example.net");
    decision = sts.decide(TlsWish::Optional);
    THAT(!decision.refusal && !decision.mandatory());
    // What our own rules ask for holds.
    Site only("smtp_tls_security_level = dane-only\n");
    EQ(only.decide(TlsWish::Optional).level, TlsLevel::Encrypt);
    Site encrypt("smtp_tls_security_level = encrypt\n");
    EQ(encrypt.decide(TlsWish::Optional).level, TlsLevel::Encrypt);
    Site secure("smtp_tls_security_level = secure\n");
    EQ(secure.decide(TlsWish::Optional).level, TlsLevel::Secure);
}
END_TEST

}  // namespace

SUITE(tls_policy, requiretls_wants_a_host_that_is_proved_and_a_certificate_of_its_own,
      tls_required_no_passes_over_what_the_domain_publishes, levels_of_the_parameter, a_table_has_the_last_word,
      dane_where_all_is_validated, dane_asks_where_aliases_lead_and_then_at_the_alias,
      without_dnssec_dane_is_may_and_dane_only_waits, a_tlsa_lookup_that_fails_defers, unusable_records_mean_encryption,
      an_mx_record_that_is_not_secure_has_a_parameter, mta_sts_where_dane_does_not_apply,
      trust_anchors_are_those_of_the_table_or_of_the_parameter, mta_sts_is_not_asked_for_elsewhere,
      wrappermode_needs_mandatory_tls, mistakes_in_parameters_are_told)
