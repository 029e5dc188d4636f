// Addresses to accounts.
#include "local/directory.h"

#include "libutil/text.h"

namespace local {

std::string without_extension(std::string_view address, std::string_view delimiters)
{
    std::size_t at = address.rfind('@');
    std::string_view local_part = address.substr(0, at);
    std::string_view rest = at == std::string_view::npos ? std::string_view() : address.substr(at);
    if (delimiters.find('-') != std::string_view::npos) {
        if (util::starts_with_nocase(local_part, "owner-") || util::ends_with_nocase(local_part, "-request"))
            return {};
    }
    std::size_t cut = local_part.find_first_of(delimiters);
    if (cut == std::string_view::npos || cut == 0)
        return {};
    return util::concat(local_part.substr(0, cut), rest);
}

util::Result<std::string> account_of(std::string_view address, std::string_view delimiters,
                                     const FindAccount& find)
{
    auto account = find(address);
    if (account.ok() || account.error().kind != util::Kind::NotFound || delimiters.empty())
        return account;
    std::string shorter = without_extension(address, delimiters);
    if (shorter.empty())
        return account;
    return find(shorter);
}

}  // namespace local
