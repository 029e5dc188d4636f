// What was kept of a parked session comes back as anything: it is refused, or it makes a session that serves its
// client.  The first byte chooses how it comes: as the session's own state, or with the compression around it.
#include "imapd/engine/deflate_session.h"
#include "libutil/check.h"
#include "tests/unit/dialog/scratch_store.h"

#include <cstdint>

namespace {

using imapd::engine::DeflateSession;
using imapd::engine::Session;

constexpr std::string_view message = "From: a@example.org\r\nSubject: one\r\n\r\nbody\r\n";

// Made once: what is done here changes nothing that a state refers to.
store::Store& the_store()
{
    static test::ScratchStore scratch;
    static bool filled = false;
    if (!std::exchange(filled, true)) {
        for (int i = 0; i < 5; ++i)
            test::deliver(scratch.store(), message);
        CHECK(scratch.store().sync().ok());
    }
    return scratch.store();
}

void use(ipc::ProtocolSession& session)
{
    session.catch_up();
    for (std::string_view text :
         {"DONE\r\n", "a NOOP\r\n", "b FETCH 1:* (FLAGS UID)\r\n", "c UID SEARCH $\r\n", "d IDLE\r\n"}) {
        session.feed(text);
        for (int slice = 0; slice < 1000 && session.has_work(); ++slice)
            session.work();
        session.output().clear();
    }
    // What came of it can be parked again.
    if (auto resting = session.rest()) {
        DeflateSession again(std::make_unique<Session>(the_store(), imapd::engine::SessionFacts{}), resting->state);
        again.catch_up();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.empty() || size > 20'000)
        return 0;
    auto inner = std::make_unique<Session>(the_store(), imapd::engine::SessionFacts{});
    if (bytes.front() == 'z') {
        DeflateSession session(std::move(inner), bytes.substr(1));
        use(session);
    } else if (inner->restore(bytes.substr(1)).ok()) {
        DeflateSession session(std::move(inner));
        use(session);
    }
    return 0;
}
