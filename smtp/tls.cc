#include "smtp/tls.h"

namespace smtp {

util::Result<std::unique_ptr<Tls>> Tls::open(const trust::TlsConfig& config, net::TlsClientSettings files,
                                             trust::TlsLookups lookups)
{
    auto policy = TRY(trust::TlsPolicy::open(config));
    return std::make_unique<Tls>(Tls(std::move(policy), std::move(files), std::move(lookups)));
}

trust::TlsDecision Tls::decide(const Destination& destination, const Host& host, trust::TlsWish wish)
{
    if (host.is_path) {
        trust::TlsDecision decision;
        decision.why = "a Unix socket";
        return decision;
    }
    trust::TlsDecision decision = policy_.decide(tls_host(host, destination), lookups_, wish);
    decision.target.peer = host.relay();
    return decision;
}

util::Result<const net::TlsContext*> Tls::context()
{
    if (!context_)
        context_ = TRY(net::TlsContext::client(files_));
    return &*context_;
}

void Tls::note(const trust::TlsSession& session)
{
    if (!send_ || !*config().tlsrpt_enable)
        return;
    auto result = trust::tls_result(session);
    if (result)
        results_.add(std::move(*result), util::now());
}

void Tls::flush(bool all)
{
    auto now = util::now();
    if (!send_ || (!all && !results_.due(now)))
        return;
    auto results = results_.take();
    if (!results.empty())
        send_(std::move(results));
}

}  // namespace smtp
