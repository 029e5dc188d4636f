#include "smtpd/trace.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <ctime>

namespace {

TEST(the_received_field_tells_who_how_and_when)
{
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    smtpd::Client client{"mail.example.com", "192.0.2.1", 25};
    smtpd::TraceFacts facts;
    facts.client = &client;
    facts.helo = "mail.example.com";
    facts.hostname = "mx.example.org";
    facts.mail_name = "Tern";
    facts.protocol = "ESMTP";
    facts.recipient = "alice@example.org";
    facts.time = util::from_unix_seconds(1'000'000'000);
    EQ(smtpd::received_field(facts, "ID"),
       "Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n"
       "\tby mx.example.org (Tern) with ESMTP id ID\r\n"
       "\tfor <alice@example.org>; Sun, 9 Sep 2001 01:46:40 +0000\r\n");
    // 8-bit text could not be sent on without SMTPUTF8.
    facts.helo = "m\xc3\xbc(x)";
    THAT(smtpd::received_field(facts, "ID").starts_with("Received: from m???x? (mail"));
    facts.helo = "mail.example.com";
    net::TlsFacts tls{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, 256, "", ""};
    client.address = "2001:db8::1";
    facts.tls = &tls;
    facts.sasl_username = "alice@example.org";
    facts.recipient.clear();
    EQ(smtpd::received_field(facts, "ID"),
       "Received: from mail.example.com (mail.example.com [IPv6:2001:db8::1])\r\n"
       "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
       "\t(Authenticated sender: alice@example.org)\r\n"
       "\tby mx.example.org (Tern) with ESMTP id ID; Sun, 9 Sep 2001 01:46:40 +0000\r\n");
}
END_TEST

TEST(what_a_client_says_cannot_break_out_of_the_field)
{
    smtpd::Client client{"unknown", "192.0.2.1", 25};
    smtpd::TraceFacts facts;
    facts.client = &client;
    facts.helo = "x)\r\nBcc: (a;\\<b>\"";
    std::string field = smtpd::received_field(facts, "ID");
    EQ(field.substr(0, field.find("\r\n")), "Received: from x???Bcc:??a???b?? (unknown [192.0.2.1])");
}
END_TEST

TEST(protocol_names_are_those_of_rfc_3848_and_rfc_6531)
{
    EQ(smtpd::protocol_name(false, false, true, false), "SMTP");
    EQ(smtpd::protocol_name(true, false, false, false), "ESMTP");
    EQ(smtpd::protocol_name(true, false, true, true), "ESMTPSA");
    EQ(smtpd::protocol_name(true, true, true, false), "UTF8SMTPS");
}
END_TEST

}  // namespace

SUITE(trace, the_received_field_tells_who_how_and_when, what_a_client_says_cannot_break_out_of_the_field,
      protocol_names_are_those_of_rfc_3848_and_rfc_6531)
