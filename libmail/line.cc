#include "libmail/line.h"

#include <algorithm>
#include <cstring>

namespace mail {

namespace {

// Finds the bytes that are not plain, each kind by its own memchr.  What was found is remembered, so
// that a flood of one kind does not make another be searched for again and again.
class SpecialFinder {
public:
    SpecialFinder(std::string_view text, bool nul) : text_(text)
    {
        lf_ = search('\n', 0);
        cr_ = search('\r', 0);
        nul_ = nul ? search('\0', 0) : text.size();
    }

    // Where the run of plain bytes from `at` ends; `at` only grows from call to call.
    std::size_t next(std::size_t at)
    {
        if (lf_ < at)
            lf_ = search('\n', at);
        if (cr_ < at)
            cr_ = search('\r', at);
        if (nul_ < at)
            nul_ = search('\0', at);
        return std::min({lf_, cr_, nul_});
    }

private:
    std::size_t search(char c, std::size_t at) const
    {
        return std::min(text_.find(c, at), text_.size());
    }

    std::string_view text_;
    std::size_t lf_ = 0;
    std::size_t cr_ = 0;
    std::size_t nul_ = 0;
};

}  // namespace

std::size_t DotReader::feed(std::string_view input, std::string& out)
{
    SpecialFinder special(input, true);
    std::size_t at = 0;
    while (at < input.size() && state_ != State::Done) {
        bool line_start = state_ == State::LineStart || state_ == State::BareLineStart;
        if (state_ == State::Text || (line_start && input[at] != '.')) {
            std::size_t end = special.next(at);
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
    SpecialFinder special(input, false);
    std::size_t at = 0;
    while (at < input.size()) {
        if (cr_ && input[at] != '\n') {  // the CR before stood alone
            out += bare_cr_ ? "\r\n" : "\r";
            line_start_ = bare_cr_;
        }
        cr_ = false;
        std::size_t end = special.next(at);
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
