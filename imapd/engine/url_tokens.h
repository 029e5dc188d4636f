// URLAUTH's mechanism INTERNAL (RFC 4467 §2.4.1): keys of mailboxes, and the tokens they make.
//
// A key is an annotation of its mailbox, which follows it when it is renamed and ends with it; there is none before a
// URL is wanted.  Only the owner of the mailboxes has keys to them.
#pragma once

#include "libstore/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imapd::engine {

// The annotation that holds it; no client can name it.
constexpr std::string_view url_key_annotation = "urlauth";
constexpr std::string_view url_mechanism = "INTERNAL";
constexpr std::size_t url_token_size = 66;

// Whoever knows the secret can make tokens: it leaves the store for nobody.
struct UrlKey {
    std::uint32_t uid_validity = 0;   // of the mailbox, when it was made: with another one UIDs mean other messages
    std::string secret;
};

UrlKey make_url_key(std::uint32_t uid_validity);
// The annotation's value, and back; nothing when that is no key.
std::string url_key_text(const UrlKey& key);
std::optional<UrlKey> read_url_key(std::string_view text);
// Of a mailbox, if it has one.
std::optional<UrlKey> url_key_of(const store::Annotations& annotations);

// Hexadecimal digits, the first two of which say how the others were made.  `rump`: the URL up to the mechanism.
std::string url_token(const UrlKey& key, std::string_view rump);
// In a time that tells nothing of how much of it is right.
bool is_url_token(std::string_view token, const UrlKey& key, std::string_view rump);

}  // namespace imapd::engine
