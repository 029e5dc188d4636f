// A capability of IMAP that some clients or users do not hear of.
#pragma once

#include "libutil/text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

struct CapabilityRule {
    enum class Whom : std::uint8_t { Everybody, User, Client, last_ = Client };
    Whom whom = Whom::Everybody;
    std::string pattern;               // of the account, or of the client's name (ID, RFC 2971)
    std::vector<std::string> names;    // in capitals

    static void fields(auto& message, auto& visit)
    {
        visit("whom", message.whom);
        visit("pattern", message.pattern);
        visit("name", message.names);
    }
};

// Does the text fit the pattern, in which * stands for anything and ? for one character?  Without regard to
// ASCII case.
// Each star takes as little as it can, and more when what follows does not fit: no pattern takes longer than
// the product of both lengths.
inline bool fits_pattern(std::string_view pattern, std::string_view text)
{
    std::size_t at = 0;
    std::size_t in_text = 0;
    std::size_t star = std::string_view::npos;
    std::size_t retry = 0;
    while (in_text < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            retry = in_text;
        } else if (at < pattern.size() &&
                   (pattern[at] == '?' || util::to_lower(pattern[at]) == util::to_lower(text[in_text]))) {
            ++at;
            ++in_text;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_text = ++retry;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*')
        ++at;
    return at == pattern.size();
}

}  // namespace ipc
