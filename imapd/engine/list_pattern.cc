// Matching of mailbox names by LIST patterns.
#include "imapd/engine/list_pattern.h"

#include "libutil/text.h"

namespace imapd::engine {

bool matches_pattern(std::string_view name, std::string_view pattern)
{
    constexpr auto none = std::string_view::npos;
    bool inbox = name == "INBOX" || name.starts_with("INBOX/");
    std::size_t n = 0;
    std::size_t p = 0;
    // Where to go on after a mismatch: one more byte for the last % of this level, or for the last
    // *.  A wildcard before the last one of its kind need not be tried again: what it could still
    // take, the later one can take as well.
    std::size_t star_p = none, star_n = 0, percent_p = none, percent_n = 0;
    for (;;) {
        if (p < pattern.size() && pattern[p] == '*') {
            star_p = ++p;
            star_n = n;
            percent_p = none;
            continue;
        }
        if (p < pattern.size() && pattern[p] == '%') {
            percent_p = ++p;
            percent_n = n;
            continue;
        }
        if (n == name.size() && p == pattern.size())
            return true;
        if (n < name.size() && p < pattern.size() &&
            (name[n] == pattern[p] ||
             (inbox && n < 5 && name[n] == util::to_upper(pattern[p])))) {
            ++n;
            ++p;
            continue;
        }
        if (percent_p != none && percent_n < name.size() && name[percent_n] != '/') {
            n = ++percent_n;
            p = percent_p;
        } else if (star_p != none && star_n < name.size()) {
            n = ++star_n;
            p = star_p;
            percent_p = none;
        } else {
            return false;
        }
    }
}

}  // namespace imapd::engine
