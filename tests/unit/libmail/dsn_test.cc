#include "libmail/dsn.h"

#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

mail::DsnReport report()
{
    mail::DsnReport report;
    report.reporting_mta = "mx.example.com";
    report.from = "MAILER-DAEMON@mx.example.com (Mail Delivery System)";
    report.subject = "Undelivered";
    report.notice = "It did not work.\n\nSorry.\n";
    report.sender = "joe@example.org";
    report.to = {"joe", "example.org"};
    report.date = *mail::parse_date("Mon, 23 Nov 2026 10:00:00 +0000");
    report.message_id = "dsn.1@mx.example.com";
    report.queue_id = "3F2A9";
    report.envelope_id = "QQ314";
    report.arrival = report.date;
    report.recipients.push_back({.address = {"a b", "example.net"},
                                 .original_type = "rfc822",
                                 .original_recipient = "ab@example.net",
                                 .action = mail::DsnAction::Failed,
                                 .status = "5.1.1",
                                 .diagnostic = "550 5.1.1 no\r\nsuch: user",
                                 .remote_mta = "mx.example.net",
                                 .last_attempt = report.date,
                                 .will_retry_until = {}});
    report.content = "From: joe@example.org\r\nSubject: hi\r\n\r\nbody\r\n";
    return report;
}

std::string part(const std::string& message, std::string_view section)
{
    return mail::section_content(message, mail::parse_mime(message), *mail::parse_section(section)).value_or("none");
}

}  // namespace

TEST(composes_a_failure_report)
{
    std::string message = mail::compose_dsn(report());
    std::string structure = mail::render_body_structure(message, mail::parse_mime(message), true);
    THAT(structure.find("\"message\" \"delivery-status\"") != std::string::npos);
    THAT(structure.find("\"report-type\" \"delivery-status\"") != std::string::npos);
    THAT(util::is_ascii(message));
    THAT(part(message, "1")
             .find("<\"a b\"@example.net> (expanded from <ab@example.net>): failed, Bad destination mailbox address") !=
         std::string::npos);
    THAT(part(message, "1").starts_with("It did not work.\r\n\r\nSorry.\r\n\r\n"));
    EQ(*mail::find_field(message, "from"), "MAILER-DAEMON@mx.example.com (Mail Delivery System)");
    EQ(part(message, "2"),
       "Reporting-MTA: dns; mx.example.com\r\nOriginal-Envelope-Id: QQ314\r\nX-Tern-Queue-ID: 3F2A9\r\nX-Tern-Sender: rfc822; joe@example.org\r\n"
       "Arrival-Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n"
       "Original-Recipient: rfc822; ab@example.net\r\nFinal-Recipient: rfc822; \"a b\"@example.net\r\nAction: failed\r\n"
       "Status: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\nDiagnostic-Code: smtp; 550 5.1.1 no? such: user\r\n"
       "Last-Attempt-Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n");
    EQ(part(message, "3"), "From: joe@example.org\r\nSubject: hi\r\n\r\n");
    EQ(part(message, "3.MIME"), "Content-Description: Header of the message\r\nContent-Type: text/rfc822-headers\r\n\r\n");
    EQ(*mail::find_field(message, "auto-submitted"), "auto-replied");
}
END_TEST

TEST(attaches_the_whole_message)
{
    auto full = report();
    full.full = true;
    full.content = "Subject: x\r\n\r\n--=_3F2A9/1795428000\r\nbody without line end";
    std::string message = mail::compose_dsn(full);
    EQ(part(message, "3"), std::string(full.content) + "\r\n");
    EQ(part(message, "3.HEADER"), "Subject: x\r\n\r\n");
    EQ(part(message, "4"), "none");
    full.content = {};
    EQ(part(mail::compose_dsn(full), "3"), "none");
}
END_TEST

TEST(utf8_makes_it_global)
{
    auto utf8 = report();
    utf8.recipients[0].address.local_part = "d\303\266rte";
    utf8.recipients[0].action = mail::DsnAction::Delayed;
    utf8.recipients[0].will_retry_until = utf8.date;
    utf8.content = "Subject: \303\266\r\n\r\n";
    std::string message = mail::compose_dsn(utf8);
    THAT(part(message, "2").find("Final-Recipient: utf-8; d\303\266rte@example.net\r\nAction: delayed") != std::string::npos);
    THAT(part(message, "2.MIME").find("message/global-delivery-status") != std::string::npos);
    THAT(part(message, "3.MIME").find("message/global-headers") != std::string::npos);
    EQ(*mail::find_field(message, "subject"), "Undelivered");
    EQ(*mail::find_field(message, "content-transfer-encoding"), "8bit");
    // Bytes that are no UTF-8 stay in a message/rfc822.
    utf8 = report();
    utf8.full = true;
    utf8.content = "Subject: \366\r\n\r\n";
    message = mail::compose_dsn(utf8);
    THAT(part(message, "3.MIME").find("message/rfc822") != std::string::npos);
    THAT(part(message, "2.MIME").find("message/delivery-status") != std::string::npos);
}
END_TEST

TEST(words_in_utf8_make_only_the_notice_utf8)
{
    auto words = report();
    words.notice = "Gr\303\274\303\237e\n";
    std::string message = mail::compose_dsn(words);
    THAT(part(message, "1.MIME").find("charset=utf-8") != std::string::npos);
    THAT(part(message, "1").starts_with("Gr\303\274\303\237e\r\n"));
    THAT(part(message, "2.MIME").find("message/delivery-status") != std::string::npos);
    EQ(*mail::find_field(message, "content-transfer-encoding"), "8bit");
}
END_TEST

SUITE(dsn, words_in_utf8_make_only_the_notice_utf8, composes_a_failure_report, attaches_the_whole_message, utf8_makes_it_global)
