// The addresses in /etc/hosts: hosts(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace net {

constexpr std::size_t max_hosts_file = 1'000'000;   // bytes; a larger file is not read

// Those of a host, whose name counts in any case, in the order of the file's text; lines that make no sense
// are passed over.
std::vector<std::string> addresses_in_hosts(std::string_view text, std::string_view host);

}  // namespace net
