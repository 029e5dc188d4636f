// libmail/quota_notice.h
#include "libmail/quota_notice.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

mail::QuotaFacts facts()
{
    return {.account = "alice@example.org",
            .hostname = "mx.example.org",
            .date = "Mon, 23 Nov 2026 10:11:12 +0000",
            .unique = "u1",
            .percent = 80,
            .storage = true,
            .used = 1'717'986'918,
            .limit = 2'147'483'648};
}

TEST(the_built_in_words_make_a_message)
{
    std::string message = mail::compose(mail::QuotaNotice::built_in(), facts());
    THAT(message.starts_with(
        "Date: Mon, 23 Nov 2026 10:11:12 +0000\r\nMessage-ID: <u1@mx.example.org>\r\nTo: <alice@example.org>\r\n"
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\r\nSubject: Your mailbox is 80% full\r\n"
        "Auto-Submitted: auto-generated\r\n"));
    THAT(message.find("alice@example.org holds 1.5 GB of 2.0 GB (80%).\r\n") != message.npos);
}
END_TEST

TEST(a_template_has_names_and_any_language)
{
    auto notice = mail::QuotaNotice::parse(
        "From: Pöstchen <post@$domain>\r\nSubject: ${percent}% völl\nX-A: b$$c\n\n$resource: $used/$limit\n\nEnde");
    OK(notice);
    std::string message = mail::compose(*notice, facts());
    THAT(message.find("\r\nFrom: =?utf-8?") != message.npos || message.find("\r\nFrom: =?UTF-8?") != message.npos);
    THAT(message.find("?= <post@example.org>\r\nSubject: ") != message.npos);
    THAT(message.find("\r\nX-A: b$c\r\n") != message.npos);
    THAT(message.ends_with("\r\n\r\nstorage: 1.5 GB/2.0 GB\r\n\r\nEnde\r\n"));
    mail::QuotaFacts one = facts();
    one.storage = false;
    one.used = 1;
    one.limit = 20;
    THAT(mail::compose(*notice, one).find("messages: 1 message/20 messages") != std::string::npos);
}
END_TEST

TEST(mistakes_name_their_line)
{
    auto error = [](std::string_view text) { return mail::QuotaNotice::parse(text).error().text; };
    EQ(error("From: a\nSubject: b\n\n$nothing\n"), "line 4: $nothing means nothing");
    EQ(error("From: a\nSubject: b\nDate: now\n\nx\n"), "line 3: Date is written by the system");
    EQ(error("From: a\ncontent-type: x\n\nx\n"), "line 2: content-type is written by the system");
    EQ(error("From: a\nno field\n\nx\n"), "line 2: a header field or an empty line is wanted");
    EQ(error("Subject: b\n\nx\n"), "there is no From: field");
    EQ(error("From: b\n\nx\n"), "there is no Subject: field");
    EQ(error("From: a\nSubject: b\n"), "there is no text behind an empty line");
    EQ(error("From: a\nSubject: b\x01\n\nx\n"), "line 2: a control byte");
    EQ(error("From: \xff\n"), "not in UTF-8");
    EQ(error(std::string(mail::max_quota_notice + 1, 'x')), util::concat("more than ", mail::max_quota_notice, " bytes"));
    EQ(error(util::concat("From: ", std::string(mail::max_quota_notice_line, 'x'))), "line 1: more than 900 bytes");
}
END_TEST

SUITE(quota_notice, the_built_in_words_make_a_message, a_template_has_names_and_any_language, mistakes_name_their_line)

}  // namespace
