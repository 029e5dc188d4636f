// Responses of another server, piece by piece.
#include "imapd/engine/response_reader.h"

#include "imapd/syntax/framer.h"

#include <algorithm>

namespace imapd::engine {

bool ResponseReader::feed(std::string_view bytes, const std::function<bool(const Piece&)>& take)
{
    input_ += bytes;
    std::size_t at = 0;
    bool going = true;
    while (going && at < input_.size()) {
        auto rest = std::string_view(input_).substr(at);
        if (literal_left_ > 0) {
            auto count = std::size_t(std::min<std::uint64_t>(literal_left_, rest.size()));
            literal_left_ -= count;
            at += count;
            going = take({.bytes = rest.substr(0, count)});
            continue;
        }
        auto end = rest.find("\r\n");
        if (end == rest.npos) {
            if (rest.size() > max_line)
                return false;
            break;
        }
        auto line = rest.substr(0, end);
        syntax::Framer::LiteralStart literal;
        auto mark = syntax::find_literal(line, literal);
        if (mark == syntax::LiteralMark::Bad)
            mark = syntax::LiteralMark::None;   // text that only looks like one
        bool first = !std::exchange(open_, mark == syntax::LiteralMark::Literal);
        if (open_)
            literal_left_ = literal.size;
        at += end + 2;
        going = take({.bytes = rest.substr(0, end + 2), .first = first, .last = !open_});
    }
    input_.erase(0, at);
    return true;
}

}  // namespace imapd::engine
