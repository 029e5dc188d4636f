// Names of groups of accounts, and whom identifiers of access control lists (RFC 4314) mean.
#pragma once

#include "libutil/text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

// An identifier is a user's name, or one of these (RFC 4314 §3 leaves the form of groups to us; it is Dovecot's).
constexpr std::string_view anyone = "anyone";
constexpr std::string_view group_prefix = "group=";

constexpr std::size_t max_group_name = 64;   // bytes

// UTF-8 without blanks, commas, colons and control characters; letters of ASCII are small ones.
inline bool is_group_name(std::string_view name)
{
    return !name.empty() && name.size() <= max_group_name && util::is_utf8(name) && std::ranges::none_of(name, [](char c) {
        return c == ' ' || c == ',' || c == ':' || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    });
}

// Those that mean a user who is in these groups.  Who is called like a group is not meant by his name.
inline std::vector<std::string> identifiers_of(std::string_view user, const std::vector<std::string>& groups)
{
    std::vector<std::string> identifiers{std::string(anyone)};
    if (!user.starts_with(group_prefix))
        identifiers.emplace_back(user);
    for (const auto& group : groups)
        identifiers.push_back(util::concat(group_prefix, group));
    return identifiers;
}

}  // namespace conf
