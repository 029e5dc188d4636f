// SiteLookup: the Lookup that smtp_host_lookup and smtp_dns_support_level describe.
#pragma once

#include "libconf/common.h"
#include "libnet/dns.h"
#include "smtp/site/lookup.h"
#include "smtp/site/site_config.h"

namespace smtp {

// Which addresses are of use: inet_protocols.
struct Families {
    bool ipv4 = true;
    bool ipv6 = true;

    bool wants(std::string_view address) const { return address.find(':') == std::string_view::npos ? ipv4 : ipv6; }
    net::dns::Families for_dns() const
    {
        return ipv4 && ipv6 ? net::dns::Families::Both : ipv6 ? net::dns::Families::V6 : net::dns::Families::V4;
    }
};

Families families_of(const conf::Common& common);

class SiteLookup final : public Lookup {
public:
    SiteLookup(const SiteConfig& config, Families families, net::dns::Resolver& resolver);

    MxAnswer mx(std::string_view domain) override;
    SrvAnswer srv(std::string_view name) override;
    std::vector<AddressAnswer> addresses(std::span<const std::string> hosts) override;

private:
    enum class Source : std::uint8_t { Dns, File };

    void ask_dns(std::span<const std::string> hosts, std::vector<AddressAnswer>& answers);
    void read_file(std::span<const std::string> hosts, std::vector<AddressAnswer>& answers) const;

    Families families_;
    net::dns::Resolver& resolver_;
    std::vector<Source> sources_;
};

}  // namespace smtp
