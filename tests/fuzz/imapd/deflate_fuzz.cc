// A compressed session, whatever the client's compressor says: it comes to rest, and what it gives back when it leaves its
// connection is the end of what came.  The first byte chooses how the input is cut.
#include "imapd/engine/deflate_session.h"
#include "libutil/check.h"
#include "tests/fuzz/settle.h"
#include "tests/unit/dialog/scratch_store.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1 || size > 20'000)
        return 0;
    test::ScratchStore scratch;
    imapd::engine::SessionFacts facts;
    facts.returnable = true;
    imapd::engine::DeflateSession session(std::make_unique<imapd::engine::Session>(scratch.store(), facts));
    session.feed("a COMPRESS DEFLATE\r\n");
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::size_t piece = std::size_t(bytes.front() % 64) * 16 + 1;
    bytes.remove_prefix(1);
    std::string fed;
    while (!bytes.empty() && !session.finished()) {
        fed += bytes.substr(0, piece);
        session.feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        fuzz::settle(scratch.store(), session);
    }
    if (auto left = session.left_over())
        CHECK(session.finished() && fed.ends_with(*left));
    session.end_of_input();
    fuzz::settle(scratch.store(), session);
    CHECK(session.finished());
    return 0;
}
