// A message with internationalized addresses for a client that has not asked for UTF-8: a surrogate, as
// RFC 6855 §7 calls it, whose header is ASCII.
//
// Other messages stay as they are, whatever bytes above 127 their headers have: old mail is full of raw
// subjects and file names, clients know what to do with them, and signatures and copies would suffer.
//
// By RFC 6858 an internationalized address becomes one that nobody has, with the real one in its display
// name, and a field that nothing else can be done with is left out.  More than that is kept where RFC 6857
// has a way: free text becomes encoded-words, and a parameter such as a file's name is written as by RFC
// 2231.  Bodies stay as they are, but what is message/global is called message/rfc822.
//
// A header with bytes above 127 that are not UTF-8 stays as it is, too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mail {

// The fields of one surrogate may be longer than the message's by so many bytes; beyond, fields are left out.
constexpr std::size_t max_surrogate_growth = 1U << 20;

constexpr std::string_view surrogate_address = "invalid@internationalized-address.invalid";

// Is the header in UTF-8, and is there an address in it that only SMTPUTF8 could carry?
bool has_international_address(std::string_view header);
// The same for a message, by its own header and its BODYSTRUCTURE, which shows the headers within; it may
// be wrong when it says yes.
bool may_need_surrogate(std::string_view header, std::string_view body_structure);

// nullopt: neither its header nor that of one of its parts has such an address.
std::optional<std::string> make_surrogate(std::string_view message);

}  // namespace mail
