// tern dns: what name servers say, as Tern's programs hear it.
#pragma once

#include "libnet/dns.h"
#include "tools/tern/instance.h"

#include <string>

namespace tern {

// The exit status.
int dns(const Instance& instance, int count, char** words);

// What was asked and what came, whatever its type.
struct DnsAnswer {
    net::dns::Status status = net::dns::Status::TryAgain;
    bool secure = false;
    bool secure_name = false;
    std::string name;
    std::int64_t ttl = 0;  // seconds
    std::vector<std::string> records;
    std::string text;
};
// "found, secure, ttl=300, name=example.org" and a line for each record, escaped; one JSON object.
std::string dns_to_text(const DnsAnswer& answer);
std::string dns_to_json(const DnsAnswer& answer);

}  // namespace tern
