// tools/sendmail/smtp_session.h
#include "tools/sendmail/smtp_session.h"

#include "tests/unit/sendmail/fake_sink.h"
#include "tests/unit/suite.h"

#include <algorithm>

using namespace sendmail;

namespace {

using test::FakeSink;
using test::Taken;

struct Talk {
    std::string out;       // replies, without their texts: "220 250 354 .."
    Taken taken;
    bool good = false;
};

Talk talk(std::string_view input, util::Result<void> answer = {}, std::size_t piece = 7)
{
    Talk result;
    conf::Common config;
    OK(config.myhostname.read("mx.example"));
    OK(config.myorigin.read("origin.example"));
    OK(config.mail_name.read("Tern"));
    OK(config.message_size_limit.read("1000"));
    std::string wire;
    SmtpSession session(config,
                        {.read = [&](std::span<char> buffer) -> util::Result<std::size_t> {
                             std::size_t length = std::min({buffer.size(), input.size(), piece});
                             std::copy_n(input.data(), length, buffer.data());
                             input.remove_prefix(length);
                             return length;
                         },
                         .write = [&](std::string_view text) { wire += text; }},
                        [&] { return util::Result<std::unique_ptr<Sink>>(std::make_unique<FakeSink>(result.taken, answer)); });
    result.good = session.run();
    for (std::string_view line : util::split(wire, '\n'))
        if (line.size() > 3 && line[3] == ' ')
            util::append(result.out, result.out.empty() ? "" : " ", line.substr(0, 3));
    return result;
}

TEST(a_message_is_taken_with_either_end_of_line)
{
    for (std::string_view end : {"\r\n", "\n"}) {
        std::string input;
        for (const char* line : {"EHLO x", "MAIL FROM:<me@example.org> ENVID=abc RET=HDRS", "RCPT TO:<you> NOTIFY=NEVER",
                                 "RCPT TO:<b@c.example>", "DATA", "Subject: x", "", "..dot", ".", "QUIT", "NOOP"})
            util::append(input, line, end);
        Talk result = talk(input);
        EQ(result.out, "220 250 250 250 250 354 250 221");
        EQ(result.taken.envelope.sender, "me@example.org");
        EQ(result.taken.envelope.envelope_id, "abc");
        EQ(result.taken.envelope.return_part, ipc::ReturnPart::Headers);
        THAT(result.taken.envelope.origin == ipc::Origin::Local && result.taken.envelope.complete_header);
        EQ(result.taken.recipients.size(), 2u);
        EQ(result.taken.recipients[0].address, "you@origin.example");
        EQ(result.taken.recipients[0].notify, ipc::NotifyNever);
        EQ(result.taken.content, "Subject: x\r\n\r\n.dot\r\n");
        THAT(result.taken.finished && result.good);
    }
}
END_TEST

TEST(commands_out_of_order_and_wrong_ones_are_refused)
{
    EQ(talk(
           "MAIL FROM:<a@b>\nEHLO x\nRCPT TO:<a@b>\nDATA\nMAIL FROM:<a@b>\nMAIL FROM:<a@b>\nDATA\nRCPT TO:<>\nRCPT x\nFROB\nVRFY a\nRSET\nDATA\n")
           .out,
       "220 503 250 503 503 250 503 503 501 501 502 252 250 503");
    EQ(talk("EHLO\nEHLO x\nMAIL FROM:<a@b> SIZE=1001\nMAIL FROM:<a@b> FROB=1\nMAIL FROM:<a@b> SIZE=x\nMAIL FROM:a@@b\n").out,
       "220 501 250 552 555 501 501");
    std::string many;
    for (unsigned i = 0; i < SmtpSession::max_errors + 5; ++i)
        many += "FROB\n";
    Talk errors = talk(many);
    THAT(!errors.good && errors.out.ends_with("502 421"));
}
END_TEST

TEST(lines_and_recipients_have_limits)
{
    std::string longest = "NOOP " + std::string(SmtpSession::max_command - 5, 'x');
    EQ(talk(longest + "\r\n" + longest + "x\r\n" + longest + longest + longest + "\nNOOP\n", {}, 3000).out,
       "220 250 500 500 250");
    std::string input = "EHLO x\nMAIL FROM:<>\n";
    for (std::size_t i = 0; i <= SmtpSession::max_recipients; ++i)
        input += "RCPT TO:<a@b.example>\n";
    THAT(talk(input, {}, 1000).out.ends_with("250 452"));
    // A line of content of any length arrives whole, its CR at the edge of a piece too.
    for (std::size_t length :
         {SmtpSession::max_piece - 1, SmtpSession::max_piece, SmtpSession::max_piece + 1, 3 * SmtpSession::max_piece}) {
        Talk result =
            talk("EHLO x\nMAIL FROM:<>\nRCPT TO:<a@b.example>\nDATA\n" + std::string(length, 'y') + "\r\n.\r\n", {}, 10000);
        EQ(result.taken.content.size(), length + 2);
        THAT(result.taken.finished);
    }
}
END_TEST

TEST(what_ends_within_a_message_is_not_sent)
{
    Talk result = talk("EHLO x\nMAIL FROM:<>\nRCPT TO:<a@b.example>\nDATA\nSubject: x\n\nhalf\n");
    EQ(result.out, "220 250 250 250 354");
    THAT(!result.taken.finished);
}
END_TEST

TEST(the_answer_is_what_became_of_the_message)
{
    std::string input = "EHLO x\nMAIL FROM:<>\nRCPT TO:<a@b.example>\nDATA\n.\n";
    EQ(talk(input, util::permanent("no")).out, "220 250 250 250 354 554");
    EQ(talk(input, util::temporary("later")).out, "220 250 250 250 354 451");
}
END_TEST

}  // namespace

SUITE(smtp_session, a_message_is_taken_with_either_end_of_line, commands_out_of_order_and_wrong_ones_are_refused,
      lines_and_recipients_have_limits, what_ends_within_a_message_is_not_sent, the_answer_is_what_became_of_the_message)
