#include "libmail/line.h"

#include <algorithm>
#include <cstring>

namespace mail {

namespace {

// Where the run of plain bytes from `at` ends: at the next CR, LF or NUL.  Most text goes this way.
std::size_t plain_end(std::string_view text, std::size_t at)
{
    const char* start = text.data() + at;
    std::size_t size = text.size() - at;
    // The LF bounds the other two searches to one line.
    if (const void* lf = std::memchr(start, '\n', size))
        size = std::size_t(static_cast<const char*>(lf) - start);
    if (const void* cr = std::memchr(start, '\r', size))
        size = std::size_t(static_cast<const char*>(cr) - start);
    if (const void* nul = std::memchr(start, '\0', size))
        size = std::size_t(static_cast<const char*>(nul) - start);
    return at + size;
}

}  // namespace

std::size_t DotReader::feed(std::string_view input, std::string& out)
{
    std::size_t at = 0;
    while (at < input.size() && state_ != State::Done) {
        bool line_start = state_ == State::LineStart || state_ == State::BareLineStart;
        if (state_ == State::Text || (line_start && input[at] != '.')) {
            std::size_t end = plain_end(input, at);
            out.append(input.substr(at, end - at));
            if (end > at)
                state_ = State::Text;
            at = end;
            if (at >= input.size())
                break;
        }
        take(input[at++], out);
    }
    return at;
}

// The byte after a dot that began a line.  True: it is done with.
bool DotReader::take_after_dot(char c, std::string& out)
{
    if (state_ == State::Dot && c == '\r') {
        state_ = State::DotCr;
        return true;
    }
    // The dot was stuffing, unless it stands alone beside a bare LF.
    bool lone = state_ == State::BareDot ? c == '\r' || c == '\n'
                                         : c == '\n' && bare_ == BareLineEnds::Normalize;
    if (lone)
        out += '.';
    state_ = State::Text;
    return false;
}

// One byte that is not plain, or one after a CR or a dot.
void DotReader::take(char c, std::string& out)
{
    bool normalize = bare_ == BareLineEnds::Normalize;
    if (c == '.' && (state_ == State::LineStart || state_ == State::BareLineStart)) {
        state_ = state_ == State::LineStart ? State::Dot : State::BareDot;
        return;
    }
    if ((state_ == State::Dot || state_ == State::BareDot) && take_after_dot(c, out))
        return;
    if (state_ == State::DotCr || state_ == State::Cr) {
        if (c == '\n') {
            bool end = state_ == State::DotCr;
            state_ = end ? State::Done : State::LineStart;
            out += end ? "" : "\r\n";
            return;
        }
        // The CR stands alone.  ".CR" at the start of a line loses its dot like all stuffing.
        bare_cr_ = true;
        out += normalize ? "\r\n" : "\r";
        state_ = normalize ? State::BareLineStart : State::Text;
        if (normalize && c == '.') {
            state_ = State::BareDot;
            return;
        }
    }
    if (c == '\r') {
        state_ = State::Cr;
    } else if (c == '\n') {
        // No dot after a bare LF ends the message: "LF . CRLF" is content (SMTP smuggling).
        bare_lf_ = true;
        out += normalize ? "\r\n" : "\n";
        state_ = normalize ? State::BareLineStart : State::Text;
    } else {
        nul_ |= c == '\0';
        out += c;
        state_ = State::Text;
    }
}

void DotWriter::feed(std::string_view input, std::string& out)
{
    std::size_t at = 0;
    while (at < input.size()) {
        if (line_start_ && input[at] == '.')
            out += '.';
        const void* lf = std::memchr(input.data() + at, '\n', input.size() - at);
        std::size_t end = lf ? std::size_t(static_cast<const char*>(lf) - input.data()) + 1 : input.size();
        out.append(input.substr(at, end - at));
        bool cr_before = end - at >= 2 ? input[end - 2] == '\r' : cr_;
        line_start_ = lf != nullptr && cr_before;
        cr_ = input[end - 1] == '\r';
        at = end;
    }
}

void DotWriter::finish(std::string& out)
{
    if (!line_start_)
        out += "\r\n";
    out += ".\r\n";
    line_start_ = true;
    cr_ = false;
}

void CrlfWriter::feed(std::string_view input, std::string& out)
{
    std::size_t at = 0;
    while (at < input.size()) {
        if (cr_ && input[at] != '\n') {  // the CR before stood alone
            out += bare_cr_ ? "\r\n" : "\r";
            line_start_ = bare_cr_;
        }
        cr_ = false;
        std::size_t end = std::min(input.find_first_of("\r\n", at), input.size());
        if (end > at) {
            out.append(input.substr(at, end - at));
            line_start_ = false;
        }
        if (end < input.size() && input[end] == '\n') {
            out += "\r\n";
            line_start_ = true;
        } else if (end < input.size()) {
            cr_ = true;
        }
        at = end + 1;
    }
}

void CrlfWriter::finish(std::string& out, bool complete)
{
    if (cr_) {
        out += bare_cr_ ? "\r\n" : "\r";
        line_start_ = bare_cr_;
    }
    if (complete && !line_start_)
        out += "\r\n";
    cr_ = false;
    line_start_ = true;
}

}  // namespace mail
