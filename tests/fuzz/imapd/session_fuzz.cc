// A whole session over a small store: whatever the client says, each tagged line gets its answer,
// sequence numbers stay those of the view, and nothing breaks.  The first byte chooses how the
// input is cut, and how many messages a command works on; a second session changes the mailbox meanwhile.
// INBOX has a key that the corpus knows, so that URLs in it are good.
#include "imapd/engine/session.h"
#include "imapd/engine/url_tokens.h"
#include "libmail/imap_render.h"
#include "libutil/check.h"
#include "tests/fuzz/settle.h"
#include "tests/unit/dialog/scratch_store.h"

#include <cstdint>

namespace {

constexpr std::string_view messages[] = {
    "From: a@example.org\r\nSubject: one\r\n\r\nbody\r\n",
    "From: b@example.org\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\npart\r\n"
    "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext\r\n--x--\r\n",
    "Subject: no end of header",
};

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
    auto inbox = store.mailbox("INBOX");
    imapd::engine::UrlKey key{.uid_validity = (*inbox)->uid_validity, .secret = std::string(32, 'k')};
    const store::NewAnnotation annotation{.name = std::string(imapd::engine::url_key_annotation),
                                          .value = imapd::engine::url_key_text(key)};
    CHECK(store.annotate((*inbox)->id, std::span(&annotation, 1)).ok());
    imapd::engine::SessionFacts facts;
    facts.user = "a@d";
    facts.url_hosts = {"h"};
    facts.limits.message = 5000;
    facts.returnable = true;
    facts.limits.messages = data[0] / 64 * 2;
    imapd::engine::Session session(store, facts);
    imapd::engine::Session other(store, facts);
    store.on_change([&](store::MailboxId mailbox) {
        session.store_changed(mailbox);
        other.store_changed(mailbox);
    });
    session.feed("a SELECT INBOX\r\n");
    other.feed("b SELECT INBOX\r\n");
    fuzz::settle(store, session, other);

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
        fuzz::settle(store, session, other);
    }
    session.end_of_input();
    fuzz::settle(store, session, other);
    CHECK(session.finished());
    store.on_change({});
    return 0;
}
