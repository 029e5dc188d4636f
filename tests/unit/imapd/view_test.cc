// What a session is told, and can do, while another one removes the mailbox that it has selected.
//
// As in a mailbox process: a change takes effect at once, and sessions hear of it later, at the end of the turn.
#include "imapd/engine/session.h"

#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <utility>

namespace {

using imapd::engine::Session;
using imapd::engine::SessionFacts;

constexpr std::string_view removed_bye = "* BYE The selected mailbox was deleted\r\n";

class Turns {
public:
    Turns()
    {
        listen();
        run(b, "x CREATE X\r\n");
        make_durable();
        for (int i = 0; i < 3; ++i) {
            run(b, "x APPEND X {14+}\r\nSubject: x\r\n\r\n\r\n");
            make_durable();
        }
        pass_changes();
        (void)take(b);
    }
    ~Turns() { store().on_change({}); }

    store::Store& store() { return scratch.store(); }
    store::MailboxId id() { return store().mailboxes().find("X")->second; }

    void listen()
    {
        store().on_change([this](store::MailboxId id) {
            if (std::find(changed.begin(), changed.end(), id) == changed.end())
                changed.push_back(id);
        });
        a = std::make_unique<Session>(store(), test::unhurried());
        b = std::make_unique<Session>(store(), test::unhurried());
    }
    // The messages of nothing are loaded.
    void reopen()
    {
        a.reset();
        b.reset();
        scratch.reopen(true);
        scratch.reopen();
        listen();
    }
    std::string run(std::unique_ptr<Session>& session, std::string_view command)
    {
        session->feed(command);
        while (session->has_work())
            session->work();
        return take(session);
    }
    static std::string take(std::unique_ptr<Session>& session) { return std::exchange(session->output(), {}); }
    void make_durable()
    {
        OK(store().sync());
        a->durable_grew();
        b->durable_grew();
    }
    void pass_changes()
    {
        auto now = std::exchange(changed, {});
        for (auto* session : {a.get(), b.get()})
            for (auto id : now)
                session->store_changed(id);
    }

    test::ScratchStore scratch;
    std::vector<store::MailboxId> changed;
    std::unique_ptr<Session> a, b;
};

}  // namespace

// The news of the flags comes before that of the end.
TEST(flags_and_then_the_end_of_a_mailbox_are_told)
{
    Turns turns;
    turns.run(turns.a, "a SELECT X\r\nb IDLE\r\n");
    turns.run(turns.b, "c SELECT X\r\n");
    turns.make_durable();
    turns.pass_changes();
    turns.run(turns.b, "d STORE 1 +FLAGS.SILENT (\\Seen)\r\ne DELETE X\r\n");
    EQ(turns.changed.size(), 2u);
    THAT(turns.changed.back() == 0);
    turns.pass_changes();
    THAT(turns.a->finished());
    THAT(Turns::take(turns.a).ends_with(removed_bye));
}
END_TEST

// That the client hears first of EXPUNGE, or at once of the end, is both true; of another mailbox it hears nothing.
TEST(each_command_is_answered_upon_a_mailbox_that_was_just_removed)
{
    constexpr std::string_view commands[] = {
        "FETCH 1:3 (FLAGS)", "FETCH 1:3 (FLAGS BODY[])", "UID FETCH 1:* (FLAGS MODSEQ)", "STORE 1:2 +FLAGS (\\Seen kw)",
        "UID STORE 2 FLAGS ()", "SEARCH ALL", "SEARCH RETURN (UPDATE ALL) UNSEEN", "SORT (SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL", "COPY 1 INBOX", "UID COPY 1:3 INBOX", "MOVE 1:3 INBOX", "EXPUNGE",
        "UID EXPUNGE 1:3", "CLOSE", "UNSELECT", "NOOP", "CHECK", "STATUS INBOX (MESSAGES)", "STATUS X (MESSAGES)",
        "REPLACE 1 INBOX {14+}\r\nSubject: x\r\n\r\n\r\n", "APPEND X {14+}\r\nSubject: x\r\n\r\n\r\n",
        "APPEND INBOX CATENATE (URL \"/;UID=1\")", "MYRIGHTS X", "LIST \"\" *", "GETQUOTAROOT X", "SELECT X",
        "ENABLE CONDSTORE", "RENAME X Y", "DELETE X", "NOTIFY SET (SELECTED (MessageNew MessageExpunge))"};
    for (bool loaded : {true, false})
        for (auto command : commands) {
            Turns turns;
            if (!loaded)
                turns.reopen();
            turns.run(turns.a, "a SELECT X\r\n");
            if (loaded)
                turns.run(turns.a, "b STORE 1 +FLAGS (\\Deleted)\r\n");
            turns.make_durable();
            turns.pass_changes();
            turns.run(turns.b, "c DELETE X\r\n");
            auto said = turns.run(turns.a, util::concat("d ", command, "\r\n"));
            turns.make_durable();
            said += turns.run(turns.a, "");
            bool answered = said.starts_with("d ") || said.find("\r\nd ") != said.npos;
            ck_assert_msg(answered, "%s was answered %s", std::string(command).c_str(), said.c_str());
            turns.pass_changes();
            said = turns.run(turns.a, "e NOOP\r\n");
            bool left = turns.a->view() == nullptr;   // by this command, or there is no such mailbox to be selected
            ck_assert_msg(left || said.ends_with(removed_bye), "after %s: %s", std::string(command).c_str(), said.c_str());
        }
}
END_TEST

TEST(a_mailbox_that_was_removed_is_empty_and_takes_no_marks)
{
    Turns turns;
    turns.run(turns.a, "a SELECT X\r\n");
    turns.pass_changes();
    turns.run(turns.b, "b DELETE X\r\n");
    EQ(turns.run(turns.a, "c FETCH 1 FLAGS\r\n"), "c NO [EXPUNGEISSUED] Some of these messages no longer exist\r\n");
    EQ(turns.run(turns.a, "d UID STORE 1:3 +FLAGS (\\Seen)\r\n"), "d OK STORE completed\r\n");
    turns.make_durable();
    EQ(turns.run(turns.a, "e NOOP\r\n"), "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\ne OK NOOP completed\r\n");
    turns.pass_changes();
    EQ(turns.run(turns.a, "f NOOP\r\n"), removed_bye);
}
END_TEST

// The command that removes it waits behind one that becomes durable: between that and the news is the rest of the turn.
TEST(a_mailbox_is_removed_at_the_end_of_a_turn)
{
    Turns turns;
    turns.run(turns.a, "a SELECT X\r\nb IDLE\r\n");
    turns.make_durable();
    turns.pass_changes();
    turns.run(turns.b, "c APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\nd DELETE X\r\n");
    OK(turns.store().sync());
    turns.b->durable_grew();
    THAT(!turns.store().mailboxes().contains("X"));
    turns.a->durable_grew();
    THAT(!turns.a->has_work());
    // It may be parked just now.
    (void)turns.a->waits();
    if (auto resting = turns.a->rest()) {
        turns.a = std::make_unique<Session>(turns.store(), test::unhurried());
        OK(turns.a->restore(resting->state));
    }
    turns.pass_changes();
    THAT(Turns::take(turns.a).ends_with(removed_bye));
}
END_TEST

// It is read to its end, since it is still on the disk; or the connection ends when the session hears of it.
TEST(a_large_message_is_on_its_way_from_a_mailbox_that_is_removed)
{
    for (bool told : {false, true}) {
        Turns turns;
        std::string text = "Subject: x\r\n\r\n" + std::string(3U << 20, 'x');
        turns.run(turns.b, util::concat("a APPEND X {", text.size(), "+}\r\n", text, "\r\n"));
        turns.make_durable();
        turns.pass_changes();
        turns.run(turns.a, "b SELECT X\r\n");
        turns.a->feed("c FETCH 4 BODY.PEEK[]\r\n");
        auto said = Turns::take(turns.a);
        THAT(said.size() < text.size());
        turns.run(turns.b, "d DELETE X\r\n");
        if (told)
            turns.pass_changes();
        while (turns.a->has_work()) {
            turns.a->work();
            said += Turns::take(turns.a);
        }
        EQ(turns.a->finished(), told);
        if (!told)
            THAT(said.ends_with("xx)\r\nc OK FETCH completed\r\n"));
    }
}
END_TEST

// Its messages go somewhere else, or its name; what is selected stays.
TEST(a_mailbox_is_renamed_under_a_session)
{
    Turns turns;
    turns.run(turns.a, "a SELECT X\r\n");
    turns.run(turns.b, "b RENAME X Y\r\n");
    THAT(turns.run(turns.a, "c FETCH 1 (UID FLAGS)\r\n").starts_with("* 1 FETCH (UID 1 FLAGS ("));
    turns.make_durable();
    turns.pass_changes();
    EQ(turns.run(turns.a, "d FETCH 3 (UID)\r\n"), "* 3 FETCH (UID 3)\r\nd OK FETCH completed\r\n");
    turns.run(turns.a, "e COPY 1:3 INBOX\r\n");
    turns.make_durable();
    turns.run(turns.a, "f SELECT INBOX\r\n");
    turns.pass_changes();
    turns.run(turns.b, "g RENAME INBOX Z\r\n");
    THAT(turns.run(turns.a, "h FETCH 1 (UID)\r\n").starts_with("h NO [EXPUNGEISSUED]"));
    turns.make_durable();
    turns.pass_changes();
    EQ(turns.run(turns.a, "i NOOP\r\n"), "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\ni OK NOOP completed\r\n");
}
END_TEST

SUITE(imap_view, flags_and_then_the_end_of_a_mailbox_are_told, each_command_is_answered_upon_a_mailbox_that_was_just_removed,
      a_mailbox_that_was_removed_is_empty_and_takes_no_marks, a_mailbox_is_removed_at_the_end_of_a_turn,
      a_large_message_is_on_its_way_from_a_mailbox_that_is_removed, a_mailbox_is_renamed_under_a_session)
