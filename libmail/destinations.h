// Where mail for an alias goes: the right side of an entry of aliases(5), a line of a .forward file or
// of a file of :include:.
//
//   staff: anna, "|/usr/bin/archive -x", /var/log/staff.mbox, :include:/etc/staff, \bert
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

struct Destination {
    enum class Kind : std::uint8_t {
        Address,   // user, user@domain
        Command,   // |command: the text is what stands behind the bar
        File,      // /path, a mailbox file, or /path/, a maildir
        Include,   // :include:/path
        last_ = Include
    };
    Kind kind = Kind::Address;
    std::string text;     // without quotes; of an Address: "local@domain" or "local", in to_text()'s form
    bool plain = false;   // \user: that user's own mailbox, no alias and no .forward

    bool operator==(const Destination&) const = default;

    static void fields(auto& message, auto& visit)
    {
        visit("kind", message.kind);
        visit("text", message.text);
        visit("plain", message.plain);
    }
};

constexpr std::size_t max_destination_length = 2000;   // bytes of one

// The destinations of one value, which commas separate.  A part may be in double quotes, where \ goes
// before a quote or a backslash, and commas and blanks are letters.  Text in parentheses by an address
// is a comment.  Invalid: quotes without their other one, a destination that is no address or too
// long, control characters, more than `limit` of them.
util::Result<std::vector<Destination>> parse_destinations(std::string_view value, std::size_t limit);

// The same for a file: each line is such a value; those that begin with # are comments.  The text of an
// error has the number of the line.
util::Result<std::vector<Destination>> parse_destination_file(std::string_view text, std::size_t limit);

}  // namespace mail
