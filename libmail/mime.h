// The tree of a message's MIME parts: RFC 2045, RFC 2046, RFC 6532 (message/global).
//
// One pass, linear in the size of the message whatever it holds; the tree keeps offsets, the
// message stays where it is.  Reading never fails: what breaks the rules gets the meaning that
// most readers give it, said at the limits and in Part.
#pragma once

#include "libmail/media_type.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_mime_depth = 100;        // nesting; deeper parts stay unparsed leaves
constexpr std::size_t max_mime_parts = 10'000;     // of one message; those beyond are not told apart
constexpr std::size_t max_boundary_length = 1000;  // RFC 2046 §5.1.1 allows 70; longer: no multipart

struct Part {
    enum class Kind : unsigned char {
        Leaf,
        Multipart,  // children are its parts; there may be none (no delimiter in the body)
        Message,    // message/rfc822 or message/global: its one child is the embedded message
    };
    static constexpr std::uint32_t none = UINT32_MAX;

    Kind kind = Kind::Leaf;
    // Offsets in the message: the header is [header, body), the body [body, end).  The line end
    // before a delimiter line belongs to the delimiter.
    std::size_t header = 0;
    std::size_t body = 0;
    std::size_t end = 0;
    std::uint64_t body_lines = 0;  // line ends in the body

    std::uint32_t parent = none;
    std::uint32_t first_child = none;
    std::uint32_t next_sibling = none;

    // Content-Type; the default of the surroundings if it is missing or makes no sense: text/plain,
    // in multipart/digest message/rfc822 (RFC 2046 §5.1.5).  A multipart without boundary counts
    // as text/plain (RFC 2045 §5.2).
    MediaType type;
    bool type_given = false;

    // Values of the first field of each name, still folded; data() == nullptr if absent.  They are
    // views into the message that was parsed.
    std::string_view transfer_encoding;
    std::string_view id;
    std::string_view description;
    std::string_view disposition;
    std::string_view language;
    std::string_view location;
    std::string_view md5;

    bool is_text() const { return kind == Kind::Leaf && type.is_type("text"); }
};

// parts[0] is the message itself; children come after their parents.  Holds views into the message.
struct MimeTreeView {
    std::vector<Part> parts;

    const Part& root() const { return parts.front(); }
    // The n-th child, counted from 1; nullptr if there is none.
    const Part* child(const Part& part, std::uint64_t number) const;
};

MimeTreeView parse_mime(std::string_view message);

// Number of '\n' in `text`.
std::uint64_t count_lines(std::string_view text);

}  // namespace mail
