// Decoding of message content.
#include "smtpd/content.h"

namespace smtpd {

void LineNormalizer::stray_cr(std::string& out)
{
    out += rules_.replace_stray_cr ? ' ' : '\r';
    pending_cr_ = false;
}

void LineNormalizer::text(std::string_view text, std::string& out)
{
    if (text.empty())
        return;
    if (pending_cr_)
        stray_cr(out);
    at_line_start_ = false;
    if (text.back() == '\r') {
        pending_cr_ = true;
        text.remove_suffix(1);
    }
    for (;;) {
        std::size_t cr = text.find('\r');
        out += text.substr(0, cr);
        if (cr == std::string_view::npos)
            return;
        out += rules_.replace_stray_cr ? ' ' : '\r';
        text.remove_prefix(cr + 1);
    }
}

void LineNormalizer::line_feed(std::string& out)
{
    out += "\r\n";
    after_bare_lf_ = !pending_cr_;
    saw_bare_lf_ = saw_bare_lf_ || after_bare_lf_;
    pending_cr_ = false;
    at_line_start_ = true;
}

void LineNormalizer::finish(std::string& out)
{
    if (pending_cr_)
        stray_cr(out);
    if (!at_line_start_)
        out += "\r\n";
    at_line_start_ = true;
}

// A byte at or near the start of a line; false: it belongs to the line's text.
bool DataDecoder::decode_start(char byte, std::string& out)
{
    // A line of one dot that does not end the data keeps its dot, and stays harmless: whoever sends
    // it on doubles it.
    auto lone_dot = [&](std::string_view dot) {
        lines_.text(dot, out);
        lines_.line_feed(out);
        state_ = State::LineStart;
    };
    switch (state_) {
    case State::LineStart:
        state_ = byte == '.' ? State::Dot : State::Text;
        return byte == '.';
    case State::Dot:
        if (byte == '\r') {
            state_ = State::DotCr;
            return true;
        }
        if (byte == '\n') {
            if (legacy())
                state_ = State::Done;
            else
                lone_dot(".");
            return true;
        }
        state_ = State::Text;  // RFC 5321 §4.5.2: the first dot goes
        return false;
    case State::DotCr:
        if (byte == '\n') {
            if (legacy() || !lines_.after_bare_lf())
                state_ = State::Done;
            else
                lone_dot(".\r");
            return true;
        }
        lines_.text("\r", out);
        state_ = State::Text;
        return false;
    case State::Text:
    case State::Done:
        break;
    }
    return false;
}

std::size_t DataDecoder::decode(std::string_view input, std::string& out)
{
    std::size_t at = 0;
    while (at < input.size() && state_ != State::Done) {
        if (state_ != State::Text && decode_start(input[at], out)) {
            ++at;
            continue;
        }
        std::size_t lf = input.find('\n', at);
        if (lf == std::string_view::npos) {
            lines_.text(input.substr(at), out);
            return input.size();
        }
        lines_.text(input.substr(at, lf - at), out);
        lines_.line_feed(out);
        state_ = State::LineStart;
        at = lf + 1;
    }
    return at;
}

void ChunkDecoder::decode(std::string_view input, std::string& out)
{
    while (!input.empty()) {
        std::size_t lf = input.find('\n');
        lines_.text(input.substr(0, lf), out);
        if (lf == std::string_view::npos)
            return;
        lines_.line_feed(out);
        input.remove_prefix(lf + 1);
    }
}

}  // namespace smtpd
