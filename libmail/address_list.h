// Address lists of header fields: RFC 5322 §3.4 with its obsolete forms (§4.4), RFC 6532 (UTF-8),
// and whatever else real mail holds.  Reading never fails: what makes no sense becomes an entry that
// shows it.
//
// The values are what IMAP's ENVELOPE wants (RFC 9051 §7.5.2): quotes and comments resolved,
// encoded-words left alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_list_addresses = 10'000;  // of one field; the rest is dropped

struct ListEntry {
    enum class Kind : unsigned char { Address, GroupStart, GroupEnd };
    Kind kind = Kind::Address;
    bool has_name = false;
    std::string name;        // display name, or a trailing comment if there is none: "a@b (Bob)"
    std::string route;       // the obsolete source route, "@a,@b"
    std::string local_part;  // unquoted; the group's name in GroupStart
    std::string domain;      // empty where the text has none
};

std::vector<ListEntry> parse_address_list(std::string_view value,
                                          std::size_t limit = max_list_addresses);

// The same for the values of tables, where blanks separate addresses as commas do: "a@x b@x, c".
std::vector<ListEntry> parse_address_words(std::string_view value, std::size_t limit);

// The text of one entry for a header field: "name" <local@domain>, quoted where needed, without control
// characters; the name is taken to be ASCII, or UTF-8 in a message that may hold it.
std::string to_header(const ListEntry& entry);

}  // namespace mail
