// Results of TLS for reports to domains.
#include "libtrust/tls_results.h"

#include <algorithm>

namespace trust {

namespace {

constexpr std::size_t max_text = 200;            // bytes of a failure's text
constexpr std::size_t max_policy_strings = 20;   // records, or lines of a policy

// RFC 8460 §4.3.1.
std::string_view word_of(net::TlsFailure failure)
{
    switch (failure) {
    case net::TlsFailure::None:
        return "success";
    case net::TlsFailure::Expired:
        return "certificate-expired";
    case net::TlsFailure::NameMismatch:
        return "certificate-host-mismatch";
    case net::TlsFailure::NotTrusted:
    case net::TlsFailure::TlsaMismatch:
    case net::TlsFailure::NoCertificate:
        return "certificate-not-trusted";
    case net::TlsFailure::FingerprintMismatch:
    case net::TlsFailure::Revoked:
    case net::TlsFailure::Other:
        break;
    }
    return "validation-failure";
}

void set_policy(ipc::TlsResult& result, const TlsDecision& decision)
{
    switch (decision.source) {
    case PolicySource::Local:
        result.policy_type = "no-policy-found";
        break;
    case PolicySource::Tlsa:
        result.policy_type = "tlsa";
        for (const net::TlsaRecord& record : decision.tlsa)
            if (result.policy_strings.size() < max_policy_strings)
                result.policy_strings.push_back(net::to_text(record));
        break;
    case PolicySource::Sts: {
        result.policy_type = "sts";
        std::string text = to_text(decision.sts);
        for (std::string_view line : util::split_words(text, "\n"))
            if (result.policy_strings.size() < max_policy_strings)
                result.policy_strings.emplace_back(line);
        for (const std::string& mx : decision.sts.mx)
            if (result.mx_hosts.size() < max_policy_strings)
                result.mx_hosts.push_back(mx);
        break;
    }
    }
}

bool same_kind(const ipc::TlsResult& a, ipc::TlsResult b)
{
    b.count = a.count;
    return a == b;
}

}  // namespace

std::optional<ipc::TlsResult> tls_result(const TlsSession& session)
{
    const TlsDecision& decision = session.decision;
    if (!decision.refusal && !decision.encrypts() && !session.trouble)
        return {};
    ipc::TlsResult result;
    set_policy(result, decision);
    result.policy_domain = decision.policy_domain;
    result.sending_ip = session.sending_ip;
    result.receiving_mx = session.host.name;
    result.receiving_ip = session.host.address;
    bool unusable = decision.source == PolicySource::Tlsa && !net::any_usable(decision.tlsa);
    std::string text = session.text;
    if (decision.refusal) {
        result.result_type = "validation-failure";
        text = decision.refusal->text;
    } else if (session.trouble == TlsTrouble::NotOffered || session.trouble == TlsTrouble::Refused) {
        result.result_type = "starttls-not-supported";
    } else if (session.trouble) {
        result.result_type = "validation-failure";
    } else if (unusable) {
        result.result_type = "tlsa-invalid";
    } else if (session.facts && decision.source != PolicySource::Local) {
        result.result_type = word_of(session.facts->failure);
        text = session.facts->failure_text;
    } else {
        result.result_type = "success";
    }
    if (result.result_type != "success")
        result.text = util::printable(text, max_text);
    return result;
}

bool wants_tls_reports(std::span<const std::string> records)
{
    // RFC 8460 §3: of several none counts.
    auto counts = std::ranges::count_if(records, [](std::string_view record) { return record.starts_with("v=TLSRPTv1;"); });
    return counts == 1;
}

void TlsResultCounter::add(ipc::TlsResult result, util::Instant now)
{
    for (ipc::TlsResult& known : results_) {
        if (same_kind(known, result)) {
            known.count += result.count;
            return;
        }
    }
    if (results_.empty())
        oldest_ = now;
    results_.push_back(std::move(result));
}

}  // namespace trust
