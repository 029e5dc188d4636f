// smtpd_reject_footer: what is added to the text of refusals.
#pragma once

#include "libutil/time.h"
#include "smtpd/client.h"

#include <string>
#include <string_view>

namespace smtpd {

constexpr std::size_t max_footer = 2000;  // bytes of an expanded footer; what is over it is cut off

struct FooterFacts {
    const Client& client;
    std::string_view server_name;
    util::WallTime time;
};

// Adds a footer, as lines of their own; one that begins with "\c" goes on in the last line of `text`.
// "\n" in it is a new line; $(client_address), $(client_port), $(localtime) and $(server_name) are
// replaced, in any of the forms $name, ${name} and $(name); "$$" is "$".  Other names become nothing.
void add_footer(std::string& text, std::string_view footer, const FooterFacts& facts);

}  // namespace smtpd
