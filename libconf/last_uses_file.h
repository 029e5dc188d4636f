// When each app password was last used: auth(8) writes it, ternuser(1) shows it.
//
//   # tern last uses 1
//   alice@example.org phone 1796000000 imap 192.0.2.1
//
// Who has the account, the app password's name, when (seconds since 1970), by which protocol and from
// where.  Of no weight: it is written without a sync, and what cannot be read is as if it were not there.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace conf {

constexpr std::string_view last_uses_version_line = "# tern last uses 1\n";
constexpr std::size_t max_last_uses_size = 1'000'000'000;   // bytes of the file
constexpr std::size_t max_last_uses_line = 1000;            // bytes; a longer one is passed over

struct LastUse {
    std::int64_t time = 0;
    std::string protocol;
    std::string client_address;

    bool operator==(const LastUse&) const = default;
};
// By account and name.
using LastUses = std::map<std::pair<std::string, std::string>, LastUse>;

// Lines that are none are passed over.
LastUses parse_last_uses(std::string_view text);
std::string format_last_uses(const LastUses& uses);

// "DATA_DIRECTORY/auth/last-uses": in the directory that is auth(8)'s own.
std::string auth_directory(const std::string& data_directory);
std::string last_uses_path(const std::string& data_directory);
// A file that is not there, or cannot be read, has none.
LastUses read_last_uses(const std::string& path);
// In one step, without a sync.
util::Result<void> write_last_uses(const std::string& path, const LastUses& uses);

}  // namespace conf
