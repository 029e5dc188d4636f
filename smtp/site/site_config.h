// The parameters that say which servers a destination has and how they are connected to: those of smtp(8) that
// tern-tlscheck(1) reads, too.
#pragma once

#include "libconf/parameter.h"
#include "libutil/text.h"

namespace smtp {

enum class Protocol : std::uint8_t { Smtp, Lmtp };
enum class AddressPreference : std::uint8_t { Any, Ipv4, Ipv6 };
enum class DnsLevel : std::uint8_t { Enabled, Disabled, Dnssec };

// Most parameters are there twice, with the prefix of their protocol; some mean both.
struct SiteConfig : conf::Section {
    explicit SiteConfig(Protocol which) : protocol(which) {}

    const Protocol protocol;
    bool lmtp() const { return protocol == Protocol::Lmtp; }

    // --- destinations ------------------------------------------------------------------------------
    conf::Text tcp_port{this, named("tcp_port"), either("smtp", "24"), {.min = 1, .max = 20},
        "The port of servers whose destination names none: a number, or smtp, submission, submissions, lmtp."};
    conf::Choice<DnsLevel> dns_support_level{this, named("dns_support_level"), "enabled",
        {{"enabled", DnsLevel::Enabled}, {"", DnsLevel::Enabled}, {"disabled", DnsLevel::Disabled},
         {"dnssec", DnsLevel::Dnssec}},
        "Whether the DNS is asked: enabled; disabled, so that names of hosts are looked up in /etc/hosts only and no MX "
        "is; dnssec, which is the same as enabled: what TLS needs of DNSSEC is always asked for."};
    conf::Words host_lookup{this, named("host_lookup"), "dns",
        "Where addresses of hosts are looked up, in this order: dns, native (/etc/hosts)."};
    conf::TableNames dns_reply_filter{this, named("dns_reply_filter"), "",
        "Tables that pass over records of the DNS, which they see as \"name. TTL IN type value\", such as "
        "\"example.com. 300 IN MX 10 mail.example.com.\" or \"_25._tcp.mail.example.com. 300 IN TLSA 3 1 1 digest\", "
        "cut to 4096 bytes; the one action is IGNORE, and each record that is passed over is logged.  Mail waits where "
        "no record is left (4.7.0, of TLSA records 4.7.5), where a table cannot be read, and where it says something "
        "else.  A null MX always counts; /etc/hosts passes no filter."};
    conf::Choice<AddressPreference> address_preference{this, named("address_preference"), "any",
        {{"any", AddressPreference::Any}, {"ipv4", AddressPreference::Ipv4}, {"ipv6", AddressPreference::Ipv6}},
        "Which of a destination's addresses come first among those of equal preference: any, ipv4, ipv6."};
    conf::Flag balance_inet_protocols{this, named("balance_inet_protocols"), "yes",
        "Whether both IPv4 and IPv6 addresses are among the tried ones where a destination has many of one kind."};
    conf::Flag randomize_addresses{this, named("randomize_addresses"), "yes",
        "Whether hosts of equal preference are tried in random order."};
    conf::Count mx_address_limit{this, named("mx_address_limit"), "5", {.max = 1000},
        "How many addresses of a destination are tried at most in one delivery; 0 sets no limit."};
    conf::Count mx_session_limit{this, named("mx_session_limit"), "2", {.max = 1000},
        "With how many servers a delivery gets as far as an exchange of commands at most; 0 sets no limit."};
    conf::Words fallback_relay{this, named("fallback_relay"), either("$fallback_relay", ""),
        "Destinations that are tried when a destination is not found or not reached, after all of its hosts."};
    conf::Words fallback_relay_old{this, "fallback_relay", "",
        "The name of smtp_fallback_relay in old configurations."};
    conf::Flag ignore_mx_lookup_error{this, "ignore_mx_lookup_error", "no",
        "Whether mail goes to a domain's own address when its MX records cannot be looked up, in the place of a deferral."};
    conf::Words use_srv_lookup{this, "use_srv_lookup", "",
        "Services, such as submission, whose hosts are found by SRV records (RFC 2782): a destination "
        "example.com:submission is where those of _submission._tcp.example.com say, at their ports.  A destination "
        "without port is one of the service that tcp_port names.  Names in brackets are not looked up so."};
    conf::Flag allow_srv_lookup_fallback{this, "allow_srv_lookup_fallback", "no",
        "Whether a destination whose SRV records are not there, or cannot be looked up, is looked up as others are, by MX or "
        "address."};
    conf::Flag ignore_srv_lookup_error{this, "ignore_srv_lookup_error", "no",
        "Whether one whose SRV records cannot be looked up is; otherwise its mail is deferred."};
    conf::Flag defer_if_no_mx_address_found{this, named("defer_if_no_mx_address_found"), "no",
        "Whether mail is deferred, not returned, when none of a domain's MX hosts has an address."};
    conf::Text best_mx_transport{this, "best_mx_transport", "", {.max = 200},
        "Where mail goes, as transport:nexthop, when this system is the best MX host of a domain that it does not "
        "know as its own.  Empty: such mail loops, and is returned."};

    // --- connections ---------------------------------------------------------------------------------
    conf::Text bind_address{this, named("bind_address"), "", {.max = 50},
        "The IPv4 address that connections to IPv4 servers come from.  Empty: the system's choice."};
    conf::Text bind_address6{this, named("bind_address6"), "", {.max = 50},
        "The IPv6 address that connections to IPv6 servers come from.  Empty: the system's choice."};
    conf::Flag bind_address_enforce{this, named("bind_address_enforce"), "no",
        "Whether mail is deferred when a connection cannot have its bind_address; otherwise it goes on without, with a "
        "warning."};

protected:
    std::string named(std::string_view name) const { return util::concat(either("smtp_", "lmtp_"), name); }
    std::string_view either(std::string_view for_smtp, std::string_view for_lmtp) const
    {
        return protocol == Protocol::Smtp ? for_smtp : for_lmtp;
    }
};

}  // namespace smtp
