// Chunks: a message's content in pieces whose size is known, for BDAT (RFC 3030): no line is too long, no dot
// is stuffed, and the last line has its end.
#pragma once

#include "smtp/letter.h"
#include "smtp/line_breaker.h"

namespace smtp {

class Chunks {
public:
    // `size`: bytes of all chunks but the last, which may be shorter.
    Chunks(Source& source, std::size_t line_limit, std::size_t size) : source_(source), lines_(line_limit), size_(size) {}

    struct Chunk {
        std::string bytes;   // empty: of a message without content
        bool last = false;
    };
    // Not after the last one.  An error is the source's.
    util::Result<Chunk> next();

private:
    Source& source_;
    LineBreaker lines_;
    std::size_t size_;
    std::string ready_;      // more than a chunk, so that the last one is known
    char before_ = '\r';     // the last two bytes of all that was read
    char last_ = '\n';
    bool ended_ = false;
};

}  // namespace smtp
