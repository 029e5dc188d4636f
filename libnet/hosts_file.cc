#include "libnet/hosts_file.h"

#include "libconf/network.h"
#include "libutil/text.h"

#include <algorithm>

namespace net {

std::vector<std::string> addresses_in_hosts(std::string_view text, std::string_view host)
{
    std::vector<std::string> found;
    for (std::string_view line : util::split(text, '\n')) {
        auto words = util::split_words(util::split_first(line, '#').first, " \t\r");
        if (words.size() < 2 ||
            std::none_of(words.begin() + 1, words.end(), [&](std::string_view name) { return util::equal_nocase(name, host); }))
            continue;
        auto address = conf::IpAddress::parse(words.front());
        if (!address)
            continue;
        std::string plain = address->to_text();
        if (std::ranges::find(found, plain) == found.end())
            found.push_back(std::move(plain));
    }
    return found;
}

}  // namespace net
