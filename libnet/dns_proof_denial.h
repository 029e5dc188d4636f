// What NSEC (RFC 4035 §5.4) and NSEC3 (RFC 5155 §8) records deny; their signatures are good.  Inside of dns_proof.h.
#pragma once

#include "libnet/dns_proof.h"

namespace net::dns {

struct FreeName {
    void operator()(ldns_struct_rdf* name) const;
};
using LdnsName = std::unique_ptr<ldns_struct_rdf, FreeName>;

// What stands for names that text cannot show.
constexpr std::string_view no_text = "\\";

// `name` is not no_text.
LdnsName to_ldns(std::string_view name);
std::string name_of(const ldns_struct_rdf* name);

std::string_view parent_of(std::string_view name);  // "" of a name with one label
unsigned label_count(std::string_view name);

using Denials = std::span<ldns_struct_rr* const>;

Denial denied_by_nsec(Denials denials, std::string_view name, std::uint16_t type);
Denial denied_by_nsec3(Denials denials, std::string_view name, std::uint16_t type, std::string_view zone);
// Is there no such name and nothing below it, whatever wildcards say?  NoSuchName if so.
Denial covered_by_nsec(Denials denials, std::string_view name);
Denial covered_by_nsec3(Denials denials, std::string_view name, std::string_view zone);

}  // namespace net::dns
