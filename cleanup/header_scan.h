// HeaderScan: reads a message's header as its bytes pass and says how it is to be changed.
//
// It counts hops, remembers which fields there are, and makes patches: fields to leave out, fields
// too long, fields that are missing.  It keeps at most header_size_limit bytes of one field.
#pragma once

#include "cleanup/patch_list.h"
#include "libmail/address_edit.h"
#include "libmail/header.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cleanup {

struct HeaderRules {
    std::size_t field_limit = 102400;             // bytes of one field
    std::vector<std::string> drop;                // lower case
};

// What is added where it is missing.
struct MissingFields {
    std::string from;          // "user@example.com", with quotes where needed
    std::string date;          // RFC 5322 §3.3
    std::string message_id;    // with angle brackets
    std::string recipients;    // a whole field, or empty
};

// What becomes of a field, or of a line of text.
struct LineChange {
    std::string before;                      // lines to be put in front, each with CRLF
    bool drop = false;
    std::optional<std::string> replacement;  // instead of all of it; for a field with CRLF
};

// Who is asked about each field.  Its text has its line ends, and is cut to header_size_limit.
class FieldEditor {
public:
    virtual ~FieldEditor() = default;
    // What header_checks(5) makes of it; `field` may have no name.
    virtual LineChange check(const mail::FieldView& field) = 0;
    // Of a field that stays, after that: changes to its text.  The name is in lower case.
    virtual std::vector<mail::Edit> edit(std::string_view name, const mail::FieldView& field) = 0;
};

class HeaderScan {
public:
    // `text_ends_header`: a line that is no field begins the body, as in `echo hello | sendmail you`.
    explicit HeaderScan(const HeaderRules& rules, FieldEditor* editor = nullptr, bool text_ends_header = false)
        : rules_(rules), editor_(editor), text_ends_header_(text_ends_header)
    {
    }

    // Content, in order and from its beginning.  Cheap once the header is over.
    void feed(std::string_view bytes)
    {
        if (!done_)
            scan(bytes);
    }
    // At the end of the content.
    void finish();

    // After finish():
    bool has(std::string_view name) const;          // lower case; of those that matter here
    unsigned hops() const { return hops_; }
    // Empty: it has none; also that which complete() gave it.
    const std::string& message_id() const { return message_id_; }
    // Does a field say TLS-Required: No (RFC 8689 §3)?
    bool tls_optional() const { return tls_optional_; }
    std::uint64_t body_offset() const { return body_offset_; }
    bool done() const { return done_; }
    // How many bytes were looked at: all, until the header is over.
    std::uint64_t offset() const { return offset_; }
    // Where fields are added: behind the last one.
    std::uint64_t header_end() const { return header_end_; }
    // Did the body begin without an empty line before it?
    bool lacks_empty_line() const { return lacks_empty_line_; }
    // Then its beginning, at most field_limit of it; what came before the last feed() is all here.
    std::string_view early_body() const
    {
        return lacks_empty_line_ ? std::string_view(field_) : std::string_view();
    }
    // Is there a last line without its end?
    bool ends_within_line() const { return in_line_; }
    const PatchList& changes() const { return patches_; }
    const std::vector<queue::Patch>& patches() const { return patches_.patches(); }
    // The fields to be added, one after the other, each with CRLF (RFC 5322 §3.6, §3.6.6).
    std::string complete(const MissingFields& fields);

private:
    enum Field : unsigned {
        From = 1, Sender = 2, Date = 4, MessageId = 8, To = 16, Cc = 32, Bcc = 64,
        ResentFrom = 128, ResentSender = 256, ResentDate = 512, ResentMessageId = 1024, Resent = 2048,
    };

    void scan(std::string_view bytes);
    void line_start(char first);
    void end_line();
    void end_at_text(bool line_ended);
    void end_field();
    void note_field(std::string_view name, std::string_view value);
    bool is_dropped(std::string_view name) const;
    static unsigned field_of(std::string_view lower_name);

    const HeaderRules& rules_;
    FieldEditor* editor_;
    bool text_ends_header_;
    std::string field_;                   // text of the current field, up to field_limit
    std::uint64_t field_offset_ = 0;
    std::uint64_t offset_ = 0;            // of the next byte
    std::uint64_t line_offset_ = 0;
    bool in_line_ = false;                // behind the first byte of a line
    bool line_empty_ = true;              // only CR so far
    bool done_ = false;
    bool lacks_empty_line_ = false;

    unsigned seen_ = 0;
    unsigned hops_ = 0;
    bool tls_optional_ = false;
    std::string message_id_;
    std::uint64_t body_offset_ = 0;
    std::uint64_t header_end_ = 0;
    PatchList patches_;
};

}  // namespace cleanup
