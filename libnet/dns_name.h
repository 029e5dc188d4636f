// Names of the DNS as text: lower case, without the final dot; "" is the root.
#pragma once

#include "libconf/network.h"

#include <optional>
#include <string>
#include <string_view>

namespace net::dns {

constexpr std::size_t max_name = 253;  // bytes as text (RFC 1035 §2.3.4: 255 on the wire)
constexpr std::size_t max_label = 63;

// A name that can be asked for: labels of letters, digits, '-', '_' and '/' (RFC 2317); U-labels in UTF-8 become
// A-labels (RFC 5891, as browsers map them: UTS 46, nontransitional).  Nothing for all else: empty labels, too long
// ones, other bytes, what is no U-label.
std::optional<std::string> question_name(std::string_view text);

// The text of a name in uncompressed wire form.  Nothing if a label holds what text cannot show as it is: a dot, a
// backslash, space, control bytes or such beyond ASCII.
std::optional<std::string> name_from_wire(std::string_view wire);

// May it name a host in an MX, PTR, NS or SRV record: letters, digits, '-' and '_' in its labels?  "" may not.
bool is_host_name(std::string_view name);

// "9.2.0.192.in-addr.arpa", or 32 nibbles and "ip6.arpa" (RFC 3596 §2.5).
std::string reverse_name(const conf::IpAddress& address);

}  // namespace net::dns
