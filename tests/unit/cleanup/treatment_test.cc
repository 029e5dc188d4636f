// cleanup: address_rules.h, content_checks.h, inspector.h, through a whole Transaction.
#include "cleanup/transaction.h"

#include "libmail/address.h"
#include "libqueue/reader.h"
#include "librouting/router.h"
#include "tests/unit/libqueue/scratch.h"
#include "tests/unit/suite.h"

using namespace cleanup;
using util::concat;
using Kind = ipc::Verdict::Kind;

namespace {

// cleanup with a main.cf: what becomes of one message.
struct House {
    explicit House(std::string_view settings_text)
    {
        conf::Problems problems;
        auto settings = conf::MainCf::parse(concat("myhostname = mail.example.net\nmydomain = example.net\n"
                                                   "recipient_delimiter = +\ninet_interfaces = 192.0.2.25\n"
                                                   "local_recipient_maps =\nvirtual_mailbox_domains =\n", settings_text),
                                            "main.cf", "/nonexistent", problems);
        settings.fill({&common, &config, &routing}, problems);
        ck_assert_msg(!problems.any(), "%s", problems.to_text().c_str());
        auto opened = routing::Router::open(common, routing);
        OK(opened);
        router = opened.take();
        auto opened_rules = AddressRules::open(config, *router);
        auto opened_checks = ContentChecks::open(config);
        fault = !opened_rules ? opened_rules.error().text : !opened_checks ? opened_checks.error().text : "";
        if (!fault.empty())
            return;
        rules.emplace(opened_rules.take());
        checks.emplace(opened_checks.take());
        header.field_limit = *config.header_size_limit;
        header.drop = *config.message_drop_headers;
        envelope.queue_id = "ID";
        envelope.sender = "joe@host.example.net";
        envelope.client_name = "client";
        envelope.client_address = "192.0.2.9";
        envelope.protocol_name = "ESMTP";
        envelope.helo_name = "helo";
        envelope.local_header = true;
    }

    // "" when it is taken; else "550 5.7.1 text".
    std::string run(std::string_view content, std::vector<std::string> recipients = {"anna@example.net"},
                    std::size_t piece = 100'000)
    {
        queue::WriterOptions options;
        options.directory = scratch.path();
        Expander expander = [&](const std::string& one, bool) -> util::Result<Expansion> {
            mail::Address address = router->complete(TRY(mail::parse_address(one)));
            auto all = TRY(router->expand(address));
            Expansion result;
            result.expanded = all.size() != 1 || all.front() != address;
            for (const auto& target : all)
                result.addresses.push_back(mail::to_text(target));
            return result;
        };
        Transaction transaction(config, common, header, expander, options, {&*rules, checks->any() ? &*checks : nullptr});
        auto told = [](const Failure& failure) { return concat(failure.code, ' ', failure.dsn, ' ', failure.text); };
        if (auto failed = transaction.begin(envelope))
            return told(*failed);
        std::vector<ipc::Recipient> list;
        for (const auto& recipient : recipients)
            list.push_back({recipient, "", ipc::NotifyFailure});
        if (auto failed = transaction.add_recipients(list))
            return told(*failed);
        for (; !content.empty(); content.remove_prefix(std::min(piece, content.size()))) {
            std::string bytes(content.substr(0, piece));
            if (auto failed = transaction.add_content(bytes))
                return told(*failed);
        }
        if (auto failed = transaction.finish())
            return told(*failed);
        auto reader = queue::Reader::open(transaction.message().get());
        OK(reader);
        sender = reader->envelope().sender;
        summary = reader->summary();
        text = reader->read_content(100'000'000).take();
        body = text.substr(reader->body_offset());
        to.clear();
        originals.clear();
        for (const auto& entry : reader->recipients()) {
            util::append(to, to.empty() ? "" : " ", entry.recipient.address,
                         entry.recipient.notify == ipc::NotifyNever ? "!" : "");
            util::append(originals, originals.empty() ? "" : " ", entry.recipient.original);
        }
        return "";
    }

    // The content, whatever the pieces in which it comes.
    std::string content(std::string_view given)
    {
        std::string whole;
        for (std::size_t piece : {std::size_t(100'000), std::size_t(1), std::size_t(13)}) {
            std::string verdict = run(given, {"anna@example.net"}, piece);
            if (!verdict.empty())
                return verdict;
            if (piece == 100'000)
                whole = text;
            EQ(text, whole);
        }
        return whole;
    }

    conf::Common common;
    Config config;
    routing::Config routing;
    std::unique_ptr<routing::Router> router;
    std::optional<AddressRules> rules;
    std::optional<ContentChecks> checks;
    HeaderRules header;
    std::string fault;
    ipc::Envelope envelope;
    test::Scratch scratch;

    std::string sender, text, body, to, originals;
    queue::Summary summary;
};

TEST(envelope_addresses_are_mapped)
{
    House h("canonical_maps = inline:{ { joe@host.example.net = Joe.Doe@example.net } { anna@example.net = a@example.net } "
            "{ a@example.net = a2@example.net } { @old.example = @new.example } }\n"
            "sender_canonical_maps = inline:{ { s@example.net = joe@host.example.net } }\n"
            "recipient_canonical_maps = inline:{ { bob@example.net = robert@example.org } }\n");
    EQ(h.run("\r\n"), "");
    EQ(h.sender, "Joe.Doe@example.net");
    EQ(h.to, "a2@example.net");
    EQ(h.originals, "rfc822;anna@example.net");
    h.envelope.sender = "s@example.net";
    EQ(h.run("\r\n", {"bob+x@example.net", "u+y@old.example", "s@example.net", "other@example.net"}), "");
    EQ(h.sender, "Joe.Doe@example.net");
    EQ(h.to, "robert+x@example.org u+y@new.example s@example.net other@example.net");
    h.envelope.sender = "";
    EQ(h.run("\r\n"), "");
    EQ(h.sender, "");
    h.envelope.sender = "s@example.net";
    h.envelope.overrides = ipc::NoAddressMappings;
    EQ(h.run("\r\n"), "");
    EQ(h.sender, "s@example.net");
    EQ(h.to, "anna@example.net");
}
END_TEST

TEST(classes_choose_the_places)
{
    House h("canonical_maps = inline:{ { a@x = b@x } }\ncanonical_classes = header_recipient, envelope_sender\n");
    h.envelope.sender = "a@x";
    EQ(h.run("From: a@x\r\nTo: a@x\r\nReply-To: a@x\r\nCc: <a@x>\r\n\r\n", {"a@x"}), "");
    EQ(h.text, "From: a@x\r\nTo: b@x\r\nReply-To: a@x\r\nCc: <b@x>\r\n\r\n");
    EQ(h.sender, "b@x");
    EQ(h.to, "a@x");
    EQ(House("canonical_classes = header\n").fault.substr(0, 42), "canonical_classes: there is no class \"head");
}
END_TEST

TEST(loops_and_broken_tables_are_temporary)
{
    House loop("canonical_maps = inline:{ { anna@example.net = b@x } { b@x = anna@example.net } }\n");
    EQ(loop.run("\r\n"), "451 4.6.0 Alias expansion error");
    EQ(loop.run("To: b@x\r\n\r\n", {"ok@x"}), "451 4.6.0 Alias expansion error");
    House broken("canonical_maps = fail:away\ncanonical_classes = header_sender\n");
    EQ(broken.run("To: b@x\r\n\r\n"), "");
    EQ(broken.run("From: b@x\r\n\r\n"), "451 4.3.0 Error: alias lookup failure");
    EQ(House("virtual_alias_maps = fail:away\n").run("\r\n"), "451 4.3.0 Error: alias lookup failure");
    EQ(House("recipient_bcc_maps = fail:away\n").run("\r\n"), "451 4.3.0 Error: alias lookup failure");
    EQ(House("sender_bcc_maps = fail:away\n").run("\r\n"), "451 4.3.0 Error: alias lookup failure");
    House nonsense("canonical_maps = inline:{ { anna@example.net = , } }\n");
    EQ(nonsense.run("\r\n"), "451 4.6.0 Alias expansion error");
}
END_TEST

TEST(masquerading_hides_hosts)
{
    House h("masquerade_domains = !keep.example.net example.net\nmasquerade_exceptions = root\n");
    EQ(h.run("From: J <joe@Host.Example.Net>\r\nTo: root@host.example.net, x@a.keep.example.net, y@keep.example.net,\r\n"
             " z@b.c.example.net, w@myexample.net, v@example.net\r\n\r\n", {"u@host.example.net"}), "");
    EQ(h.text, "From: J <joe@example.net>\r\nTo: root@host.example.net, x@a.keep.example.net, y@keep.example.net,\r\n"
               " z@example.net, w@myexample.net, v@example.net\r\n\r\n");
    EQ(h.sender, "joe@example.net");
    EQ(h.to, "u@host.example.net");
}
END_TEST

TEST(header_addresses_are_completed_for_local_clients_only)
{
    std::string_view text = "From: joe\r\nTo: site!user, user%other.example, a@b (c)\r\nSubject: joe\r\nX-To: joe\r\n\r\n";
    House h("append_dot_mydomain = yes\nmyorigin = $mydomain\n");
    EQ(h.content(text), "From: joe@example.net\r\nTo: user@site.example.net, user@other.example, a@b.example.net (c)\r\n"
                        "Subject: joe\r\nX-To: joe\r\n\r\n");
    h.envelope.local_header = false;
    EQ(h.content(text), text);
    House remote("remote_header_rewrite_domain = domain.invalid\ncanonical_maps = inline:{ { a@b = c@d } }\n"
                 "swap_bangpath = no\nallow_percent_hack = no\n");
    remote.envelope.local_header = false;
    EQ(remote.content(text),
       "From: joe@domain.invalid\r\nTo: site!user@domain.invalid, user%other.example@domain.invalid, c@d (c)\r\n"
       "Subject: joe\r\nX-To: joe\r\n\r\n");
}
END_TEST

TEST(the_token_limit_counts)
{
    House h("header_address_token_limit = 11\ncanonical_maps = inline:{ { a@b = c@d } }\n");
    EQ(h.content("To: a@b, a@b, a@b\r\n\r\n"), "To: c@d, c@d, c@d\r\n\r\n");
    EQ(h.content("To: a@b, a@b, a@b, a@b\r\n\r\n"), "To: c@d, c@d, a@b, a@b\r\n\r\n");
}
END_TEST

TEST(copies_go_to_whom_the_tables_say)
{
    House h("always_bcc = archive@example.net\nsender_bcc_maps = inline:{ { joe@host.example.net = s@example.net } }\n"
            "recipient_bcc_maps = inline:{ { anna@example.net = r@example.net } { @example.org = anna@example.net } }\n"
            "virtual_alias_maps = inline:{ { archive@example.net = archive@elsewhere.example } }\n");
    EQ(h.run("\r\n", {"anna+x@example.net", "b@example.org"}), "");
    EQ(h.to, "anna+x@example.net b@example.org s@example.net! r@example.net! anna@example.net! archive@elsewhere.example!");
    THAT(h.summary.expanded);
    h.envelope.sender = "";
    h.envelope.bcc = {"more@example.net", "nonsense @"};
    EQ(h.run("\r\n", {"c@d"}), "");
    EQ(h.to, "c@d archive@elsewhere.example! more@example.net!");
    h.envelope.origin = ipc::Origin::Bounce;
    h.envelope.bcc.clear();
    EQ(h.run("\r\n", {"anna@example.net"}), "");
    EQ(h.to, "anna@example.net");
}
END_TEST

TEST(originals_may_be_forgotten)
{
    House h("enable_original_recipient = no\nvirtual_alias_maps = inline:{ { anna@example.net = b@x } }\n");
    EQ(h.run("\r\n"), "");
    EQ(h.to, "b@x");
    EQ(h.originals, "");
}
END_TEST

TEST(aliases_have_limits)
{
    House h(
        "virtual_alias_address_length_limit = 20\nvirtual_alias_maps = inline:{ { anna@example.net = 345678@9012345678901 } "
        "{ long@example.net = 345678@90123456789012 } }\n");
    EQ(h.run("\r\n"), "");
    EQ(h.run("\r\n", {"long@example.net"}), "451 4.6.0 Alias expansion error");
}
END_TEST

constexpr std::string_view sample =
    "Subject: hello\r\n world\r\nContent-Type: multipart/mixed; boundary=x\r\nX: y\r\n\r\n"
    "pre\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nMIME-Version: 1.0\r\n\r\ntext\r\n--x\r\nX: part\r\n\r\ntext\r\n--x--\r\n";

// What is done where `pattern` matches one of the sample's lines or fields: the difference.
std::string acted(std::string_view parameter, std::string_view rule, std::string_view more = "")
{
    House h(concat(parameter, " = pcre:{{ ", rule, " }}\n", more));
    EQ(h.fault, "");
    return h.content(sample);
}

std::string changed(std::string_view from, std::string_view to)
{
    std::string text(sample);
    std::size_t at = text.find(from);
    CHECK(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST(header_checks_see_whole_fields)
{
    EQ(acted("header_checks", "/^Subject: hello\\n world$$/ IGNORE"), changed("Subject: hello\r\n world\r\n", ""));
    EQ(acted("header_checks", "/^(Subject): (.*)\\n(.*)$$/ REPLACE X-$$1: $$3 $$2"),
       changed("Subject: hello\r\n world\r\n", "X-Subject:  world hello\r\n"));
    EQ(acted("header_checks", "/^(Subject: hello.*)$$/ REPLACE $$1!"), changed(" world", " world!"));
    EQ(acted("header_checks", "/^X: y/ PREPEND New: field"), changed("X: y", "New: field\r\nX: y"));
    EQ(acted("header_checks", "/^X: y/ STRIP because"), changed("X: y\r\n", ""));
    EQ(acted("header_checks", "/^X: y/ nonsense"), sample);
    EQ(acted("header_checks", "/^X: y/ REPLACE no field"), sample);
    EQ(acted("header_checks", "/^X: y/ PREPEND"), sample);
    for (std::string_view action : {"DUNNO", "OK", "INFO x", "WARN", "HOLD", "FILTER x:y", "BCC a@b", "PASS"})
        EQ(acted("header_checks", concat("/^X: y/ ", action)), sample);
}
END_TEST

TEST(fields_have_their_tables)
{
    std::string_view off = "mime_header_checks =\nnested_header_checks =\n";
    EQ(acted("header_checks", "/^Content-Type: mult/ IGNORE", off), sample);
    EQ(acted("header_checks", "/^X: part/ IGNORE", off), sample);
    EQ(acted("header_checks", "/inner/ IGNORE", off), sample);
    EQ(acted("header_checks", "/inner/ IGNORE"), changed("Subject: inner\r\n", ""));
    EQ(acted("mime_header_checks", "/^Content-Type: mult/ IGNORE"),
       changed("Content-Type: multipart/mixed; boundary=x\r\n", ""));
    EQ(acted("mime_header_checks", "/^X: part/ IGNORE"), changed("X: part\r\n", ""));
    EQ(acted("mime_header_checks", "/^X: y/ IGNORE"), sample);
    EQ(acted("mime_header_checks", "/^MIME-Version/ IGNORE"), changed("MIME-Version: 1.0\r\n", ""));
    EQ(acted("nested_header_checks", "/^MIME-Version/ IGNORE"), sample);
    EQ(acted("nested_header_checks", "/^Subject/ REPLACE Subject: outer"), changed("Subject: inner", "Subject: outer"));
    EQ(acted("body_checks", "/inner|^X: |hello/ IGNORE"), sample);
    EQ(acted("body_checks", "/^X: / IGNORE", "disable_mime_input_processing = yes\n"), changed("X: part\r\n", ""));
    EQ(acted("body_checks", "/^text/ PREPEND before"),
       changed("text\r\n--x\r\nX: part\r\n\r\ntext", "before\r\ntext\r\n--x\r\nX: part\r\n\r\nbefore\r\ntext"));
    EQ(acted("body_checks", "/^--x--/ IGNORE"), changed("--x--\r\n", ""));
    EQ(acted("body_checks", "/^p(re)/ REPLACE $$1"), changed("pre\r\n--", "re\r\n--"));
}
END_TEST

TEST(refusals_have_their_replies)
{
    EQ(acted("header_checks", "/^X:/ REJECT"), "550 5.7.1 message content rejected");
    EQ(acted("header_checks", "/^X:/ REJECT no X"), "550 5.7.1 no X");
    EQ(acted("header_checks", "/^X:/ REJECT 5.7.9 no X"), "550 5.7.9 no X");
    EQ(acted("header_checks", "/^Subject: (.*)/ REJECT no $$1"), "550 5.7.1 no hello  world");
    EQ(acted("body_checks", "/^text/ REJECT 4.7.1 later"), "451 4.7.1 later");
    EQ(acted("body_checks", "/^text/ REJECT 2.0.0 odd"), "550 5.7.1 2.0.0 odd");
    EQ(acted("header_checks", "/^X:/ DISCARD"), "250 2.0.0 Ok: queued as ID");
    EQ(acted("body_checks", "/^text/ discard it"), "250 2.0.0 Ok: queued as ID");
    House away("header_checks = fail:away\n");
    EQ(away.run(sample), "451 4.3.0 Error: alias lookup failure");
    House body_away("body_checks = fail:away\n");
    EQ(body_away.run(sample), "451 4.3.0 Error: alias lookup failure");
    // PASS before REJECT; and what this system writes itself is not checked.
    EQ(acted("header_checks", "/^Content-Type:/ PASS", "body_checks = static:REJECT\n"), sample);
    House own("header_checks = static:REJECT\n");
    own.envelope.origin = ipc::Origin::Bounce;
    EQ(own.run(sample), "");
    own.envelope.origin = ipc::Origin::Smtp;
    own.envelope.overrides = ipc::NoContentChecks;
    EQ(own.run(sample), "");
    own.envelope.overrides = 0;
    EQ(own.run(sample), "550 5.7.1 message content rejected");
}
END_TEST

TEST(orders_go_into_the_queue_file)
{
    House h(
        "header_checks = pcre:{{/^A: hold/ HOLD} {/^A: filter/ FILTER scan:[127.0.0.1]:10} {/^A: away/ REDIRECT Else@where.example} "
        "{/^A: copy (.*)/ BCC $$1}}\n");
    EQ(h.run("A: hold\r\n\r\n"), "");
    THAT(h.summary.hold);
    EQ(h.summary.content_filter, "");
    EQ(h.run("A: filter\r\n\r\n"), "");
    EQ(h.summary.content_filter, "scan:[127.0.0.1]:10");
    THAT(!h.summary.hold);
    EQ(h.run("A: filter\r\nA: away\r\n\r\n", {"a@b", "c@d"}), "");
    EQ(h.summary.content_filter, "");
    EQ(h.to, "Else@where.example");
    EQ(h.originals, "rfc822;a@b");
    EQ(h.run("A: copy x@y\r\nA: copy x@y\r\nA: copy z@y\r\n\r\n", {"a@b"}), "");
    EQ(h.to, "a@b x@y! z@y!");
    h.envelope.hold = true;
    h.envelope.content_filter = "one:";
    EQ(h.run("A: b\r\n\r\n"), "");
    THAT(h.summary.hold);
    EQ(h.summary.content_filter, "one:");
    h.envelope.redirect = "r@s";
    EQ(h.run("A: b\r\n\r\n"), "");
    EQ(h.to, "r@s");
}
END_TEST

TEST(what_replaces_a_field_is_rewritten_and_what_stands_before_it_not)
{
    House h("header_checks = pcre:{{/^X-From: (.*)/ REPLACE From: $$1} {/^To:/ PREPEND Cc: a@b} {/^Drop/ REPLACE Bcc: x}}\n"
            "canonical_maps = inline:{ { a@b = c@d } }\n");
    EQ(h.content("X-From: a@b\r\nTo: a@b\r\nDrop: x\r\n\r\n"), "From: c@d\r\nCc: a@b\r\nTo: c@d\r\n\r\n");
    h.envelope.complete_header = true;
    EQ(h.run("X-From: a@b\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n"), "");
    EQ(h.text, "From: c@d\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\n");
}
END_TEST

TEST(body_checks_have_their_limits)
{
    House h("body_checks = pcre:{{/x/ IGNORE}}\nbody_checks_size_limit = 10\n");
    EQ(h.content("\r\n23456\r\nx\r\nx\r\nx\r\n"), "\r\n23456\r\nx\r\nx\r\n");
    House all("body_checks = pcre:{{/x/ IGNORE}}\nbody_checks_size_limit = 0\n");
    EQ(all.content("\r\n23456\r\nx\r\nx\r\nx\r\n"), "\r\n23456\r\n");
}
END_TEST

// Own clients' text without header.  It comes in pieces, and may be longer than what is kept of a field.
TEST(text_without_header_is_body)
{
    House h("always_add_missing_headers = yes\nheader_checks = static:REJECT\n"
            "body_checks = pcre:{{/^hello/ PREPEND seen} {/bye$$/ IGNORE}}\n");
    h.header.field_limit = 40;
    std::string line = concat("hello ", std::string(60, 'x'), "\r\n");
    for (std::size_t piece : {1, 7, 39, 40, 41, 1000}) {
        for (const std::string& first : {line, std::string("hello: not\r\n"), std::string("hello\r\n")}) {
            std::string field = first[5] == ':' ? "550 5.7.1 message content rejected" : "";
            EQ(h.run(first + "bye\r\nx\r\n", {"anna@example.net"}, piece), field);
            if (field.empty())
                EQ(h.text.substr(h.text.find("\r\n\r\n")), concat("\r\n\r\nseen\r\n", first, "x\r\n"));
        }
        EQ(h.run("hello", {"anna@example.net"}, piece), "");
        EQ(h.text.substr(h.text.find("\r\n\r\n")), "\r\n\r\nseen\r\nhello");
    }
}
END_TEST

TEST(too_many_changes_are_refused)
{
    House h("body_checks = pcre:{{/x/ IGNORE}}\nbody_checks_size_limit = 0\n");
    std::string text = "\r\n";
    for (std::size_t i = 0; i < PatchList::max_patches; ++i)
        text += "x\r\ny\r\n";
    EQ(h.run(text), "");
    EQ(h.run(text + "x\r\n"), "554 5.6.0 Error: too many lines to change");
}
END_TEST

TEST(strict_parameters_refuse)
{
    std::string_view latin = "Subject: \xe4\r\n\r\n", body = "S: x\r\n\r\n\xe4\r\n";
    EQ(House("").run(latin), "");
    EQ(House("strict_7bit_headers = yes\n").run(latin), "550 5.6.0 improper use of 8-bit data in message header");
    EQ(House("strict_8bitmime = yes\n").run(latin), "550 5.6.0 improper use of 8-bit data in message header");
    EQ(House("strict_7bit_headers = yes\n").run(body), "");
    EQ(House("strict_8bitmime_body = yes\n").run(body), "550 5.6.0 improper use of 8-bit data in message body");
    EQ(House("strict_8bitmime_body = yes\ndisable_mime_input_processing = yes\n").run(body), "");
    EQ(House("strict_8bitmime_body = yes\n").run(concat("Content-Transfer-Encoding: 8bit\r\n", body)), "");
    EQ(House("strict_mime_encoding_domain = yes\n")
           .run("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
       "550 5.6.0 invalid message/* or multipart/* encoding domain");
    House utf8("strict_7bit_headers = yes\n");
    utf8.envelope.smtputf8 = true;
    EQ(utf8.run(latin), "");
    std::string nested =
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    EQ(House("mime_nesting_limit = 1\n").run(nested), "");
    EQ(House("mime_nesting_limit = 1\nbody_checks = static:DUNNO\n").run(nested),
       "550 5.6.0 MIME nesting exceeds safety limit");
    EQ(House("mime_nesting_limit = 2\nbody_checks = static:DUNNO\n").run(nested), "");
}
END_TEST

TEST(characters_are_refused_or_taken_out)
{
    House strip("message_strip_characters = \\0\\007z\n");
    EQ(strip.content(std::string_view("A: \0b\r\n\r\nx\az\r\n", 14)), "A: b\r\n\r\nx\r\n");
    House reject("message_reject_characters = \\0\n");
    EQ(reject.run(std::string_view("A: b\r\n\r\nx\0\r\n", 12)), "550 5.7.1 disallowed character");
    EQ(reject.run("A: b\r\n\r\n0\r\n"), "");
    for (std::string_view bad : {"\\", "\\x", "\\400", "\\n", "a\\015"})
        THAT(!House(concat("message_strip_characters = ", bad, "\n")).fault.empty());
}
END_TEST

SUITE(treatment, envelope_addresses_are_mapped, classes_choose_the_places, loops_and_broken_tables_are_temporary,
      masquerading_hides_hosts, header_addresses_are_completed_for_local_clients_only, the_token_limit_counts,
      copies_go_to_whom_the_tables_say, originals_may_be_forgotten, aliases_have_limits, header_checks_see_whole_fields,
      fields_have_their_tables, refusals_have_their_replies, orders_go_into_the_queue_file,
      what_replaces_a_field_is_rewritten_and_what_stands_before_it_not, body_checks_have_their_limits,
      text_without_header_is_body, too_many_changes_are_refused, strict_parameters_refuse, characters_are_refused_or_taken_out)

}  // namespace
