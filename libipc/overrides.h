// receive_override_options: what is not done to messages of one service.
#pragma once

#include "libipc/submission.h"
#include "libutil/text.h"

namespace ipc {

// smtpd's own, beside those of the envelope.
constexpr std::uint8_t NoUnknownRecipientChecks = 4;

// Invalid: a word that is none of them.
inline util::Result<std::uint8_t> parse_overrides(const std::vector<std::string>& words)
{
    std::uint8_t bits = 0;
    for (const std::string& word : words) {
        if (word == "no_address_mappings")
            bits |= NoAddressMappings;
        else if (word == "no_header_body_checks")
            bits |= NoContentChecks;
        else if (word == "no_unknown_recipient_checks")
            bits |= NoUnknownRecipientChecks;
        else if (word == "no_milters")
            continue;   // there are none
        else
            return util::invalid(util::concat("receive_override_options: there is no \"", util::printable(word, 60),
                                              "\" (there are no_address_mappings no_header_body_checks "
                                              "no_milters no_unknown_recipient_checks)"));
    }
    return bits;
}

// content_filter: "transport:destination", or empty.
inline util::Result<void> check_content_filter(std::string_view filter)
{
    std::size_t colon = filter.find(':');
    if (!filter.empty() && (colon == std::string_view::npos || colon == 0))
        return util::invalid("content_filter: transport:destination is wanted");
    return {};
}

}  // namespace ipc
