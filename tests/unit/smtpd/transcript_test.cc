#include "smtpd/transcript.h"

#include "tests/unit/suite.h"

namespace {

TEST(the_class_follows_from_code_and_status)
{
    using namespace ipc;
    struct Case {
        mail::Reply reply;
        NoticeClasses expected;
    };
    const Case cases[] = {
        {{250, "2.0.0", "Ok"}, 0},
        {{354, "", "End data with <CR><LF>.<CR><LF>"}, 0},
        {{421, "4.3.2", "closing"}, 0},
        {{530, "5.7.0", "Must issue a STARTTLS command first"}, 0},
        {{535, "5.7.8", "wrong"}, 0},
        {{500, "5.5.2", "unknown"}, NoticeProtocol},
        {{504, "5.5.2", "<x>: fully qualified name wanted"}, NoticeProtocol},
        {{521, "5.5.4", "Syntax: BDAT"}, NoticeProtocol},
        {{555, "5.5.4", "unsupported"}, NoticeProtocol},
        {{503, "5.5.1", "order"}, NoticeProtocol},
        {{452, "4.3.1", "room"}, NoticeResource},
        {{451, "4.3.0", "lookup"}, NoticeSoftware},
        {{451, "4.3.5", "configuration"}, NoticeSoftware},
        {{550, "5.1.1", "unknown user"}, NoticeBounce},
        {{452, "4.2.2", "over quota"}, NoticeBounce},
        {{552, "5.3.4", "too large"}, NoticeBounce},
        {{554, "5.7.1", "denied"}, NoticePolicy},
        {{450, "4.7.1", "later"}, NoticePolicy},
        {{550, "", "no status"}, NoticePolicy},
    };
    for (const Case& one : cases)
        ck_assert_msg(smtpd::class_of(one.reply) == one.expected, "%s", mail::to_line(one.reply).c_str());
}
END_TEST

TEST(the_transcript_has_all_but_secrets)
{
    smtpd::Transcript transcript;
    transcript.command("EHLO client");
    transcript.command(" auth PLAIN AGEAYg==");
    transcript.command("MAIL FROM:<a\nb>");
    transcript.reply({451, "4.3.0", "lookup"}, ipc::NoticeSoftware);
    transcript.reply({250, "2.0.0", "Ok"}, 0);
    EQ(transcript.classes(), ipc::NoticeSoftware);
    EQ(transcript.text(), " In:  EHLO client\r\n In:  AUTH ...\r\n In:  MAIL FROM:<a\\012b>\r\n"
                          " Out: 451 4.3.0 lookup\r\n Out: 250 2.0.0 Ok\r\n");
}
END_TEST

TEST(of_a_long_session_the_end_is_told)
{
    using smtpd::Transcript;
    Transcript transcript;
    const std::string command(Transcript::max_line, 'x');
    for (int i = 0; i < 1000; ++i) {
        transcript.command(command + "behind");
        THAT(transcript.text().size() <= Transcript::max_size + Transcript::max_line + 20);
    }
    transcript.command("QUIT");
    THAT(transcript.text().starts_with(" ...\r\n In:  x"));
    THAT(transcript.text().ends_with(" In:  QUIT\r\n"));
    THAT(transcript.text().find("behind") == std::string::npos);
}
END_TEST

SUITE(transcript, the_class_follows_from_code_and_status, the_transcript_has_all_but_secrets,
      of_a_long_session_the_end_is_told)

}  // namespace
