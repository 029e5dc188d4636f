// Message content as it comes over SMTP: finding its end, dots, line ends.
//
// What comes out has CRLF at every line end and nowhere else, so that later programs can index it
// and so that no later server can see an end of data that this one did not (SMTP smuggling).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smtpd {

// smtpd_forbid_bare_newline: what is done about LF without CR.
enum class BareNewline : std::uint8_t {
    No,         // it ends a line like CRLF does, and LF.LF ends the data
    Normalize,  // it ends a line, but only CRLF.CRLF ends the data (RFC 5321 §4.1.1.4)
    Note,       // as Normalize, and it is logged
    Reject,     // as Normalize, and the message is refused at its end
};

struct ContentRules {
    BareNewline bare_newline = BareNewline::Normalize;
    bool replace_stray_cr = true;  // CR without LF becomes a space (else it stays)
};

// Shared by both decoders: lines of CRLF, LF or stray CR in pieces of any size.
class LineNormalizer {
public:
    explicit LineNormalizer(ContentRules rules) : rules_(rules) {}

    // Appends `text`, which holds no LF but may end in a CR whose LF comes with the next call.
    void text(std::string_view text, std::string& out);
    // The end of a line.
    void line_feed(std::string& out);
    // The end of the content: completes a last line that lacks its end.
    void finish(std::string& out);

    bool at_line_start() const { return at_line_start_; }
    // Did the last line end in LF alone?
    bool after_bare_lf() const { return after_bare_lf_; }
    bool saw_bare_lf() const { return saw_bare_lf_; }

private:
    void stray_cr(std::string& out);

    ContentRules rules_;
    bool pending_cr_ = false;
    bool at_line_start_ = true;
    bool after_bare_lf_ = false;
    bool saw_bare_lf_ = false;
};

// The content behind DATA: dot-unstuffing and the end of data (RFC 5321 §4.5.2).
class DataDecoder {
public:
    explicit DataDecoder(ContentRules rules) : rules_(rules), lines_(rules) {}

    // Appends what `input` decodes to and says how many of its bytes were taken: all of them,
    // unless the data ended before: then done(), and the rest is commands.
    std::size_t decode(std::string_view input, std::string& out);

    bool done() const { return state_ == State::Done; }
    bool saw_bare_lf() const { return lines_.saw_bare_lf(); }

private:
    enum class State : std::uint8_t { LineStart, Dot, DotCr, Text, Done };

    bool decode_start(char byte, std::string& out);
    bool legacy() const { return rules_.bare_newline == BareNewline::No; }

    ContentRules rules_;
    LineNormalizer lines_;
    State state_ = State::LineStart;
};

// The content of BDAT chunks (RFC 3030 §2): counted, not dot-stuffed; line ends are put right as in DATA,
// since BINARYMIME is not offered.
class ChunkDecoder {
public:
    explicit ChunkDecoder(ContentRules rules) : lines_(rules) {}

    void decode(std::string_view input, std::string& out);
    void finish(std::string& out) { lines_.finish(out); }
    bool saw_bare_lf() const { return lines_.saw_bare_lf(); }

private:
    LineNormalizer lines_;
};

}  // namespace smtpd
