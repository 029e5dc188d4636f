// Commands upon very many messages: they pause, others have their turn, and what happens meanwhile does no harm.
#include "imapd/engine/slices.h"

#include "imapd/engine/session.h"
#include "imapd/engine/thread_tree.h"
#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace {

using namespace imapd::engine;
using test::unhurried;

constexpr int many = 1000;   // more than a slice of each stage

struct ManyMessages {
    test::ScratchStore scratch;
    store::Store& store = scratch.store();

    explicit ManyMessages(int count = many)
    {
        for (int i = 0; i < count; ++i) {
            auto references = i % 4 != 0 ? util::concat("References: <", i / 2, "@example.org>\r\n") : std::string();
            test::deliver(store, util::concat("Subject: ", i % 3 == 0 ? "Re: " : "", "number ", i * 7919 % count, "\r\n",
                                              "Message-Id: <", i, "@example.org>\r\n", references, "\r\ntext\r\n"));
        }
        OK(store.sync());
    }
    // Each slice is as short as can be.
    static SessionFacts impatient()
    {
        SessionFacts facts;
        facts.limits.slice = util::Duration(0);
        return facts;
    }
};

std::string heard(Session& session)
{
    return std::exchange(session.output(), {});
}

// What it says until it has nothing more to do, nor to wait for.
std::string answer(Session& session, std::string_view command)
{
    session.feed(command);
    std::string out;
    do {
        while (session.has_work())
            session.work();
        out += heard(session);
        OK(session.store().sync());
        session.durable_grew();
    } while (!session.output().empty());
    return out;
}

// The line that begins so.
std::string line_of(std::string_view text, std::string_view begin)
{
    auto at = text.find(begin);
    return at == text.npos ? std::string() : std::string(text.substr(at, text.find("\r\n", at) - at));
}

constexpr std::string_view long_commands[] = {
    "SORT (SUBJECT) UTF-8 ALL", "SORT (REVERSE SUBJECT ARRIVAL) UTF-8 ALL", "SORT (REVERSE SIZE) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 ALL", "THREAD ORDEREDSUBJECT UTF-8 ALL",
};

}  // namespace

TEST(sorting_pauses)
{
    for (std::size_t count : {0U, 1U, 2U, 255U, 256U, 257U, 512U, 1000U, 5000U}) {
        std::vector<std::uint32_t> values;
        for (std::size_t i = 0; i < count; ++i)
            values.push_back(std::uint32_t(i * 7919 % 5003));
        SlicedSort<std::uint32_t> sort;
        sort.begin(values);
        std::size_t pauses = 0;
        for (;; ++pauses)
            if (Pace pace(util::Instant::min()); sort.step(pace, std::less<>()))
                break;
        THAT(pauses >= count / pace_interval);
        std::sort(values.begin(), values.end());
        THAT(sort.take() == values);
    }
}
END_TEST

TEST(threading_pauses)
{
    for (auto algorithm : {ThreadAlgorithm::OrderedSubject, ThreadAlgorithm::References, ThreadAlgorithm::Refs}) {
        ThreadTree at_once(algorithm);
        ThreadTree in_slices(algorithm);
        for (std::uint32_t i = 1; i <= many; ++i) {
            ThreadItem item;
            item.number = i;
            item.sent = i * 7919 % many;
            item.arrived = i * 104'729 % many;
            item.subject = util::concat("s", i % 700);
            item.is_reply = i % 2 == 0;
            item.message_id = util::concat("<", i, ">");
            if (i % 5 == 0)
                item.references = {util::concat("<", i / 2, ">"), util::concat("<none", i / 9, ">")};
            THAT(at_once.add(item));
            THAT(in_slices.add(item));
        }
        Pace endless(util::Instant::max());
        THAT(at_once.finish(endless));
        std::size_t pauses = 0;
        for (;; ++pauses)
            if (Pace pace(util::Instant::min()); in_slices.finish(pace))
                break;
        THAT(pauses >= 3 * many / pace_interval);
        EQ(in_slices.text(), at_once.text());
        THAT(at_once.text().size() > many);
    }
}
END_TEST

// Pairs of one subject: each makes a thread of two below a new one, which takes the place of the first.
TEST(threads_of_one_subject_are_merged_in_their_order)
{
    ThreadTree tree(ThreadAlgorithm::References);
    for (std::uint32_t i = 1; i <= 6; ++i) {
        ThreadItem item;
        item.number = i;
        item.sent = i;
        item.subject = util::concat("s", i % 3);
        THAT(tree.add(item));
    }
    Pace endless(util::Instant::max());
    THAT(tree.finish(endless));
    EQ(tree.text(), " ((1)(4))((2)(5))((3)(6))");
}
END_TEST

TEST(others_have_their_turn_while_a_result_is_put_in_order)
{
    ManyMessages f;
    Session patient(f.store, unhurried());
    answer(patient, "a SELECT INBOX\r\n");
    for (auto command : long_commands) {
        auto expected = answer(patient, util::concat("b ", command, "\r\n"));
        auto result = line_of(expected, util::concat("* ", command.substr(0, command.find(' '))));
        THAT(result.size() > many);

        Session busy(f.store, ManyMessages::impatient());
        Session other(f.store, ManyMessages::impatient());
        answer(busy, "a EXAMINE INBOX\r\n");
        answer(other, "a EXAMINE INBOX\r\n");
        busy.feed(util::concat("b ", command, "\r\n"));
        int slices = 1;
        std::string said;
        for (; busy.has_work(); ++slices) {
            busy.work();
            said += heard(busy);
            if (slices % 50 == 0)
                EQ(answer(other, "c FETCH 1 UID\r\n"), "* 1 FETCH (UID 1)\r\nc OK FETCH completed\r\n");
        }
        // One for each message, and those of the stages behind.
        THAT(slices > many + many / int(pace_interval));
        EQ(line_of(said, result.substr(0, 6)), result);
        THAT(said.ends_with(expected.substr(expected.find("\r\n") + 2)));
    }
}
END_TEST

TEST(what_happens_while_a_result_is_put_in_order)
{
    enum class Event { Delivered, Expunged, Removed, Closed };
    for (auto command : {long_commands[0], long_commands[3]}) {
        for (auto event : {Event::Delivered, Event::Expunged, Event::Removed, Event::Closed}) {
            ManyMessages f;
            Session other(f.store, unhurried());
            answer(other, "a CREATE box\r\n");
            answer(other, "b SELECT INBOX\r\n");
            answer(other, "c COPY 1:* box\r\n");
            answer(other, "d SELECT box\r\n");
            auto line = util::concat("e ", command, "\r\n");
            auto expected = answer(other, line);
            Session busy(f.store, ManyMessages::impatient());
            answer(busy, "a SELECT box\r\n");
            busy.feed(line);
            for (int slices = 0; slices < many + 3; ++slices)   // all have been looked at
                busy.work();
            EQ(heard(busy), "");
            switch (event) {
            case Event::Delivered:
                answer(other, "f COPY 1 box\r\n");
                break;
            case Event::Expunged:
                answer(other, "f STORE 1:10 +FLAGS.SILENT (\\Deleted)\r\ng EXPUNGE\r\n");
                break;
            case Event::Removed:
                answer(other, "f UNSELECT\r\ng DELETE box\r\n");
                break;
            case Event::Closed:
                continue;
            }
            busy.store_changed(event == Event::Removed ? 0 : (*f.store.mailbox("box"))->id);
            busy.durable_grew();
            std::string said;
            while (busy.has_work()) {
                busy.work();
                said += heard(busy);
            }
            // Sequence numbers are what they were.
            THAT(said.starts_with(line_of(expected, "* ") + "\r\n"));
            THAT(said.find("EXPUNGE\r\n") == said.npos);
            THAT(said.find("e OK ") != said.npos);
            EQ(busy.finished(), event == Event::Removed);
        }
    }
}
END_TEST

// A session that copies or moves, impatient, and what others do meanwhile.
struct Transferring : ManyMessages {
    Session other{store, unhurried()};
    Session busy{store, impatient()};

    static constexpr int messages = 1200;   // more than are copied without much ado

    Transferring() : ManyMessages(100)
    {
        answer(other, "a CREATE box\r\nb SELECT INBOX\r\n");
        for (int i = 0; i < messages; i += 100)
            answer(other, "b COPY 1:* box\r\n");
        answer(other, "c CREATE target\r\n");
        answer(other, "d SELECT box\r\n");
        answer(busy, "a SELECT box\r\n");
    }
    std::size_t count(std::string_view name) const
    {
        auto mailbox = store.mailbox(name);
        return mailbox.ok() ? (*mailbox)->entries.size() : 0;
    }
    // To the point from which the next slice does it.
    int begin(std::string_view command)
    {
        busy.feed(command);
        int slices = 1;
        for (; slices < messages / int(pace_interval); ++slices)
            busy.work();
        EQ(heard(busy), "");
        THAT(busy.has_work());
        EQ(count("target"), 0U);
        return slices;
    }
};

TEST(others_have_their_turn_while_very_many_messages_are_copied)
{
    for (bool moving : {false, true}) {
        Transferring f;
        answer(f.other, "e UNSELECT\r\n");
        f.busy.feed(moving ? "b MOVE 1:* target\r\n" : "b COPY 1:* target\r\n");
        int slices = 1;
        for (std::size_t delivered = 100; f.busy.has_work(); ++slices) {
            EQ(f.count("target"), 0U);   // all or none
            test::deliver(f.store, "Subject: meanwhile\r\n\r\ntext\r\n");
            OK(f.store.sync());
            ++delivered;
            auto status = answer(f.other, "f STATUS INBOX (MESSAGES)\r\n");
            THAT(status.find(util::concat("(MESSAGES ", delivered, ")")) != status.npos);
            f.busy.work();
        }
        THAT(slices > f.messages / int(pace_interval));
        EQ(f.count("target"), f.messages);
        EQ(f.count("box"), moving ? 0 : f.messages);
        auto said = answer(f.busy, "c NOOP\r\n");
        auto uids = util::concat(" 1:", f.messages);
        THAT(said.find(util::concat("[COPYUID ", (*f.store.mailbox("target"))->uid_validity, uids, uids, "] ")) != said.npos);
        THAT(said.find("b OK ") != said.npos);
        EQ(said.find(" EXPUNGE\r\n") != said.npos, moving);
    }
}
END_TEST

TEST(one_session_at_a_time_gets_memory_for_very_many_messages)
{
    for (bool waits : {true, false}) {
        Transferring f;
        auto facts = Transferring::impatient();
        facts.limits.wait_for_space = waits ? std::chrono::hours(1) : util::Duration::zero();
        Session second(f.store, facts);
        answer(second, "a SELECT box\r\n");
        f.begin("b COPY 1:* target\r\n");
        second.feed("b COPY 1:* INBOX\r\n");
        for (int i = 0; i < 100; ++i)
            second.work();
        EQ(f.count("INBOX"), waits ? 100U : 100U + f.messages);
        EQ(second.has_work(), waits);
        answer(f.busy, "");
        EQ(f.count("target"), std::size_t(f.messages));
        int slices = 0;
        for (; second.has_work(); ++slices)
            second.work();
        EQ(slices > f.messages / int(pace_interval), waits);
        EQ(f.count("INBOX"), 100U + f.messages);
    }
    // Who ends gives his place back.
    Transferring f;
    {
        Session gone(f.store, Transferring::impatient());
        answer(gone, "a SELECT box\r\n");
        gone.feed("b COPY 1:* target\r\n");
        gone.work();
    }
    THAT(!f.store.transfer_place()->taken);
}
END_TEST

TEST(what_happens_while_very_many_messages_are_copied)
{
    struct Case {
        std::string_view command;     // of the busy session
        std::string_view meanwhile;   // of another
        std::string_view answer;
        std::size_t copied;
    };
    constexpr std::string_view expunge = "e STORE 5:6 +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE\r\n";
    const Case cases[] = {
        {"b COPY 1:* target\r\n", expunge, "b NO [EXPUNGEISSUED] ", 0},
        {"b UID COPY 1:* target\r\n", expunge, "b OK [COPYUID ", Transferring::messages - 2},
        {"b MOVE 1:* target\r\n", expunge, "b NO [EXPUNGEISSUED] ", 0},
        {"b COPY 1:* target\r\n", "e DELETE target\r\n", "b NO [TRYCREATE] ", 0},
        {"b COPY 1:* target\r\n", "e DELETE target\r\nf CREATE target\r\n", "b OK [COPYUID ", Transferring::messages},
        {"b COPY 1:* target\r\n", "e UNSELECT\r\nf DELETE box\r\n", "b NO The selected mailbox was deleted", 0},
        {"b UID MOVE 1:* target\r\n", "e UNSELECT\r\nf DELETE box\r\n", "b NO The selected mailbox was deleted", 0},
        {"b UID COPY 1:* target\r\n", "e STORE 1:* +FLAGS.SILENT (\\Flagged one)\r\n", "b OK [COPYUID ",
         Transferring::messages},
        {"b COPY 1:* target\r\n", "e COPY 1:* INBOX\r\n", "b OK [COPYUID ", Transferring::messages},
    };
    for (const auto& it : cases) {
        Transferring f;
        f.begin(it.command);
        answer(f.other, it.meanwhile);
        f.busy.store_changed(0);
        auto said = answer(f.busy, "");
        ck_assert_msg(said.find(it.answer) != said.npos, "%s: %s", std::string(it.command).c_str(), said.c_str());
        EQ(f.count("target"), it.copied);
    }
}
END_TEST

TEST(a_connection_that_closes_while_very_many_messages_are_copied)
{
    for (int slices : {1, 2, Transferring::messages / int(pace_interval)}) {
        Transferring f;
        auto last = f.store.last();
        {
            Session closed(f.store, ManyMessages::impatient());
            answer(closed, "a SELECT box\r\n");
            closed.feed("b COPY 1:* target\r\n");
            for (int i = 1; i < slices; ++i)
                closed.work();
        }
        EQ(f.count("target"), 0U);
        EQ(f.store.last(), last);   // nothing was written
        answer(f.busy, "b COPY 1:* target\r\n");
        EQ(f.count("target"), f.messages);
    }
}
END_TEST

// RENAME of INBOX moves what is in it: RFC 9051 §6.3.6.
TEST(others_have_their_turn_while_a_very_full_inbox_is_renamed)
{
    for (bool selected : {false, true}) {
        Transferring f;
        answer(f.other, "e COPY 1:* INBOX\r\nf UNSELECT\r\n");
        answer(f.busy, selected ? "b SELECT INBOX\r\n" : "b UNSELECT\r\n");
        f.busy.feed("c RENAME INBOX old\r\n");
        std::size_t messages = f.messages + 100;
        int slices = 1;
        for (; f.busy.has_work(); ++slices) {
            THAT(!f.store.mailboxes().contains("old"));
            test::deliver(f.store, "Subject: meanwhile\r\n\r\ntext\r\n");
            OK(f.store.sync());
            EQ(f.count("INBOX"), ++messages);
            EQ(answer(f.other, "f STATUS box (MESSAGES)\r\n").substr(0, 29), "* STATUS box (MESSAGES 1200)\r");
            f.busy.work();
        }
        THAT(slices > f.messages / int(pace_interval));
        EQ(f.count("INBOX"), 0U);
        EQ(f.count("old"), messages);
        auto said = answer(f.busy, "d NOOP\r\n");
        THAT(said.find("c OK RENAME completed") != said.npos);
        EQ(said.find(" EXPUNGE\r\n") != said.npos, selected);
        OK(f.store.check());
    }
}
END_TEST

TEST(what_happens_while_a_very_full_inbox_is_renamed)
{
    struct Case {
        std::string_view meanwhile;   // of another session
        std::string_view answer;
        std::size_t moved;
        std::size_t left;
    };
    constexpr std::size_t all = Transferring::messages + 100;
    const Case cases[] = {
        {"f CREATE old\r\n", "c NO [ALREADYEXISTS] ", 0, all},
        {"f STORE 1:10 +FLAGS.SILENT (\\Deleted)\r\ng EXPUNGE\r\n", "c OK ", all - 10, 0},
        {"f STORE 1:* +FLAGS.SILENT (\\Deleted)\r\ng EXPUNGE\r\n", "c OK ", 0, 0},
        {"f STORE 1:* +FLAGS.SILENT (\\Flagged one)\r\n", "c OK ", all, 0},
        {"f COPY 1:* INBOX\r\n", "c OK ", 2 * all, 0},   // more than there is space for
        {"f RENAME INBOX old\r\n", "c NO [ALREADYEXISTS] ", all, 0},
        {"f RENAME INBOX older\r\n", "c OK ", 0, 0},
    };
    for (const auto& it : cases) {
        Transferring f;
        answer(f.other, "e COPY 1:* INBOX\r\nf SELECT INBOX\r\n");
        f.begin("c RENAME INBOX old\r\n");
        answer(f.other, it.meanwhile);
        f.busy.store_changed(0);
        auto said = answer(f.busy, "");
        ck_assert_msg(said.find(it.answer) != said.npos, "%s: %s", std::string(it.meanwhile).c_str(), said.c_str());
        EQ(f.count("old"), it.moved);
        EQ(f.count("INBOX"), it.left);
        OK(f.store.check());
    }
}
END_TEST

TEST(flags_of_very_many_messages_are_told_in_slices)
{
    enum class Event { None, Removed, Compressed, Idle };
    for (auto event : {Event::None, Event::Removed, Event::Compressed, Event::Idle}) {
        Transferring f;
        if (event == Event::Idle)
            answer(f.busy, "b IDLE\r\n");
        answer(f.other, "e STORE 1:* +FLAGS.SILENT (\\Flagged)\r\n");
        int slices = 1;
        std::string said;
        if (event == Event::Idle)
            f.busy.store_changed((*f.store.mailbox("box"))->id);
        else
            f.busy.feed(event == Event::Compressed ? "b COMPRESS DEFLATE\r\n" : "b NOOP\r\nc NOOP\r\n");
        said += heard(f.busy);
        EQ(said.find("b OK ") != said.npos, event == Event::Compressed);
        for (; f.busy.has_work(); ++slices) {
            THAT(f.busy.waits() == Session::Waits::No);
            if (event == Event::Removed && slices == 2) {
                answer(f.other, "f UNSELECT\r\ng DELETE box\r\n");
                f.busy.store_changed(0);
            }
            f.busy.work();
            said += heard(f.busy);
        }
        auto last = util::concat("* ", f.messages, " FETCH (FLAGS (\\Flagged))\r\n");
        switch (event) {
        case Event::None:
            THAT(said.ends_with(last + "b OK NOOP completed\r\nc OK NOOP completed\r\n"));
            break;
        case Event::Removed:
            THAT(said.ends_with("b OK NOOP completed\r\n* BYE The selected mailbox was deleted\r\n"));
            break;
        case Event::Compressed:
            THAT(said.ends_with(last + "b OK DEFLATE active\r\n"));
            break;
        case Event::Idle:
            THAT(said.ends_with(last));
            said = answer(f.busy, "DONE\r\n");
            EQ(said, "b OK IDLE completed\r\n");
            break;
        }
        EQ(slices > f.messages / int(pace_interval), event != Event::Compressed);
    }
}
END_TEST

TEST(others_have_their_turn_before_very_many_messages_are_expunged)
{
    struct Case {
        std::string_view command;     // of the busy session
        std::string_view meanwhile;   // of another
        std::string_view answer;
        std::size_t left;
    };
    constexpr std::size_t all = Transferring::messages;
    const Case cases[] = {
        {"b EXPUNGE\r\n", "e NOOP\r\n", "b OK EXPUNGE completed", 0},
        {"b CLOSE\r\n", "e NOOP\r\n", "b OK CLOSE completed", 0},
        {"b DELETE box\r\n", "e NOOP\r\n", "b OK DELETE completed", 0},
        {"b UID EXPUNGE 1:1000\r\n", "e NOOP\r\n", "b OK EXPUNGE completed", all - 1000},
        {"b EXPUNGE\r\n", "e STORE 1:10 -FLAGS.SILENT (\\Deleted)\r\n", "b OK EXPUNGE completed", 10},
        {"b EXPUNGE\r\n", "e EXPUNGE\r\n", "b OK EXPUNGE completed", 0},
        {"b EXPUNGE\r\n", "e UNSELECT\r\nf DELETE box\r\n", "b NO ", 0},
        {"b CLOSE\r\n", "e UNSELECT\r\nf DELETE box\r\n", "b OK CLOSE completed", 0},
        {"b DELETE box\r\n", "e UNSELECT\r\nf DELETE box\r\n", "b NO [NONEXISTENT]", 0},
    };
    for (const auto& it : cases) {
        Transferring f;
        answer(f.other, "e STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n");
        answer(f.busy, "a NOOP\r\n");
        f.begin(it.command);
        EQ(f.count("box"), all);
        answer(f.other, it.meanwhile);
        f.busy.store_changed(0);
        auto said = answer(f.busy, "");
        ck_assert_msg(said.find(it.answer) != said.npos, "%s: %s", std::string(it.command).c_str(), said.c_str());
        EQ(f.count("box"), it.left);
        EQ((*f.store.deleted_messages()).size(), all - it.left);
        OK(f.store.check());
    }
}
END_TEST

// Senders choose Message-IDs: here such as belong into one slot of the table for them, whatever its size up to 1024.
TEST(texts_of_one_slot_get_their_numbers)
{
    TextNumbers numbers;
    std::vector<std::string> texts;
    for (int i = 0; texts.size() < 400; ++i)
        if (auto text = util::concat("id-", i); (std::hash<std::string_view>()(text) & 1023) == 7)
            texts.push_back(text);
    for (std::uint32_t round = 0; round < 2; ++round)
        for (std::uint32_t i = 0; i < texts.size(); ++i)
            EQ(numbers.number_of(texts[i]), i);
    EQ(numbers.size(), texts.size());
}
END_TEST

SUITE(imapd_slices, texts_of_one_slot_get_their_numbers, sorting_pauses, threading_pauses,
      threads_of_one_subject_are_merged_in_their_order,
      others_have_their_turn_while_a_result_is_put_in_order, what_happens_while_a_result_is_put_in_order,
      others_have_their_turn_while_very_many_messages_are_copied, one_session_at_a_time_gets_memory_for_very_many_messages,
      what_happens_while_very_many_messages_are_copied,
      a_connection_that_closes_while_very_many_messages_are_copied,
      others_have_their_turn_while_a_very_full_inbox_is_renamed, what_happens_while_a_very_full_inbox_is_renamed,
      flags_of_very_many_messages_are_told_in_slices, others_have_their_turn_before_very_many_messages_are_expunged)
