#include "libtrust/tls_results.h"
#include "tests/unit/suite.h"

namespace {

using trust::PolicySource;
using trust::TlsLevel;
using trust::TlsTrouble;

struct Session {
    std::string word()
    {
        auto result = trust::tls_result(
            {.decision = decision, .host = host, .facts = facts ? &*facts : nullptr, .trouble = trouble, .text = "why"});
        return result ? util::concat(result->policy_type, ' ', result->result_type) : "";
    }

    trust::TlsDecision decision{.level = TlsLevel::May};
    trust::TlsHost host{.name = "mail.example.net", .address = "192.0.2.1"};
    std::optional<net::TlsPeerFacts> facts;
    std::optional<TlsTrouble> trouble;
};

TEST(tells_what_became_of_a_session)
{
    Session clear;
    clear.decision.level = TlsLevel::None;
    EQ(clear.word(), "");
    Session may;
    may.facts.emplace();
    may.facts->failure = net::TlsFailure::NotTrusted;
    EQ(may.word(), "no-policy-found success");  // nothing was promised
    may.trouble = TlsTrouble::NotOffered;
    EQ(may.word(), "no-policy-found starttls-not-supported");
    may.trouble = TlsTrouble::Refused;
    EQ(may.word(), "no-policy-found starttls-not-supported");
    may.trouble = TlsTrouble::Handshake;
    EQ(may.word(), "no-policy-found validation-failure");

    struct Case {
        net::TlsFailure failure;
        const char* word;
    };
    for (const Case& c : {Case{net::TlsFailure::None, "success"},
                          {net::TlsFailure::Expired, "certificate-expired"},
                          {net::TlsFailure::NameMismatch, "certificate-host-mismatch"},
                          {net::TlsFailure::NotTrusted, "certificate-not-trusted"},
                          {net::TlsFailure::TlsaMismatch, "certificate-not-trusted"},
                          {net::TlsFailure::Other, "validation-failure"}}) {
        Session sts;
        sts.decision.level = TlsLevel::Secure;
        sts.decision.source = PolicySource::Sts;
        sts.decision.sts = {.mode = trust::StsMode::Testing, .max_age = 1, .mx = {"a.example"}};
        sts.facts.emplace();
        sts.facts->failure = c.failure;
        EQ(sts.word(), util::concat("sts ", c.word));
    }
    Session dane;
    dane.decision.level = TlsLevel::Encrypt;
    dane.decision.source = PolicySource::Tlsa;
    dane.decision.tlsa = {{1, 1, 1, std::string(32, 'x')}};
    dane.facts.emplace();
    EQ(dane.word(), "tlsa tlsa-invalid");
    dane.decision.refusal = trust::TlsRefusal{"4.7.5", "no"};
    EQ(dane.word(), "tlsa validation-failure");
}
END_TEST

TEST(tells_the_policy)
{
    Session session;
    session.decision.source = PolicySource::Sts;
    session.decision.policy_domain = "example.com";
    session.decision.sts = {.mode = trust::StsMode::Enforce, .max_age = 1, .mx = {"a.example", "*.b.example"}};
    session.facts.emplace();
    auto result = trust::tls_result(
        {.decision = session.decision, .host = session.host, .facts = &*session.facts, .sending_ip = "192.0.2.9"});
    EQ(result->policy_domain, "example.com");
    THAT(result->policy_strings ==
         std::vector<std::string>({"version: STSv1", "mode: enforce", "max_age: 1", "mx: a.example", "mx: *.b.example"}));
    THAT(result->mx_hosts == std::vector<std::string>({"a.example", "*.b.example"}));
    EQ(result->receiving_mx, "mail.example.net");
    EQ(result->receiving_ip, "192.0.2.1");
    EQ(result->sending_ip, "192.0.2.9");
    session.decision.sts.mx.assign(1000, "a.example");
    result = trust::tls_result({.decision = session.decision, .host = session.host, .facts = &*session.facts});
    EQ(result->mx_hosts.size(), 20);
    EQ(result->policy_strings.size(), 20);
}
END_TEST

TEST(counts_equal_results)
{
    trust::TlsResultCounter counter;
    util::Instant start{};
    ipc::TlsResult result;
    for (int i = 0; i < 5; ++i)
        counter.add(result, start);
    result.text = "other";
    counter.add(result, start);
    THAT(!counter.due(start));
    THAT(counter.due(start + trust::TlsResultCounter::max_age));
    auto taken = counter.take();
    EQ(taken.size(), 2);
    EQ(taken[0].count, 5);
    EQ(taken[1].count, 1);
    THAT(!counter.due(start + trust::TlsResultCounter::max_age));
    for (std::size_t i = 0; i < trust::TlsResultCounter::max_kinds; ++i) {
        THAT(!counter.due(start));
        result.text = std::to_string(i);
        counter.add(result, start);
    }
    THAT(counter.due(start));
}
END_TEST

TEST(knows_who_wants_reports)
{
    auto wants = [](std::vector<std::string> records) { return trust::wants_tls_reports(records); };
    THAT(wants({"v=TLSRPTv1; rua=mailto:a@example.com"}));
    THAT(wants({"other", "v=TLSRPTv1;rua=https://example.com/"}));
    THAT(!wants({}));
    THAT(!wants({"v=TLSRPTv2; rua=mailto:a@example.com"}));
    THAT(!wants({"v=TLSRPTv1; rua=mailto:a@example.com", "v=TLSRPTv1; rua=mailto:b@example.com"}));
}
END_TEST

}  // namespace

SUITE(tls_results, tells_what_became_of_a_session, tells_the_policy, counts_equal_results, knows_who_wants_reports)
