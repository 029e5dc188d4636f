// The policy of a domain from where RFC 8461 §3 says it is: a TXT record, and a file on a web server.
#pragma once

#include "libnet/dns.h"
#include "libnet/endpoint.h"
#include "libnet/tls_client.h"
#include "libtrust/sts_policy.h"
#include "libutil/unique_fd.h"

#include <functional>

namespace trust {

// Result types of RFC 8460 §4.3, beside success.
enum class StsFailure : std::uint8_t { None, Fetch, Invalid, Webpki, last_ = Webpki };
std::string_view name_of(StsFailure failure);  // "sts-policy-fetch-error"

// What a fetch needs of the world.
struct StsWorld {
    std::function<net::dns::Answer<std::string>(std::string_view name)> txt;
    std::function<net::dns::Answer<std::string>(std::string_view host)> addresses;
    std::function<util::Result<util::UniqueFd>(const net::Endpoint& server, util::Duration timeout)> connect;
    const net::TlsContext* tls = nullptr;
    std::uint16_t port = 443;
    util::Duration timeout = std::chrono::seconds(60);  // of a whole fetch (RFC 8461 §3.3)
    std::function<bool()> wants_stop = {};
};

// What the record says.
struct StsRecordAnswer {
    enum class Status : std::uint8_t { Found, None, Broken, Failed };  // Failed: the DNS cannot say now
    Status status = Status::None;
    std::string id;
    std::string text;  // why not
};
StsRecordAnswer look_up_sts_record(const StsWorld& world, const std::string& domain);

struct StsFetched {
    StsFailure failure = StsFailure::None;
    std::string text;   // of a failure
    StsPolicy policy;
};
// https://mta-sts.DOMAIN/.well-known/mta-sts.txt; tries the host's addresses in turn until one has answered.
StsFetched fetch_sts_policy(const StsWorld& world, const std::string& domain);

// Can a domain have a policy at all: a name of at least two labels that is no address, and fits into a file's name.
constexpr std::size_t max_sts_domain = 230;  // bytes
bool may_have_sts(std::string_view domain);

}  // namespace trust
