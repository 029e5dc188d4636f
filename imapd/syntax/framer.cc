// Cuts the client's bytes into commands.
#include "imapd/syntax/framer.h"

#include "libutil/check.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::syntax {

namespace {

// The longest announcement: "~{9223372036854775807+}" and CR.
constexpr std::size_t longest_mark = 32;
// Used-up input is cut off when it is at least this much.
constexpr std::size_t compact_at = 16U << 10;
// A literal that was announced takes its memory at once up to this size, then as it comes.
constexpr std::uint64_t reserve_at_once = 1U << 20;

std::string_view without_cr(std::string_view line)
{
    if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    return line;
}

}  // namespace

LiteralMark find_literal(std::string_view line, Framer::LiteralStart& literal)
{
    if (line.empty() || line.back() != '}')
        return LiteralMark::None;
    auto open = line.rfind('{');
    if (open == std::string_view::npos)
        return LiteralMark::None;
    auto digits = line.substr(open + 1, line.size() - open - 2);
    literal = {};
    if (!digits.empty() && digits.back() == '+') {
        literal.synchronizing = false;
        digits.remove_suffix(1);
    }
    auto size = util::parse_unsigned(digits, INT64_MAX);
    // A literal stands after a space or an opening parenthesis or bracket, never inside a word.
    bool placed = open == 0 || line[open - 1] == ' ' || line[open - 1] == '(';
    if (open > 0 && line[open - 1] == '~') {
        literal.binary = true;
        placed = open == 1 || line[open - 2] == ' ' || line[open - 2] == '(';
    }
    if (!placed)
        return LiteralMark::None;
    if (!size.ok())
        return LiteralMark::Bad;
    literal.size = *size;
    return LiteralMark::Literal;
}

void Framer::feed(std::string_view bytes)
{
    // The common large case: the bytes of a literal go straight to where they stay.
    if (state_ == State::Literal && waiting() == 0) {
        auto count = std::size_t(std::min<std::uint64_t>(remaining_, bytes.size()));
        command_.append(bytes.substr(0, count));
        remaining_ -= count;
        bytes.remove_prefix(count);
    }
    input_.append(bytes);
}

void Framer::consume(std::size_t count)
{
    position_ += count;
    scanned_ = 0;
    if (position_ == input_.size()) {
        input_.clear();
        position_ = 0;
    } else if (position_ >= compact_at) {
        input_.erase(0, position_);
        position_ = 0;
    }
}

Framer::Event Framer::end_of_line(std::string_view line)
{
    command_.append(line);
    switch (find_literal(line, literal_)) {
    case LiteralMark::None:
        state_ = State::Done;
        return Event::Command;
    case LiteralMark::Literal:
        state_ = State::Asking;
        return Event::Literal;
    case LiteralMark::Bad:
        break;
    }
    if (!literal_.synchronizing) {
        state_ = State::Broken;  // its length is unknown, so nobody knows where the next command is
        return Event::Fatal;
    }
    state_ = State::Done;
    return Event::BadLiteral;
}

// One step of skipping; true when `event` is the answer.
bool Framer::skip_step(Event& event)
{
    if (state_ == State::SkipLiteral) {
        auto count = std::size_t(std::min<std::uint64_t>(remaining_, waiting()));
        remaining_ -= count;
        consume(count);
        if (remaining_ > 0) {
            event = Event::NeedInput;
            return true;
        }
        state_ = State::SkipLine;
        tail_.clear();
        return false;
    }
    auto bytes = rest();
    auto end = bytes.find('\n');
    auto piece = bytes.substr(0, end);
    tail_.append(piece.substr(piece.size() - std::min(piece.size(), longest_mark)));
    if (tail_.size() > longest_mark)
        tail_.erase(0, tail_.size() - longest_mark);
    if (end == std::string_view::npos) {
        consume(bytes.size());
        event = Event::NeedInput;
        return true;
    }
    consume(end + 1);
    LiteralStart mark;
    auto found = find_literal(without_cr(tail_), mark);
    if (found != LiteralMark::None && !mark.synchronizing) {
        if (found == LiteralMark::Bad || mark.size > limits_.skip) {
            state_ = State::Broken;
            event = Event::Fatal;
            return true;
        }
        remaining_ = mark.size;
        state_ = State::SkipLiteral;
        return false;
    }
    state_ = State::Line;
    release();
    return false;
}

Framer::Event Framer::next()
{
    for (;;) {
        switch (state_) {
        case State::Done:
            return Event::Command;
        case State::Broken:
            return Event::Fatal;
        case State::Asking:
            return Event::Literal;
        case State::SkipLine:
        case State::SkipLiteral: {
            Event event{};
            if (skip_step(event))
                return event;
            break;
        }
        case State::Literal: {
            auto count = std::size_t(std::min<std::uint64_t>(remaining_, waiting()));
            command_.append(rest().substr(0, count));
            remaining_ -= count;
            consume(count);
            if (remaining_ > 0)
                return Event::NeedInput;
            state_ = State::Line;
            break;
        }
        case State::Line: {
            auto end = rest().find('\n', scanned_);
            auto length = end == std::string_view::npos ? waiting() : end;
            if (command_.size() - literal_bytes_ + length > limits_.line) {
                command_.append(rest().substr(0, std::min(length, longest_mark)));
                tail_.clear();
                state_ = State::SkipLine;
                return Event::TooLong;
            }
            if (end == std::string_view::npos) {
                scanned_ = waiting();
                return Event::NeedInput;
            }
            auto event = end_of_line(without_cr(rest().substr(0, end)));
            consume(end + 1);
            return event;
        }
        }
    }
}

Framer::Event Framer::next_line()
{
    if (state_ != State::Line)
        return next();
    auto end = rest().find('\n', scanned_);
    if ((end == std::string_view::npos ? waiting() : end) > limits_.line) {
        tail_.clear();
        state_ = State::SkipLine;
        return Event::TooLong;
    }
    if (end == std::string_view::npos) {
        scanned_ = waiting();
        return Event::NeedInput;
    }
    command_.append(without_cr(rest().substr(0, end)));
    consume(end + 1);
    state_ = State::Done;
    return Event::Command;
}

void Framer::accept_literal()
{
    CHECK(state_ == State::Asking);
    command_.append("\r\n");
    command_.reserve(command_.size() +
                     std::size_t(std::min(literal_.size, reserve_at_once)));
    remaining_ = literal_.size;
    literal_bytes_ += literal_.size;
    state_ = State::Literal;
}

bool Framer::refuse_literal()
{
    CHECK(state_ == State::Asking);
    if (literal_.synchronizing) {
        state_ = State::Done;
        release();
        return true;
    }
    if (literal_.size > limits_.skip) {
        state_ = State::Broken;
        return false;
    }
    remaining_ = literal_.size;
    state_ = State::SkipLiteral;
    return true;
}

void Framer::release()
{
    // A large command's memory goes back; a small one's is used again.
    if (command_.capacity() > (64U << 10))
        std::string().swap(command_);
    else
        command_.clear();
    literal_bytes_ = 0;
    if (state_ == State::Done)
        state_ = State::Line;
}

}  // namespace imapd::syntax
