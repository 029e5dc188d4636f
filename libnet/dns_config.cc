// The parameters of name service.
#include "libnet/dns_config.h"

#include "libnet/dns_servers.h"
#include "libutil/text.h"

namespace net::dns {

Settings Config::settings() const
{
    Settings settings;
    settings.servers = *servers;
    settings.timeout = *timeout;
    settings.attempts = unsigned(*attempts);
    settings.trust_ad = *trust_ad;
    settings.trust_anchor_file = *trust_anchor_file;
    settings.cache_bytes = std::size_t(*cache_size);
    return settings;
}

void Config::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    auto complain = [&](const std::string& text) {
        const conf::Setting* setting = settings.find(servers.name());
        problems.add(setting ? setting->file : "", setting ? setting->line : 0, util::concat(servers.name(), ": ", text));
    };
    for (const std::string& server : *servers)
        if (auto parsed = parse_server(server); !parsed.ok())
            complain(parsed.error().text);
    if (servers->size() > max_servers)
        complain(util::concat("more than ", max_servers, " servers"));
}

}  // namespace net::dns
