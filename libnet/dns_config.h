// The parameters of name service: all programs that ask name servers read them.
#pragma once

#include "libconf/parameter.h"
#include "libnet/dns.h"

namespace net::dns {

struct Config : conf::Section {
    conf::Words servers{this, "dns_servers", "",
        "The recursive name servers to ask, at most eight, in this order: 192.0.2.1, 192.0.2.1:5353, [2001:db8::1]:5353.  "
        "Empty: those of /etc/resolv.conf, which is read again when it changes."};
    conf::Duration timeout{this, "dns_timeout", "0s", {.max = std::chrono::minutes(1)},
        "How long a name server may take for one answer before the next is asked.  0: what options timeout in "
        "/etc/resolv.conf says, else 5s."};
    conf::Count attempts{this, "dns_attempts", "0", {.max = 10},
        "How many times all name servers are asked in turn until one answers.  0: what options attempts in "
        "/etc/resolv.conf says, else 2."};
    conf::Choice<TrustAd> trust_ad{this, "dns_trust_ad", "auto",
        {{"auto", TrustAd::Auto}, {"yes", TrustAd::Yes}, {"no", TrustAd::No}},
        "Whose word counts that an answer was validated by DNSSEC (its AD bit).  auto: that of servers with a loopback "
        "address, and of all in /etc/resolv.conf if it has options trust-ad; yes: of all; no: of none.  Whoever can change "
        "packets on the way to a server can say so in its name."};
    conf::Path trust_anchor_file{this, "dns_dnssec_trust_anchor_file", "",
        "DS or DNSKEY records of the root, each on a line, as in /usr/share/dns/root.ds of Debian's package "
        "dns-root-data.  With it answers are validated here and no server's word counts (dns_trust_ad); a forged "
        "answer is then a temporary error.  This costs more queries, and works behind name servers only that pass "
        "signatures on.  Empty: no validation of our own."};
    conf::Size cache_size{this, "dns_cache_size", "1000000", {.max = 1'000'000'000},
        "How much memory a process uses for answers that are still good, in bytes; 0 keeps none."};

    Settings settings() const;
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;
};

}  // namespace net::dns
