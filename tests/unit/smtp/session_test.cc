#include "tests/unit/smtp/fake_server.h"

using test::Talk;
using ipc::Disposition;

namespace {

TEST(a_message_goes_in_one_flight_where_the_server_can)
{
    Talk talk(2);
    talk.run();
    EQ(talk.server.commands[0], "EHLO client.example.net");
    EQ(talk.server.commands[1], "MAIL FROM:<sender@example.net> SIZE=1000");
    EQ(talk.server.commands[2], "RCPT TO:<r0@example.org>");
    EQ(talk.server.commands[4], "DATA");
    EQ(talk.server.flights.back(), 4);
    EQ(talk.server.contents.at(0), "Subject: x\n\n..body\n");
    EQ(talk.status().disposition, Disposition::Delivered);
    EQ(talk.status().text, "250 2.0.0 Ok: queued as 12345");
    EQ(talk.status().dsn, "2.0.0");
    EQ(talk.status().relay, "mx.example.org[192.0.2.1]:2525");
    EQ(talk.status().action, ipc::action_none);
    THAT(talk.session->usable());
    talk.session->quit();
    EQ(talk.server.commands.back(), "QUIT");
}
END_TEST

TEST(lines_of_replies_are_replaced_before_they_are_read)
{
    Talk talk;
    talk.server.replies["RCPT"] = {"550-5.1.1 first\n550 5.1.1 second"};
    std::vector<std::string> seen;
    talk.site.reply_filter = [&](std::string_view line) -> util::Result<conf::Answer> {
        seen.emplace_back(line);
        if (line == "250-DSN")
            return conf::Answer("250-X-NOTHING");
        if (line.starts_with("550"))
            return conf::Answer(util::concat("450", line.substr(3, 1), "4.2.0 ", line.substr(10)));
        return conf::Answer();
    };
    talk.run();
    THAT(std::ranges::find(seen, "220 mx.example.org ESMTP ready") != seen.end());
    THAT(!talk.session->server().dsn && talk.session->server().pipelining);
    EQ(talk.status().dsn, "4.2.0");
    EQ(talk.status().diagnostic, "smtp; 450 4.2.0 first second");

    Talk broken;
    broken.site.reply_filter = [](std::string_view) -> util::Result<conf::Answer> { return util::temporary("a table"); };
    EQ(broken.begin()->status.disposition, Disposition::Deferred);
}
END_TEST

TEST(an_address_may_be_verified_by_data)
{
    for (const char* extensions : {"PIPELINING", ""}) {
        Talk good(2);
        good.server.extensions = extensions;
        good.letter.verify = true;
        good.config.address_verify_target.set(smtp::VerifyTarget::Data);
        good.server.replies["RCPT TO:<r1@example.org>"] = {"550 5.1.1 no"};
        good.run();
        THAT(good.server.said("DATA"));
        EQ(good.status(0).disposition, Disposition::Delivered);
        EQ(good.status(0).action, "");
        EQ(good.status(0).text, "354 go on");
        EQ(good.status(1).dsn, "5.1.1");
        THAT(good.server.contents.at(0).empty());
        THAT(!good.session->usable());
        Talk refused;
        refused.server.extensions = extensions;
        refused.letter.verify = true;
        refused.config.address_verify_target.set(smtp::VerifyTarget::Data);
        refused.server.replies["DATA"] = {"554 5.7.1 not you"};
        refused.run();
        EQ(refused.status().dsn, "5.7.1");
        EQ(refused.status().disposition, Disposition::Bounced);
        THAT(refused.session->usable());
    }
}
END_TEST

TEST(commands_go_one_by_one_without_pipelining)
{
    Talk talk(3);
    talk.server.extensions = "";
    talk.run();
    for (std::size_t count : talk.server.flights)
        EQ(count, 1);
    EQ(talk.server.commands[1], "MAIL FROM:<sender@example.net>");
    EQ(talk.status(2).disposition, Disposition::Delivered);
    EQ(talk.status(2).action, ipc::action_relayed);
}
END_TEST

TEST(each_recipient_has_its_own_fate)
{
    for (const char* extensions : {"PIPELINING", ""}) {
        Talk talk(4);
        talk.server.extensions = extensions;
        talk.server.replies["RCPT"] = {"250 ok", "450 4.2.0 greylisted", "550 5.1.1 <r2>: no such user", "251 will forward"};
        talk.run();
        EQ(talk.status(0).disposition, Disposition::Delivered);
        EQ(talk.status(1).disposition, Disposition::Deferred);
        EQ(talk.status(1).dsn, "4.2.0");
        EQ(talk.status(2).disposition, Disposition::Bounced);
        EQ(talk.status(2).text,
           "host mx.example.org[192.0.2.1] said: 550 5.1.1 <r2>: no such user (in reply to RCPT TO command)");
        EQ(talk.status(2).diagnostic, "smtp; 550 5.1.1 <r2>: no such user");
        EQ(talk.status(2).remote_mta, "mx.example.org");
        EQ(talk.status(3).disposition, Disposition::Delivered);
        THAT(talk.session->usable());
    }
}
END_TEST

TEST(nobody_accepted_sends_nothing)
{
    Talk pipelined(2);
    pipelined.server.replies["RCPT"] = {"550 no"};
    pipelined.run();
    EQ(pipelined.server.contents.at(0), "");
    EQ(pipelined.status(1).dsn, "5.0.0");
    pipelined.send();
    EQ(pipelined.server.commands.at(5), "RSET");

    Talk plain(2);
    plain.server.extensions = "";
    plain.server.replies["RCPT"] = {"550 no"};
    plain.run();
    THAT(!plain.server.said("DATA"));

    Talk closed_data(2);
    closed_data.server.replies["RCPT"] = {"450 no"};
    closed_data.server.replies["DATA"] = {"554 no valid recipients"};
    closed_data.run();
    EQ(closed_data.status(0).disposition, Disposition::Deferred);
    THAT(closed_data.session->usable());
}
END_TEST

TEST(a_refused_sender_is_the_reason_for_all)
{
    for (const char* extensions : {"PIPELINING", ""}) {
        Talk talk(2);
        talk.server.extensions = extensions;
        talk.server.replies["MAIL"] = {"550 5.7.1 go away"};
        talk.server.replies["RCPT"] = {"503 5.5.1 need MAIL"};
        talk.server.replies["DATA"] = {"503 5.5.1 need MAIL"};
        talk.run();
        EQ(talk.status(1).text, "host mx.example.org[192.0.2.1] said: 550 5.7.1 go away (in reply to MAIL FROM command)");
        EQ(talk.status(1).disposition, Disposition::Bounced);
    }
}
END_TEST

TEST(what_comes_after_the_content_decides)
{
    Talk bounced(2);
    bounced.server.replies["."] = {"554 5.6.0 spam"};
    bounced.run();
    EQ(bounced.status(0).text, "host mx.example.org[192.0.2.1] said: 554 5.6.0 spam (in reply to end of DATA command)");
    Talk deferred(2);
    deferred.server.replies["DATA"] = {"451 4.3.0 later"};
    deferred.run();
    EQ(deferred.status(1).dsn, "4.3.0");
    THAT(deferred.session->usable());
    Talk nonsense;
    nonsense.server.replies["."] = {"354 what?"};
    nonsense.run();
    EQ(nonsense.status().disposition, Disposition::Deferred);
    EQ(nonsense.status().dsn, "4.5.0");
}
END_TEST

TEST(lmtp_has_a_verdict_for_each_recipient)
{
    Talk talk(3, smtp::Protocol::Lmtp);
    talk.server.replies["RCPT TO:<r1@example.org>"] = {"550 5.1.1 no"};
    talk.server.replies["."] = {"250 2.1.5 first", "452 4.2.2 over quota"};
    talk.run();
    THAT(talk.server.said("LHLO"));
    EQ(talk.status(0).text, "250 2.1.5 first");
    EQ(talk.status(1).dsn, "5.1.1");
    EQ(talk.status(2).dsn, "4.2.2");
    THAT(talk.session->usable());
}
END_TEST

TEST(a_server_that_closes_at_any_byte_costs_no_mail)
{
    for (smtp::Protocol protocol : {smtp::Protocol::Smtp, smtp::Protocol::Lmtp}) {
        bool whole = false;
        for (std::size_t bytes = 0; !whole; ++bytes) {
            Talk talk(2, protocol);
            talk.server.closes_after = bytes;
            if (auto failed = talk.begin()) {
                EQ(failed->status.disposition, Disposition::Deferred);
                EQ(failed->status.dsn, "4.4.2");
                THAT(failed->site);
                continue;
            }
            talk.send();
            whole = talk.status(1).disposition == Disposition::Delivered;
            THAT(whole || talk.status(1).dsn == "4.4.2");
            THAT(whole || !talk.session->usable());
            THAT(whole || protocol == smtp::Protocol::Lmtp || talk.status(0).disposition == Disposition::Deferred);
        }
    }
}
END_TEST

TEST(a_421_ends_the_conversation_whenever_it_comes)
{
    for (const char* verb : {"MAIL", "RCPT", "DATA", "."}) {
        for (const char* extensions : {"PIPELINING", ""}) {
            Talk talk(2);
            talk.server.extensions = extensions;
            talk.server.replies[verb] = {"421 4.3.2 shutting down"};
            talk.run();
            for (std::size_t i = 0; i < 2; ++i) {
                EQ(talk.status(i).disposition, Disposition::Deferred);
                EQ(talk.status(i).dsn, "4.3.2");
            }
            THAT(!talk.session->usable());
            talk.session->quit();
            THAT(!talk.server.said("QUIT"));
        }
    }
    Talk greeting;
    greeting.server.greeting = "421 4.3.2 busy";
    THAT(greeting.begin()->site);
    Talk hello;
    hello.server.replies["EHLO"] = {"421 4.3.2 busy"};
    EQ(hello.begin()->status.text, "host mx.example.org[192.0.2.1] refused to talk to me: 421 4.3.2 busy");
    THAT(!hello.server.said("HELO"));
}
END_TEST

TEST(a_connection_used_before_that_is_gone_leaves_no_status)
{
    Talk closed;
    closed.run();
    closed.server.closes_after = closed.server.sent;
    closed.send();
    THAT(!closed.targets[0].status.has_value());
    THAT(!closed.session->usable());
    Talk told;
    told.run();
    told.server.replies["MAIL"] = {"421 4.4.2 idle for too long"};
    told.send();
    THAT(!told.targets[0].status.has_value());
    Talk good;
    good.run();
    good.send();
    EQ(good.session->uses(), 2);
    EQ(good.status().disposition, Disposition::Delivered);
    THAT(!good.server.said("RSET"));
}
END_TEST

TEST(recipients_over_the_limit_follow_in_another_transaction)
{
    Talk talk(4);
    talk.server.replies["RCPT"] = {"250 ok", "250 ok", "452 4.5.3 too many", "552 5.5.3 too many", "250 ok"};
    talk.run();
    for (std::size_t i = 0; i < 4; ++i)
        EQ(talk.status(i).disposition, Disposition::Delivered);
    EQ(talk.server.contents.size(), 2);
    // A server that takes none at all is not asked for ever.
    Talk full(2);
    full.server.replies["RCPT"] = {"452 4.2.2 full"};
    full.run();
    EQ(full.server.contents.size(), 1);
    EQ(full.status(0).dsn, "4.2.2");
}
END_TEST

TEST(what_the_server_cannot_do_is_refused_before_mail)
{
    Talk large;
    large.server.extensions = "SIZE";
    large.server.replies["EHLO"] = {"250-mx\n250 SIZE 999"};
    large.run();
    EQ(large.status().dsn, "5.3.4");
    EQ(large.status().text, "message size 1000 exceeds size limit 999 of server mx.example.org[192.0.2.1]");
    THAT(!large.server.said("MAIL"));
    Talk exact;
    exact.server.replies["EHLO"] = {"250-mx\n250 SIZE 1000"};
    exact.run();
    EQ(exact.status().disposition, Disposition::Delivered);

    Talk utf8;
    utf8.letter.envelope.smtputf8 = true;
    utf8.letter.utf8_header = true;
    utf8.server.extensions = "8BITMIME";
    utf8.run();
    EQ(utf8.status().dsn, "5.6.7");
    Talk needless;
    needless.letter.envelope.smtputf8 = true;
    needless.server.extensions = "8BITMIME";
    needless.run();
    EQ(needless.status().disposition, Disposition::Delivered);
    Talk offered;
    offered.letter.envelope.smtputf8 = true;
    offered.run();
    THAT(offered.server.said("MAIL FROM:<sender@example.net> SIZE=1000 SMTPUTF8"));
}
END_TEST

TEST(content_of_8_bits_goes_as_it_is_or_converted)
{
    Talk offered;
    offered.letter.eight_bit = true;
    offered.run();
    THAT(offered.server.said("MAIL FROM:<sender@example.net> SIZE=1000 BODY=8BITMIME"));
    THAT(!offered.seven_bit);
    Talk missing;
    missing.letter.eight_bit = true;
    missing.server.extensions = "";
    missing.run();
    THAT(missing.seven_bit);
    Talk disabled;
    disabled.letter.eight_bit = true;
    disabled.config.disable_mime_output_conversion.set(true);
    disabled.server.extensions = "";
    disabled.run();
    THAT(!disabled.seven_bit);
}
END_TEST

TEST(wishes_for_notifications_are_passed_on)
{
    Talk talk;
    talk.letter.envelope.envelope_id = "id+1";
    talk.letter.envelope.return_part = ipc::ReturnPart::Headers;
    talk.job_recipients[0].recipient.notify = ipc::NotifySuccess | ipc::NotifyFailure;
    talk.job_recipients[0].recipient.original = "rfc822;first@example.org";
    talk.run();
    EQ(talk.server.commands[1], "MAIL FROM:<sender@example.net> SIZE=1000 RET=HDRS ENVID=id+2B1");
    EQ(talk.server.commands[2], "RCPT TO:<r0@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first@example.org");
}
END_TEST

TEST(helo_is_for_servers_that_know_no_other)
{
    Talk old;
    old.server.replies["EHLO"] = {"502 5.5.1 what?"};
    old.run();
    THAT(old.server.said("HELO client.example.net"));
    EQ(old.status().disposition, Disposition::Delivered);
    Talk never;
    never.config.never_send_ehlo.set(true);
    never.run();
    THAT(!never.server.said("EHLO"));
    Talk by_greeting;
    by_greeting.config.always_send_ehlo.set(false);
    by_greeting.server.greeting = "220 mx.example.org SMTP";
    by_greeting.run();
    THAT(!by_greeting.server.said("EHLO"));
    Talk later;
    later.server.replies["EHLO"] = {"451 4.3.0 later"};
    EQ(later.begin()->status.disposition, Disposition::Deferred);
}
END_TEST

TEST(a_greeting_of_5xx_is_this_hosts_alone_unless_it_is_said_otherwise)
{
    Talk skip;
    skip.server.greeting = "554 5.7.1 no SMTP here";
    auto failed = skip.begin();
    EQ(failed->status.disposition, Disposition::Deferred);
    EQ(failed->status.dsn, "4.7.1");
    THAT(failed->site);
    Talk bounce;
    bounce.config.skip_5xx_greeting.set(false);
    bounce.server.greeting = "554 5.7.1 no SMTP here";
    EQ(bounce.begin()->status.disposition, Disposition::Bounced);
    bounce.session->quit();
    EQ(bounce.server.commands.back(), "QUIT");
}
END_TEST

TEST(garbage_is_no_reply)
{
    for (const char* text : {"SSH-2.0-OpenSSH_9", "22", "9999 x", "\001\002"}) {
        Talk talk;
        talk.server.greeting = text;
        auto failed = talk.begin();
        EQ(failed->status.dsn, "4.5.0");
        THAT(failed->site);
    }
    Talk endless;
    std::string lines = "250-mx";
    for (std::size_t i = 0; i <= smtp::max_reply_lines; ++i)
        lines += "\n250-x";
    endless.server.replies["EHLO"] = {lines};
    EQ(endless.begin()->status.dsn, "4.5.0");
    std::string most = "250-mx";
    for (std::size_t i = 2; i < smtp::max_reply_lines; ++i)
        most += "\n250-x";
    Talk longest;
    longest.server.replies["EHLO"] = {most + "\n250 y"};
    longest.run();
    EQ(longest.status().disposition, Disposition::Delivered);
}
END_TEST

TEST(a_server_with_our_name_is_a_loop)
{
    Talk talk;
    talk.port = 25;
    talk.server.greeting = "220 client.example.net ESMTP";
    auto failed = talk.begin();
    EQ(failed->status.text, "mail for example.org loops back to myself");
    EQ(failed->status.dsn, "5.4.6");
    Talk other_port;
    other_port.server.greeting = "220 client.example.net ESMTP";
    other_port.run();
    EQ(other_port.status().disposition, Disposition::Delivered);
}
END_TEST

TEST(verification_ends_before_the_content)
{
    for (const char* extensions : {"PIPELINING", ""}) {
        Talk talk(2);
        talk.letter.verify = true;
        talk.server.extensions = extensions;
        talk.server.replies["RCPT"] = {"250 2.1.5 Ok", "550 5.1.1 no"};
        talk.run();
        EQ(talk.status(0).text, "250 2.1.5 Ok");
        EQ(talk.status(0).disposition, Disposition::Delivered);
        EQ(talk.status(1).disposition, Disposition::Bounced);
        THAT(!talk.server.said("DATA"));
        THAT(talk.session->usable());
    }
}
END_TEST

TEST(many_commands_do_not_fill_both_sides_buffers)
{
    Talk talk(400);
    for (smtp::Target& target : talk.targets)
        target.path = util::concat("<", std::string(200, 'x'), target.path.substr(1));
    talk.run();
    for (std::size_t count : talk.server.flights)
        THAT(count <= smtp::pipeline_window / 200);
    EQ(talk.status(399).disposition, Disposition::Delivered);
}
END_TEST

TEST(the_content_is_cut_off_when_it_cannot_be_read)
{
    struct Broken final : smtp::Source {
        util::Result<std::string_view> next() override
        {
            if (std::exchange(begun, true))
                return util::temporary("read: Input/output error");
            return std::string_view("Subject: x\r\n");
        }
        bool begun = false;
    };
    Talk talk;
    talk.letter.open = [](bool) -> util::Result<std::unique_ptr<smtp::Source>> {
        return std::unique_ptr<smtp::Source>(std::make_unique<Broken>());
    };
    talk.run();
    EQ(talk.status().dsn, "4.3.0");
    EQ(talk.status().disposition, Disposition::Deferred);
    THAT(!talk.session->usable());
    talk.session->quit();
    THAT(!talk.server.said("QUIT"));
    EQ(talk.server.contents.at(0).find("QUIT"), std::string::npos);
}
END_TEST

TEST(a_server_that_speaks_in_the_middle_of_the_content_is_heard)
{
    Talk talk;
    talk.content.assign(100'000, 'x');
    talk.config.line_length_limit.set(0);
    auto failed = talk.begin();
    THAT(!failed);
    talk.server.replies["DATA"] = {"354 go on\n552 5.3.4 too large"};
    talk.send();
    EQ(talk.status().dsn, "5.3.4");
    THAT(!talk.session->usable());
}
END_TEST

TEST(clients_are_told_of_where_it_is_wished)
{
    Talk talk;
    talk.config.send_xforward_command.set(true);
    talk.letter.envelope.client_name = "client.example.com";
    talk.letter.envelope.client_address = "2001:db8::1";
    talk.letter.envelope.client_port = "4711";
    talk.letter.envelope.protocol_name = "ESMTP";
    talk.server.replies["EHLO"] = {"250-mx\n250 XFORWARD NAME ADDR PORT PROTO HELO SOURCE"};
    talk.run();
    EQ(talk.server.commands[1],
       "XFORWARD NAME=client.example.com ADDR=IPv6:2001:db8::1 PORT=4711 PROTO=ESMTP HELO=[UNAVAILABLE] SOURCE=REMOTE");
    EQ(talk.status().disposition, Disposition::Delivered);
}
END_TEST

}  // namespace

SUITE(session, lines_of_replies_are_replaced_before_they_are_read, an_address_may_be_verified_by_data,
      a_message_goes_in_one_flight_where_the_server_can, commands_go_one_by_one_without_pipelining,
      each_recipient_has_its_own_fate, nobody_accepted_sends_nothing, a_refused_sender_is_the_reason_for_all,
      what_comes_after_the_content_decides, lmtp_has_a_verdict_for_each_recipient,
      a_server_that_closes_at_any_byte_costs_no_mail, a_421_ends_the_conversation_whenever_it_comes,
      a_connection_used_before_that_is_gone_leaves_no_status, recipients_over_the_limit_follow_in_another_transaction,
      what_the_server_cannot_do_is_refused_before_mail, content_of_8_bits_goes_as_it_is_or_converted,
      wishes_for_notifications_are_passed_on, helo_is_for_servers_that_know_no_other,
      a_greeting_of_5xx_is_this_hosts_alone_unless_it_is_said_otherwise, garbage_is_no_reply, a_server_with_our_name_is_a_loop,
      verification_ends_before_the_content, many_commands_do_not_fill_both_sides_buffers,
      the_content_is_cut_off_when_it_cannot_be_read, a_server_that_speaks_in_the_middle_of_the_content_is_heard,
      clients_are_told_of_where_it_is_wished)
