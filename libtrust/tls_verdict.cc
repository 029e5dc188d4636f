// TLS policy: what came of a connection, and what follows from that.
#include "libtrust/tls_policy.h"

namespace trust {

std::string log_name(const TlsHost& host)
{
    return util::concat(host.name, '[', host.address, "]:", host.port);
}

std::optional<TlsRefusal> in_clear(const TlsDecision& decision, TlsTrouble trouble, const TlsHost& host,
                                   std::string_view text, const TlsCircumstances& circumstances)
{
    std::string shown = util::printable(text, 500);
    bool allowed = !decision.mandatory() && !decision.wrappermode;
    bool for_good = decision.required() && !circumstances.for_now;
    switch (trouble) {
    case TlsTrouble::NotOffered:
        if (allowed)
            return {};
        return TlsRefusal{for_good ? "5.7.10" : "4.7.4",
                          util::concat("TLS is required, but was not offered by host ", host.name, '[', host.address, ']')};
    case TlsTrouble::Refused:
        if (allowed && !circumstances.credentials)
            return {};
        return TlsRefusal{for_good ? "5.7.10" : "4.7.4", util::concat("TLS is required, but host ", host.name, '[',
                                                                      host.address, "] refused to start TLS: ", shown)};
    case TlsTrouble::Handshake:
        break;
    }
    if (allowed && !circumstances.credentials && circumstances.age >= clear_retry_age)
        return {};
    return TlsRefusal{for_good ? "5.7.10" : "4.7.5",
                      util::concat("Cannot start TLS: handshake failure", shown.empty() ? "" : ": ", shown)};
}

std::optional<TlsRefusal> judge(const TlsDecision& decision, const net::TlsPeerFacts& facts)
{
    if (!decision.authenticates() || decision.testing || facts.status == net::PeerStatus::Verified)
        return {};
    // Trusted, but not whom we look for; or, by fingerprints, somebody unknown.
    bool known = facts.status == net::PeerStatus::Trusted || decision.level == TlsLevel::Fingerprint;
    return TlsRefusal{decision.required() ? "5.7.10" : "4.7.5",
                      util::concat("Server certificate not ", known ? "verified" : "trusted",
                                           facts.failure_text.empty() ? "" : ": ", util::printable(facts.failure_text, 1000))};
}

std::string connection_line(const TlsHost& host, const net::TlsPeerFacts& facts)
{
    return util::concat(net::name_of(facts.status), " TLS connection established to ", log_name(host), ": ", facts.summary());
}

std::string protection(const TlsDecision& decision, const net::TlsPeerFacts* facts, std::string_view text)
{
    std::string line = util::concat(name_of(decision.level), " (", decision.why, "): ");
    if (!facts) {
        util::append(line, "in clear", text.empty() ? "" : ", ", util::printable(text, 500));
        return line;
    }
    if (facts->status == net::PeerStatus::Verified)
        util::append(line, "verified by ", util::printable(facts->matched, 300));
    else
        util::append(line, "encrypted, not authenticated",
                     facts->failure_text.empty() ? "" : util::concat(" (", util::printable(facts->failure_text, 500), ')'));
    return line;
}

}  // namespace trust
