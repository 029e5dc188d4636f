// Sessions that wait, put into bytes and made of these again.
#include "imapd/engine/deflate_session.h"
#include "imapd/engine/uid_runs.h"
#include "libipc/parking.h"

#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <zlib.h>

namespace {

using imapd::engine::DeflateSession;
using imapd::engine::Session;
using imapd::engine::SessionFacts;
using Waits = ipc::ProtocolSession::Waits;

constexpr std::string_view message = "Subject: x\r\n\r\nbody\r\n";

class House {
public:
    explicit House(SessionFacts wanted = {}) : facts(std::move(wanted))
    {
        test::deliver(scratch.store(), message);
        test::deliver(scratch.store(), message);
        OK(scratch.store().sync());
        open();
    }

    void open() { session = std::make_unique<Session>(scratch.store(), facts); }
    std::string says(std::string_view input)
    {
        session->feed(input);
        return output();
    }
    std::string output()
    {
        while (session->has_work())
            session->work();
        OK(scratch.store().sync());
        session->durable_grew();
        return std::exchange(session->output(), {});
    }
    ipc::Resting rest()
    {
        auto resting = session->rest();
        ck_assert(resting.has_value());
        session.reset();
        return std::move(*resting);
    }
    util::Result<void> restore(std::string_view state)
    {
        open();
        auto restored = session->restore(state);
        session->catch_up();
        return restored;
    }
    void deliver()
    {
        test::deliver(scratch.store(), message);
        OK(scratch.store().sync());
    }

    SessionFacts facts = test::unhurried();
    test::ScratchStore scratch;
    std::unique_ptr<Session> session;
};

TEST(an_idle_session_goes_on_with_what_is_new)
{
    House house;
    house.says("a SELECT INBOX\r\nb STORE 1 +FLAGS (\\Deleted)\r\nc IDLE\r\n");
    EQ(int(house.session->waits()), int(Waits::ForNews));
    auto resting = house.rest();
    EQ(resting.watches.size(), 1u);
    EQ(resting.watches[0].mailbox, (*house.scratch.store().mailbox("INBOX"))->id);
    THAT(resting.state.size() < 200);
    std::uint32_t first[] = {1};
    OK(house.scratch.store().expunge(resting.watches[0].mailbox, first));
    house.deliver();
    OK(house.restore(resting.state));
    EQ(house.output(), "* 1 EXPUNGE\r\n* 2 EXISTS\r\n* 2 RECENT\r\n");
    EQ(house.says("DONE\r\n"), "c OK IDLE completed\r\n");
    EQ(house.says("d FETCH 1:2 (UID)\r\n"), "* 1 FETCH (UID 2)\r\n* 2 FETCH (UID 3)\r\nd OK FETCH completed\r\n");
}
END_TEST

// Of a store that was opened meanwhile it is not known what has changed, only when.
TEST(what_another_has_changed_before_is_not_hidden_by_a_silent_store)
{
    House house;
    house.says("a SELECT INBOX\r\n");
    auto resting = house.rest();
    auto inbox = (*house.scratch.store().mailbox("INBOX"))->id;
    const std::uint32_t both[] = {1, 2};
    OK(house.scratch.store().change_flags(inbox, both, {.flags = store::Answered}));
    house.scratch.reopen();
    OK(house.restore(resting.state));
    EQ(house.says("b STORE 1 +FLAGS.SILENT (\\Draft)\r\n"),
       "* 1 FETCH (FLAGS (\\Answered \\Draft \\Recent))\r\n* 2 FETCH (FLAGS (\\Answered \\Recent))\r\n"
       "b OK STORE completed\r\n");
    EQ(house.says("c STORE 2 +FLAGS.SILENT (\\Draft)\r\n"), "c OK STORE completed\r\n");
    EQ(house.says("d NOOP\r\n"), "d OK NOOP completed\r\n");
}
END_TEST

TEST(what_was_switched_on_and_saved_stays)
{
    House house;
    house.says("a ENABLE QRESYNC IMAP4rev2\r\nb EXAMINE INBOX\r\nc SEARCH RETURN (SAVE) 2\r\n");
    EQ(int(house.session->waits()), int(Waits::ForClient));
    auto resting = house.rest();
    EQ(resting.watches.size(), 0u);   // it is told of nothing before its client speaks
    OK(house.restore(resting.state));
    EQ(house.says("d UID FETCH $ (UID)\r\n"), "* 2 FETCH (UID 2)\r\nd OK FETCH completed\r\n");
    EQ(house.says("e STORE 1 +FLAGS (\\Seen)\r\n"), "e NO [READ-ONLY] The mailbox is open for reading only\r\n");
    std::uint32_t first[] = {1};
    OK(house.scratch.store().expunge((*house.scratch.store().mailbox("INBOX"))->id, first));
    OK(house.scratch.store().sync());
    EQ(house.says("f NOOP\r\n"), "* VANISHED 1\r\nf OK NOOP completed\r\n");
}
END_TEST

// RFC 4467 §7: whoever has the mailbox selected hears that URLs of it are no good any more.
TEST(a_key_that_was_changed_meanwhile_is_told_of)
{
    House house;
    house.facts.user = "anna@example.org";
    house.facts.url_hosts = {"h"};
    house.open();
    house.says("a SELECT INBOX\r\n");
    auto without_key = house.rest();
    OK(house.restore(without_key.state));
    THAT(house.says("b GENURLAUTH imap://anna@h/INBOX/;uid=1;urlauth=authuser INTERNAL\r\n").find("b OK") != std::string::npos);
    EQ(house.says("c IDLE\r\n"), "+ idling\r\n");
    auto resting = house.rest();
    OK(house.restore(resting.state));
    EQ(house.output(), "");
    house.rest();
    Session other(house.scratch.store(), house.facts);
    other.feed("d RESETKEY INBOX\r\n");
    OK(house.scratch.store().sync());
    OK(house.restore(resting.state));
    EQ(house.output(), "* OK [URLMECH INTERNAL] The key of this mailbox is another one\r\n");
    EQ(house.says("DONE\r\n"), "c OK IDLE completed\r\n");
    // One that was parked before there was a key may not know whether it was reset.
    house.session.reset();
    OK(house.restore(without_key.state));
    EQ(house.says("e NOOP\r\n"), "e OK NOOP completed\r\n");
}
END_TEST

TEST(what_a_client_shall_not_hear_of_it_does_not_hear_of_afterwards)
{
    House house;
    house.facts.discard_capabilities = {{ipc::CapabilityRule::Whom::Client, "*Outlook*", {"UIDONLY"}}};
    house.session = std::make_unique<Session>(house.scratch.store(), house.facts);
    THAT(house.says("a CAPABILITY\r\n").find("UIDONLY") != std::string::npos);
    house.says("b ID (\"name\" \"Outlook 16\")\r\n");
    OK(house.restore(house.rest().state));
    THAT(house.says("c CAPABILITY\r\n").find("UIDONLY") == std::string::npos);
}
END_TEST

TEST(a_session_that_is_busy_stays)
{
    House house;
    auto waits = [&] { return house.session->waits() != Waits::No; };
    THAT(waits());
    house.session->feed("a NOOP\r\n");
    THAT(!waits());   // something has to be sent
    house.output();
    THAT(waits());
    EQ(house.says("b SEL"), "");
    THAT(!waits());
    house.says("ECT INBOX\r\n");
    EQ(house.says("c APPEND INBOX {30}\r\n"), "+ OK\r\n");
    THAT(!waits());
    house.says(std::string(30, 'x') + "\r\n");
    house.says("d IDLE\r\n");
    THAT(waits());
    EQ(house.says("DON"), "");
    THAT(!waits());
    house.says("E\r\n");
    house.says("e IDLE\r\n");
    // What has happened and is not safe on the disk yet is waited for here.
    test::deliver(house.scratch.store(), message);
    house.session->store_changed((*house.scratch.store().mailbox("INBOX"))->id);
    THAT(!waits());
    THAT(house.output().find("EXISTS") != std::string::npos);
    THAT(waits());
    house.session->end_of_input();
    THAT(!waits());
}
END_TEST

TEST(a_mailbox_that_is_gone_or_another_ends_the_session)
{
    House house;
    auto& store = house.scratch.store();
    house.says("a SELECT Drafts\r\nb IDLE\r\n");
    auto resting = house.rest();
    OK(store.remove_mailbox("Drafts"));
    OK(house.restore(resting.state));
    EQ(house.output(), "* BYE The selected mailbox was deleted\r\n");
    THAT(house.session->finished());
}
END_TEST

// Nor need it be possible to load them.
TEST(to_park_a_session_loads_no_messages)
{
    House house;
    house.session.reset();
    house.scratch.reopen(true);
    house.scratch.reopen();
    house.open();
    house.says("a SELECT INBOX\r\nb IDLE\r\n");
    auto resting = house.rest();
    auto inbox = resting.watches.at(0).mailbox;
    THAT(!(*house.scratch.store().facts(inbox))->loaded);
    OK(house.restore(resting.state));
    THAT(!(*house.scratch.store().facts(inbox))->loaded);
    EQ(house.says("DONE\r\n"), "b OK IDLE completed\r\n");
}
END_TEST

TEST(the_time_until_autologout_is_not_begun_anew)
{
    SessionFacts facts = test::unhurried();
    facts.limits.autologout = std::chrono::seconds(100);
    House house(facts);
    house.says("a IDLE\r\n");
    auto before = house.session->deadline();
    auto resting = house.rest();
    EQ(resting.late, "* BYE Autologout: nothing was said for too long\r\n");
    OK(house.restore(resting.state));
    THAT(house.session->deadline() == before);
}
END_TEST

TEST(a_session_with_notify_goes_on_with_all_that_it_watches)
{
    House house;
    auto& store = house.scratch.store();
    house.says(
        "a NOTIFY SET (selected (MessageNew (UID) MessageExpunge)) (personal (MessageNew MessageExpunge MailboxName))\r\n"
        "b SELECT INBOX\r\n");
    EQ(int(house.session->waits()), int(Waits::ForNews));
    auto resting = house.rest();
    EQ(resting.watches.size(), store.mailboxes().size() + 1);
    // It says the same of itself when nothing has happened.
    OK(house.restore(resting.state));
    EQ(house.output(), "");
    auto again = house.rest();
    EQ(again.state, resting.state);
    house.deliver();
    auto drafts = (*store.mailbox("Drafts"))->id;
    std::uint32_t first[] = {1};
    OK(store.copy((*store.mailbox("INBOX"))->id, first, drafts));
    OK(store.create_mailbox("New", store::SpecialUse::None));
    OK(store.sync());
    OK(house.restore(resting.state));
    EQ(house.output(), "* 3 EXISTS\r\n* 3 RECENT\r\n* LIST (\\HasNoChildren) \"/\" New\r\n"
                       "* STATUS Drafts (MESSAGES 1 UIDNEXT 2)\r\n* 3 FETCH (UID 3)\r\n");
    // What was silenced stays silent.
    house.says("c NOTIFY NONE\r\n");
    EQ(int(house.session->waits()), int(Waits::ForClient));
    OK(house.restore(house.rest().state));
    house.deliver();
    EQ(house.says("d NOOP\r\n"), "d OK NOOP completed\r\n");
}
END_TEST

// Every byte is changed in some ways, and every end is missing: it is refused, or it is a session.
TEST(whatever_is_read_for_a_state_nothing_breaks)
{
    House house;
    for (int i = 0; i < 5; ++i)
        house.deliver();
    auto inbox = (*house.scratch.store().mailbox("INBOX"))->id;
    house.says(
        "n NOTIFY SET (selected-delayed (MessageNew MessageExpunge)) (subtree Drafts (MailboxName))\r\na SELECT INBOX\r\n");
    std::uint32_t third[] = {3};
    OK(house.scratch.store().expunge(inbox, third));
    house.says("b FETCH 1 (FLAGS)\r\nc STORE 2 +FLAGS (\\Seen)\r\nd UID SEARCH RETURN (SAVE) 2:5\r\n");
    std::string state = house.rest().state;
    OK(house.restore(state));
    THAT(house.says("e NOOP\r\n").starts_with("* 3 EXPUNGE\r\n"));
    auto use = [&] {
        std::string heard = house.output();
        if (!house.session->finished())
            heard = house.says("DONE\r\nx NOOP\r\ny FETCH 1:* (FLAGS UID)\r\nz UID SEARCH $\r\n");
    };
    for (std::size_t size = 0; size < state.size(); ++size)
        THAT(!house.restore(std::string_view(state).substr(0, size)).ok());
    THAT(!house.restore(state + 'x').ok());
    for (std::size_t at = 0; at < state.size(); ++at) {
        for (unsigned char flip : {0x01, 0x80, 0xff}) {
            std::string other = state;
            other[at] = char(static_cast<unsigned char>(other[at]) ^ flip);
            if (house.restore(other).ok())
                use();
        }
    }
}
END_TEST

TEST(uids_become_runs_and_runs_uids)
{
    using imapd::engine::append_runs;
    using imapd::engine::read_runs;
    for (const std::vector<std::uint32_t>& uids :
         {std::vector<std::uint32_t>{}, {1}, {1, 2, 3}, {5, 6, 130, 1000, 1001}, {UINT32_MAX - 1, UINT32_MAX}}) {
        std::string bytes;
        append_runs(bytes, uids);
        store::Reader reader(bytes);
        THAT(read_runs(reader) == uids);
        THAT(reader.ok() && reader.left().empty());
    }
    std::string all;
    std::vector<std::uint32_t> many(imapd::engine::max_uids_in_runs);
    for (std::uint32_t i = 0; i < many.size(); ++i)
        many[i] = i + 1;
    append_runs(all, many);
    EQ(all.size(), 4u + 5u);
    store::Reader most(all);
    EQ(read_runs(most).size(), many.size());
    for (auto bytes : {std::string_view("\1\0\0\0\0\0", 6), std::string_view("\1\0\0\0\1\xff\xff\xff\xff\x7f", 10),
                       std::string_view("\1\0\0\0\x81\x00\0", 7), std::string_view("\1\0\0\0\1\xff\xff\xff\xff\x0f", 10),
                       std::string_view("\xff\xff\xff\xff\1\0", 6)}) {
        store::Reader reader(bytes);
        THAT(read_runs(reader).empty());
        THAT(!reader.ok());
    }
}
END_TEST

// The client's side of COMPRESS over sessions that come and go.
class Compressed {
public:
    Compressed()
    {
        THAT(::deflateInit2(&out_, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
        THAT(::inflateInit2(&in_, -15) == Z_OK);
        OK(scratch.store().sync());   // as is done before a session begins
        session = std::make_unique<DeflateSession>(std::make_unique<Session>(scratch.store(), test::unhurried()));
        session->feed("a COMPRESS DEFLATE\r\n");
        EQ(std::exchange(session->output(), {}), "a OK DEFLATE active\r\n");
    }
    ~Compressed()
    {
        ::deflateEnd(&out_);
        ::inflateEnd(&in_);
    }

    void say(std::string_view text, int flush = Z_SYNC_FLUSH)
    {
        std::string bytes(::deflateBound(&out_, uLong(text.size())) + 100, '\0');
        out_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        out_.avail_in = uInt(text.size());
        out_.next_out = reinterpret_cast<Bytef*>(bytes.data());
        out_.avail_out = uInt(bytes.size());
        THAT(::deflate(&out_, flush) == Z_OK);
        bytes.resize(bytes.size() - out_.avail_out);
        session->feed(bytes);
        while (session->has_work())
            session->work();
    }
    std::string inflated(std::string bytes)
    {
        char buffer[4000];
        in_.next_in = reinterpret_cast<Bytef*>(bytes.data());
        in_.avail_in = uInt(bytes.size());
        in_.next_out = reinterpret_cast<Bytef*>(buffer);
        in_.avail_out = sizeof buffer;
        int result = ::inflate(&in_, Z_SYNC_FLUSH);
        THAT(result == Z_OK || result == Z_BUF_ERROR || result == Z_STREAM_END);
        EQ(in_.avail_in, 0u);
        return {buffer, sizeof buffer - in_.avail_out};
    }
    std::string heard() { return inflated(std::exchange(session->output(), {})); }
    std::optional<ipc::Resting> park()
    {
        auto resting = session->rest();
        if (resting)
            session =
                std::make_unique<DeflateSession>(std::make_unique<Session>(scratch.store(), test::unhurried()), resting->state);
        return resting;
    }

    test::ScratchStore scratch;
    std::unique_ptr<DeflateSession> session;

private:
    z_stream out_{};
    z_stream in_{};
};

TEST(a_compressed_session_is_parked_between_two_blocks)
{
    Compressed client;
    for (int i = 0; i < 5; ++i) {
        // Words of before are referred to: by the client across sessions, by the server not.
        client.say("t1 SELECT INBOX\r\n");
        THAT(client.heard().ends_with("t1 OK [READ-WRITE] SELECT completed\r\n"));
        client.say("t2 IDLE\r\n");
        EQ(client.heard(), "+ idling\r\n");
        THAT(client.park().has_value());
        EQ(client.session->output(), "");
        client.say("DONE\r\n");
        EQ(client.heard(), "t2 OK IDLE completed\r\n");
    }
    // In the middle of a block it stays; and it goes on.
    client.say("t3 IDLE\r\n", Z_PARTIAL_FLUSH);
    EQ(client.heard(), "+ idling\r\n");
    bool parked = client.park().has_value();
    client.say("DONE\r\n");
    EQ(client.heard(), "t3 OK IDLE completed\r\n");
    THAT(!parked);
    client.say("t4 IDLE\r\n");
    client.heard();
    auto resting = client.park();
    THAT(resting.has_value());
    EQ(client.inflated(resting->farewell), "* BYE The server has ended the session\r\n");
}
END_TEST

TEST(a_large_window_is_kept_and_a_state_that_is_none_ends_the_session)
{
    Compressed client;
    std::string noise;
    for (std::uint32_t i = 0, x = 1; i < 40'000; ++i, x = x * 1'103'515'245 + 12'345)
        noise += char('a' + (x >> 16) % 26);
    client.say(util::concat("t1 ", noise, "\r\n"));
    client.heard();
    client.say("t2 IDLE\r\n");
    client.heard();
    auto resting = client.park();
    THAT(resting.has_value());
    THAT(resting->state.size() > 10'000);
    // It begins with what was said long ago.
    client.say("DONE\r\n");
    EQ(client.heard(), "t2 OK IDLE completed\r\n");
    client.say(util::concat("t3 ", noise, "\r\n"));
    THAT(client.heard().starts_with("t3 BAD"));
    for (std::size_t size : {std::size_t(0), std::size_t(3), std::size_t(100), resting->state.size() - 1}) {
        DeflateSession session(std::make_unique<Session>(client.scratch.store(), test::unhurried()),
                               resting->state.substr(0, size));
        THAT(session.finished());
    }
}
END_TEST

SUITE(imap_parking, an_idle_session_goes_on_with_what_is_new, what_another_has_changed_before_is_not_hidden_by_a_silent_store,
      what_was_switched_on_and_saved_stays, a_key_that_was_changed_meanwhile_is_told_of,
      what_a_client_shall_not_hear_of_it_does_not_hear_of_afterwards, a_session_that_is_busy_stays,
      a_mailbox_that_is_gone_or_another_ends_the_session, to_park_a_session_loads_no_messages,
      the_time_until_autologout_is_not_begun_anew,
      a_session_with_notify_goes_on_with_all_that_it_watches, whatever_is_read_for_a_state_nothing_breaks,
      uids_become_runs_and_runs_uids, a_compressed_session_is_parked_between_two_blocks,
      a_large_window_is_kept_and_a_state_that_is_none_ends_the_session)

}  // namespace
