// MimeLines: what each line of a body is, as the bytes pass: a field of a part, a field of an attached
// message, or text.  RFC 2045, RFC 2046.
//
// It reads as parse_mime() does (mime.h), but keeps only the open boundaries and one field or line in
// memory, whatever the size of the message.  Reading never fails; what breaks a rule is told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mail {

enum class FieldClass : unsigned char {
    Primary,  // of the message itself
    Part,     // of a part of a multipart
    Nested,   // of an attached message
};

enum class MimeFault : unsigned char {
    Nesting,            // more multiparts in each other than the limit
    EightBitInHeader,   // bytes above 127 in a field
    EightBitInBody,     // in a body that is not declared 8bit or binary
    EncodingDomain,     // a multipart or message encoded as base64, or a like contradiction (RFC 2045 §6.4)
};
// "MIME nesting exceeds safety limit"
std::string_view describe(MimeFault fault);

struct MimeLimits {
    std::size_t nesting = 100;           // multiparts in each other
    std::size_t boundary_length = 2048;  // bytes by which boundaries are told apart
    std::size_t field_length = 102400;   // bytes of a field that are shown
    std::size_t line_length = 2048;      // bytes of a line that are shown at a time
};

class MimeLinesSink {
public:
    virtual ~MimeLinesSink() = default;
    // A field with its line ends, cut to the limit; `length` is all of it.  A line that is no field
    // (no colon) comes as one.
    virtual void field(FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length) = 0;
    // A line of text, or a piece of a long one, without its end; `length` counts the end, too.
    // `position`: in the part's body.  Delimiter lines are text; empty lines behind headers are not told.
    virtual void line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position) = 0;
    virtual void fault(MimeFault fault, std::string_view text) = 0;
};

class MimeLines {
public:
    // The message's own Content-Type and Content-Transfer-Encoding values, unfolded or not; and where
    // the body begins, for the offsets.
    MimeLines(const MimeLimits& limits, MimeLinesSink& sink) : limits_(limits), sink_(sink) {}
    void begin(std::string_view content_type, std::string_view encoding, std::uint64_t body_offset);

    void feed(std::string_view bytes);
    void finish();
    // Nothing before this offset is told from now on.
    std::uint64_t settled() const { return field_length_ > 0 ? field_offset_ : offset_; }

private:
    enum class State : unsigned char { Part, Nested, Body };
    enum class Domain : unsigned char { SevenBit, EightBit, Binary };
    struct Boundary {
        std::string text;
        bool digest = false;
    };
    struct Entity {
        std::string type;       // Content-Type's value; empty: the default
        bool has_type = false;
        std::string encoding;
        bool has_encoding = false;
    };

    void take_line(std::string_view line, bool complete);
    void header_line(std::string_view line);
    void text_line(std::string_view line);
    void add_to_field(std::string_view line);
    void tell_text(std::string_view line);
    void begin_part(std::string_view delimiter);
    void end_field();
    void end_header();
    void enter(const Entity& entity);
    bool at_delimiter(std::string_view line);

    MimeLimits limits_;
    MimeLinesSink& sink_;
    State state_ = State::Body;
    std::vector<Boundary> boundaries_;
    Entity entity_;
    bool in_digest_ = false;             // the next part's default is message/rfc822
    bool part_follows_ = false;          // behind the delimiter found last
    Domain domain_ = Domain::SevenBit;   // of the current body
    std::string field_;
    std::uint64_t field_offset_ = 0;
    std::uint64_t field_length_ = 0;
    std::string rest_;                   // the beginning of a line whose end is yet to come
    bool line_begun_ = false;            // a piece of the current line has been taken
    bool line_is_text_ = false;          // and what the line is
    std::uint64_t offset_ = 0;           // of the next byte to be taken
    std::uint64_t body_offset_ = 0;      // of the current part's body
};

}  // namespace mail
