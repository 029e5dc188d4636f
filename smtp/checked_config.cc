#include "smtp/checked_config.h"

#include "libconf/network.h"
#include "smtp/credentials.h"
#include "smtp/site/destination.h"
#include "smtp/require_tls.h"

namespace smtp {

void CheckedConfig::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    Config::verify(settings, problems);
    auto complain = [&](const conf::Parameter& parameter, const util::Error& error) {
        const conf::Setting* setting = settings.find(parameter.name());
        problems.add(setting ? setting->file : "", setting ? setting->line : 0,
                     util::concat(parameter.name(), ": ", error.text));
    };
    auto port = parse_port(*tcp_port);
    if (!port.ok())
        complain(tcp_port, port.error());
    for (const std::string& word : *fallback_relay)
        if (auto destination = parse_destination(word, 25, lmtp()); !destination.ok())
            complain(fallback_relay, destination.error());
    for (const conf::Text* parameter : {&bind_address, &bind_address6}) {
        if ((*parameter)->empty())
            continue;
        auto address = conf::IpAddress::parse(**parameter);
        int wanted = parameter == &bind_address ? 4 : 16;
        if (!address.ok())
            complain(*parameter, address.error());
        else if (address->length != wanted)
            complain(*parameter, util::invalid("an address of the other family"));
    }
    for (const conf::Words* parameter :
         {&sasl_security_options, &sasl_tls_security_options, &sasl_tls_verified_security_options})
        if (auto good = check_security_options(**parameter); !good.ok())
            complain(*parameter, good.error());
    if (auto policy = RequireTls::open(*this); !policy.ok())
        complain(requiretls_policy, policy.error());
    for (const std::string& word : *host_lookup)
        if (word != "dns" && word != "native")
            complain(host_lookup, util::invalid(util::concat(word, " is neither dns nor native")));
}

}  // namespace smtp
