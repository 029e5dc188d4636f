// Names: what smtpd(8) asks name servers.
#pragma once

#include "libnet/dns.h"
#include "smtpd/client.h"

namespace smtpd {

class NameService {
public:
    virtual ~NameService() = default;

    virtual net::dns::Answer<net::dns::Mx> mx(std::string_view domain) = 0;
    virtual net::dns::Answer<std::string> ns(std::string_view domain) = 0;
    virtual net::dns::Answer<std::string> txt(std::string_view name) = 0;
    // All at once.
    virtual std::vector<net::dns::Answer<std::string>> addresses(std::span<const std::string> hosts,
                                                                 net::dns::Families families) = 0;
    virtual net::dns::ClientName confirm(std::string_view address) = 0;
};

// How long one of these may take, whatever a stranger's name servers do: a client waits meanwhile.
constexpr util::Duration max_names_wait = std::chrono::seconds(30);

// By DNS.
class DnsNames final : public NameService {
public:
    explicit DnsNames(net::dns::Resolver resolver) : resolver_(std::move(resolver)) {}

    net::dns::Answer<net::dns::Mx> mx(std::string_view domain) override { return in_time().mx(domain); }
    net::dns::Answer<std::string> ns(std::string_view domain) override { return in_time().ns(domain); }
    net::dns::Answer<std::string> txt(std::string_view name) override { return in_time().txt(name); }
    std::vector<net::dns::Answer<std::string>> addresses(std::span<const std::string> hosts,
                                                         net::dns::Families families) override
    {
        return in_time().addresses(hosts, families);
    }
    net::dns::ClientName confirm(std::string_view address) override { return in_time().confirm(address); }

private:
    net::dns::Resolver& in_time()
    {
        resolver_.set_deadline(util::Deadline::in(max_names_wait));
        return resolver_;
    }

    net::dns::Resolver resolver_;
};

// Gives a client its name: that of its reverse record, if it leads back to the client, else "unknown".  Loopback
// addresses have theirs already.
void find_name(Client& client, NameService& names);

}  // namespace smtpd
