#include "smtp/credentials.h"

#include "libmail/address.h"
#include "librouting/keys.h"
#include "libutil/sys.h"

#include <algorithm>

namespace smtp {

namespace {

// Before the path of a file whose first line is a bearer token.
constexpr std::string_view token_prefix = "oauth:";

constexpr std::string_view option_names[] = {"noplaintext", "noactive", "nodictionary", "noanonymous", "mutual_auth"};

bool has(const std::vector<std::string>& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

}  // namespace

util::Result<void> check_security_options(const std::vector<std::string>& words)
{
    for (const std::string& word : words)
        if (std::ranges::find(option_names, word) == std::end(option_names))
            return util::invalid(util::concat(util::printable(word, 50),
                                              " is none of noplaintext, noactive, nodictionary, noanonymous, mutual_auth"));
    return {};
}

bool permitted(const mail::SaslMechanism& mechanism, const std::vector<std::string>& options)
{
    if (mechanism.plaintext && has(options, "noplaintext"))
        return false;
    // Whoever listens can try passwords against what he heard.
    if (!mechanism.plaintext && !mechanism.binding && has(options, "nodictionary"))
        return false;
    if (!mechanism.active && has(options, "noactive"))
        return false;
    return mechanism.mutual || !has(options, "mutual_auth");
}

util::Result<std::unique_ptr<Credentials>> Credentials::open(const Config& config, std::string recipient_delimiter)
{
    std::unique_ptr<Credentials> credentials(new Credentials(config, std::move(recipient_delimiter)));
    auto tables = conf::Tables::open(*config.sasl_password_maps);
    if (!tables)
        return tables.take_error().in(config.sasl_password_maps.name());
    credentials->passwords_ = tables.take();
    auto filter = conf::Domains::parse(*config.sasl_mechanism_filter);
    if (!filter)
        return filter.take_error().in(config.sasl_mechanism_filter.name());
    credentials->filter_ = filter.take();
    return credentials;
}

util::Result<conf::Answer> Credentials::look_up(std::string_view nexthop, const Host& host, std::string_view sender)
{
    if (*config_.sender_dependent_authentication) {
        if (auto address = mail::parse_address(sender); address && !address->is_null()) {
            auto found = TRY(passwords_.lookup(routing::sender_keys(*address, delimiter_)));
            if (found)
                return conf::Answer(std::move(found->value));
        }
    }
    auto by_host = TRY(passwords_.lookup(host.name));
    return by_host ? std::move(by_host) : passwords_.lookup(nexthop);
}

util::Result<std::optional<mail::SaslCredentials>> Credentials::find(std::string_view nexthop, const Host& host,
                                                                     std::string_view sender)
{
    std::optional<mail::SaslCredentials> none;
    if (!*config_.sasl_auth_enable || passwords_.empty())
        return none;
    auto entry = TRY(look_up(nexthop, host, sender));
    if (!entry || entry->empty())
        return none;
    auto [user, secret] = util::split_first(util::trim(*entry), ':');
    mail::SaslCredentials credentials;
    credentials.user = user;
    credentials.host = host.name;
    credentials.port = host.port;
    if (secret.starts_with(token_prefix)) {
        std::string text = TRY(util::sys::read_file(std::string(secret.substr(token_prefix.size())), max_token_file));
        credentials.secret = util::trim(util::split_first(text, '\n').first);
        credentials.is_token = true;
    } else {
        credentials.secret = secret;
    }
    return std::optional(std::move(credentials));
}

const conf::Words& Credentials::options_for(ChannelSafety safety) const
{
    return safety == ChannelSafety::Plain       ? config_.sasl_security_options
           : safety == ChannelSafety::Encrypted ? config_.sasl_tls_security_options
                                                : config_.sasl_tls_verified_security_options;
}

util::Result<std::vector<std::string>> Credentials::choose(const std::vector<std::string>& offered, ChannelSafety safety,
                                                           bool token)
{
    std::vector<std::string> usable;
    for (const mail::SaslMechanism& mechanism : mail::sasl_client_mechanisms()) {
        bool fits = mechanism.token == token && has(offered, mechanism.name) && permitted(mechanism, *options_for(safety)) &&
                    (!mechanism.binding || safety != ChannelSafety::Plain);
        if (fits && !filter_.empty())
            fits = TRY(filter_.contains(util::lower(mechanism.name)));
        if (fits)
            usable.emplace_back(mechanism.name);
    }
    return usable;
}

}  // namespace smtp
