// Whom smtp(8) logs in as with which server: smtp_sasl_password_maps, and the rules for mechanisms.
#pragma once

#include "libconf/match_list.h"
#include "libconf/table.h"
#include "libmail/sasl_client.h"
#include "smtp/config.h"
#include "smtp/site/host.h"

#include <functional>
#include <memory>

namespace smtp {

// How safe the connection is: which of the three parameters of security options counts.
enum class ChannelSafety : std::uint8_t { Plain, Encrypted, Verified };

class Credentials {
public:
    static constexpr std::size_t max_token_file = 16 * 1024;   // bytes

    // Invalid: a table or list is wrong; the text names the parameter.
    static util::Result<std::unique_ptr<Credentials>> open(const Config& config, std::string recipient_delimiter);

    // By sender, if smtp_sender_dependent_authentication says so, by the host's name, and by the nexthop as it
    // stands in the route.  Nothing: no login.  Temporary: a table, or the file with a token, cannot be read.
    util::Result<std::optional<mail::SaslCredentials>> find(std::string_view nexthop, const Host& host,
                                                            std::string_view sender);

    // Those of a server's mechanisms that may be used, the best first.
    util::Result<std::vector<std::string>> choose(const std::vector<std::string>& offered, ChannelSafety safety, bool token);

private:
    explicit Credentials(const Config& config, std::string delimiter) : config_(config), delimiter_(std::move(delimiter)) {}
    util::Result<conf::Answer> look_up(std::string_view nexthop, const Host& host, std::string_view sender);
    const conf::Words& options_for(ChannelSafety safety) const;

    const Config& config_;
    std::string delimiter_;
    conf::Tables passwords_;
    conf::Domains filter_;
};

// Words of the security options; Invalid: an unknown one.
util::Result<void> check_security_options(const std::vector<std::string>& words);
bool permitted(const mail::SaslMechanism& mechanism, const std::vector<std::string>& options);

}  // namespace smtp
