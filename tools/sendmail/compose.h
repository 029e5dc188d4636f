// From standard input to a submission: line ends, the recipients of -t, a From field.
#pragma once

#include "libipc/submission.h"
#include "libutil/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace sendmail {

// A header that -t reads recipients from, at most.
constexpr std::size_t max_header_size = 1'000'000;

// Turns the lines of a file into the lines of a message, piece by piece: LF and CRLF become CRLF, a
// last line without end gets one; a line with one dot ends the message if `dot_ends`; mbox's "From "
// lines at the start are left out.  Holds at most longest_partial and one piece of a line.
class LineReader {
public:
    explicit LineReader(bool dot_ends) : dot_ends_(dot_ends) {}

    // Adds what `bytes` says to `out`.
    void feed(std::string_view bytes, std::string& out);
    void end(std::string& out);
    // Has a dot ended the message?
    bool ended() const { return ended_; }

private:
    static constexpr std::size_t longest_partial = 64 * 1024;

    void line(std::string_view text, std::string& out);
    void begin_long_line(std::string& out);

    bool dot_ends_;
    bool ended_ = false;
    bool first_ = true;    // no line has been passed on
    bool within_ = false;  // the beginning of the current line has been
    std::string partial_;
};

// The addresses of To, Cc and Bcc.
std::vector<std::string> header_recipients(std::string_view header);

// An address from the command line ("a@b", "Name <a@b>", "a@b, c@d") as envelope addresses, with
// "@origin" after those without a domain.  Invalid: what cannot be an address.
util::Result<std::vector<std::string>> envelope_addresses(std::string_view text, std::string_view origin);

// "From: Full Name <address>" with its line end.
std::string from_field(std::string_view full_name, std::string_view address);

}  // namespace sendmail
