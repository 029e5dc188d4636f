// What dialogues cannot show: waiting for durability, slices, bounded output, time, the end.
#include "imapd/engine/session.h"

#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/suite.h"

#include <algorithm>

namespace {

using imapd::engine::Session;
using imapd::engine::SessionFacts;

struct Fixture {
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

std::string run(Session& session, std::string_view command)
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
    Fixture f;
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
    EQ(run(session, "b APPEND INBOX {5+}\r\na: b\n\r\nc NOOP\r\n"), "");
    THAT(!session.has_work());
    // Another session must not see it either: a uid that is shown never means something else.
    Session other(f.store, {});
    auto opened = run(other, "x SELECT INBOX\r\n");
    THAT(opened.find("* 0 EXISTS") != std::string::npos);
    THAT(opened.find("UIDNEXT 1]") != std::string::npos);
    THAT(run(other, "y STATUS INBOX (MESSAGES UIDNEXT)\r\n").find("(MESSAGES 0 UIDNEXT 1)") !=
         std::string::npos);
    f.make_durable();
    session.durable_grew();
    auto said = take(session);
    THAT(said.starts_with("* 1 EXISTS\r\n"));
    THAT(said.ends_with("b OK [APPENDUID " + util::concat((*f.store.mailbox("INBOX"))->uid_validity) +
                        " 1] APPEND completed\r\nc OK NOOP completed\r\n"));
    EQ(run(other, "z NOOP\r\n"), "* 1 EXISTS\r\n* 1 RECENT\r\nz OK NOOP completed\r\n");
}
END_TEST

TEST(store_answers_at_once)
{
    Fixture f;
    f.fill(1);
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
    EQ(run(session, "b STORE 1 +FLAGS (\\Seen)\r\n"), "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\nb OK STORE completed\r\n");
    // And is not told a second time.
    f.make_durable();
    EQ(run(session, "c NOOP\r\n"), "c OK NOOP completed\r\n");
}
END_TEST

TEST(expunge_is_told_when_it_is_durable)
{
    Fixture f;
    f.fill(3);
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
    run(session, "b STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n");
    EQ(run(session, "c EXPUNGE\r\n"), "");
    f.make_durable();
    session.durable_grew();
    EQ(take(session), "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nc OK EXPUNGE completed\r\n");
}
END_TEST

TEST(check_waits_for_flags)
{
    Fixture f;
    f.fill(1);
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
    run(session, "b STORE 1 +FLAGS.SILENT (\\Seen)\r\n");
    if (f.store.durable() < f.store.last()) {
        auto early = run(session, "c CHECK\r\n");
        f.make_durable();
        session.durable_grew();
        EQ(early + take(session), "c OK CHECK completed\r\n");
    }
    EQ(f.store.durable(), f.store.last());
}
END_TEST

TEST(a_large_body_leaves_in_pieces)
{
    Fixture f;
    std::string content = "Subject: large\r\n\r\n";
    while (content.size() < 3'000'000)
        util::append(content, content.size(), " and some more text to fill the line\r\n");
    test::deliver(f.store, content);
    f.make_durable();
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
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
    auto part = run(session, "d FETCH 1 BODY.PEEK[]<1000.1000000>\r\n");
    EQ(part, util::concat("* 1 FETCH (BODY[]<1000> {1000000}\r\n", content.substr(1000, 1'000'000),
                          ")\r\nd OK FETCH completed\r\n"));
}
END_TEST

TEST(a_long_fetch_pauses_while_its_output_waits)
{
    Fixture f;
    f.fill(5000);
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
    session.feed("b FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)\r\n");
    THAT(session.has_work());
    THAT(session.output().size() < 2 * imapd::engine::output_high);
    auto before = session.output().size();
    // The host does not call while so much waits; if it does, nothing is added without bound.
    session.work();
    THAT(session.output().size() <= before + 1000);
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
    Fixture f;
    std::string content = "Subject: large\r\n\r\n" + std::string(2'000'000, 'x') + "\r\n";
    test::deliver(f.store, content);
    f.make_durable();
    Session session(f.store, {});
    run(session, "a SELECT INBOX\r\n");
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
    EQ(run(session, "c NOOP\r\n"), "* 1 EXPUNGE\r\nc OK NOOP completed\r\n");
}
END_TEST

TEST(silence_ends_a_session_after_thirty_minutes)
{
    Fixture f;
    Session session(f.store, {});
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
    Fixture f;
    f.fill(1, "Subject: large\r\n\r\n" + std::string(2'000'000, 'x') + "\r\n");
    Session idle(f.store, {});
    idle.terminate("Server shutting down");
    EQ(take(idle), "* BYE Server shutting down\r\n");
    THAT(idle.finished());
    Session busy(f.store, {});
    run(busy, "a SELECT INBOX\r\n");
    busy.feed("b FETCH 1 BODY.PEEK[]\r\n");
    busy.terminate("Server shutting down");
    THAT(busy.finished());
    THAT(take(busy).find("BYE") == std::string::npos);
}
END_TEST

TEST(input_is_bounded_while_a_command_waits)
{
    Fixture f;
    Session session(f.store, {});
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
        Session session(*store, {});
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

SUITE(imap_session, append_answers_when_it_is_durable_and_not_before, store_answers_at_once,
      expunge_is_told_when_it_is_durable, check_waits_for_flags, a_large_body_leaves_in_pieces,
      a_long_fetch_pauses_while_its_output_waits,
      a_message_expunged_in_the_middle_of_a_fetch_stays_readable,
      silence_ends_a_session_after_thirty_minutes,
      the_host_ends_a_session_with_bye_but_not_within_a_literal,
      input_is_bounded_while_a_command_waits, a_quota_is_told_by_its_code)
