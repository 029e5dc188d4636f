#include "mailbox/transcript.h"

#include "imapd/engine/session.h"
#include "tests/unit/mailbox/fixture.h"

#include <regex>

namespace {

using namespace test;
using mailbox::Transcript;
using enum Transcript::Speaker;

ipc::SessionFacts facts(std::string session)
{
    ipc::SessionFacts made;
    made.session = std::move(session);
    return made;
}

std::vector<std::string> files(const std::string& home)
{
    auto directory = util::sys::open(home + "/transcripts", O_RDONLY | O_DIRECTORY);
    OK(directory);
    auto names = util::sys::list_directory(directory->get());
    OK(names);
    std::sort(names->begin(), names->end());
    return *names;
}

std::string content(const std::string& home, std::string_view name)
{
    auto text = util::sys::read_file(util::concat(home, "/transcripts/", name), mailbox::max_transcript_size + 1000);
    OK(text);
    return *text;
}

// Without the times.
std::string spoken(const std::string& home)
{
    std::string text = content(home, files(home).front());
    return std::regex_replace(text, std::regex("(^|\n) *[0-9]+\\.[0-9]{6} "), "$1");
}

TEST(a_line_of_the_dialogue_is_a_line)
{
    Directory directory;
    auto transcript = Transcript::open(directory.path, facts("A1"));
    OK(transcript);
    (*transcript)->said(Client, "1 NOOP\r\n2 NO");
    (*transcript)->said(Client, "OP\r");
    (*transcript)->said(Client, "\n");
    (*transcript)->said(Server, "1 OK\r\n2 OK\r\n");
    EQ(spoken(directory.path), "C: 1 NOOP\nC: 2 NOOP\nS: 1 OK\nS: 2 OK\n");
}
END_TEST

TEST(what_is_no_text_and_no_line_end_is_shown)
{
    Directory directory;
    auto transcript = Transcript::open(directory.path, facts("A1"));
    OK(transcript);
    (*transcript)->said(Client, std::string_view("a\0b\x1b[c\td\xc3\xa9\r\n", 12));
    (*transcript)->said(Client, "bare\nmid\rdle\r\r\n");
    EQ(spoken(directory.path), "C: a\\x00b\\x1b[c\td\xc3\xa9\nC: bare\\n\nC: mid\\rdle\\r\n");
}
END_TEST

TEST(one_who_interrupts_begins_a_line)
{
    Directory directory;
    auto transcript = Transcript::open(directory.path, facts("A1"));
    OK(transcript);
    (*transcript)->said(Client, "half a ");
    (*transcript)->said(Server, "* BYE\r");
    (*transcript)->said(Client, "line\r\n");
    EQ(spoken(directory.path), "C: half a \\\nS: * BYE\\r\\\nC: line\n");
}
END_TEST

TEST(a_session_has_a_limit)
{
    Directory directory;
    auto transcript = Transcript::open(directory.path, facts("A1"));
    OK(transcript);
    std::string line(1000, 'x');
    for (std::size_t said = 0; said < mailbox::max_transcript_size + 100'000; said += line.size())
        (*transcript)->said(Server, line + "\r\n");
    std::string text = content(directory.path, files(directory.path).front());
    std::string_view end = "\n(the rest is not written down)\n";
    EQ(text.size(), mailbox::max_transcript_size + end.size());
    THAT(text.ends_with(end));
}
END_TEST

TEST(the_oldest_sessions_go)
{
    Directory directory;
    for (std::size_t i = 0; i < mailbox::max_transcripts + 3; ++i)
        OK(Transcript::open(directory.path, facts(util::concat("S", i))));
    auto names = files(directory.path);
    EQ(names.size(), mailbox::max_transcripts);
    THAT(names.front().ends_with("-S3.imap"));
}
END_TEST

TEST(a_session_cannot_choose_another_place)
{
    Directory directory;
    auto transcript = Transcript::open(directory.path, facts("../../x\n"));
    OK(transcript);
    THAT(files(directory.path).front().ends_with("-.._.._x_.imap"));
}
END_TEST

// What comes behind it is the next user's, and his password may be in it.
TEST(what_follows_unauthenticate_is_not_written_down)
{
    constexpr std::string_view said = "a NOOP\r\nb CREATE Box\r\nc UnAuthenticate\r\n";
    constexpr std::string_view behind = "d LOGIN x secret\r\ne UNAUTHENTICATE\r\n";
    for (std::size_t piece : {1U, 7U, 1000U}) {
        Directory directory;
        {
            auto store = open(directory.path);
            imapd::engine::SessionFacts session;
            session.returnable = true;
            mailbox::Overheard<imapd::engine::Session> overheard(Transcript::open(directory.path, facts("A1")).take(), *store,
                                                                 session);
            std::string all = util::concat(said, behind);
            for (std::size_t at = 0; at < all.size(); at += piece)
                overheard.feed(std::string_view(all).substr(at, piece));
            // CREATE waits for the disk, and with it what follows.
            OK(store->sync());
            OK(store->collect());
            overheard.durable_grew();
            THAT(overheard.finished());
            EQ(overheard.left_over().value_or("none"), behind);
        }
        auto text = spoken(directory.path);
        THAT(text.find("secret") == std::string::npos);
        THAT(text.find("C: c UnAuthenticate\n") != std::string::npos);
        THAT(text.ends_with("S: c OK UNAUTHENTICATE completed\n"));
    }
    // With too much behind it the connection ends, and what is behind it is nobody's.
    {
        Directory directory;
        {
            auto store = open(directory.path);
            imapd::engine::SessionFacts session;
            session.returnable = true;
            mailbox::Overheard<imapd::engine::Session> overheard(Transcript::open(directory.path, facts("A1")).take(), *store,
                                                                 session);
            overheard.feed(
                util::concat("c UNAUTHENTICATE\r\nd LOGIN x secret\r\n", std::string(ipc::max_returned_bytes, '\n')));
            THAT(overheard.finished() && !overheard.left_over());
            overheard.feed("e LOGIN x secret\r\n");
        }
        auto text = spoken(directory.path);
        THAT(text.starts_with("C: c UNAUTHENTICATE\nS: * BYE "));
        THAT(text.find("secret") == std::string::npos);
    }
    // One that is none takes nothing away.
    Directory directory;
    {
        auto store = open(directory.path);
        mailbox::Overheard<imapd::engine::Session> overheard(Transcript::open(directory.path, facts("A1")).take(), *store,
                                                             imapd::engine::SessionFacts{});
        overheard.feed("a UNAUTHENTICATE\r\nb NOOP\r\n");
    }
    EQ(spoken(directory.path),
       "C: a UNAUTHENTICATE\nC: b NOOP\nS: a BAD Unknown command UNAUTHENTICATE\nS: b OK NOOP completed\n");
    // Nor does a message with the word in it wait for its end, in memory, to be written down.
    Directory another;
    auto store = open(another.path);
    mailbox::Overheard<imapd::engine::Session> overheard(Transcript::open(another.path, facts("A1")).take(), *store,
                                                         imapd::engine::SessionFacts{});
    constexpr std::size_t size = 1U << 20, piece = 16U << 10;
    overheard.feed(util::concat("a APPEND INBOX {", size, "+}\r\n"));
    overheard.feed(" UNAUTHENTICATE\r\n");
    for (std::size_t said = 17; said + piece < size; said += piece)
        overheard.feed(std::string(piece, 'x'));
    THAT(spoken(another.path).size() > size / 2);
}
END_TEST

SUITE(transcript, what_follows_unauthenticate_is_not_written_down, a_line_of_the_dialogue_is_a_line,
      what_is_no_text_and_no_line_end_is_shown, one_who_interrupts_begins_a_line, a_session_has_a_limit, the_oldest_sessions_go,
      a_session_cannot_choose_another_place)

}  // namespace
