// SEARCH, SORT and THREAD with an index and with another process: the same answers as without.
#include "imapd/engine/search_aids.h"

#include "imapd/engine/session.h"
#include "libutil/text.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/libsearch/fixture.h"

namespace {

using namespace test;
using imapd::engine::SearchAids;
using imapd::engine::Session;
using imapd::engine::SessionFacts;

// What another process would say comes when the test lets it.
class FakeAids final : public SearchAids {
public:
    class FakeErrand final : public Errand {
    public:
        FakeErrand(FakeAids& aids, std::string words) : aids_(aids), words_(std::move(words)) { ++aids_.running; }
        ~FakeErrand() override { --aids_.running; }
        std::string take() override
        {
            if (!aids_.speaks)
                return {};
            auto piece = words_.substr(0, aids_.piece);
            words_.erase(0, piece.size());
            return piece;
        }
        bool has_news() const override { return aids_.speaks && !words_.empty(); }
        bool is_over() const override { return aids_.speaks && (words_.empty() || aids_.dies); }

    private:
        FakeAids& aids_;
        std::string words_;
    };

    std::shared_ptr<search::Index> index() override { return search_index; }
    std::unique_ptr<Errand> begin(std::function<void(const Say&)> work) override
    {
        if (refuses)
            return nullptr;
        ++begun;
        std::string words;
        work([&](std::string_view bytes) { words += bytes; });
        if (dies)
            words.resize(words.size() / 2);
        return std::make_unique<FakeErrand>(*this, std::move(words));
    }

    std::shared_ptr<search::Index> search_index;
    bool refuses = false;
    bool speaks = true;
    bool dies = false;
    std::size_t piece = 7;
    int begun = 0;
    int running = 0;
};

std::string run(Session& session, std::string_view command)
{
    session.feed(command);
    std::string out;
    for (int rounds = 0; rounds < 10'000; ++rounds) {
        out += session.output();
        session.output().clear();
        if (!session.has_work())
            break;
        session.work();
    }
    return out;
}

struct Fixture : Indexed {
    FakeAids aids;
    std::size_t limit = 0;   // of messages (RFC 9738)

    Fixture()
    {
        for (int i = 0; i < 40; ++i)
            deliver(util::concat(numbered_message(i), i == 5 || i == 6 || i == 20 ? "an invoice\r\n" : "",
                                 i == 21 ? "an invoise\r\n" : "", std::string(60'000, '.')));
        feed();
        deliver("Subject: not indexed, invoice\r\n\r\nWord5x here\r\n");
        OK(store->sync());
        OK(store->collect());
    }
    Session session(bool with_aids)
    {
        SessionFacts facts = test::unhurried();
        facts.search_aids = with_aids ? &aids : nullptr;
        facts.limits.messages = limit;
        return Session(*store, facts);
    }
};

constexpr std::string_view commands[] = {
    "SEARCH BODY invoice",
    "SEARCH TEXT word1",
    "SEARCH NOT TEXT word1",
    "SEARCH OR BODY invoice SUBJECT \"number 3\"",
    "SEARCH SUBJECT number UNSEEN",
    "SEARCH HEADER Subject \"\"",
    "SEARCH HEADER X-None \"\"",
    "SEARCH BODY nothing",
    "SEARCH 3:30 NOT (BODY invoice) FROM sender3",
    "SEARCH TEXT ab",
    "UID SEARCH RETURN (MIN MAX COUNT) BODY tertius",
    "SEARCH RETURN (SAVE ALL) BODY invoice",
    "SEARCH $ BODY word",
    "SEARCH SENTSINCE 1-Jan-2020",
    "SEARCH NOT NOT BODY invoice",
    "SEARCH FUZZY BODY invoice",
    "SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT invoise",
    "SEARCH FUZZY (SUBJECT numbr 1:10)",
    "SORT (REVERSE SUBJECT) UTF-8 BODY invoice",
    "SORT RETURN (RELEVANCY ALL) (RELEVANCY ARRIVAL) UTF-8 FUZZY TEXT invoice",
    "THREAD REFERENCES UTF-8 BODY invoice",
    "SEARCH BODY \"\"",
    "SEARCH OR SEEN BODY invoice",
    "SEARCH LARGER 100 SMALLER 100000",
};

void compare(Fixture& f, std::string_view about)
{
    Session plain = f.session(false);
    Session aided = f.session(true);
    run(plain, "s SELECT INBOX\r\n");
    run(aided, "s SELECT INBOX\r\n");
    for (std::string_view command : commands) {
        auto line = util::concat("a ", command, "\r\n");
        auto expected = run(plain, line);
        auto said = run(aided, line);
        ck_assert_msg(said == expected, "%s: %s: %s, and not %s", std::string(about).c_str(), line.c_str(), said.c_str(),
                      expected.c_str());
        THAT(expected.find("a OK ") != expected.npos);
    }
    EQ(f.aids.running, 0);
}

TEST(answers_are_the_same_with_and_without_aids)
{
    Fixture f;
    compare(f, "another process");
    THAT(f.aids.begun > 10);
    int before = f.aids.begun;
    f.aids.search_index = std::move(f.index);
    compare(f, "index and another process");
    // Three messages hold it, which the session reads itself; what is in every message is another's work.
    THAT(f.aids.begun < 2 * before);
    f.aids.refuses = true;
    compare(f, "the index alone");
    f.aids.refuses = false;
    f.limit = 36;
    compare(f, "index, another process and a limit");
    f.limit = 3;
    compare(f, "a limit of three");
    // Nothing is done for the others: three of these are few enough for the session itself.
    Session session = f.session(true);
    run(session, "s SELECT INBOX\r\n");
    before = f.aids.begun;
    THAT(run(session, "a SEARCH BODY \"...\"\r\n").find("a OK [MESSAGELIMIT 3 39]") != std::string::npos);
    EQ(f.aids.begun, before);
}
END_TEST

TEST(the_index_decides_without_reading)
{
    Fixture f;
    f.aids.search_index = std::move(f.index);
    Session session = f.session(true);
    run(session, "s SELECT INBOX\r\n");
    EQ(run(session, "a SEARCH BODY invoice\r\n"), "* SEARCH 6 7 21\r\na OK SEARCH completed\r\n");
    EQ(f.aids.begun, 0);
    EQ(run(session, "b SEARCH BODY \"...\"\r\n").substr(0, 14), "* SEARCH 1 2 3");
    EQ(f.aids.begun, 1);
}
END_TEST

TEST(a_session_waits_without_work_and_goes_on_when_it_hears_something)
{
    Fixture f;
    f.aids.speaks = false;
    Session session = f.session(true);
    run(session, "s SELECT INBOX\r\n");
    EQ(run(session, "a SEARCH BODY invoice\r\nb NOOP\r\n"), "");
    THAT(!session.has_work());
    EQ(f.aids.running, 1);
    f.aids.speaks = true;
    THAT(session.has_work());
    EQ(run(session, ""), "* SEARCH 6 7 21\r\na OK SEARCH completed\r\nb OK NOOP completed\r\n");
}
END_TEST

TEST(a_session_that_ends_ends_what_works_for_it)
{
    Fixture f;
    f.aids.speaks = false;
    {
        Session session = f.session(true);
        run(session, "s SELECT INBOX\r\n");
        run(session, "a SEARCH BODY invoice\r\n");
        EQ(f.aids.running, 1);
    }
    EQ(f.aids.running, 0);
}
END_TEST

TEST(when_the_other_process_dies_the_client_is_told)
{
    Fixture f;
    f.aids.dies = true;
    f.aids.piece = 1000;
    Session session = f.session(true);
    run(session, "s SELECT INBOX\r\n");
    auto said = run(session, "a SEARCH BODY invoice\r\n");
    THAT(said.starts_with("* SEARCH 6 7\r\n"));
    THAT(said.find("a NO [LIMIT] ") != said.npos);
    f.aids.dies = false;
    THAT(run(session, "b SEARCH BODY invoice\r\n").ends_with("b OK SEARCH completed\r\n"));
}
END_TEST

TEST(a_message_that_is_expunged_meanwhile_is_passed_over)
{
    Fixture f;
    f.aids.speaks = false;
    Session session = f.session(true);
    run(session, "s SELECT INBOX\r\n");
    run(session, "a SEARCH BODY invoice\r\n");
    std::uint32_t uid = 7;
    OK(f.store->expunge((*f.store->mailbox("INBOX"))->id, {&uid, 1}));
    session.store_changed((*f.store->mailbox("INBOX"))->id);
    f.aids.speaks = true;
    EQ(run(session, ""), "* SEARCH 6 21\r\na OK SEARCH completed\r\n");
}
END_TEST

}  // namespace

SUITE(search_aids, answers_are_the_same_with_and_without_aids, the_index_decides_without_reading,
      a_session_waits_without_work_and_goes_on_when_it_hears_something, a_session_that_ends_ends_what_works_for_it,
      when_the_other_process_dies_the_client_is_told, a_message_that_is_expunged_meanwhile_is_passed_over)
