#include "smtp/chunks.h"
#include "tests/unit/smtp/fake_server.h"

using test::Talk;
using ipc::Disposition;

namespace {

// Pieces as a queue file might give them.
class Pieces final : public smtp::Source {
public:
    explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
    util::Result<std::string_view> next() override
    {
        if (at_ < pieces_.size() && pieces_[at_] == "broken")
            return util::temporary("cannot be read");
        return at_ < pieces_.size() ? std::string_view(pieces_[at_++]) : std::string_view();
    }

private:
    std::vector<std::string> pieces_;
    std::size_t at_ = 0;
};

// "+" behind the last one.
std::vector<std::string> cut(std::vector<std::string> pieces, std::size_t size, std::size_t line_limit = 998)
{
    Pieces source(std::move(pieces));
    smtp::Chunks chunks(source, line_limit, size);
    std::vector<std::string> found;
    for (bool last = false; !last;) {
        auto chunk = chunks.next();
        OK(chunk);
        last = chunk->last;
        found.push_back(chunk->bytes + (last ? "+" : ""));
    }
    return found;
}

using Texts = std::vector<std::string>;

TEST(chunks_have_their_size_and_the_last_one_is_known)
{
    THAT((cut({"abcd\r\n"}, 6) == Texts{"abcd\r\n+"}));
    THAT((cut({"abcd\r\n"}, 7) == Texts{"abcd\r\n+"}));
    THAT((cut({"abcd\r\n"}, 4) == Texts{"abcd", "\r\n+"}));
    THAT((cut({"a", "b", "c", "d\r", "\n"}, 2) == Texts{"ab", "cd", "\r\n+"}));
    THAT((cut({}, 10) == Texts{"+"}));
}
END_TEST

TEST(a_last_line_gets_its_end_and_long_ones_are_broken)
{
    THAT((cut({"abc"}, 10) == Texts{"abc\r\n+"}));
    THAT((cut({"abc\r"}, 10) == Texts{"abc\r\r\n+"}));
    THAT((cut({"abc\n"}, 10) == Texts{"abc\n\r\n+"}));
    THAT((cut({"\n"}, 10) == Texts{"\n\r\n+"}));
    THAT((cut({"abc\r", "\n"}, 10) == Texts{"abc\r\n+"}));
    THAT((cut({"abcdefgh\r\n"}, 100, 5) == Texts{"abcde\r\n fgh\r\n+"}));
}
END_TEST

// The end that is added may be all that the last chunk has, or begin one chunk and end another.
TEST(an_added_end_makes_a_chunk_grow_to_its_size_and_no_further)
{
    THAT((cut({"abcd"}, 7) == Texts{"abcd\r\n+"}));
    THAT((cut({"abcd"}, 6) == Texts{"abcd\r\n+"}));
    THAT((cut({"abcd"}, 5) == Texts{"abcd\r", "\n+"}));
    THAT((cut({"abcd"}, 4) == Texts{"abcd", "\r\n+"}));
    THAT((cut({"ab", "cd"}, 2) == Texts{"ab", "cd", "\r\n+"}));
    THAT((cut({"ab", "cd", "e"}, 3) == Texts{"abc", "de\r", "\n+"}));
    THAT((cut({"abcd\r"}, 5) == Texts{"abcd\r", "\r\n+"}));
    // A line that is broken at the end of a chunk, and has no end of its own.
    THAT((cut({"abcdef"}, 5, 5) == Texts{"abcde", "\r\n f\r", "\n+"}));
}
END_TEST

// A talk with a server that offers CHUNKING, in chunks of the least size.
struct Chunked : Talk {
    explicit Chunked(std::size_t chunks = 1, std::size_t recipients = 1, smtp::Protocol protocol = smtp::Protocol::Smtp)
        : Talk(recipients, protocol)
    {
        server.extensions = "PIPELINING CHUNKING 8BITMIME";
        OK(config.bdat_chunk_size.read("1024"));
        content = "Subject: x\r\n\r\n.body\r\n";
        while (content.size() + 16 < chunks * 1024)
            content += "more and more\r\n";
    }
};

TEST(content_goes_in_chunks_as_it_is)
{
    Chunked talk(1, 2);
    talk.server.replies["RCPT TO:<r1@example.org>"] = {"550 5.1.1 no"};
    talk.run();
    EQ(talk.server.flights.at(1), 3);
    EQ(talk.server.flights.at(2), 1);
    EQ(talk.server.commands.at(4), util::concat("BDAT ", talk.content.size(), " LAST"));
    THAT(!talk.server.said("DATA"));
    EQ(talk.server.contents.at(0), talk.content);
    EQ(talk.status(0).disposition, Disposition::Delivered);
    EQ(talk.status(0).text, "250 2.0.0 Ok: queued as 12345");
    EQ(talk.status(1).dsn, "5.1.1");
    talk.send();
    THAT(!talk.server.said("RSET"));
    EQ(talk.server.contents.size(), 2);
}
END_TEST

TEST(who_may_not_or_must_not_gets_data)
{
    Chunked off;
    OK(off.config.send_bdat_command.read("no"));
    off.run();
    THAT(off.server.said("DATA") && !off.server.said("BDAT"));
    Chunked discarded;
    discarded.site.discard = [](const smtp::Host&) { return std::vector<std::string>{"chunking"}; };
    discarded.run();
    THAT(discarded.server.said("DATA") && !discarded.server.said("BDAT"));
    Chunked avoided;
    avoided.avoids_bdat = true;
    avoided.run();
    THAT(avoided.server.said("DATA") && !avoided.server.said("BDAT"));
    EQ(avoided.status().disposition, Disposition::Delivered);
}
END_TEST

TEST(chunks_wait_for_their_replies_as_far_as_they_must)
{
    Chunked pipelined(10);
    pipelined.server.slow = true;
    pipelined.run();
    THAT(pipelined.server.waiting.size() == 10);
    for (std::size_t i = 0; i < smtp::max_open_chunks; ++i)
        EQ(pipelined.server.waiting[i], i);
    for (std::size_t waiting : pipelined.server.waiting)
        THAT(waiting < smtp::max_open_chunks);
    EQ(pipelined.server.contents.at(0), pipelined.content);
    EQ(pipelined.status().disposition, Disposition::Delivered);
    EQ(pipelined.status().text, "250 2.0.0 Ok: queued as 12345");

    Chunked plain(5);
    plain.server.slow = true;
    plain.server.extensions = "CHUNKING";
    plain.run();
    THAT((plain.server.waiting == std::vector<std::size_t>{0, 0, 0, 0, 0}));
    EQ(plain.server.contents.at(0), plain.content);
    EQ(plain.status().text, "250 2.0.0 Ok: queued as 12345");
}
END_TEST

TEST(a_refused_chunk_ends_the_transaction)
{
    // One after the other: nothing follows the refusal.
    Chunked plain(5);
    plain.server.extensions = "CHUNKING";
    plain.server.replies["BDAT"] = {"250 ok", "552 5.3.4 too large"};
    plain.run();
    EQ(plain.server.waiting.size(), 2);
    EQ(plain.status().disposition, Disposition::Bounced);
    EQ(plain.status().dsn, "5.3.4");
    EQ(plain.status().text, "host mx.example.org[192.0.2.1] said: 552 5.3.4 too large (in reply to BDAT command)");
    THAT(plain.session->usable());
    plain.server.replies.erase("BDAT");
    plain.send();
    EQ(plain.server.commands.at(5), "RSET");
    EQ(plain.status().disposition, Disposition::Delivered);

    // What was under way is refused, too, and its replies are no answers to what comes next.
    Chunked pipelined(10);
    pipelined.server.slow = true;
    pipelined.server.replies["BDAT"] = {"452 4.3.1 disk full", "503 5.5.1 no transaction"};
    pipelined.run();
    EQ(pipelined.server.waiting.size(), smtp::max_open_chunks);
    EQ(pipelined.status().disposition, Disposition::Deferred);
    EQ(pipelined.status().dsn, "4.3.1");
    pipelined.server.replies.erase("BDAT");
    pipelined.send();
    THAT(pipelined.server.said("RSET"));
    EQ(pipelined.status().text, "250 2.0.0 Ok: queued as 12345");

    Chunked last(2, 2);
    last.server.replies["LAST"] = {"554 5.6.0 spam"};
    last.run();
    EQ(last.status(1).dsn, "5.6.0");
    EQ(last.status(1).text, "host mx.example.org[192.0.2.1] said: 554 5.6.0 spam (in reply to BDAT command)");
    last.send();
    THAT(last.server.said("RSET"));

    Chunked shutdown(5);
    shutdown.server.replies["BDAT"] = {"421 4.3.2 shutting down"};
    shutdown.run();
    EQ(shutdown.status().dsn, "4.3.2");
    THAT(!shutdown.session->usable());
}
END_TEST

TEST(nobody_accepted_sends_no_chunk)
{
    Chunked talk(1, 2);
    talk.server.replies["RCPT"] = {"550 5.1.1 no"};
    talk.run();
    THAT(!talk.server.said("BDAT"));
    EQ(talk.status(1).dsn, "5.1.1");
    talk.send();
    THAT(talk.server.said("RSET"));
    Chunked probe;
    probe.letter.verify = true;
    probe.run();
    THAT(!probe.server.said("BDAT"));
    EQ(probe.status().disposition, Disposition::Delivered);
}
END_TEST

TEST(lmtp_has_a_verdict_for_each_recipient_after_the_last_chunk)
{
    Chunked talk(3, 3, smtp::Protocol::Lmtp);
    talk.server.slow = true;
    talk.server.replies["RCPT TO:<r1@example.org>"] = {"550 5.1.1 no"};
    talk.server.replies["LAST"] = {"250 2.1.5 first", "452 4.2.2 over quota"};
    talk.run();
    EQ(talk.status(0).text, "250 2.1.5 first");
    EQ(talk.status(1).dsn, "5.1.1");
    EQ(talk.status(2).dsn, "4.2.2");
    THAT(talk.session->usable());

    Chunked refused(3, 2, smtp::Protocol::Lmtp);
    refused.server.slow = true;
    refused.server.replies["BDAT"] = {"452 4.3.1 disk full"};
    refused.run();
    EQ(refused.status(1).dsn, "4.3.1");
    THAT(!refused.session->usable());
}
END_TEST

TEST(a_server_that_does_not_know_bdat_is_found_out)
{
    for (std::size_t chunks : {1U, 5U}) {
        Chunked talk(chunks, 2);
        talk.server.knows_bdat = false;
        talk.server.replies["*"] = {"500 5.5.2 what?"};
        talk.server.replies["BDAT"] = {"502 5.5.1 what?"};
        talk.server.replies["EHLO"] = {talk.server.ehlo_reply()};
        talk.server.replies["MAIL"] = {"250 ok"};
        talk.server.replies["RCPT"] = {"250 ok", "550 5.1.1 no"};
        talk.run();
        THAT(talk.session->misses_bdat());
        THAT(!talk.targets[0].status);
        EQ(talk.status(1).dsn, "5.1.1");
        THAT(!talk.session->usable());
    }
    // It knew it a chunk ago.
    Chunked knows(3);
    knows.server.replies["BDAT"] = {"250 ok", "500 5.5.2 line too long"};
    knows.run();
    THAT(!knows.session->misses_bdat());
    EQ(knows.status().disposition, Disposition::Bounced);
}
END_TEST

TEST(a_connection_that_is_lost_says_whether_the_message_may_be_there)
{
    bool whole = false, open = false, closed = false;
    for (std::size_t bytes = 0; !whole; ++bytes) {
        Chunked talk(3, 2);
        talk.server.closes_after = bytes;
        if (talk.begin())
            continue;
        talk.send();
        whole = talk.status(1).disposition == Disposition::Delivered;
        if (whole)
            continue;
        EQ(talk.status(0).dsn, "4.4.2");
        THAT(!talk.session->usable());
        bool has_all = talk.server.contents.size() == 1 && talk.server.contents[0] == talk.content;
        EQ(talk.targets[0].last_word, has_all);
        EQ(talk.targets[0].last_word, talk.status(0).text.find("more than once") != std::string::npos);
        (has_all ? open : closed) = true;
    }
    THAT(open && closed);
}
END_TEST

// From the `looks`th look on the process is to stop.  True: it did not look so often.
bool stop_after(std::size_t looks, Chunked& talk, util::Duration patience)
{
    std::size_t looked = 0;
    talk.site.stopping = [&] { return ++looked > looks; };
    talk.site.stop_patience = patience;
    if (talk.begin()) {
        EQ(talk.server.ended, 0);
        return false;
    }
    talk.send();
    bool patient = patience > util::Duration::zero();
    for (smtp::Target& target : talk.targets) {
        bool delivered = target.status->disposition == Disposition::Delivered;
        if (looked <= looks || patient)
            EQ(delivered, talk.server.ended == 1);
        if (delivered)
            continue;
        EQ(target.status->dsn, "4.3.2");
        EQ(target.last_word, talk.server.ended == 1);
        EQ(target.last_word, target.status->text.find("more than once") != std::string::npos);
        THAT(!talk.session->usable());
    }
    return looked <= looks;
}

TEST(a_stop_at_any_moment_costs_no_verdict_of_a_message_that_is_sent)
{
    for (auto protocol : {smtp::Protocol::Smtp, smtp::Protocol::Lmtp}) {
        for (const char* extensions : {"PIPELINING CHUNKING", "CHUNKING", "PIPELINING", ""}) {
            for (util::Duration patience : {util::Duration(0), util::Duration(std::chrono::hours(1))}) {
                std::size_t ended = 0, looks = 0;
                for (bool whole = false; !whole; ++looks) {
                    Chunked talk(40, 2, protocol);
                    talk.server.extensions = extensions;
                    talk.server.slow = true;
                    whole = stop_after(looks, talk, patience);
                    ended += talk.server.ended;
                }
                THAT(ended > 1 && ended < looks);
            }
        }
    }
}
END_TEST

TEST(half_a_message_is_never_ended)
{
    Chunked talk;
    talk.letter.open = [](bool) -> util::Result<std::unique_ptr<smtp::Source>> {
        return std::unique_ptr<smtp::Source>(std::make_unique<Pieces>(Texts{std::string(3000, 'x') + "\r\n", "broken"}));
    };
    talk.run();
    EQ(talk.status().disposition, Disposition::Deferred);
    EQ(talk.status().dsn, "4.3.0");
    THAT(!talk.session->usable());
    for (const std::string& line : talk.server.commands)
        THAT(!line.ends_with("LAST"));
}
END_TEST

}  // namespace

SUITE(chunks, chunks_have_their_size_and_the_last_one_is_known, a_last_line_gets_its_end_and_long_ones_are_broken,
      an_added_end_makes_a_chunk_grow_to_its_size_and_no_further, content_goes_in_chunks_as_it_is,
      who_may_not_or_must_not_gets_data, chunks_wait_for_their_replies_as_far_as_they_must,
      a_refused_chunk_ends_the_transaction, nobody_accepted_sends_no_chunk,
      lmtp_has_a_verdict_for_each_recipient_after_the_last_chunk, a_server_that_does_not_know_bdat_is_found_out,
      a_connection_that_is_lost_says_whether_the_message_may_be_there, half_a_message_is_never_ended,
      a_stop_at_any_moment_costs_no_verdict_of_a_message_that_is_sent)
