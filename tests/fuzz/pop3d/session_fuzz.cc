// A whole POP3 session over a small store.  The first byte chooses how the input is cut.
#include "libutil/check.h"
#include "pop3d/engine/session.h"
#include "tests/unit/dialog/scratch_store.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1 || size > 20'000)
        return 0;
    test::ScratchStore scratch;
    auto& store = scratch.store();
    test::deliver(store, "Subject: one\r\n\r\n.dot\r\n..two\r\n\r\nend without line end");
    test::deliver(store, "Subject: two");
    test::deliver(store, ".\r\n");
    (void)store.sync();
    (void)store.collect();
    pop3d::engine::Session session(store, {});
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::size_t piece = std::size_t(bytes.front() % 64) * 16 + 1;
    bytes.remove_prefix(1);
    while (!bytes.empty() && !session.finished()) {
        session.feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (int round = 0; session.has_work(); ++round) {
            CHECK(round < 10'000);
            session.output().clear();
            session.work();
        }
        session.output().clear();
        (void)store.sync();
        (void)store.collect();
        session.durable_grew();
    }
    session.end_of_input();
    CHECK(session.finished());
    return 0;
}
