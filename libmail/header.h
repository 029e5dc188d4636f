// Header fields, as views into a message: RFC 5322 §2.2, with RFC 6532 (UTF-8).
//
// Linear in the header's size and without any allocation.  CRLF and bare LF both end a line.
// A line without colon, or with a name that cannot be one (mbox's "From " line), is a field with
// an empty name: it is kept, told, and does not end the header.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

struct FieldView {
    std::string_view name;   // without blanks before the colon (RFC 5322 §4.5); empty = malformed
    std::string_view value;  // still folded; white space at both ends removed
    std::string_view text;   // the whole field with its line end
    std::size_t offset = 0;  // of text in the message

    bool is(std::string_view field_name) const;  // without regard to case
};

// Walks the fields of the header at the start of `message`.
class HeaderReader {
public:
    explicit HeaderReader(std::string_view message) : message_(message) {}

    // The next field; false at the empty line or the end of the message.
    bool next(FieldView& field);
    // After next() said false: bytes of the header with the empty line, if there is one.
    std::size_t size() const { return position_; }
    // After next() said false: did an empty line end it?
    bool complete() const { return complete_; }

private:
    std::string_view message_;
    std::size_t position_ = 0;
    bool complete_ = false;
};

// Bytes of the header of `message` with the empty line after it; all of it if there is none.
std::size_t header_size(std::string_view message);

// What must stand between fields that were put in front of a message and its first line, so that they
// stay apart: an empty line before a blank (which would go on with the last field) and before what is no
// field; "X-Mailbox-Line: " before the separator of a mailbox file; nothing else.  `beginning`: the
// first line, or as much as there is.
std::string_view trace_separator(std::string_view beginning);

// The value of the first field of that name.
std::optional<std::string_view> find_field(std::string_view header, std::string_view name);

// A field's value on one line: line ends before white space go (RFC 5322 §2.2.3).
std::string unfold(std::string_view value);

// The msg-ids "<...>" in a Message-ID, In-Reply-To or References value, with brackets, without
// white space and comments; quoted strings in them are kept as they are.  At most `limit`, the
// last ones (the near ancestors matter).
std::vector<std::string> message_ids(std::string_view value, std::size_t limit = 1000);

// --- for all parsers of structured values ----------------------------------------------------------

constexpr std::size_t max_comment_depth = 100;  // deeper nesting is read as one level

// Moves `at` past comments and folding white space (RFC 5322 §3.2.2 CFWS).  If given, `comment`
// gets the text of the last comment, its quoted pairs resolved.
void skip_cfws(std::string_view text, std::size_t& at, std::string* comment = nullptr);

// Appends the content of the quoted string whose opening quote is at text[at] and moves `at`
// behind it.  One that never ends takes all the rest.
void read_quoted_string(std::string_view text, std::size_t& at, std::string& out);

}  // namespace mail
