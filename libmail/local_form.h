// A message as programs and mailbox files of this system have it: lines with an end of the system's own,
// trace fields in front, and for mailbox files a From line before and an empty line behind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mail {

struct LocalForm {
    bool from_line = false;      // "From sender date" before it
    bool return_path = false;
    bool original_to = false;    // X-Original-To:
    bool delivered_to = false;
    bool quote_from = false;     // a ">" before lines that begin with "From "
    bool stuff_dots = false;     // a "." before lines that begin with one
    bool empty_line = false;     // behind it
    std::string line_end = "\n";
};

// Whose message it is, as text for fields.  Bytes that could leave a field do not.
struct LocalTrace {
    std::string_view sender;     // empty: the null sender, MAILER-DAEMON in the From line
    std::string_view original;   // empty: no X-Original-To:
    std::string_view delivered_to;
};

// What stands before the content.  `now`: seconds since 1970, for the From line, in the system's zone.
std::string local_head(const LocalTrace& trace, const LocalForm& form, std::int64_t now);

// Lines of the content, whose CRLF and LF become the form's line ends.
class LocalLines {
public:
    explicit LocalLines(const LocalForm& form) : quote_(form.quote_from), stuff_(form.stuff_dots), line_end_(form.line_end) {}
    void feed(std::string_view bytes, std::string& out);
    // The end of a last line that has none.
    void finish(std::string& out);

private:
    void put(std::string_view bytes, std::string& out);
    std::size_t put_start(std::string_view bytes, std::string& out);
    void flush_start(std::string& out);

    bool quote_;
    bool stuff_;
    std::string line_end_;
    bool after_cr_ = false;
    bool in_line_ = false;
    std::string start_;   // of a line that may become "From "
};

}  // namespace mail
