// Lines in streams of bytes: dots stuffed and unstuffed (RFC 5321 §4.5.2, RFC 1939 §3), line ends made
// CRLF.  All take a stream in chunks of any size and remember what lies between two of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mail {

// What bare CR and bare LF in DATA mean (RFC 5321 §2.3.8 forbids both).
enum class BareLineEnds : unsigned char {
    Keep,       // bytes like others: only CRLF ends a line
    // Both become CRLF (smtpd_forbid_bare_newline = normalize), and stuffing after them is undone; a
    // dot alone after or before a bare LF still is no end, but content.
    Normalize,
};

// The receiver's side of DATA and of a POP3 multi-line response: takes the stuffing dots out and finds
// the end, which is CRLF "." CRLF and nothing else (the first line may be the dot).
class DotReader {
public:
    explicit DotReader(BareLineEnds bare = BareLineEnds::Keep) : bare_(bare) {}

    // Appends what `input` holds of the content to `out`; the number of bytes used.  All of them,
    // unless the end was found: what follows it is the next command's.
    std::size_t feed(std::string_view input, std::string& out);
    bool finished() const { return state_ == State::Done; }

    // Seen so far: a line feed without carriage return, a carriage return without line feed, a NUL.
    bool saw_bare_lf() const { return bare_lf_; }
    bool saw_bare_cr() const { return bare_cr_; }
    bool saw_nul() const { return nul_; }

private:
    enum class State : unsigned char { LineStart, BareLineStart, Text, Cr, Dot, BareDot, DotCr, Done };
    void take(char c, std::string& out);
    bool take_after_dot(char c, std::string& out);

    BareLineEnds bare_;
    State state_ = State::LineStart;
    bool bare_lf_ = false;
    bool bare_cr_ = false;
    bool nul_ = false;
};

// The sender's side: stuffs dots, and ends with CRLF "." CRLF.
class DotWriter {
public:
    void feed(std::string_view input, std::string& out);
    // Adds the CRLF that the last line lacks, and the dot.
    void finish(std::string& out);

private:
    bool line_start_ = true;
    bool cr_ = false;
};

// Makes every line end CRLF: of files, of sendmail's input, of APPEND from clients that send bare LF.
class CrlfWriter {
public:
    // `bare_cr`: is a CR without LF a line end, too?
    explicit CrlfWriter(bool bare_cr = false) : bare_cr_(bare_cr) {}

    void feed(std::string_view input, std::string& out);
    // What a CR at the very end of the input means; with `complete`, the last line gets its CRLF.
    void finish(std::string& out, bool complete = true);

private:
    bool bare_cr_;
    bool cr_ = false;          // the last byte was a CR, not written yet
    bool line_start_ = true;
};

}  // namespace mail
