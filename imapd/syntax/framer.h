// Cuts the client's bytes into commands: a line, and after each line that announces a literal the
// literal and one more line (RFC 3501 §2.2, §4.3; RFC 7888).
//
// The framer knows sizes only.  Whoever owns it decides about each literal before one byte of it is
// stored, and hands the finished command to a Scanner.  Lines end with CRLF; a bare LF is taken too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace imapd::syntax {

struct FrameLimits {
    std::size_t line = 128U << 10;        // bytes of all lines of one command together
    std::uint64_t skip = 64U << 20;       // a refused literal beyond this is not read: Fatal
};

class Framer {
public:
    explicit Framer(FrameLimits limits = {}) : limits_(limits) {}

    enum class Event : unsigned char {
        NeedInput,  // nothing more without feed()
        Command,    // command() is whole; call release() when done with it
        Literal,    // a literal is announced: call accept_literal() or refuse_literal()
        TooLong,    // the line limit was passed; the rest is skipped; command() is its beginning
        BadLiteral, // {..} that is no size, or beyond 2^63; the command is dropped like TooLong
        Fatal,      // a literal that cannot be skipped: say BYE and close; nothing else follows
    };

    struct LiteralStart {
        std::uint64_t size = 0;
        bool synchronizing = true;  // false: {n+}, the client does not wait (RFC 7888)
        bool binary = false;        // ~{n}, RFC 3516
    };

    void feed(std::string_view bytes);
    // Bytes that wait, not yet part of a command.
    std::size_t waiting() const { return input_.size() - position_; }
    // Nothing has been read of a command that is not whole yet.
    bool between_commands() const
    {
        return waiting() == 0 && state_ == State::Line && command_.empty() && literal_bytes_ == 0;
    }
    std::string_view rest() const { return std::string_view(input_).substr(position_); }

    Event next();
    // For IDLE and AUTHENTICATE: the next line as it is, without looking for literals.
    Event next_line();

    // Without the final line end; literals stand inside as "{n}", CRLF and their bytes, as the
    // Scanner expects them.
    std::string_view command() const { return command_; }
    const LiteralStart& literal() const { return literal_; }
    // Literal bytes in this command so far, without the one that is announced now.
    std::uint64_t literal_bytes() const { return literal_bytes_; }
    void accept_literal();
    // The client does not send a synchronizing literal that was refused: the command is over.
    // A non-synchronizing one is skipped with the rest of its command.  False: Fatal.
    bool refuse_literal();
    void release();

private:
    enum class State : unsigned char { Line, Asking, Literal, SkipLine, SkipLiteral, Done, Broken };

    Event end_of_line(std::string_view line);
    bool skip_step(Event& event);
    void consume(std::size_t count);

    FrameLimits limits_;
    State state_ = State::Line;
    std::string input_;
    std::size_t position_ = 0;   // in input_: what is before it is used up
    std::size_t scanned_ = 0;    // from position_: known to hold no LF
    std::string command_;
    std::string tail_;           // the last bytes of a line that is being skipped
    std::uint64_t literal_bytes_ = 0;
    std::uint64_t remaining_ = 0;  // of the literal that is read or skipped
    LiteralStart literal_;
};

enum class LiteralMark : unsigned char { None, Literal, Bad };
// Does the line end with {n}, {n+} or ~{n}?
LiteralMark find_literal(std::string_view line, Framer::LiteralStart& literal);

}  // namespace imapd::syntax
