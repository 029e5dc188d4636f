// What dialogues cannot show: waiting for durability, slices, bounded output, time, the end.
#include "imapd/engine/session.h"
#include "imapd/syntax/capability.h"

#include "libipc/mailbox.h"
#include "libutil/text.h"
#include "tests/unit/cpu_time.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <algorithm>

namespace {

using imapd::engine::Session;
using imapd::engine::SessionFacts;
using test::unhurried;

struct SessionFixture {
    test::ScratchStore scratch;
    store::Store& store = scratch.store();

    void make_durable()
    {
        OK(store.sync());
        OK(store.collect());
    }
    void fill(int count, std::string_view content = "Subject: x\r\n\r\ny\r\n")
    {
        for (int i = 0; i < count; ++i)
            test::deliver(store, content);
        make_durable();
    }
};

std::string take(Session& session)
{
    auto out = session.output();
    session.output().clear();
    return out;
}

std::string run_all(Session& session, std::string_view command)
{
    session.feed(command);
    auto out = take(session);
    while (session.has_work()) {
        session.work();
        out += take(session);
    }
    return out;
}

}  // namespace

TEST(append_answers_when_it_is_durable_and_not_before)
{
    SessionFixture f;
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    EQ(run_all(session, "b APPEND INBOX {5+}\r\na: b\n\r\nc NOOP\r\n"), "");
    THAT(!session.has_work());
    THAT(session.waits_for_disk());
    // Another session must not see it either: a uid that is shown never means something else.
    Session other(f.store, unhurried());
    auto opened = run_all(other, "x SELECT INBOX\r\n");
    THAT(opened.find("* 0 EXISTS") != std::string::npos);
    THAT(opened.find("UIDNEXT 1]") != std::string::npos);
    THAT(run_all(other, "y STATUS INBOX (MESSAGES UIDNEXT)\r\n").find("(MESSAGES 0 UIDNEXT 1)") !=
         std::string::npos);
    f.make_durable();
    session.durable_grew();
    THAT(!session.waits_for_disk());
    auto said = take(session);
    THAT(said.starts_with("* 1 EXISTS\r\n"));
    THAT(said.ends_with("b OK [APPENDUID " + util::concat((*f.store.mailbox("INBOX"))->uid_validity) +
                        " 1] APPEND completed\r\nc OK NOOP completed\r\n"));
    EQ(run_all(other, "z NOOP\r\n"), "* 1 EXISTS\r\n* 1 RECENT\r\nz OK NOOP completed\r\n");
}
END_TEST

TEST(store_answers_at_once)
{
    SessionFixture f;
    f.fill(1);
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    EQ(run_all(session, "b STORE 1 +FLAGS (\\Seen)\r\n"), "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\nb OK STORE completed\r\n");
    // And is not told a second time.
    f.make_durable();
    EQ(run_all(session, "c NOOP\r\n"), "c OK NOOP completed\r\n");
}
END_TEST

// Of a store that has just been opened no modseq may be shown before it is synced.
TEST(what_fetch_marks_as_seen_is_told_with_its_answer_whatever_that_is)
{
    for (bool missing : {false, true}) {
        SessionFixture f;
        f.fill(2);
        f.scratch.reopen();
        auto& store = f.scratch.store();
        Session session(store, unhurried());
        run_all(session, "a ENABLE CONDSTORE\r\nb SELECT INBOX\r\n");
        if (missing) {
            std::uint32_t second[] = {2};
            OK(store.expunge((*store.mailbox("INBOX"))->id, second));
            OK(store.sync());
        }
        auto said = run_all(session, missing ? "c FETCH 1:2 (BODY[TEXT])\r\n" : "c FETCH 1 (BODY[TEXT])\r\n");
        THAT(said.starts_with("* 1 FETCH (BODY[TEXT] {3}\r\ny\r\n)\r\n"));
        if (!missing)
            THAT(said.find("c OK") == said.npos);
        OK(store.sync());
        session.durable_grew();
        while (session.has_work())
            session.work();
        said += take(session);
        auto seen = said.find("* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (");
        THAT(seen != said.npos);
        auto answer = said.find(missing ? "c NO [EXPUNGEISSUED] " : "c OK ");
        THAT(answer != said.npos && answer > seen);
    }
}
END_TEST

// NOTIFY is for what others do (RFC 5465 §3.1).
TEST(what_fetch_marks_as_seen_is_told_whatever_the_client_hears_of_others)
{
    constexpr std::string_view wishes[] = {"SELECTED (MessageNew MessageExpunge)", "SELECTED NONE",
                                           "PERSONAL (MessageNew MessageExpunge)",
                                           "SELECTED (MessageNew MessageExpunge FlagChange)"};
    for (auto wish : wishes) {
        SessionFixture f;
        f.fill(3);
        Session session(f.store, unhurried());
        auto says = [&](std::string_view command) {
            auto said = run_all(session, command);
            f.make_durable();
            session.durable_grew();
            return said + run_all(session, "");
        };
        says("a ENABLE CONDSTORE\r\nb SELECT INBOX\r\n");
        says(util::concat("c NOTIFY SET (", wish, ")\r\n"));
        bool all = wish.ends_with("FlagChange)");
        const std::uint32_t third[] = {3};
        OK(f.store.change_flags((*f.store.mailbox("INBOX"))->id, third, {.flags = store::Flagged, .keywords = {"new"}}));
        const std::uint32_t first[] = {1};   // by another just before it is marked
        OK(f.store.change_flags((*f.store.mailbox("INBOX"))->id, first, {.flags = store::Answered}));
        OK(f.store.change_flags((*f.store.mailbox("INBOX"))->id, first,
                                {.operation = store::FlagOperation::Remove, .flags = store::Answered}));
        auto said = says("d FETCH 1:2 BODY[TEXT]\r\n");
        for (int number : {1, 2}) {
            auto told = util::concat("* ", number, " FETCH (UID ", number, " FLAGS (\\Seen \\Recent) MODSEQ (");
            auto at = said.find(told);
            THAT(at != said.npos && said.find(told, at + 1) == said.npos);   // once
        }
        THAT(said.ends_with("d OK FETCH completed\r\n"));
        EQ(said.find("* 3 FETCH (UID 3 FLAGS (\\Flagged") != said.npos, all);
        EQ(says("e NOOP\r\n"), "e OK NOOP completed\r\n");
    }
}
END_TEST

// Who has been told that a message is seen, and cannot have that kept, is told what is true.
TEST(what_cannot_be_marked_as_seen_is_told_again)
{
    SessionFixture f;
    f.fill(1);
    auto inbox = (*f.store.mailbox("INBOX"))->id;
    std::uint32_t first[] = {1};
    for (std::size_t i = 0; i < store::max_readers; ++i)
        OK(f.store.mark_seen(inbox, util::concat("reader", i), first, true));
    Session owner(f.store, {.user = "anna@example.org"});
    run_all(owner, "a SETACL INBOX anyone lrs\r\n");
    f.make_durable();
    SessionFacts facts = unhurried();
    facts.user = "anna@example.org";
    facts.guest = "bert@example.org";
    facts.guest_prefix = "Other/";
    Session guest(f.store, std::move(facts));
    THAT(run_all(guest, "a SELECT Other/INBOX\r\n").find("a OK ") != std::string::npos);
    EQ(run_all(guest, "b FETCH 1 (BODY[TEXT])\r\n"),
       "* 1 FETCH (BODY[TEXT] {3}\r\ny\r\n FLAGS (\\Seen \\Recent))\r\n* 1 FETCH (FLAGS (\\Recent))\r\n"
       "b OK FETCH completed\r\n");
    OK(f.store.forget_reader(inbox, "reader0"));
    run_all(guest, "c NOOP\r\n");
    EQ(run_all(guest, "c FETCH 1 (BODY[TEXT])\r\n"),
       "* 1 FETCH (BODY[TEXT] {3}\r\ny\r\n FLAGS (\\Seen \\Recent))\r\nc OK FETCH completed\r\n");
}
END_TEST

// RFC 4314 §5.1.1: it may lose the right while it waits for its client.
TEST(fetch_marks_as_seen_while_the_right_is_there)
{
    SessionFixture f;
    f.fill(3, util::concat("Subject: x\r\n\r\n", std::string(2U << 20, 'y'), "\r\n"));
    Session owner(f.store, {.user = "anna@example.org"});
    run_all(owner, "a SETACL INBOX bert@example.org lrs\r\n");
    f.make_durable();
    owner.durable_grew();
    SessionFacts facts = unhurried();
    facts.user = "anna@example.org";
    facts.guest = "bert@example.org";
    facts.guest_prefix = "Other/";
    Session guest(f.store, std::move(facts));
    run_all(guest, "a SELECT Other/INBOX\r\n");
    guest.feed("b FETCH 1:3 (UID BODY[TEXT])\r\n");
    run_all(owner, "b SETACL INBOX bert@example.org lr\r\n");
    f.make_durable();
    while (guest.has_work()) {
        take(guest);
        guest.work();
    }
    const auto& inbox = **f.store.mailbox("INBOX");
    THAT(inbox.seen_by("bert@example.org", 1));
    THAT(!inbox.seen_by("bert@example.org", 2));
    THAT(!inbox.seen_by("bert@example.org", 3));
}
END_TEST

TEST(expunge_is_told_when_it_is_durable)
{
    SessionFixture f;
    f.fill(3);
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    run_all(session, "b STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n");
    EQ(run_all(session, "c EXPUNGE\r\n"), "");
    f.make_durable();
    session.durable_grew();
    EQ(take(session), "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nc OK EXPUNGE completed\r\n");
}
END_TEST

TEST(check_waits_for_flags)
{
    SessionFixture f;
    f.fill(1);
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    run_all(session, "b STORE 1 +FLAGS.SILENT (\\Seen)\r\n");
    if (f.store.durable() < f.store.last()) {
        auto early = run_all(session, "c CHECK\r\n");
        f.make_durable();
        session.durable_grew();
        EQ(early + take(session), "c OK CHECK completed\r\n");
    }
    EQ(f.store.durable(), f.store.last());
}
END_TEST

TEST(a_large_body_leaves_in_pieces)
{
    SessionFixture f;
    std::string content = "Subject: large\r\n\r\n";
    while (content.size() < 3'000'000)
        util::append(content, content.size(), " and some more text to fill the line\r\n");
    test::deliver(f.store, content);
    f.make_durable();
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    session.feed("b FETCH 1 (UID BODY.PEEK[])\r\nc NOOP\r\n");
    std::string said;
    std::size_t largest = 0;
    for (int pieces = 0; session.has_work() || !session.output().empty(); ++pieces) {
        largest = std::max(largest, session.output().size());
        said += take(session);
        if (session.has_work())
            session.work();
    }
    THAT(largest < 1'000'000);
    EQ(said, util::concat("* 1 FETCH (UID 1 BODY[] {", content.size(), "}\r\n", content,
                          ")\r\nb OK FETCH completed\r\nc OK NOOP completed\r\n"));
    // The same, cut out of the middle.
    auto part = run_all(session, "d FETCH 1 BODY.PEEK[]<1000.1000000>\r\n");
    EQ(part, util::concat("* 1 FETCH (BODY[]<1000> {1000000}\r\n", content.substr(1000, 1'000'000),
                          ")\r\nd OK FETCH completed\r\n"));
}
END_TEST

TEST(a_long_fetch_pauses_while_its_output_waits)
{
    SessionFixture f;
    f.fill(5000);
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    session.feed("b FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)\r\n");
    THAT(session.has_work());
    THAT(session.output().size() < 2 * imapd::engine::output_high);
    auto before = session.output().size();
    // The host does not call while so much waits; if it does, nothing is added without bound.
    session.work();
    // The slice before may have been short.
    THAT(session.output().size() <= std::max(before, imapd::engine::output_high) + 1000);
    auto said = take(session);
    while (session.has_work()) {
        session.work();
        said += take(session);
    }
    EQ(std::count(said.begin(), said.end(), '\n'), 5001);
}
END_TEST

TEST(a_message_expunged_in_the_middle_of_a_fetch_stays_readable)
{
    SessionFixture f;
    std::string content = "Subject: large\r\n\r\n" + std::string(2'000'000, 'x') + "\r\n";
    test::deliver(f.store, content);
    f.make_durable();
    Session session(f.store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    session.feed("b FETCH 1 BODY.PEEK[]\r\n");
    auto said = take(session);
    std::uint32_t uid = 1;
    OK(f.store.expunge((*f.store.mailbox("INBOX"))->id, std::span(&uid, 1)));
    f.make_durable();
    while (session.has_work()) {
        session.work();
        said += take(session);
    }
    EQ(said, util::concat("* 1 FETCH (BODY[] {", content.size(), "}\r\n", content, ")\r\nb OK FETCH completed\r\n"));
    EQ(run_all(session, "c NOOP\r\n"), "* 1 EXPUNGE\r\nc OK NOOP completed\r\n");
}
END_TEST

TEST(silence_ends_a_session_after_thirty_minutes)
{
    SessionFixture f;
    Session session(f.store, unhurried());
    auto deadline = session.deadline();
    THAT(deadline.has_value());
    THAT(*deadline - util::now() > std::chrono::minutes(29));
    session.deadline_passed(*deadline - std::chrono::seconds(1));
    THAT(!session.finished());
    session.deadline_passed(*deadline);
    THAT(session.finished());
    THAT(take(session).starts_with("* BYE "));
}
END_TEST

TEST(the_host_ends_a_session_with_bye_but_not_within_a_literal)
{
    SessionFixture f;
    f.fill(1, "Subject: large\r\n\r\n" + std::string(2'000'000, 'x') + "\r\n");
    Session idle(f.store, unhurried());
    idle.terminate("Server shutting down");
    EQ(take(idle), "* BYE Server shutting down\r\n");
    THAT(idle.finished());
    Session busy(f.store, unhurried());
    run_all(busy, "a SELECT INBOX\r\n");
    busy.feed("b FETCH 1 BODY.PEEK[]\r\n");
    busy.terminate("Server shutting down");
    THAT(busy.finished());
    THAT(take(busy).find("BYE") == std::string::npos);
}
END_TEST

TEST(input_is_bounded_while_a_command_waits)
{
    SessionFixture f;
    Session session(f.store, unhurried());
    session.feed("a CREATE x\r\n");
    THAT(session.wants_input());
    std::string noops;
    while (noops.size() < 100'000)
        noops += "n NOOP\r\n";
    session.feed(noops);
    THAT(!session.wants_input());
    f.make_durable();
    session.durable_grew();
    while (session.has_work()) {
        session.work();
        take(session);
    }
    THAT(session.wants_input());
    EQ(session.summary().substr(0, 10), "in=100012,");
}
END_TEST

TEST(a_quota_is_told_by_its_code)
{
    store::Options options;
    options.quota_messages = 1;
    std::string path = "/tmp/tern-quota-XXXXXX";
    THAT(::mkdtemp(path.data()));
    {
        auto opened = store::Store::open(path, options);
        OK(opened);
        auto store = opened.take();
        Session session(*store, unhurried());
        session.feed("a APPEND INBOX {5+}\r\na: b\n\r\n");
        OK(store->sync());
        OK(store->collect());
        session.durable_grew();
        take(session);
        session.feed("b APPEND INBOX {5+}\r\na: b\n\r\nc NOOP\r\n");
        auto said = take(session);
        THAT(said.starts_with("b NO [OVERQUOTA] "));
        THAT(said.ends_with("c OK NOOP completed\r\n"));
    }
    test::ScratchStore::remove(path);
}
END_TEST

TEST(that_little_is_left_is_told_once_each_time)
{
    SessionFixture f;
    f.store.set_quota({.limits = {.messages = 4}, .soft_percent = 60});
    Session session(f.store, unhurried());
    auto changing = [&](Session& session, std::string_view command) {
        auto said = run_all(session, command);
        f.make_durable();
        session.durable_grew();
        return said + take(session);
    };
    auto append = [&](Session& to) { return changing(to, "a APPEND INBOX {5+}\r\na: b\n\r\n"); };
    constexpr std::string_view warning = "* NO [OVERQUOTA] Little is left of your quota: 3 of 4 messages\r\n";
    f.fill(2);
    THAT(append(session).starts_with(warning));
    EQ(run_all(session, "b NOOP\r\n"), "b OK NOOP completed\r\n");
    // RFC 9208 §4.3.1: not where nothing is selected and nothing is added.
    Session other(f.store, unhurried());
    EQ(run_all(other, "a NOOP\r\n"), "a OK NOOP completed\r\n");
    THAT(run_all(other, "b SELECT INBOX\r\n").find(warning) != std::string::npos);
    EQ(run_all(other, "c NOOP\r\n"), "c OK NOOP completed\r\n");
    EQ(append(session).find("OVERQUOTA"), std::string::npos);
    THAT(append(session).starts_with("a NO [OVERQUOTA] "));
    // Below, and up again, by a delivery while the client waits.
    run_all(other, "d STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n");
    EQ(changing(other, "e EXPUNGE\r\n").find("OVERQUOTA"), std::string::npos);
    run_all(other, "f IDLE\r\n");
    f.fill(1);
    other.store_changed((*f.store.mailbox("INBOX"))->id);
    THAT(take(other).find(warning) != std::string::npos);
}
END_TEST

TEST(guests_hear_of_a_mailboxs_quota_and_nothing_of_its_owners)
{
    SessionFixture f;
    auto say = [&](Session& session, std::string_view command) {
        session.feed(command);
        f.make_durable();
        session.durable_grew();
        return take(session);
    };
    f.store.set_quota({.limits = {.messages = 1}});
    f.fill(1);
    Session owner(f.store, {.user = "anna@example.org"});
    SessionFacts facts = unhurried();
    facts.user = "anna@example.org";
    facts.guest = "bert@example.org";
    facts.guest_prefix = "Other Users/anna@example.org/";
    Session guest(f.store, facts);
    constexpr std::string_view inbox = "\"Other Users/anna@example.org/INBOX\"";
    EQ(say(guest, util::concat("a GETQUOTAROOT ", inbox, "\r\n")), "a NO [NONEXISTENT] There is no such mailbox\r\n");
    THAT(say(owner, "b SETACL INBOX bert@example.org lr\r\n").ends_with("b OK SETACL completed\r\n"));
    EQ(say(guest, util::concat("c GETQUOTAROOT ", inbox, "\r\n")),
       util::concat("* QUOTAROOT ", inbox, "\r\nc OK GETQUOTAROOT completed\r\n"));
    EQ(say(guest, "d GETQUOTA #user/anna@example.org\r\n"), "d NO [NONEXISTENT] There is no such quota root\r\n");
    EQ(say(guest, "e SETQUOTA \"#mailbox/Other Users/anna@example.org/INBOX\" (MESSAGE 5)\r\n"),
       "e NO [NOPERM] You have no right to do that\r\n");
    say(owner, "f SETQUOTA #mailbox/INBOX (MESSAGE 9)\r\n");
    EQ(say(guest, util::concat("g GETQUOTAROOT ", inbox, "\r\n")),
       util::concat(
           "* QUOTAROOT ", inbox,
           " \"#mailbox/Other Users/anna@example.org/INBOX\"\r\n"
           "* QUOTA \"#mailbox/Other Users/anna@example.org/INBOX\" (MESSAGE 1 9)\r\ng OK GETQUOTAROOT completed\r\n"));
    say(owner, "h SETACL INBOX bert@example.org lra\r\n");
    THAT(say(guest, "i SETQUOTA \"#mailbox/Other Users/anna@example.org/INBOX\" (MESSAGE 5)\r\n").find("(MESSAGE 1 5)") !=
         std::string::npos);
}
END_TEST

TEST(storage_is_told_in_whole_kilobytes)
{
    SessionFixture f;
    auto says = [&](std::string_view what) {
        Session session(f.store, {.user = "anna@example.org"});
        auto answer = run_all(session, "a GETQUOTA #user/anna@example.org\r\n");
        ck_assert_msg(answer.starts_with(util::concat("* QUOTA #user/anna@example.org (", what, " MAILBOX 6 ")), "%s",
                      answer.c_str());
    };
    f.store.set_quota({.limits = {.bytes = 1025}});
    says("STORAGE 0 2");
    f.fill(1, std::string(1023, 'x'));
    says("STORAGE 1 2");
    f.fill(1, std::string(2, 'x'));
    says("STORAGE 2 2");
    f.store.set_quota({.limits = {.bytes = 1024, .messages = 0}, .mailboxes = 20});
    says("STORAGE 2 1 MESSAGE 2 0");
}
END_TEST

TEST(a_modseq_is_told_when_it_is_sure_to_stay)
{
    SessionFixture f;
    f.fill(1);
    Session session(f.store, unhurried());
    Session other(f.store, unhurried());
    run_all(session, "a SELECT INBOX (CONDSTORE)\r\n");
    run_all(other, "x APPEND Archive {5+}\r\na: b\n\r\n");  // is not durable yet, and stands before the flags
    EQ(run_all(session, "b STORE 1 +FLAGS (\\Seen)\r\nc FETCH 1 MODSEQ\r\n"), "");
    THAT(!session.has_work());
    f.make_durable();
    session.durable_grew();
    auto said = take(session) + run_all(session, "");
    THAT(said.starts_with("* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ ("));
    THAT(said.ends_with("c OK FETCH completed\r\n"));
}
END_TEST

TEST(a_client_that_comes_back_hears_of_expunges_that_are_sure)
{
    SessionFixture f;
    f.fill(2);
    Session session(f.store, unhurried());
    Session other(f.store, unhurried());
    run_all(other, "x SELECT INBOX\r\n");
    run_all(other, "y STORE 1 +FLAGS.SILENT (\\Deleted)\r\n");
    f.make_durable();
    auto validity = (*f.store.mailbox("INBOX"))->uid_validity;
    auto modseq = f.store.last();
    run_all(session, "a ENABLE QRESYNC\r\n");
    EQ(run_all(other, "z EXPUNGE\r\n"), "");
    EQ(run_all(session, util::concat("b SELECT INBOX (QRESYNC (", validity, " ", modseq, "))\r\n")), "");
    f.make_durable();
    session.durable_grew();
    auto said = take(session) + run_all(session, "");
    THAT(said.find("* VANISHED (EARLIER) 1\r\n") != std::string::npos);
    THAT(said.ends_with("b OK [READ-WRITE] SELECT completed\r\n"));
}
END_TEST

TEST(some_do_not_hear_of_some_capabilities)
{
    using Whom = ipc::CapabilityRule::Whom;
    SessionFixture f;
    SessionFacts facts = unhurried();
    facts.user = "anna@example.org";
    facts.discard_capabilities = {{Whom::Everybody, "", {"QRESYNC"}},
                                  {Whom::User, "*@example.org", {"MOVE"}},
                                  {Whom::User, "bert@*", {"IDLE"}},
                                  {Whom::Client, "*Outlook*", {"UIDONLY"}}};
    Session session(f.store, facts);
    auto hears = [&](std::string_view capability) {
        auto told = run_all(session, "a CAPABILITY\r\n");
        return told.substr(0, told.find("\r\n")).find(util::concat(" ", capability, " ")) != std::string::npos;
    };
    THAT(!hears("QRESYNC") && !hears("MOVE") && hears("IDLE") && hears("UIDONLY") && hears("CONDSTORE"));
    std::string greeting = util::concat("a OK [CAPABILITY ", imapd::syntax::session_capabilities, "] Logged in\r\n");
    session.adjust_greeting(greeting);
    THAT(greeting.starts_with("a OK [CAPABILITY IMAP4rev1 ") && greeting.ends_with("] Logged in\r\n"));
    THAT(greeting.find("MOVE") == std::string::npos && greeting.find("UIDONLY") != std::string::npos);
    // What it does not hear of it cannot switch on.
    EQ(run_all(session, "b ENABLE QRESYNC CONDSTORE\r\n"), "* ENABLED CONDSTORE\r\nb OK ENABLE completed\r\n");
    // Who says so late that it is Outlook hears of less from then on.
    run_all(session, "c ID (\"name\" \"Microsoft Outlook 16\")\r\n");
    THAT(!hears("UIDONLY"));
}
END_TEST

TEST(headers_beyond_ascii_may_be_refused_from_clients_without_utf8)
{
    SessionFixture f;
    SessionFacts facts = unhurried();
    facts.strict_append = true;
    Session session(f.store, facts);
    EQ(run_all(session, "a APPEND INBOX {13+}\r\nS: \xc3\xa4\r\n\r\n\xc3\xa4\r\n\r\n"),
       "a NO [CANNOT] The header has characters beyond ASCII, and UTF8=ACCEPT is not enabled\r\n");
    EQ(run_all(session, "b APPEND INBOX {12+}\r\nS: a\r\n\r\n\xc3\xa4\r\n\r\n"), "");
    f.make_durable();
    session.durable_grew();
    THAT(take(session).find("b OK ") != std::string::npos);
    run_all(session, "c ENABLE UTF8=ACCEPT\r\n");
    EQ(run_all(session, "d APPEND INBOX {13+}\r\nS: \xc3\xa4\r\n\r\n\xc3\xa4\r\n\r\n"), "");
}
END_TEST

// RFC 9585: with the tag, how many of how many messages have been looked at; never after the answer.
TEST(a_long_search_says_that_it_goes_on)
{
    SessionFixture f;
    f.fill(3);
    SessionFacts facts = unhurried();
    facts.limits.slice = facts.limits.progress = util::Duration::zero();
    Session session(f.store, facts);
    run_all(session, "a SELECT INBOX\r\n");
    EQ(run_all(session, "b SEARCH TEXT y\r\n"),
       "* OK [INPROGRESS (\"b\" 1 3)] Still at it\r\n* OK [INPROGRESS (\"b\" 2 3)] Still at it\r\n"
       "* OK [INPROGRESS (\"b\" 3 3)] Still at it\r\n* SEARCH 1 2 3\r\nb OK SEARCH completed\r\n");
    EQ(run_all(session, "c UID SORT (SUBJECT) UTF-8 BODY y\r\n").substr(0, 33), "* OK [INPROGRESS (\"c\" 1 3)] Still");
    // As often as it is to be told.
    facts.limits.progress = std::chrono::hours(1);
    Session quiet(f.store, facts);
    run_all(quiet, "a SELECT INBOX\r\n");
    EQ(run_all(quiet, "b SEARCH TEXT y\r\n"), "* SEARCH 1 2 3\r\nb OK SEARCH completed\r\n");
    THAT(run_all(quiet, "c CAPABILITY\r\n").find(" INPROGRESS") != std::string::npos);
}
END_TEST

// RFC 8437.
TEST(a_session_leaves_its_connection_with_what_is_not_its_own)
{
    SessionFixture f;
    f.fill(2);
    SessionFacts facts = unhurried();
    facts.returnable = true;
    Session session(f.store, facts);
    THAT(run_all(session, "a CAPABILITY\r\n").find(" UNAUTHENTICATE") != std::string::npos);
    EQ(run_all(session, "b UNAUTHENTICATE x\r\n"), "b BAD Unexpected argument\r\n");
    THAT(!session.left_over());
    run_all(session, "c SELECT INBOX\r\n");
    // Nothing is told of what has happened in the mailbox meanwhile.
    const auto* inbox = *f.store.mailbox("INBOX");
    std::vector<std::uint32_t> uids{inbox->entries.front().uid};
    OK(f.store.expunge(inbox->id, uids));
    EQ(run_all(session, "d UNAUTHENTICATE\r\ne LOGIN x {1+}\r\ny"), "d OK UNAUTHENTICATE completed\r\n");
    THAT(session.finished() && !session.wants_input());
    session.feed("\r\nf NOOP\r\n");   // was read before the host knew
    session.store_changed(inbox->id);
    EQ(take(session), "");
    EQ(session.left_over().value_or("none"), "e LOGIN x {1+}\r\ny\r\nf NOOP\r\n");
    THAT(session.farewell().starts_with("* BYE ") && session.farewell().size() <= ipc::max_returned_farewell);
}
END_TEST

TEST(who_may_not_leave_it_hears_of_no_such_command)
{
    SessionFixture f;
    for (int way = 0; way < 3; ++way) {
        SessionFacts facts = unhurried();
        facts.returnable = way > 0;
        if (way == 1)
            facts.discard_capabilities = {
                {.whom = ipc::CapabilityRule::Whom::Everybody, .pattern = {}, .names = {"UNAUTHENTICATE"}}};
        if (way == 2)
            facts.guest = "g@example.org";
        Session session(f.store, facts);
        std::string greeting = util::concat("x OK [CAPABILITY ", imapd::syntax::session_capabilities, "] Logged in\r\n");
        session.adjust_greeting(greeting);
        if (way < 2)
            EQ(greeting.find("UNAUTHENTICATE"), std::string::npos);
        EQ(run_all(session, "b UNAUTHENTICATE\r\n"), "b BAD Unknown command UNAUTHENTICATE\r\n");
        THAT(!session.finished() && !session.left_over());
    }
}
END_TEST

TEST(more_than_can_be_given_back_ends_the_connection)
{
    SessionFixture f;
    SessionFacts facts = unhurried();
    facts.returnable = true;
    for (std::size_t extra : {0U, 1U}) {
        Session session(f.store, facts);
        std::string behind(ipc::max_returned_bytes + extra, 'x');
        EQ(run_all(session, "a UNAUTHENTICATE\r\n" + behind),
           extra ? "* BYE Too much follows UNAUTHENTICATE\r\n" : "a OK UNAUTHENTICATE completed\r\n");
        EQ(session.left_over().has_value(), extra == 0);
    }
}
END_TEST

// The steps of a look at the list are not mailboxes times filters: that would be some billions here.
TEST(a_large_notify_of_a_long_list_is_answered_at_once)
{
    SessionFixture f;
    constexpr int count = 9900;
    OK(f.store.create_mailbox("Top", store::SpecialUse::None));
    for (int i = 0; i < count; ++i) {
        auto name = util::concat("Top/mailbox", i);
        OK(f.store.create_mailbox(name, store::SpecialUse::None));
        OK(f.store.subscribe(name, true));
    }
    f.make_durable();
    Session session(f.store, unhurried());
    std::string command = "a NOTIFY SET";
    for (int group = 0; group < 24; ++group)
        command += " (subscribed (MailboxName))";
    int names = 0;
    for (int group = 0; group < 24; ++group) {
        command += group % 2 ? " (subtree (" : " (mailboxes (";
        for (int i = 0; i < 20; ++i)
            util::append(command, i ? " " : "", group == 1 ? "Top/mailbox" : "Top/nothing", names++);
        command += group == 1 ? ") (MessageNew MessageExpunge MailboxName))" : ") (MailboxName))";
    }
    double start = test::cpu_seconds();
    EQ(run_all(session, command + "\r\n"), "a OK NOTIFY completed\r\n");
    // Everything below comes along without words.
    OK(f.store.rename_mailbox("Top", "Other"));
    session.store_changed(0);
    f.make_durable();
    session.durable_grew();
    EQ(take(session), "");   // nobody wants to hear of Top itself
    OK(f.store.rename_mailbox("Other/mailbox17", "Top/mailbox20"));
    session.store_changed(0);
    f.make_durable();
    session.durable_grew();
    EQ(take(session), "* LIST (\\HasNoChildren \\Subscribed) \"/\" Top/mailbox20 (\"OLDNAME\" (Other/mailbox17))\r\n");
    // Milliseconds, each; so much is for slow variants and machines.
    THAT(test::cpu_seconds() - start < 3);
}
END_TEST

// Opening a mailbox, and looking at others, costs no reading of what they hold.
TEST(messages_are_not_loaded_before_they_are_asked_for)
{
    test::ScratchStore scratch;
    for (int i = 0; i < 3; ++i)
        test::deliver(scratch.store(), "Subject: x\r\n\r\ny\r\n");
    auto id = (*scratch.store().mailbox("INBOX"))->id;
    const std::uint32_t one[] = {1};
    OK(scratch.store().change_flags(id, one, {.flags = store::Seen, .keywords = {}, .unchanged_since = {}}));
    SessionFacts owner;
    owner.user = "owner@example.org";
    {
        Session sharing(scratch.store(), owner);
        run_all(sharing, "a SETACL INBOX guest@example.org lrs\r\n");
    }
    auto modseq = (*scratch.store().facts(id))->highest_modseq;
    auto validity = (*scratch.store().facts(id))->uid_validity;
    scratch.reopen(true);
    scratch.reopen();
    auto& store = scratch.store();
    const auto* facts = *store.facts(id);
    Session session(store, owner);
    auto says = [&](std::string_view command, std::string_view response) {
        auto said = run_all(session, command);
        ck_assert_msg(said.find(response) != said.npos, "%s answered %s", std::string(command).c_str(), said.c_str());
    };
    says("a LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN RECENT SIZE DELETED DELETED-STORAGE))\r\n",
         "* STATUS INBOX (MESSAGES 3 RECENT 3 UNSEEN 2 DELETED 0 DELETED-STORAGE 0 SIZE 51)");
    says("b SELECT INBOX\r\n", "* 3 EXISTS\r\n* 3 RECENT\r\n* OK [UNSEEN 2]");
    says("c NOOP\r\n", "c OK");
    says("d CHECK\r\n", "d OK");
    says("e IDLE\r\nDONE\r\n", "e OK");
    says("f CLOSE\r\n", "f OK");
    says("g EXAMINE INBOX\r\n", "* 3 EXISTS\r\n");
    says("h UNSELECT\r\n", "h OK");
    says("i ENABLE QRESYNC\r\n", "i OK");
    says(util::concat("j SELECT INBOX (QRESYNC (", validity, " ", modseq, "))\r\n"), "j OK");
    SessionFacts shared = owner;
    shared.guest = "guest@example.org";
    shared.guest_prefix = "Others/";
    Session guest(store, shared);
    THAT(run_all(guest, "a SELECT Others/INBOX\r\n").find("OK [UNSEEN 1]") != std::string::npos);
    THAT(run_all(guest, "b STATUS Others/INBOX (UNSEEN)\r\n").find("(UNSEEN 3)") != std::string::npos);
    THAT(!facts->loaded);
    says("k FETCH 1:* (UID FLAGS)\r\n", "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS ())\r\n");
    THAT(facts->loaded);
    says("l STATUS INBOX (MESSAGES UNSEEN RECENT SIZE)\r\n", "* STATUS INBOX (MESSAGES 3 RECENT 0 UNSEEN 2 SIZE 51)");
    says(util::concat("m SELECT INBOX (QRESYNC (", validity, " ", modseq - 1, "))\r\n"), "m OK");
}
END_TEST

// What happens in another session while the messages are not loaded here.
TEST(news_of_a_mailbox_whose_messages_are_not_loaded_are_told)
{
    test::ScratchStore scratch;
    for (int i = 0; i < 3; ++i)
        test::deliver(scratch.store(), "Subject: x\r\n\r\ny\r\n");
    scratch.reopen(true);
    scratch.reopen();
    auto& store = scratch.store();
    Session session(store, unhurried());
    run_all(session, "a SELECT INBOX\r\n");
    auto id = session.view()->id();
    THAT(!(*store.facts(id))->loaded);
    const std::uint32_t one[] = {1};
    const std::uint32_t two[] = {2};
    OK(store.change_flags(id, one, {.flags = store::Flagged, .keywords = {}, .unchanged_since = {}}));
    OK(store.expunge(id, two));
    test::deliver(store, "Subject: x\r\n\r\ny\r\n");
    OK(store.sync());
    EQ(run_all(session, "b NOOP\r\n"), "* 2 EXPUNGE\r\n* 3 EXISTS\r\n* 3 RECENT\r\n"
                                      "* 1 FETCH (FLAGS (\\Flagged \\Recent))\r\nb OK NOOP completed\r\n");
}
END_TEST

SUITE(imap_session, messages_are_not_loaded_before_they_are_asked_for, news_of_a_mailbox_whose_messages_are_not_loaded_are_told,
      a_large_notify_of_a_long_list_is_answered_at_once, a_session_leaves_its_connection_with_what_is_not_its_own,
      who_may_not_leave_it_hears_of_no_such_command, more_than_can_be_given_back_ends_the_connection,
      a_modseq_is_told_when_it_is_sure_to_stay, a_client_that_comes_back_hears_of_expunges_that_are_sure,
      some_do_not_hear_of_some_capabilities, headers_beyond_ascii_may_be_refused_from_clients_without_utf8,
      append_answers_when_it_is_durable_and_not_before, store_answers_at_once,
      what_fetch_marks_as_seen_is_told_with_its_answer_whatever_that_is,
      what_fetch_marks_as_seen_is_told_whatever_the_client_hears_of_others, what_cannot_be_marked_as_seen_is_told_again,
      fetch_marks_as_seen_while_the_right_is_there, expunge_is_told_when_it_is_durable, check_waits_for_flags,
      a_large_body_leaves_in_pieces, a_long_fetch_pauses_while_its_output_waits,
      a_message_expunged_in_the_middle_of_a_fetch_stays_readable, silence_ends_a_session_after_thirty_minutes,
      the_host_ends_a_session_with_bye_but_not_within_a_literal, input_is_bounded_while_a_command_waits,
      a_quota_is_told_by_its_code, that_little_is_left_is_told_once_each_time,
      guests_hear_of_a_mailboxs_quota_and_nothing_of_its_owners, storage_is_told_in_whole_kilobytes,
      a_long_search_says_that_it_goes_on)
