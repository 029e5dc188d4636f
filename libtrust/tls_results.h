// Results of TLS for reports to domains (TLS-RPT, RFC 8460): what became of each session, and how often.
#pragma once

#include "libipc/sts.h"
#include "libtrust/tls_policy.h"

#include <optional>

namespace trust {

// What is known of a session that has come as far as TLS, or was not begun for its policy.
struct TlsSession {
    const TlsDecision& decision;
    const TlsHost& host;
    const net::TlsPeerFacts* facts = nullptr;   // of a handshake that was good
    std::optional<TlsTrouble> trouble;
    std::string text;                           // of a trouble
    std::string sending_ip;
};

// Nothing where there was no TLS to speak of: level none by our own will.
std::optional<ipc::TlsResult> tls_result(const TlsSession& session);

// "v=TLSRPTv1; rua=..." (RFC 8460 §3): does the domain want reports?
bool wants_tls_reports(std::span<const std::string> records);

// Counts results until there is somebody to give them to.
class TlsResultCounter {
public:
    static constexpr std::size_t max_kinds = 20;                       // then they must go
    static constexpr util::Duration max_age = std::chrono::seconds(60);  // of the oldest

    void add(ipc::TlsResult result, util::Instant now);
    bool due(util::Instant now) const
    {
        return results_.size() >= max_kinds || (!results_.empty() && now - oldest_ >= max_age);
    }
    std::vector<ipc::TlsResult> take() { return std::exchange(results_, {}); }

private:
    std::vector<ipc::TlsResult> results_;
    util::Instant oldest_{};
};

}  // namespace trust
