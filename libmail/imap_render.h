// What IMAP clients ask for of a message, as text for the wire: ENVELOPE, BODYSTRUCTURE, BODY
// (RFC 3501 §7.4.2, RFC 9051 §7.5.2), sections of BODY[...], and the bundle that is made once when a
// message is stored.
#pragma once

#include "libmail/date.h"
#include "libmail/mime.h"
#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// --- strings -----------------------------------------------------------------------------------------

// Longer strings, and those with CR, LF or bytes above 127, go as literals.
constexpr std::size_t max_quoted_string = 1000;

// An IMAP string: quoted where that is allowed, else a literal.  NUL, which no string may hold
// (RFC 9051 §9 CHAR8), becomes '?'.
void append_imap_string(std::string& out, std::string_view text);
// The same, or NIL when data() is nullptr (absent, not empty).
void append_imap_nstring(std::string& out, std::string_view text);

// The same for a field's value, which may be folded.
void append_imap_unfolded(std::string& out, std::string_view value);

// --- structures --------------------------------------------------------------------------------------

// ENVELOPE of the header given, with its parentheses.
std::string render_envelope(std::string_view header);

// BODYSTRUCTURE (extension data) or BODY of the message that `tree` was parsed from.
std::string render_body_structure(std::string_view message, const MimeTreeView& tree, bool extended);
// BODYSTRUCTURE of one part.  `decoded`: it is about these bytes, its content without transfer encoding (RFC 5524 §3.2),
// which are not looked into further.
std::string render_part_structure(std::string_view message, const MimeTreeView& tree, const Part& part,
                                  const std::string_view* decoded);

// --- sections ----------------------------------------------------------------------------------------

constexpr std::size_t max_section_depth = max_mime_depth;

// "1.2.HEADER.FIELDS (A B)" of RFC 9051 §6.4.5; the field list is left to who parses the command.
struct Section {
    enum class What : unsigned char { All, Header, HeaderFields, HeaderFieldsNot, Text, Mime };
    std::vector<std::uint32_t> part;   // numbers from 1; empty = the message itself
    What what = What::All;
    std::vector<std::string> fields;   // for HeaderFields and HeaderFieldsNot
};

// What stands between '[' and ']' or the blank before a field list, case-insensitively.  Invalid:
// not a section-spec; MIME without part number; numbers of 0 or above 2^32 - 1.
util::Result<Section> parse_section(std::string_view text);
// The canonical text, with the field list: "1.2.HEADER.FIELDS (From To)".
std::string section_text(const Section& section);

struct Range {
    std::size_t offset = 0;
    std::size_t size = 0;
};

// The part that numbers name, as BODY[part] counts (RFC 9051 §6.4.5.1); nullptr if there is none.
const Part* find_part(const MimeTreeView& tree, const std::vector<std::uint32_t>& numbers);

// Where a section lies in the message; for HeaderFields and HeaderFieldsNot the header that
// select_fields() is to be applied to.  nullopt: the message has no such section.
std::optional<Range> find_section(const MimeTreeView& tree, const Section& section);

// The text of a section, fields selected; nullopt as above.
std::optional<std::string> section_content(std::string_view message, const MimeTreeView& tree,
                                           const Section& section);

// The fields of `header` with these names (or all others), as they stand, then the empty line if
// the header has one.  Names compare without case.
std::string select_fields(std::string_view header, const std::vector<std::string>& names, bool inverse);

// The content of a part with its Content-Transfer-Encoding undone (BINARY, RFC 3516).  Permanent:
// the encoding is unknown (UNKNOWN-CTE).  BINARY of a multipart is for the caller to refuse.
util::Result<std::string> decoded_content(std::string_view message, const Part& part);

// The same, bytes only up to `limit`; an unknown encoding leaves the text as it is.
std::string decoded_start(std::string_view message, const Part& part, std::size_t limit);

// --- the bundle --------------------------------------------------------------------------------------

constexpr std::size_t max_header_cache = 32U << 10;  // bytes; a longer cache is left empty
constexpr std::size_t preview_length = 200;          // characters, RFC 8970 §3.1

struct RenderedMessage {
    std::string envelope;
    std::string body_structure;
    std::string body;
    // The fields for which is_cached_field() is true, as they stand, with line ends, in their
    // order.  Empty when they are too long: then the message must be read (or it has none of them).
    std::string header_cache;
    std::string preview;        // UTF-8, one line
    std::optional<Date> date;   // of the Date: field
    std::size_t header_size = 0;
};

// Is this a field that clients ask for in lists of messages?  Names in any case.
bool is_cached_field(std::string_view name);

// All of it, from one parse.
RenderedMessage render_message(std::string_view message);

// The first words of the first text part, white space folded, quoted replies and HTML tags left out.
std::string make_preview(std::string_view message, const MimeTreeView& tree);

}  // namespace mail
