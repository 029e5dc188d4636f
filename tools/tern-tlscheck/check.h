// What a delivery to a destination would do, and why.
#pragma once

#include "libtrust/sts_fetch.h"
#include "smtp/site/hosts.h"
#include "tools/tern-tlscheck/probe.h"

#include <functional>

namespace tlscheck {

// How many addresses of a destination are tried: more than a delivery would.
constexpr std::size_t max_addresses = 20;

struct World {
    smtp::Lookup& lookup;
    smtp::HostRules hosts;
    std::function<trust::TlsaAnswer(const std::string& host, std::uint16_t port)> tlsa;
    std::function<util::Result<net::Stream>(const smtp::Host& host)> connect;
    std::function<void(std::string_view line)> say;
    trust::StsWorld sts;                       // to show what is published
    std::function<trust::StsAnswer(const std::string& domain)> kept;  // what sts(8) says; may be empty
    const net::TlsContext* tls = nullptr;
    std::string our_name;
    bool connects = true;                      // or only tells what the DNS says
};

// How it ended, for the exit status.
enum class Verdict : std::uint8_t {
    Good,     // some host would get the mail, as the policy wants it
    Waits,    // none would now
    Returned, // there is none, and there will be none
};

// The destinations are tried in their order, as long as there is none that would get the mail.
Verdict check(const std::vector<smtp::Destination>& destinations, trust::TlsPolicy& policy, const World& world);

}  // namespace tlscheck
