// Responses of an IMAP server, as ternbox reads them: RFC 9051 §9.
//
// The server is the user's own mailbox process, which may have been broken into by the mail it holds:
// whatever it says is read with limits, and what makes no sense is an error.
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ternbox {

constexpr std::size_t max_value_depth = 200;
constexpr std::size_t max_values = 1'000'000;        // of one response

// An atom (with what stands in brackets behind it, "BODY[HEADER.FIELDS (TO)]"), a string, NIL or a list.
struct Value {
    enum class Kind : std::uint8_t { Atom, String, Nil, List };
    Kind kind = Kind::Atom;
    std::string text;
    std::vector<Value> items;

    bool is(std::string_view atom) const;   // without regard to case
};

// One response: its line, and its literals as they follow in it.
struct Response {
    std::string tag;                 // "*", "+", or the command's
    std::string status;              // OK, NO, BAD, BYE or PREAUTH in capitals; else empty
    std::string code;                // "NONEXISTENT", "COPYUID 1 2 3": what stands in brackets
    std::string text;                // of a status, behind the code
    std::vector<Value> values;       // of anything else

    // The value behind this atom among `values`: nullptr if there is none.
    const Value* after(std::string_view atom) const;
};

const Value* value_after(const std::vector<Value>& values, std::string_view atom);

// Without the CRLF at its end.  Invalid.
util::Result<Response> parse_response(std::string_view line);

// Does the line end in the announcement of a literal?  Its size; nullopt: it does not.
std::optional<std::uint64_t> announced_literal(std::string_view line);

}  // namespace ternbox
