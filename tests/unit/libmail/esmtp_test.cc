#include "libmail/esmtp.h"

#include "tests/unit/suite.h"

using mail::Extensions;
using util::Kind;

namespace {

util::Result<mail::MailParameters> mail_from(std::string_view text, Extensions offered = {})
{
    return mail::parse_mail_parameters(text, offered);
}

util::Result<mail::RcptParameters> rcpt_to(std::string_view text, bool utf8 = false)
{
    return mail::parse_rcpt_parameters(text, {}, utf8);
}

}  // namespace

TEST(reads_the_parameters_of_mail)
{
    auto all = mail_from(" SIZE=1000 body=8bitmime SMTPUTF8 ret=HDRS ENVID=QQ+2B314 AUTH=joe+2Bx@a.example");
    OK(all);
    EQ(*all->size, 1000U);
    THAT(all->body == mail::Body::EightBit);
    THAT(all->utf8);
    THAT(all->ret == mail::Return::Headers);
    EQ(all->envelope_id, "QQ+314");
    EQ(all->auth->local_part, "joe+x");
    auto none = mail_from("  ");
    OK(none);
    THAT(!none->size && !none->auth && none->body == mail::Body::Unset);
    THAT(mail_from(" AUTH=<>")->auth->is_null());
    EQ(*mail_from(" SIZE=99999999999999999999")->size, UINT64_MAX);
    THAT(mail_from(" BODY=BINARYMIME", {.binary_mime = true})->body == mail::Body::Binary);
}
END_TEST

TEST(refuses_bad_parameters_of_mail)
{
    for (std::string_view bad :
         {" SIZE", " SIZE=", " SIZE=x", " SIZE=-1", " SIZE=999999999999999999999", " SIZE=1 SIZE=2", " BODY=9BIT", " BODY",
          " BODY=BINARYMIME", " SMTPUTF8=1", " RET=ALL", " ENVID=", " ENVID=a+", " ENVID=a+2", " ENVID=+0A", " ENVID=a+2b",
          " AUTH=", " AUTH=@", " =1"})
        EQ(mail_from(bad).error().kind, Kind::Invalid);
    for (std::string_view unknown : {" FOO", " FOO=bar", " NOTIFY=NEVER", " SIZES=1"})
        EQ(mail_from(unknown).error().kind, Kind::Permanent);
    EQ(mail_from(" SIZE=1", {.size = false}).error().kind, Kind::Permanent);
    EQ(mail_from(" RET=FULL", {.dsn = false}).error().kind, Kind::Permanent);
    EQ(mail_from(" SMTPUTF8", {.utf8 = false}).error().kind, Kind::Permanent);
    std::string many;
    for (std::size_t i = 0; i <= mail::max_parameters; ++i)
        many += " SMTPUTF8";
    EQ(mail_from(many).error().kind, Kind::Invalid);
    OK(mail_from(" ENVID=" + std::string(mail::max_envelope_id, 'x')));
    EQ(mail_from(" ENVID=" + std::string(mail::max_envelope_id + 1, 'x')).error().kind, Kind::Invalid);
}
END_TEST

TEST(reads_the_parameters_of_rcpt)
{
    auto all = rcpt_to(" NOTIFY=SUCCESS,failure,Delay ORCPT=rfc822;Joe+2Bx@a.example");
    OK(all);
    EQ(int(all->notify), mail::NotifySuccess | mail::NotifyFailure | mail::NotifyDelay);
    EQ(all->original_type, "rfc822");
    EQ(all->original_recipient, "Joe+x@a.example");
    EQ(int(rcpt_to(" NOTIFY=NEVER")->notify), int(mail::NotifyNever));
    EQ(rcpt_to(" ORCPT=utf-8;d\\x{F6}@a")->original_recipient, "d\303\266@a");
    EQ(rcpt_to(" ORCPT=utf-8;d\303\266@a", true)->original_recipient, "d\303\266@a");
    for (std::string_view bad :
         {" NOTIFY=", " NOTIFY=NEVER,DELAY", " NOTIFY=DELAY,DELAY", " NOTIFY=SOON", " NOTIFY=DELAY,", " ORCPT=", " ORCPT=a@b",
          " ORCPT=;a", " ORCPT=rfc822;", " ORCPT=rf c;a", " ORCPT=rfc822;a+", " ORCPT=r_f;a", " ORCPT=utf-8;d\303\266@a",
          " ORCPT=utf-8;\\x{D800}", " ORCPT=utf-8;\\x{110000}", " ORCPT=utf-8;\\x{a", " ORCPT=utf-8;\\x{0A}"})
        EQ(rcpt_to(bad).error().kind, Kind::Invalid);
    EQ(rcpt_to(" SIZE=1").error().kind, Kind::Permanent);
    OK(rcpt_to(" ORCPT=rfc822;" + std::string(mail::max_original_recipient - 7, 'x')));
    EQ(rcpt_to(" ORCPT=rfc822;" + std::string(mail::max_original_recipient - 6, 'x')).error().kind, Kind::Invalid);
}
END_TEST

TEST(encodings_come_back)
{
    EQ(mail::encode_xtext("a+b=c d"), "a+2Bb+3Dc+20d");
    EQ(*mail::decode_xtext(mail::encode_xtext("a+b=c d")), "a+b=c d");
    EQ(mail::encode_utf8_xtext("d\303\266\\+"), "d\\x{F6}\\x{5C}\\x{2B}");
    EQ(*mail::decode_utf8_xtext("d\\x{F6}\\x{5C}\\x{2B}"), "d\303\266\\+");
    EQ(mail::orcpt_value("rfc822", "a+b@c", false), "rfc822;a+2Bb@c");
    EQ(mail::orcpt_value("utf-8", "\303\266@c", false), "utf-8;\\x{F6}@c");
    EQ(mail::orcpt_value("utf-8", "\303\266@c", true), "utf-8;\303\266@c");
    EQ(mail::notify_value(mail::NotifyDelay | mail::NotifySuccess), "SUCCESS,DELAY");
    EQ(mail::notify_value(0), "");
}
END_TEST

TEST(requiretls_is_a_word_where_it_was_offered)
{
    THAT(!mail_from(" SIZE=1")->requiretls);
    THAT(mail_from(" requiretls SIZE=1", {.requiretls = true})->requiretls);
    EQ(mail_from(" REQUIRETLS").error().kind, Kind::Permanent);
    EQ(mail_from(" REQUIRETLS=yes", {.requiretls = true}).error().kind, Kind::Invalid);
    EQ(mail_from(" REQUIRETLS REQUIRETLS", {.requiretls = true}).error().kind, Kind::Invalid);
}
END_TEST

SUITE(esmtp, requiretls_is_a_word_where_it_was_offered, reads_the_parameters_of_mail, refuses_bad_parameters_of_mail,
      reads_the_parameters_of_rcpt, encodings_come_back)
