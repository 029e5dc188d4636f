// Cuts what another IMAP server says into responses: lines with their literals.
//
// The other side is another user's mailbox process: it may say anything, and what it says costs bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace imapd::engine {

class ResponseReader {
public:
    // A line without end and so many bytes of it: the reader is broken.
    static constexpr std::size_t max_line = 48U << 20;   // a BODYSTRUCTURE may be long (libstore)

    struct Piece {
        std::string_view bytes;   // with the line end; of a literal, any part
        bool first = false;       // a response begins here
        bool last = false;        // and ends here
    };

    // Hands on what is complete; false: broken.  `take` returns false to stop, and what is left is kept.
    bool feed(std::string_view bytes, const std::function<bool(const Piece&)>& take);
    // In the middle of a response?
    bool is_open() const { return open_; }

private:
    std::string input_;
    std::uint64_t literal_left_ = 0;
    bool open_ = false;
};

}  // namespace imapd::engine
