// A whole session over a small store: whatever the client says, each tagged line gets its answer,
// sequence numbers stay those of the view, and nothing breaks.  The first byte chooses how the
// input is cut; a second session changes the mailbox meanwhile.
#include "imapd/engine/session.h"
#include "libmail/imap_render.h"
#include "libutil/check.h"
#include "tests/unit/dialog/scratch_store.h"

#include <cstdint>

namespace {

constexpr std::string_view messages[] = {
    "From: a@example.org\r\nSubject: one\r\n\r\nbody\r\n",
    "From: b@example.org\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\npart\r\n"
    "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext\r\n--x--\r\n",
    "Subject: no end of header",
};

void settle(store::Store& store, imapd::engine::Session& one, imapd::engine::Session& two)
{
    for (int round = 0; round < 1000; ++round) {
        one.output().clear();
        two.output().clear();
        bool busy = false;
        for (auto* session : {&one, &two}) {
            if (session->has_work()) {
                session->work();
                busy = true;
            }
        }
        if (store.last() > store.durable()) {
            (void)store.sync();
            (void)store.collect();
            one.durable_grew();
            two.durable_grew();
            busy = true;
        }
        if (!busy)
            return;
    }
    bool comes_to_rest = false;
    CHECK(comes_to_rest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 1 || size > 20'000)
        return 0;
    test::ScratchStore scratch;
    auto& store = scratch.store();
    for (auto message : messages)
        test::deliver(store, message);
    (void)store.sync();
    (void)store.collect();
    imapd::engine::SessionFacts facts;
    facts.limits.message = 5000;
    imapd::engine::Session session(store, facts);
    imapd::engine::Session other(store, facts);
    store.on_change([&](store::MailboxId mailbox) {
        session.store_changed(mailbox);
        other.store_changed(mailbox);
    });
    session.feed("a SELECT INBOX\r\n");
    other.feed("b SELECT INBOX\r\n");
    settle(store, session, other);

    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::size_t piece = std::size_t(bytes.front() % 64) * 16 + 1;
    bytes.remove_prefix(1);
    constexpr std::string_view interference[] = {
        "b STORE 1:* +FLAGS (\\Deleted k)\r\n", "b EXPUNGE\r\n", "b NOOP\r\n",
        "b COPY 1 INBOX\r\n", "b APPEND INBOX {5+}\r\na: b\n\r\n", "b DELETE x\r\n"};
    for (std::size_t round = 0; !bytes.empty() && !session.finished(); ++round) {
        session.feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        if (round % 3 == 2)
            other.feed(interference[round / 3 % std::size(interference)]);
        settle(store, session, other);
    }
    session.end_of_input();
    settle(store, session, other);
    CHECK(session.finished());
    store.on_change({});
    return 0;
}
