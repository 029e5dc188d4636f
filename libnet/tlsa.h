// TLSA records (RFC 6698), as far as they say something of a certificate.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace net {

struct TlsaRecord {
    std::uint8_t usage = 0;     // 2: DANE-TA, an authority's; 3: DANE-EE, the server's own
    std::uint8_t selector = 0;  // 0: the certificate, 1: its public key
    std::uint8_t matching = 0;  // 0: itself, 1: its SHA-256, 2: its SHA-512
    std::string data;           // bytes

    bool operator==(const TlsaRecord&) const = default;
};

// Whether SMTP can use it: usage 2 or 3 (RFC 7672 §3.1.3), a known selector and matching type, data of the right
// length, or that is a certificate or key.  A host all of whose records are unusable gets encryption without
// authentication (RFC 7672 §2.2).
bool is_usable(const TlsaRecord& record);
bool any_usable(const std::vector<TlsaRecord>& records);

constexpr std::size_t max_trust_anchors = 100;  // of one text

// The certificates and public keys of a text in PEM, as records that trust their keys: usage 2, each whole.  That a certificate
// among them has expired does not matter then.  Invalid: it has none, or too many, or is broken.
util::Result<std::vector<TlsaRecord>> trust_anchors(std::string_view pem);

// "3 1 1 8cb0fc6c..": at most `bytes` bytes of data.
std::string to_text(const TlsaRecord& record, std::size_t bytes = 64);

}  // namespace net
