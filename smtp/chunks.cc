#include "smtp/chunks.h"

namespace smtp {

util::Result<Chunks::Chunk> Chunks::next()
{
    while (!ended_ && ready_.size() <= size_) {
        std::string_view piece = TRY(source_.next());
        ended_ = piece.empty();
        if (ended_) {
            bool whole = before_ == '\r' && last_ == '\n';
            ready_ += whole ? "" : "\r\n";
            break;
        }
        lines_.feed(piece, ready_);
        before_ = piece.size() > 1 ? piece[piece.size() - 2] : last_;
        last_ = piece.back();
    }
    Chunk chunk;
    chunk.last = ended_ && ready_.size() <= size_;
    chunk.bytes = ready_.substr(0, size_);
    ready_.erase(0, size_);
    return chunk;
}

}  // namespace smtp
