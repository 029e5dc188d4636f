// An SMTP reply as a value: RFC 5321 §4.2, with the enhanced status code of RFC 2034.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>

namespace mail {

// Reply lines that we write end with CRLF and have at most this many bytes (RFC 5321 §4.5.3.1.5).
constexpr std::size_t max_reply_line = 512;
// What we take from a server: longer lines are cut, more lines are dropped.
constexpr std::size_t max_remote_reply_line = 2048;
constexpr std::size_t max_remote_reply_lines = 100;

struct Reply {
    int code = 0;      // 200..599
    std::string dsn;   // "5.1.1", or empty (greeting, EHLO, 3xx: RFC 2034 §4)
    std::string text;  // lines separated by '\n'; the first may not begin with a status code

    bool is_positive() const { return code >= 200 && code < 400; }
    bool is_temporary() const { return code >= 400 && code < 500; }
    bool is_permanent() const { return code >= 500 && code < 600; }

    bool operator==(const Reply&) const = default;
};

// What goes over the wire, with CRLF: "250-2.1.5 a\r\n250 2.1.5 b\r\n".  The status code stands on
// every line.  Control bytes in the text become '?', bytes above 127 stay only with `utf8`
// (RFC 6531 §3.7.4.2), long lines break at spaces or where they must.
std::string to_wire(const Reply& reply, bool utf8 = false);

// One line for the log and for DSNs: "550 5.1.1 <a@b>: no such user"; the lines joined by spaces.
std::string to_line(const Reply& reply);

// Puts a server's reply together line by line.
class ReplyParser {
public:
    // One line without its CRLF.  True: the reply is complete, take() it.  Invalid: not SMTP.
    util::Result<bool> feed(std::string_view line);
    // The complete reply; its dsn is empty when the server gave none.  The parser starts afresh.
    Reply take();

private:
    Reply reply_;
    std::size_t lines_ = 0;
};

// A reply from its one-line form, as in tables and restriction results: "550 5.7.1 text".
// NotFound when it does not begin with a code.
util::Result<Reply> parse_reply_line(std::string_view line);

}  // namespace mail
