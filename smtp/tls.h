// Tls: which protection a connection to a server must have, and the means for it.
//
// The rules are trust::TlsPolicy's; here they meet the hosts that smtp(8) has found.
#pragma once

#include "libtrust/tls_results.h"
#include "smtp/site/tls_host.h"

#include <memory>

namespace smtp {

class Tls {
public:
    // `files` are what trust::read_tls_files() has read.  Invalid: a table's name.
    static util::Result<std::unique_ptr<Tls>> open(const trust::TlsConfig& config, net::TlsClientSettings files,
                                                   trust::TlsLookups lookups);

    // A Unix socket needs no protection, and has none.
    trust::TlsDecision decide(const Destination& destination, const Host& host, trust::TlsWish wish = trust::TlsWish::None);
    // Made when the first connection needs it: reading a system's list of authorities takes milliseconds.
    util::Result<const net::TlsContext*> context();
    // For reports: what became of a session, as far as smtp_tlsrpt_enable says so.
    void note(const trust::TlsSession& session);
    // Where results go.
    using Send = std::function<void(std::vector<ipc::TlsResult> results)>;
    void send_results_to(Send send) { send_ = std::move(send); }
    // Sends what was noted, if it is time; or all.
    void flush(bool all);
    const trust::TlsConfig& config() const { return policy_.config(); }

private:
    Tls(trust::TlsPolicy policy, net::TlsClientSettings files, trust::TlsLookups lookups)
        : policy_(std::move(policy)), files_(std::move(files)), lookups_(std::move(lookups)) {}

    trust::TlsPolicy policy_;
    net::TlsClientSettings files_;
    trust::TlsLookups lookups_;
    std::optional<net::TlsContext> context_;
    trust::TlsResultCounter results_;
    Send send_;
};

}  // namespace smtp
