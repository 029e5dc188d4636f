// What another user's mailbox process says: cut into the same responses, wherever the pieces are.  Input: one byte, the size
// of the pieces, then the text.
#include "imapd/engine/response_reader.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <algorithm>

namespace {

std::string read(std::string_view text, std::size_t piece)
{
    imapd::engine::ResponseReader reader;
    std::string seen;
    std::string bytes;
    bool inside = false;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        if (!reader.feed(text.substr(0, piece), [&](const auto& one) {
                CHECK(one.first == !inside);
                inside = !one.last;
                if (one.first)
                    seen += '<';
                seen += one.bytes;
                if (one.last)
                    seen += '>';
                return true;
            }))
            return seen + "broken";
    CHECK(reader.is_open() == inside);
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1)
        return 0;
    std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    CHECK(read(text, text.size() + 1) == read(text, 1 + data[0]));
    return 0;
}
