// The keys under which an address or a client is looked up in a table, in their order.
#pragma once

#include "libconf/network.h"
#include "libconf/table.h"
#include "libmail/address.h"

#include <string>
#include <string_view>
#include <vector>

namespace routing {

struct AddressKeys {
    std::vector<conf::Key> keys;
    std::string extension;  // with its delimiter: "+lists"; empty when there is none
};

// virtual(5): user+ext@domain, user@domain, then, in a domain where names alone count, user+ext and
// user, then @domain.  Keys that lack the extension say so: the answer to one of them may keep it.
AddressKeys alias_keys(const mail::Address& address, std::string_view delimiters, bool bare_names);
// access(5) for senders and recipients: user+ext@domain, user@domain, the domain and its parents,
// user+ext@, user@.  `parents`: example.org stands for its subdomains; else .example.org does.
std::vector<conf::Key> access_keys(const mail::Address& address, std::string_view delimiters, bool parents);
// access(5) for names of clients and servers: the name and its parents, as above.
std::vector<conf::Key> domain_keys(std::string_view domain, bool parents);
// access(5) for addresses of clients: 192.0.2.1, 192.0.2, 192.0, 192; or the same by colons.
std::vector<conf::Key> network_keys(const conf::IpAddress& address);
// transport(5): user+ext@domain, user@domain, the domain, its parents, "*".
std::vector<conf::Key> transport_keys(const mail::Address& address, std::string_view delimiters, bool parents);
// Tables by sender: user+ext@domain, user@domain, @domain.
std::vector<conf::Key> sender_keys(const mail::Address& address, std::string_view delimiters);

}  // namespace routing
