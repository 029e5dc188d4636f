// Surrogates of internationalized messages.
#include "libmail/surrogate.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string made(std::string_view message)
{
    return mail::make_surrogate(message).value_or("none");
}

}  // namespace

TEST(what_is_not_internationalized_has_no_surrogate)
{
    EQ(made("Subject: plain\r\n\r\nB\xc3\xb6""dy\r\n"), "none");
    EQ(made("To: latin \xe4 <\xe4@b>\r\n\r\n"), "none");
    EQ(made(""), "none");
    // Raw text and names are in half of the world's old mail.
    EQ(made("Subject: \xc3\xa4\r\nTo: \xc3\xa4 <a@b>\r\nContent-Type: a/b; name=\xc3\xa4\r\nX: <\xc3\xa4@b>\r\n\r\n"), "none");
    THAT(!mail::has_international_address("To: \xc3\xa4@b\r\nSubject: \xe4\r\n"));
    THAT(mail::has_international_address("Delivered-To: a@\xc3\xa4\r\n"));
    THAT(mail::may_need_surrogate("", "(\"Message\" \"rfc822\" {2}\r\n\xc3\xa4)"));
    THAT(!mail::may_need_surrogate("Subject: \xc3\xa4\r\n", "(\"text\" \"plain\" {2}\r\n\xc3\xa4)"));
}
END_TEST

TEST(addresses_become_ones_that_nobody_has)
{
    EQ(made("From: \"J\xc3\xb6rg\" <j\xc3\xb6rg@example.org>\r\nTo: a@example.org\r\n\r\n"),
       "From: =?utf-8?B?SsO2cmcgPGrDtnJnQGV4YW1wbGUub3JnPg==?= <invalid@internationalized-address.invalid>\r\n"
       "To: a@example.org\r\n\r\n");
    EQ(made("To: u@\xc3\xbc.example, B\xc3\xbc <b@example.org>, \"C, D\" <c@example.org>\r\n\r\n"),
       "To: =?utf-8?B?dUDDvC5leGFtcGxl?= <invalid@internationalized-address.invalid>,\r\n"
       " =?utf-8?B?QsO8?= <b@example.org>,\r\n \"C, D\" <c@example.org>\r\n\r\n");
    EQ(made("To: \xc3\xa4@b\r\nCc: Fr\xc3\xbchst\xc3\xbc"
            "ck: a@example.org, b@example.org;, c@example.org\r\n\r\n"),
       "To: =?utf-8?B?w6RAYg==?= <invalid@internationalized-address.invalid>\r\nCc: =?utf-8?B?RnLDvGhzdMO8Y2s=?=: a@example.org,\r\n b@example.org;,\r\n c@example.org\r\n\r\n");
}
END_TEST

TEST(text_is_encoded_and_what_else_there_is_goes)
{
    EQ(made("To: \xc3\xa4@b\r\nSubject: Gr\xc3\xbc\xc3\x9f"
            "e\r\n =?utf-8?Q?a?=\r\nMessage-ID: <\xc3\xa4@example.org>\r\nX-A: b\r\n\xc3\xa4 line\r\n\r\nbody"),
       "To: =?utf-8?B?w6RAYg==?= <invalid@internationalized-address.invalid>\r\nSubject: =?utf-8?B?R3LDvMOfZSA9P3V0Zi04P1E/YT89?=\r\nX-A: b\r\n\r\nbody");
    // Long text has words on lines of their own.
    auto text = made("To: \xc3\xa4@b\r\nSubject: " + std::string(100, 'a') + "\xc3\xa4\r\n\r\n");
    for (auto line : util::split(text, '\n'))
        THAT(line.size() <= 100);
    EQ(made("To: \xc3\xa4@b\r\nSubject: \xc3\xa4\r\nX-B: 1"),
       "To: =?utf-8?B?w6RAYg==?= <invalid@internationalized-address.invalid>\r\nSubject: =?utf-8?B?w6Q=?=\r\nX-B: 1");
}
END_TEST

TEST(parameters_keep_their_values)
{
    EQ(made("To: \xc3\xa4@b\r\nContent-Type: text/plain; charset=utf-8; name=\"\xc3\xa4.txt\"\r\n"
            "Content-Disposition: attachment; filename=\"\xc3\xa4.txt\"\r\n\r\n"),
       "To: =?utf-8?B?w6RAYg==?= <invalid@internationalized-address.invalid>\r\nContent-Type: text/plain;\r\n charset=\"utf-8\";\r\n name*=utf-8''%C3%A4.txt\r\n"
       "Content-Disposition: attachment;\r\n filename*=utf-8''%C3%A4.txt\r\n\r\n");
}
END_TEST

TEST(parts_and_messages_within_are_looked_at)
{
    EQ(made("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/global\r\n\r\n"
            "To: \xc3\xa4@b\r\nSubject: \xc3\xa4\r\n\r\n\xc3\xa4\r\n--b--\r\n"),
       "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
       "To: =?utf-8?B?w6RAYg==?= <invalid@internationalized-address.invalid>\r\nSubject: =?utf-8?B?w6Q=?=\r\n\r\n\xc3\xa4\r\n--b--\r\n");
}
END_TEST

TEST(a_surrogate_does_not_grow_without_bounds)
{
    std::string message;
    while (message.size() < 3 * mail::max_surrogate_growth)
        message += "To: \xc3\xa4@b\r\n";
    auto out = made(message + "\r\n");
    THAT(out.size() <= message.size() + mail::max_surrogate_growth);
    THAT(util::is_ascii(out));
}
END_TEST

SUITE(surrogate, what_is_not_internationalized_has_no_surrogate, addresses_become_ones_that_nobody_has,
      text_is_encoded_and_what_else_there_is_goes, parameters_keep_their_values, parts_and_messages_within_are_looked_at,
      a_surrogate_does_not_grow_without_bounds)
