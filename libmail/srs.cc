// Srs.
#include "libmail/srs.h"

#include "libnet/digest.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

constexpr std::string_view separators = "=-+";
constexpr std::size_t tag_length = 4;   // "SRS0"
constexpr std::int64_t day_seconds = 86'400;
constexpr unsigned cycle = max_srs_days + 1;
constexpr std::string_view base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool has_tag(std::string_view local_part, char digit)
{
    return local_part.size() > tag_length && util::equal_nocase(local_part.substr(0, 3), "SRS") && local_part[3] == digit &&
           separators.find(local_part[tag_length]) != std::string_view::npos;
}

unsigned day_of(std::int64_t unix_seconds) { return static_cast<unsigned>((unix_seconds / day_seconds) % cycle); }

std::string stamp_of(unsigned day) { return {base32[day / 32], base32[day % 32]}; }

std::optional<unsigned> day_of_stamp(std::string_view stamp)
{
    if (stamp.size() != 2)
        return {};
    std::string upper = util::upper(stamp);
    std::size_t high = base32.find(upper[0]), low = base32.find(upper[1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
        return {};
    return static_cast<unsigned>(high * 32 + low);
}

std::string hash_of(std::string_view secret, std::string_view text)
{
    return util::encode_base64(net::hmac(net::Digest::Sha1, secret, util::lower(text)));
}

// The two parts of "first=second", neither of them empty.
std::optional<std::pair<std::string_view, std::string_view>> cut(std::string_view text)
{
    std::size_t at = text.find('=');
    if (at == std::string_view::npos || at == 0 || at + 1 == text.size())
        return {};
    return std::pair(text.substr(0, at), text.substr(at + 1));
}

// What another forwarder's SRS1 address is about: the first forwarder, and what that one had made, behind "SRS0".
std::optional<std::pair<std::string_view, std::string_view>> first_forwarder(std::string_view local_part)
{
    auto hash = cut(local_part.substr(tag_length + 1));
    auto parts = hash ? cut(hash->second) : std::nullopt;
    if (!parts || !parse_domain(parts->first) || separators.find(parts->second.front()) == std::string_view::npos)
        return {};
    return parts;
}

util::Error refusal(std::string_view text) { return {util::Kind::Invalid, util::concat("SRS address: ", text)}; }

}  // namespace

util::Result<std::vector<std::string>> parse_srs_secrets(std::string_view text)
{
    std::vector<std::string> secrets;
    for (std::string_view line : util::split(text, '\n')) {
        while (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.empty())
            continue;
        if (line.size() > max_srs_secret_length)
            return util::invalid(util::concat("a secret is longer than ", max_srs_secret_length, " bytes"));
        if (secrets.size() == max_srs_secrets)
            return util::invalid(util::concat("more than ", max_srs_secrets, " secrets"));
        secrets.emplace_back(line);
    }
    if (secrets.empty())
        return util::invalid("no secret");
    return secrets;
}

bool has_srs_form(std::string_view local_part) { return has_tag(local_part, '0') || has_tag(local_part, '1'); }

std::optional<Address> Srs::forward(const Address& sender, std::int64_t unix_seconds) const
{
    if (sender.local_part.empty() || sender.domain.empty() || settings_.secrets.empty())
        return {};
    std::string_view local = sender.local_part;
    std::string_view domain = sender.domain;
    std::string stamp, tag = "SRS1=";
    std::string_view rest;
    if (auto first = has_tag(local, '1') ? first_forwarder(local) : std::nullopt) {
        domain = first->first;
        rest = first->second;
    } else if (has_tag(local, '0')) {
        rest = local.substr(tag_length);
    } else {
        tag = "SRS0=";
        stamp = stamp_of(day_of(unix_seconds));
        rest = local;
    }
    std::string hash = hash_of(settings_.secrets.front(), util::concat(stamp, domain, rest)).substr(0, settings_.hash_length);
    Address result{util::concat(tag, hash, '=', stamp, stamp.empty() ? "" : "=", domain, '=', rest), settings_.domain};
    if (result.local_part.size() > max_local_part_length)
        return {};
    return result;
}

// All secrets are tried, and all of the hash is compared, so that time tells nothing.
bool Srs::is_signed(std::string_view hash, std::string_view text) const
{
    if (hash.size() < settings_.hash_minimum || hash.size() > max_srs_hash_length)
        return false;
    std::string given = util::lower(hash);
    bool good = false;
    for (const std::string& secret : settings_.secrets) {
        std::string wanted = util::lower(hash_of(secret, text));
        unsigned char difference = 0;
        for (std::size_t i = 0; i < given.size(); ++i)
            difference = static_cast<unsigned char>(difference | (given[i] ^ wanted[i]));
        good |= difference == 0;
    }
    return good;
}

util::Result<Address> Srs::reverse_first(std::string_view text, std::int64_t unix_seconds) const
{
    auto hash = cut(text);
    auto stamp = hash ? cut(hash->second) : std::nullopt;
    auto parts = stamp ? cut(stamp->second) : std::nullopt;
    if (!parts)
        return refusal("not complete");
    if (!is_signed(hash->first, util::concat(stamp->first, parts->first, parts->second)))
        return refusal("its hash is not ours");
    auto made = day_of_stamp(stamp->first);
    unsigned age = made ? (day_of(unix_seconds) + cycle - *made) % cycle : cycle;
    if (age > settings_.days)
        return refusal("it has expired");
    return Address{std::string(parts->second), TRY(parse_domain(parts->first))};
}

// It has no time stamp of ours: the first forwarder's is within.
util::Result<Address> Srs::reverse_second(std::string_view text) const
{
    auto hash = cut(text);
    auto parts = hash ? cut(hash->second) : std::nullopt;
    if (!parts)
        return refusal("not complete");
    if (!is_signed(hash->first, util::concat(parts->first, parts->second)))
        return refusal("its hash is not ours");
    return Address{util::concat("SRS0", parts->second), TRY(parse_domain(parts->first))};
}

util::Result<Address> Srs::reverse(const Address& address, std::int64_t unix_seconds) const
{
    if (address.domain != settings_.domain || !has_srs_form(address.local_part))
        return refusal("not of ours");
    std::string_view text = std::string_view(address.local_part).substr(tag_length + 1);
    return has_tag(address.local_part, '0') ? reverse_first(text, unix_seconds) : reverse_second(text);
}

}  // namespace mail
