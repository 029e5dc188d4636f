// What the administrator wants of TLS with one destination: an entry of smtp_tls_policy_maps, or none.
#pragma once

#include "libtrust/tls_config.h"

#include <optional>

namespace trust {

struct TlsSite {
    TlsLevel level = TlsLevel::None;
    bool from_table = false;
    std::string key;  // of the entry
    // Attributes; those that are not there are the parameters'.
    std::vector<std::string> match;
    std::optional<std::string> protocols;
    std::optional<CipherGrade> ciphers;
    std::vector<std::string> exclude;
    std::optional<std::string> servername;
    std::optional<bool> connection_reuse;
    std::vector<std::string> anchor_files;
};

constexpr std::size_t max_tls_entry = 10'000;  // bytes
constexpr std::size_t max_tls_match = 100;     // names or fingerprints
constexpr std::size_t max_anchor_files = 10;

// One of OpenSSL's names, without an operator that would change the list around it.
bool is_cipher_name(std::string_view text);

// "secure match=example.com:.example.com protocols=>=TLSv1.2".  Invalid: what is wrong with it.
util::Result<TlsSite> parse_tls_entry(std::string_view text);

// The keys that are looked up for a nexthop, in their order: itself in lower case and, if it is a plain name, its
// parent domains with a dot in front.
std::vector<std::string> tls_policy_keys(std::string_view nexthop);

}  // namespace trust
