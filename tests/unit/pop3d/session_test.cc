// QUIT after very many DELE: the session pauses before it expunges, others have their turn, and what happens meanwhile does
// no harm.  All else of the session: tests/dialog/pop3.
#include "pop3d/engine/session.h"

#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/suite.h"

#include <numeric>
#include <optional>
#include <vector>

namespace {

using pop3d::engine::Session;

constexpr std::uint32_t messages = 1200;   // more than are expunged at once
constexpr int preparing = 5;                  // slices, of 256 messages each

struct Maildrop {
    test::ScratchStore scratch;
    store::Store& store = scratch.store();
    store::MailboxId inbox = (*store.facts("INBOX"))->id;
    std::optional<Session> session;

    Maildrop()
    {
        for (std::uint32_t there = 0; there < messages; there += 100) {
            if (there == 0)
                for (int i = 0; i < 100; ++i)
                    deliver();
            else
                OK(store.copy(inbox, uids(1, 100), inbox));
        }
        OK(store.sync());
        pop3d::engine::SessionFacts facts;
        facts.limits.slice = util::Duration(0);
        session.emplace(store, std::move(facts));
    }
    void deliver() { test::deliver(store, "Subject: one\r\n\r\ntext\r\n"); }
    static std::vector<std::uint32_t> uids(std::uint32_t first, std::uint32_t count)
    {
        std::vector<std::uint32_t> all(count);
        std::iota(all.begin(), all.end(), first);
        return all;
    }
    std::string say(std::string_view command)
    {
        session->feed(command);
        return work();
    }
    // What the session says until it has nothing more to do, nor to wait for.
    std::string work()
    {
        while (session->has_work())
            session->work();
        OK(store.sync());
        session->durable_grew();
        return std::exchange(session->output(), {});
    }
    void mark(std::uint32_t count)
    {
        for (std::uint32_t number = 1; number <= count; ++number)
            EQ(say(util::concat("DELE ", number, "\r\n")), "+OK Marked to be deleted\r\n");
    }
    // QUIT, to the point from which the next slice expunges.
    void begin_to_quit()
    {
        mark(messages);
        session->feed("QUIT\r\n");
        for (int slices = 0; slices < preparing; ++slices)
            session->work();
        THAT(session->has_work());
        THAT(!session->wants_input());
        EQ(session->output(), "");
        EQ(left(), messages);
    }
    std::size_t left(std::string_view name = "INBOX") { return (*store.mailbox(name))->entries.size(); }
};

constexpr std::string_view goodbye = "+OK Goodbye\r\n";

}  // namespace

TEST(others_have_their_turn_before_very_many_messages_are_expunged)
{
    Maildrop f;
    f.say("RETR 1\r\nRETR 1200\r\n");
    f.mark(messages - 1);
    f.session->feed("QUIT\r\n");
    int slices = 1;
    for (; f.session->has_work(); ++slices) {
        EQ(f.left(), messages + std::size_t(slices) - 1);   // all or none
        f.deliver();
        f.session->work();
    }
    EQ(slices, 1 + preparing + 1);
    EQ(f.left(), std::size_t(slices));
    EQ(f.session->output(), "");   // it is not durable yet
    THAT(!f.session->finished());
    EQ(f.work(), goodbye);
    THAT(f.session->finished());
    EQ(f.session->summary().substr(f.session->summary().find("del=")), "del=1199/1200");
    const auto& entries = (*f.store.mailbox("INBOX"))->entries;
    EQ(entries[0].uid, messages);
    EQ(entries[0].flags, store::Seen);
    EQ(entries[1].flags, 0);
    EQ((*f.store.deleted_messages()).size(), messages - 1);
    OK(f.store.check());
}
END_TEST

TEST(up_to_a_thousand_messages_are_expunged_at_once)
{
    Maildrop f;
    f.mark(1000);
    f.session->feed("QUIT\r\n");
    THAT(!f.session->has_work());
    EQ(f.left(), messages - 1000);
    EQ(f.work(), goodbye);
}
END_TEST

TEST(other_sessions_may_expunge_or_move_messages_before_quit_does)
{
    for (std::uint32_t expunged : {10U, messages}) {
        Maildrop f;
        f.begin_to_quit();
        OK(f.store.expunge(f.inbox, Maildrop::uids(3, expunged)));
        EQ(f.work(), goodbye);
        EQ(f.left(), 0U);
        EQ((*f.store.deleted_messages()).size(), messages);
        OK(f.store.check());
    }
    Maildrop f;
    f.begin_to_quit();
    OK(f.store.rename_mailbox("INBOX", "old"));
    f.deliver();
    EQ(f.work(), goodbye);
    EQ(f.left(), 1U);
    EQ(f.left("old"), messages);
}
END_TEST

// RFC 1939 §6: only QUIT removes messages, and it was said.
TEST(a_client_that_closes_behind_quit_has_its_messages_removed)
{
    Maildrop f;
    f.begin_to_quit();
    f.session->end_of_input();
    EQ(f.work(), goodbye);
    EQ(f.left(), 0U);
    THAT(f.session->finished());
}
END_TEST

TEST(a_session_that_is_ended_before_quit_expunges_removes_nothing)
{
    enum class End { Terminated, Late, Gone };
    for (auto end : {End::Terminated, End::Late, End::Gone}) {
        Maildrop f;
        f.begin_to_quit();
        auto last = f.store.last();
        switch (end) {
        case End::Terminated:
            f.session->terminate("[SYS/TEMP] The server stops");
            EQ(f.work(), "-ERR [SYS/TEMP] The server stops\r\n");
            break;
        case End::Late:
            f.session->deadline_passed(*f.session->deadline());
            EQ(f.work(), "-ERR [SYS/TEMP] Nothing was said for too long\r\n");
            break;
        case End::Gone:
            f.session.reset();
            break;
        }
        EQ(f.left(), messages);
        EQ(f.store.last(), last);   // nothing was written
    }
}
END_TEST

SUITE(pop3d_session, others_have_their_turn_before_very_many_messages_are_expunged,
      up_to_a_thousand_messages_are_expunged_at_once, other_sessions_may_expunge_or_move_messages_before_quit_does,
      a_client_that_closes_behind_quit_has_its_messages_removed,
      a_session_that_is_ended_before_quit_expunges_removes_nothing)
