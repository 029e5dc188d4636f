// URLAUTH's mechanism INTERNAL.
#include "imapd/engine/url_tokens.h"

#include "libutil/random.h"
#include "libutil/sha256.h"
#include "libutil/text.h"

namespace imapd::engine {

namespace {

constexpr std::size_t url_key_size = 32;         // RFC 4467 §2.2: at least 16
// HMAC with SHA-256 over the rump.  Whoever makes tokens in another way gives it another number.
constexpr std::string_view token_form = "01";
static_assert(url_token_size == token_form.size() + 2 * util::sha256_size);

}  // namespace

UrlKey make_url_key(std::uint32_t uid_validity)
{
    return {.uid_validity = uid_validity, .secret = util::random_string(url_key_size)};
}

std::string url_key_text(const UrlKey& key)
{
    return util::concat(key.uid_validity, " ", util::hex(key.secret));
}

std::optional<UrlKey> read_url_key(std::string_view text)
{
    auto [validity, digits] = util::split_first(text, ' ');
    auto number = util::parse_unsigned(validity, UINT32_MAX);
    auto secret = util::unhex(digits);
    if (!number.ok() || !secret.ok() || secret->size() != url_key_size)
        return std::nullopt;
    return UrlKey{.uid_validity = std::uint32_t(*number), .secret = secret.take()};
}

std::optional<UrlKey> url_key_of(const store::Annotations& annotations)
{
    auto found = annotations.find(url_key_annotation);
    return found == annotations.end() ? std::nullopt : read_url_key(found->second.value);
}

std::string url_token(const UrlKey& key, std::string_view rump)
{
    return util::concat(token_form, util::hex(util::hmac_sha256(key.secret, rump)));
}

bool is_url_token(std::string_view token, const UrlKey& key, std::string_view rump)
{
    return util::equal_constant_time(util::lower(token), url_token(key, rump));
}

}  // namespace imapd::engine
