// TlsSessions: what a client keeps of its TLS sessions, so that a later connection to the same server under the same
// rules can resume one (RFC 8446 §2.2, RFC 5077): without certificates, and with the same outcome of their check.
//
// In memory only.  The key is the caller's peer with all of the rules (session_key), so that no session ever
// serves where another check is asked for.  A session whose check failed is not kept, and one
// whose connection broke off without its end is not resumed.
#pragma once

#include "libnet/tls_client.h"
#include "libnet/tls_internal.h"
#include "libutil/time.h"

#include <map>
#include <optional>

namespace net {

class TlsSessions {
public:
    // At most so many sessions, for so long since the server's certificate was checked, and no longer than that holds.
    TlsSessions(std::size_t most, util::Duration lifetime) : most_(most), lifetime_(lifetime) {}

    struct Resumable {
        detail::SslSession session;
        TlsPeerFacts facts;        // of the handshake that began it
        util::Instant checked{};   // when that was
    };
    // Takes it out: a ticket is good for one connection (RFC 8446 §C.4), and brings another.
    std::optional<Resumable> take(const std::string& key, util::Instant now);

    // What the server gives to resume by: before or after note(), which the session waits for.
    void put(const std::string& key, detail::SslSession session, util::Instant now);
    // What came of a handshake, or of the one before it that has `checked` the certificate.
    void note(const std::string& key, const TlsPeerFacts& facts, util::Instant checked, util::Instant now);
    void drop(const std::string& key) { entries_.erase(key); }
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        detail::SslSession session;
        std::optional<TlsPeerFacts> facts;
        util::Instant checked{};
    };
    Entry& entry(const std::string& key, util::Instant now);

    std::size_t most_;
    util::Duration lifetime_;
    std::map<std::string, Entry> entries_;
};

// Empty: the target names no peer.
std::string session_key(const TlsTarget& target);

}  // namespace net
