// COMPRESS=DEFLATE (RFC 4978): where it begins, that it stays in step, that it is bounded.
#include "imapd/engine/deflate_session.h"

#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <zlib.h>

namespace {

using imapd::engine::DeflateSession;
using imapd::engine::Session;

// The client's two halves.
class DeflateClient {
public:
    DeflateClient() : session(std::make_unique<Session>(scratch.store(), returnable()))
    {
        THAT(::deflateInit2(&out_, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
        THAT(::inflateInit2(&in_, -15) == Z_OK);
    }
    static imapd::engine::SessionFacts returnable()
    {
        auto facts = test::unhurried();
        facts.returnable = true;
        return facts;
    }
    ~DeflateClient()
    {
        ::deflateEnd(&out_);
        ::inflateEnd(&in_);
    }

    std::string compressed(std::string_view text, int flush = Z_SYNC_FLUSH)
    {
        std::string out(::deflateBound(&out_, uLong(text.size())) + 100, '\0');
        out_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        out_.avail_in = uInt(text.size());
        out_.next_out = reinterpret_cast<Bytef*>(out.data());
        out_.avail_out = uInt(out.size());
        THAT(::deflate(&out_, flush) == (flush == Z_FINISH ? Z_STREAM_END : Z_OK));
        out.resize(out.size() - out_.avail_out);
        return out;
    }
    // What the server has said since, inflated; `ended` when it has closed its stream.
    std::string heard()
    {
        auto bytes = plain();
        std::string text;
        in_.next_in = reinterpret_cast<Bytef*>(bytes.data());
        in_.avail_in = uInt(bytes.size());
        while (in_.avail_in > 0 && !ended) {
            char buffer[1000];
            in_.next_out = reinterpret_cast<Bytef*>(buffer);
            in_.avail_out = sizeof buffer;
            int result = ::inflate(&in_, Z_SYNC_FLUSH);
            THAT(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
            ended = result == Z_STREAM_END;
            text.append(buffer, sizeof buffer - in_.avail_out);
        }
        return text;
    }
    std::string plain()
    {
        std::string bytes;
        do {
            bytes += session.output();
            session.output().clear();
            if (session.has_work())
                session.work();
        } while (session.has_work() || !session.output().empty());
        return bytes;
    }
    void begin()
    {
        session.feed("a COMPRESS DEFLATE\r\n");
        EQ(plain(), "a OK DEFLATE active\r\n");
    }

    test::ScratchStore scratch;
    DeflateSession session;
    bool ended = false;

private:
    z_stream out_{};
    z_stream in_{};
};

}  // namespace

TEST(after_the_answer_all_is_compressed)
{
    DeflateClient client;
    client.session.feed("x NOOP\r\n");
    EQ(client.plain(), "x OK NOOP completed\r\n");
    client.begin();
    auto bytes = client.compressed("b NOOP\r\nc COMPRESS DEFLATE\r\n");
    for (char byte : bytes)  // in the smallest pieces
        client.session.feed({&byte, 1});
    EQ(client.heard(), "b OK NOOP completed\r\nc NO [COMPRESSIONACTIVE] DEFLATE is active already\r\n");
    // What is said unasked is flushed, too.
    client.session.feed(client.compressed("d IDLE\r\n"));
    EQ(client.heard(), "+ idling\r\n");
    client.session.terminate("Server shutting down");
    EQ(client.heard(), "* BYE Server shutting down\r\n");
    THAT(client.ended);
    THAT(client.session.finished());
}
END_TEST

TEST(logout_ends_the_stream)
{
    DeflateClient client;
    client.begin();
    client.session.feed(client.compressed("b LOGOUT\r\n"));
    EQ(client.heard(), "* BYE Logging out\r\nb OK LOGOUT completed\r\n");
    THAT(client.ended);
}
END_TEST

TEST(what_follows_compress_at_once_is_plain_and_it_is_refused)
{
    DeflateClient client;
    client.session.feed("a COMPRESS DEFLATE\r\nb NOOP\r\nc COMPRESS ZSTD\r\n");
    EQ(client.plain(), "a BAD Nothing may follow COMPRESS before its answer\r\nb OK NOOP completed\r\n"
                       "c BAD Unknown compression\r\n");
}
END_TEST

TEST(large_answers_stay_in_step)
{
    DeflateClient client;
    std::string content = "Subject: large\r\n\r\n";
    while (content.size() < 700'000)
        util::append(content, content.size() * 7919, " and some more\r\n");
    test::deliver(client.scratch.store(), content);
    OK(client.scratch.store().sync());
    client.begin();
    client.session.feed(client.compressed("b SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n"));
    auto text = client.heard();
    THAT(text.find(content) != std::string::npos);
    THAT(text.ends_with(")\r\nc OK FETCH completed\r\n"));
}
END_TEST

TEST(few_bytes_that_stand_for_many_are_taken_piece_by_piece)
{
    DeflateClient client;
    client.begin();
    std::string many;
    while (many.size() < 3'000'000)
        many += "n NOOP\r\n";
    auto bytes = client.compressed(many);
    THAT(bytes.size() < 30'000);
    client.session.feed(bytes);
    THAT(client.session.has_work());
    THAT(!client.session.wants_input());
    auto text = client.heard();
    EQ(text.size(), many.size() / 8 * std::string_view("n OK NOOP completed\r\n").size());
    THAT(client.session.wants_input());
}
END_TEST

TEST(what_is_not_compressed_ends_the_session)
{
    DeflateClient client;
    client.begin();
    client.session.feed("\x07 begins no block");
    client.heard();
    THAT(client.session.finished());
}
END_TEST

TEST(an_end_of_input_ends_the_session_after_what_came_before)
{
    DeflateClient client;
    client.begin();
    client.session.feed(client.compressed("b NOOP\r\n"));
    client.session.end_of_input();
    EQ(client.heard(), "b OK NOOP completed\r\n");
    THAT(client.session.finished());
}
END_TEST

// RFC 8437 §4.1: both layers end behind the command and its answer, whatever pieces it comes in.
TEST(unauthenticate_ends_both_layers_and_what_follows_is_plain)
{
    for (int flush : {Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH}) {
        for (bool pieces : {false, true}) {
            DeflateClient client;
            client.begin();
            // A command before it takes a while; one that only looks like it comes before.
            test::deliver(client.scratch.store(), "Subject: x\r\n\r\n" + std::string(300'000, 'y'));
            OK(client.scratch.store().sync());
            client.session.feed(client.compressed("l LOGIN a UNAUTHENTICATE\r\n"));
            EQ(client.heard(), "l BAD Already logged in\r\n");
            std::string bytes = client.compressed("b SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\nd UNAUTHENTICATE\r\n", flush);
            bytes += "e LOGIN x y\r\n";
            for (std::size_t at = 0; pieces && at < bytes.size(); ++at)
                client.session.feed(bytes.substr(at, 1));
            if (!pieces)
                client.session.feed(bytes);
            auto text = client.heard();
            THAT(text.ends_with(")\r\nc OK FETCH completed\r\nd OK UNAUTHENTICATE completed\r\n"));
            THAT(client.ended);
            THAT(client.session.finished());
            EQ(client.session.left_over().value_or("none"), "e LOGIN x y\r\n");
        }
    }
}
END_TEST

TEST(the_end_of_a_layer_is_waited_for_but_not_for_ever)
{
    DeflateClient late;
    late.begin();
    std::string bytes = late.compressed("b UNAUTHENTICATE\r\n");
    late.session.feed(bytes.substr(0, bytes.size() - 2));   // of the flush
    EQ(late.heard(), "b OK UNAUTHENTICATE completed\r\n");
    THAT(late.ended && !late.session.finished() && late.session.wants_input());
    late.session.feed(bytes.substr(bytes.size() - 2));
    THAT(late.session.finished());
    EQ(late.session.left_over().value_or("none"), "");

    DeflateClient never;
    never.begin();
    auto before = util::now();
    never.session.feed(bytes.substr(0, bytes.size() - 2));
    auto after = util::now();
    auto deadline = never.session.deadline();
    THAT(deadline && *deadline >= before + imapd::engine::closing_time && *deadline <= after + imapd::engine::closing_time);
    never.session.deadline_passed(*deadline - util::Duration(1));
    THAT(!never.session.finished());
    never.session.deadline_passed(*deadline);
    THAT(never.session.finished() && !never.session.left_over());
    THAT(never.plain().ends_with("* BYE The end of the compression did not come\r\n"));

    DeflateClient gone;
    gone.begin();
    gone.session.feed(bytes.substr(0, bytes.size() - 2));
    gone.session.end_of_input();
    THAT(gone.session.finished() && !gone.session.left_over());

    DeflateClient stopped;
    stopped.begin();
    stopped.session.feed(bytes.substr(0, bytes.size() - 2));
    stopped.session.terminate("Server shutting down");
    THAT(stopped.session.finished() && !stopped.session.left_over());
    THAT(stopped.plain().ends_with("* BYE Server shutting down\r\n"));   // its own layer was over
}
END_TEST

TEST(a_layer_that_goes_on_behind_unauthenticate_ends_the_connection)
{
    DeflateClient same;   // in one block with it
    same.begin();
    same.session.feed(same.compressed("b UNAUTHENTICATE\r\nc LOGIN x y\r\n"));
    EQ(same.heard(), "* BYE Too much follows UNAUTHENTICATE\r\n");
    THAT(same.session.finished() && !same.session.left_over());

    DeflateClient next;   // before its flush is there
    next.begin();
    std::string bytes = next.compressed("b UNAUTHENTICATE\r\n");
    std::string more = next.compressed("c LOGIN x y\r\n", Z_FINISH);
    next.session.feed(bytes + more);
    EQ(next.heard(), "b OK UNAUTHENTICATE completed\r\n");
    // The layer was over with the flush: what follows it is plain text for whoever looks at it next.
    EQ(next.session.left_over().value_or("none"), more);
}
END_TEST

TEST(many_empty_blocks_are_passed_over)
{
    DeflateClient client;
    client.begin();
    std::string bytes = client.compressed("b NOOP\r\n");
    for (int i = 0; i < 5000; ++i)
        bytes += std::string("\0\0\0\xff\xff", 5);
    client.session.feed(bytes);
    EQ(client.heard(), "b OK NOOP completed\r\n");
    client.session.feed(client.compressed("c UNAUTHENTICATE\r\n") + std::string("\0\0\0\xff\xff\x03\0", 7) + "d NOOP\r\n");
    EQ(client.heard(), "c OK UNAUTHENTICATE completed\r\n");
    EQ(client.session.left_over().value_or("none"), "d NOOP\r\n");
}
END_TEST

SUITE(imap_deflate, many_empty_blocks_are_passed_over, unauthenticate_ends_both_layers_and_what_follows_is_plain,
      the_end_of_a_layer_is_waited_for_but_not_for_ever, a_layer_that_goes_on_behind_unauthenticate_ends_the_connection,
      after_the_answer_all_is_compressed, logout_ends_the_stream, what_follows_compress_at_once_is_plain_and_it_is_refused,
      large_answers_stay_in_step, few_bytes_that_stand_for_many_are_taken_piece_by_piece,
      what_is_not_compressed_ends_the_session, an_end_of_input_ends_the_session_after_what_came_before)
