// The protocols text of TlsSettings, in Postfix's form.
#include "libnet/tls.h"

#include "libutil/text.h"

#include <array>

namespace net {

namespace {

constexpr std::array<std::string_view, 4> names = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
constexpr int first_version = 0x0301;

// Its place in `names`; -1 for the protocols before TLS, which are never there anyway.
util::Result<int> index_of(std::string_view name)
{
    for (std::size_t i = 0; i < names.size(); ++i)
        if (util::equal_nocase(names[i], name))
            return int(i);
    if (util::equal_nocase(name, "SSLv2") || util::equal_nocase(name, "SSLv3"))
        return -1;
    return util::invalid(util::concat("unknown TLS protocol: ", util::printable(name, 40)));
}

}  // namespace

util::Result<TlsVersions> parse_tls_protocols(std::string_view text)
{
    int lowest = 0, highest = int(names.size()) - 1;
    unsigned included = 0, excluded = 0;
    for (std::string_view word : util::split_words(text, ", \t\r\n:")) {
        std::string_view name = word;
        if (name.starts_with(">=") || name.starts_with("<=")) {
            name.remove_prefix(2);
            int index = TRY(index_of(name));
            if (index < 0)
                return util::invalid(util::concat("SSL is not supported: ", util::printable(word, 40)));
            (word.front() == '>' ? lowest : highest) = index;
        } else if (name.starts_with('!')) {
            name.remove_prefix(1);
            int index = TRY(index_of(name));
            excluded |= index < 0 ? 0 : 1U << index;
        } else {
            int index = TRY(index_of(name));
            if (index < 0)
                return util::invalid(util::concat("SSL is not supported: ", util::printable(word, 40)));
            included |= 1U << index;
        }
    }
    unsigned allowed = (included ? included : 0xFU) & ~excluded;
    for (int i = 0; i < int(names.size()); ++i)
        if (i < lowest || i > highest)
            allowed &= ~(1U << i);
    if (allowed == 0)
        return util::invalid(util::concat("no TLS protocol is left by: ", util::printable(text, 100)));
    int low = __builtin_ctz(allowed);
    int high = 31 - __builtin_clz(allowed);
    if (allowed != ((2U << high) - 1U) - ((1U << low) - 1U))
        return util::invalid(util::concat("TLS protocols must follow each other without a hole: ",
                                          util::printable(text, 100)));
    return TlsVersions{first_version + low, first_version + high};
}

}  // namespace net
