// librouting: router.h, keys.h, expansion.cc
#include "libconf/accounts_file.h"
#include "librouting/keys.h"
#include "librouting/probe_sender.h"
#include "librouting/router.h"
#include "libutil/sys.h"

#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <cerrno>

namespace {

using util::concat;

struct House {
    explicit House(std::string_view text = "")
    {
        CHECK(conf::write_accounts(dir / "accounts", {{"alice@example.org", 5, 5, "/m", {}},
                                                      {"bob@mail.example.net", 6, 6, "/m", {}},
                                                      {"left@example.org", 8, 8, "/m", {"disabled", "no-mail"}},
                                                      {"off@example.org", 9, 9, "/m", {"disabled"}},
                                                      {"carol", 7, 7, "/m", {}}})
                  .ok());
        conf::Problems problems;
        auto settings = conf::MainCf::parse(
            concat("myhostname = mail.example.net\nrecipient_delimiter = +\ninet_interfaces = 192.0.2.25\n", text), "main.cf",
            dir.path(), problems);
        settings.fill({&common, &config}, problems);
        ck_assert_msg(!problems.any(), "%s", problems.to_text().c_str());
        auto opened = routing::Router::open(common, config);
        if (opened)
            router = opened.take();
        else
            fault = opened.error().text;
    }

    // "local", "virtual mailbox (5.1.1 User unknown ...)"
    std::string find(std::string_view address)
    {
        auto found = router->find(*mail::parse_address(address));
        if (!found)
            return concat("!", found.error().text);
        std::string out(name_of(found->address_class));
        if (!found->listed)
            util::append(out, " (", found->refusal.dsn, ' ', found->refusal.text, ')');
        return out;
    }

    std::string route(std::string_view address, std::string_view sender = "")
    {
        mail::Address from = sender.empty() ? mail::Address() : *mail::parse_address(sender);
        auto found = router->route(*mail::parse_address(address), from);
        return found ? concat(found->transport, ':', found->nexthop) : concat("!", found.error().text);
    }

    std::string expand(std::string_view address)
    {
        auto all = router->expand(*mail::parse_address(address));
        if (!all)
            return concat("!", all.error().text);
        std::string out;
        for (const auto& one : *all)
            util::append(out, out.empty() ? "" : " ", mail::to_text(one));
        return out;
    }

    test::TempDir dir;
    conf::Common common;
    routing::Config config;
    std::unique_ptr<routing::Router> router;
    std::string fault;
};

TEST(accounts_decide_by_default)
{
    House h;
    EQ(h.fault, "");
    EQ(h.find("alice@example.org"), "virtual mailbox");
    EQ(h.find("Alice+x@EXAMPLE.org"), "virtual mailbox");
    EQ(h.find("zoe@example.org"), "virtual mailbox (5.1.1 User unknown in virtual mailbox table)");
    EQ(h.find("left@example.org"), "virtual mailbox (5.2.1 Mailbox disabled)");
    EQ(h.find("off@example.org"), "virtual mailbox");
    EQ(h.find("bob@mail.example.net"), "local");
    EQ(h.find("carol@mail.example.net"), "local");
    EQ(h.find("carol+a@localhost"), "local");
    EQ(h.find("alice@mail.example.net"), "local (5.1.1 User unknown in local recipient table)");
    EQ(h.find("carol@[192.0.2.25]"), "local");
    EQ(h.find("carol@[192.0.2.26]"), "default");
    EQ(h.find("x@elsewhere.example"), "default");
    EQ(h.route("alice@example.org"), "local:example.org");
    EQ(h.route("bob@mail.example.net"), "local:mail.example.net");
    EQ(h.route("x@elsewhere.example"), "smtp:elsewhere.example");
    EQ(*h.router->is_ours("example.org"), true);
    EQ(*h.router->is_ours("sub.example.org"), false);
}
END_TEST

TEST(error_transports_make_recipients_unknown)
{
    House h("default_transport = error:5.4.4 no mail to other hosts\n"
            "transport_maps = inline:{ held.example=retry:, { gone.example = error:moved away }, sink.example=discard: }\n");
    EQ(h.find("x@elsewhere.example"), "default (5.4.4 no mail to other hosts)");
    EQ(h.find("x@gone.example"), "default (5.0.0 moved away)");
    EQ(h.find("x@held.example"), "default");
    EQ(h.route("x@sink.example"), "discard:sink.example");
    EQ(routing::refusal_of({"error", "4.2.1 x"}).dsn, "5.2.1");
    EQ(routing::refusal_of({"retry", ""}).dsn, "4.0.0");
    EQ(routing::refusal_of({"retry", "5.7.1"}).dsn, "4.7.1");
    EQ(routing::refusal_of({"error", "5.1.1.1 x"}).text, "5.1.1.1 x");
}
END_TEST

TEST(mail_for_the_sender_of_probes_is_taken_and_thrown_away)
{
    House h;
    EQ(h.find("double-bounce@mail.example.net"), "local");
    EQ(h.route("Double-Bounce@mail.example.net"), "discard:for the sender of probes");
    EQ(h.find("double-bouncer@mail.example.net"), "local (5.1.1 User unknown in local recipient table)");
    House mailbox("address_verify_sender = alice@example.org\n");
    EQ(mailbox.route("alice@example.org"), "local:example.org");   // reads it
    EQ(mailbox.find("double-bounce@mail.example.net"), "local (5.1.1 User unknown in local recipient table)");
    House elsewhere("mydestination =\nmyorigin = elsewhere.example\n");
    EQ(elsewhere.route("double-bounce@elsewhere.example"), "smtp:elsewhere.example");
    House changing("address_verify_sender = alice@example.org\naddress_verify_sender_ttl = 1h\n");
    auto now = routing::ProbeSender::of("alice@example.org", "", std::chrono::hours(1)).at(util::wall_now());
    EQ(changing.find(now), "virtual mailbox");
    EQ(changing.route(now), "discard:for the sender of probes");
    EQ(changing.find("alice1@example.org"), "virtual mailbox (5.1.1 User unknown in virtual mailbox table)");
    House none("address_verify_sender = <>\n");
    EQ(none.find("double-bounce@mail.example.net"), "local (5.1.1 User unknown in local recipient table)");
}
END_TEST

TEST(classes_go_in_postfix_order)
{
    House h("virtual_alias_domains = alias.example\nvirtual_alias_maps = inline:{a@alias.example=b@c.example}\n"
            "relay_domains = relay.example\nrelay_recipient_maps = inline:{r@relay.example=x, @sub.relay.example=y}\n"
            "mydestination = $myhostname, .local.example\nlocal_recipient_maps =\n");
    EQ(h.find("a@alias.example"), "virtual alias");
    EQ(h.find("b@alias.example"), "virtual alias (5.1.1 User unknown in virtual alias table)");
    EQ(h.route("b@alias.example"), "error:5.1.1 User unknown in virtual alias table");
    EQ(h.find("r@relay.example"), "relay");
    EQ(h.find("s@relay.example"), "relay (5.1.1 User unknown in relay recipient table)");
    EQ(h.find("s@sub.relay.example"), "relay");
    EQ(h.route("r@relay.example"), "relay:relay.example");
    EQ(h.find("anybody@a.local.example"), "local");
    EQ(h.find("anybody@local.example"), "default");
}
END_TEST

TEST(relay_hosts_and_transport_tables_overrule_in_their_order)
{
    House h("relayhost = [smart.example]:587\nrelay_domains = relay.example\n"
            "sender_dependent_relayhost_maps = inline:{s@a.example=[other.example], @b.example=DUNNO}\n"
            "sender_dependent_default_transport_maps = inline:{@c.example=slow:, t@c.example=fast:[f.example]}\n"
            "transport_maps = inline:{u@x.example=local:there, x.example=smtp:[x1.example], .y.example=:[y1.example],"
            " z.example=:, alice@example.org=uucp:u}\n");
    EQ(h.route("q@q.example"), "smtp:[smart.example]:587");
    EQ(h.route("q@relay.example"), "relay:[smart.example]:587");
    EQ(h.route("q@q.example", "s@a.example"), "smtp:[other.example]");
    EQ(h.route("q@q.example", "s+ext@a.example"), "smtp:[other.example]");
    EQ(h.route("q@q.example", "s@b.example"), "smtp:[smart.example]:587");
    EQ(h.route("q@q.example", "s@c.example"), "slow:[smart.example]:587");
    EQ(h.route("q@q.example", "t@c.example"), "fast:[f.example]");
    EQ(h.route("u+e@x.example"), "local:there");
    EQ(h.route("v@x.example"), "smtp:[x1.example]");
    EQ(h.route("v@sub.y.example"), "smtp:[y1.example]");
    EQ(h.route("v@y.example"), "smtp:[smart.example]:587");
    EQ(h.route("v@z.example"), "smtp:[smart.example]:587");
    EQ(h.route("alice@example.org"), "uucp:u");
    House star("transport_maps = inline:{*=smtp:[all.example]}\n");
    EQ(star.route("alice@example.org"), "smtp:[all.example]");
}
END_TEST

TEST(tables_that_cannot_be_read_are_temporary)
{
    House h("virtual_alias_maps = fail:x\n");
    EQ(h.router->find({"a", "example.org"}).error().kind, util::Kind::Temporary);
    EQ(h.router->expand({"a", "example.org"}).error().kind, util::Kind::Temporary);
    THAT(!House("transport_maps = hash:/nonexistent/t\n").router->check().ok());
    OK(House().router->check());
    EQ(House("relay_domains = nosuch:x\n").fault.substr(0, 29), "relay_domains: table nosuch:x");
}
END_TEST

TEST(addresses_get_their_domains)
{
    House h("append_dot_mydomain = yes\nmyorigin = Example.ORG\n");
    EQ(mail::to_text(h.router->complete({"alice", ""})), "alice@example.org");
    EQ(mail::to_text(h.router->complete({"alice", "host"})), "alice@host.example.net");
    EQ(mail::to_text(h.router->complete({"alice", "a.b"})), "alice@a.b");
    EQ(mail::to_text(h.router->complete({"alice", "[192.0.2.1]"})), "alice@[192.0.2.1]");
    THAT(h.router->complete({}).is_null());
    House no("append_at_myorigin = no\n");
    EQ(mail::to_text(no.router->complete({"alice", "host"})), "alice@host");
    EQ(no.router->complete({"alice", ""}).domain, "");
}
END_TEST

TEST(addresses_without_domain_are_turned_round)
{
    auto completed = [](House& h, std::string_view text) {
        return mail::to_text(h.router->complete(*mail::parse_address(text)));
    };
    House h("append_dot_mydomain = yes\n");
    EQ(completed(h, "site!user"), "user@site.example.net");
    EQ(completed(h, "a.example!b!user"), "b!user@a.example");
    EQ(completed(h, "user%a.example"), "user@a.example");
    EQ(completed(h, "a%b%c.example"), "a%b@c.example");
    EQ(completed(h, "site!user@x.example"), "site!user@x.example");
    EQ(completed(h, "user%"), "user%@mail.example.net");
    EQ(completed(h, "!user"), "!user@mail.example.net");
    EQ(completed(h, "user@[192.0.2.1]"), "user@[192.0.2.1]");
    House off("swap_bangpath = no\nallow_percent_hack = no\nappend_at_myorigin = no\n");
    EQ(completed(off, "site!user"), "site!user");
    EQ(completed(off, "user%a.example"), "user%a.example");
    EQ(mail::to_text(h.router->complete_with({"joe", ""}, "Domain.Invalid")), "joe@domain.invalid");
    THAT(h.router->is_complete({"a", "b.c"}));
    THAT(!h.router->is_complete({"a", "b"}));
    THAT(off.router->is_complete({"a", "b"}));
}
END_TEST

TEST(canonical_tables_replace_one_by_one)
{
    using routing::Canonical;
    House h(
        "canonical_maps = inline:{ { carol = carol@example.org } { a@x.example = b@x.example } { b@x.example = c@x.example, d@x } "
        "{ @old.example = @new.example } { @all.example = one@x.example } { same@x.example = same@x.example } "
        "{ loop@x.example = pool@x.example } { pool@x.example = loop@x.example } { bad@x.example = @ } }\n");
    auto mapped = [&](std::string_view text) {
        auto result = h.router->canonical(Canonical::Both, *mail::parse_address(text));
        return result ? mail::to_text(*result) : concat("!", result.error().code == ELOOP ? "loop" : "table");
    };
    EQ(mapped("carol@localhost"), "carol@example.org");
    EQ(mapped("carol+x@localhost"), "carol+x@example.org");
    EQ(mapped("carol@elsewhere.example"), "carol@elsewhere.example");
    EQ(mapped("A@X.example"), "c@x.example");
    EQ(mapped("u+v@old.example"), "u+v@new.example");
    EQ(mapped("u+v@all.example"), "one@x.example");
    EQ(mapped("same@x.example"), "same@x.example");
    EQ(mapped("loop@x.example"), "!loop");
    EQ(mapped("bad@x.example"), "!loop");
    EQ(mapped("none@x.example"), "none@x.example");
    THAT(h.router->has_canonical(Canonical::Both));
    THAT(!h.router->has_canonical(Canonical::Sender));
    EQ(h.find("nobody@example.org"), "virtual mailbox (5.1.1 User unknown in virtual mailbox table)");
    House dropped("canonical_maps = inline:{ carol@localhost=x@y }\npropagate_unmatched_extensions = virtual\n");
    auto plain = dropped.router->canonical(Canonical::Both, *mail::parse_address("carol+x@localhost"));
    EQ(mail::to_text(*plain), "x@y");
    House away("canonical_maps = fail:x\n");
    EQ(away.router->canonical(Canonical::Both, {"a", "b"}).error().code, 0);
    House known("recipient_canonical_maps = inline:{ nobody@example.org=alice@example.org }\n");
    EQ(known.find("nobody@example.org"), "virtual mailbox");
}
END_TEST

TEST(who_has_moved_is_refused_with_the_new_address)
{
    House h(
        "relocated_maps = inline:{ { alice@example.org = alice@new.example } { carol = phone 123 } { @gone.example = a better place } }\n"
        "virtual_alias_maps = inline:{ { x@gone.example = bob@mail.example.net } }\n");
    EQ(h.find("alice@example.org"), "virtual mailbox (5.1.6 User has moved to alice@new.example)");
    EQ(h.find("alice+x@example.org"), "virtual mailbox (5.1.6 User has moved to alice@new.example)");
    EQ(h.find("carol@localhost"), "local (5.1.6 User has moved to phone 123)");
    EQ(h.find("y@gone.example"), "default (5.1.6 User has moved to a better place)");
    EQ(h.find("x@gone.example"), "default");
    EQ(h.route("alice@example.org"), "error:5.1.6 User has moved to alice@new.example");
    EQ(h.find("bob@mail.example.net"), "local");
    House away("relocated_maps = hash:/nonexistent/x\n");
    THAT(away.route("bob@mail.example.net").starts_with("!"));
    THAT(!away.router->check().ok());
}
END_TEST

TEST(aliases_expand)
{
    House h("virtual_alias_maps = inline:{ {list@example.org = alice@example.org, bob@mail.example.net, \"a b\"@x.example},"
            " {root = postmaster}, {postmaster = admin@example.org}, {admin@example.org = alice@example.org},"
            " {@old.example = @example.org}, {keep@x.example = keep@x.example, copy@y.example},"
            " {two@x.example = list@example.org, keep@x.example, LIST@example.org},"
            " {sales@x.example = sell@y.example},"
            " {blanks@x.example = a@y.example \"a b\"@y.example,c@y.example\td},"
            " {names@x.example = a b\\ c d@y.example The Boss <e@y.example> f@y.example (no g@y.example) h} }\n");
    EQ(h.expand("blanks@x.example"), "a@y.example \"a b\"@y.example c@y.example d@mail.example.net");
    EQ(h.expand("names@x.example"), "a@mail.example.net \"b c\"@mail.example.net d@y.example e@y.example"
                                    " f@y.example h@mail.example.net");
    EQ(h.expand("list@example.org"), "alice@example.org bob@mail.example.net \"a b\"@x.example");
    EQ(h.expand("nobody@example.org"), "nobody@example.org");
    EQ(h.expand("root@mail.example.net"), "alice@example.org");
    EQ(h.expand("root@localhost"), "alice@example.org");
    EQ(h.expand("root@example.org"), "root@example.org");
    EQ(h.expand("u+x@old.example"), "u+x@example.org");
    EQ(h.expand("list@old.example"), "alice@example.org bob@mail.example.net \"a b\"@x.example");
    EQ(h.expand("keep@x.example"), "keep@x.example copy@y.example");
    EQ(h.expand("two@x.example"), "alice@example.org bob@mail.example.net \"a b\"@x.example keep@x.example copy@y.example");
    EQ(h.expand("sales+eu@x.example"), "sell+eu@y.example");
    House bare("propagate_unmatched_extensions =\nvirtual_alias_maps = inline:{ {sales@x.example = sell@y.example} }\n");
    EQ(bare.expand("sales+eu@x.example"), "sell@y.example");
}
END_TEST

TEST(bad_aliases_defer_and_lose_nobody)
{
    House h("virtual_alias_maps = inline:{ {a@x.example = b@x.example, c@x.example, d@x.example}, {b@x.example = c@x.example},"
            " {c@x.example = b@x.example}, {bad@x.example = @}, {empty@x.example = ;} }\n");
    EQ(h.expand("a@x.example"), "!aliases of a@x.example: b@x.example leads back to itself");
    EQ(h.expand("bad@x.example").substr(0, 27), "!aliases of bad@x.example: ");
    EQ(h.expand("empty@x.example").substr(0, 29), "!aliases of empty@x.example: ");
}
END_TEST

TEST(alias_limits_hold_at_their_edges)
{
    auto many = [](int count) {
        std::string value;
        for (int i = 0; i < count; ++i)
            util::append(value, i ? ", " : "", 'u', i, "@x.example");
        if (count == 5)
            value += ", u0@x.example u1@x.example";  // which come twice
        return concat("virtual_alias_expansion_limit = 5\nvirtual_alias_recursion_limit = 3\n"
                      "virtual_alias_maps = inline:{ {many@x.example = ", value, "},"
                      " {c1@x.example=c2@x.example}, {c2@x.example=c3@x.example}, {c3@x.example=c4@x.example},"
                      " {c0@x.example=c1@x.example} }\n");
    };
    House five(many(5)), six(many(6));
    EQ(five.expand("many@x.example"), "u0@x.example u1@x.example u2@x.example u3@x.example u4@x.example");
    EQ(six.expand("many@x.example"),
       "!aliases of many@x.example: more than virtual_alias_expansion_limit = 5 recipients");
    EQ(five.expand("c1@x.example"), "c4@x.example");
    EQ(five.expand("c0@x.example"), "!aliases of c0@x.example: more than virtual_alias_recursion_limit = 3 in a row");
}
END_TEST

std::string text_of(const std::vector<conf::Key>& keys)
{
    std::string out;
    for (const auto& key : keys)
        util::append(out, out.empty() ? "" : " ", key.partial ? "~" : "", key.text);
    return out;
}

TEST(keys_come_in_postfix_order)
{
    mail::Address address{"user+ext", "sub.example.org"};
    EQ(text_of(routing::alias_keys(address, "+", true).keys),
       "user+ext@sub.example.org ~user@sub.example.org ~user+ext ~user ~@sub.example.org");
    EQ(text_of(routing::alias_keys(address, "", false).keys), "user+ext@sub.example.org ~@sub.example.org");
    EQ(text_of(routing::access_keys(address, "+", true)),
       "user+ext@sub.example.org ~user@sub.example.org ~sub.example.org ~example.org ~org ~user+ext@ ~user@");
    EQ(text_of(routing::access_keys({"a", "b.c"}, "+", false)), "a@b.c ~b.c ~.c ~a@");
    EQ(text_of(routing::domain_keys("a.b.c", false)), "a.b.c ~.b.c ~.c");
    EQ(text_of(routing::domain_keys("[1.2.3.4]", true)), "[1.2.3.4]");
    EQ(text_of(routing::network_keys(*conf::IpAddress::parse("192.0.2.1"))), "192.0.2.1 ~192.0.2 ~192.0 ~192");
    EQ(text_of(routing::network_keys(*conf::IpAddress::parse("2001:db8::1"))), "2001:db8::1 ~2001:db8 ~2001");
    EQ(text_of(routing::transport_keys(address, "+", false)),
       "user+ext@sub.example.org ~user@sub.example.org ~sub.example.org ~.example.org ~.org ~*");
    EQ(text_of(routing::sender_keys({"a", "b"}, "+")), "a@b ~@b");
}
END_TEST

TEST(role_names_have_mail_in_every_domain_of_ours)
{
    House h("mydestination = $myhostname\nmyorigin = example.net\nvirtual_alias_domains = alias.example\n"
            "virtual_mailbox_domains = example.org\nrelay_domains = relay.example\nrelay_recipient_maps = inline:{a@b=c}\n"
            "alias_maps = inline:{root=alice@example.org}\n");
    EQ(h.fault, "");
    for (const char* domain : {"mail.example.net", "example.org", "alias.example"}) {
        for (const char* name : {"postmaster", "Abuse", "MAILER-DAEMON"}) {
            std::string address = concat(name, '@', domain);
            EQ(h.find(address).find("unknown"), std::string::npos);
            EQ(h.expand(address), "root@mail.example.net");
        }
    }
    EQ(h.find("hostmaster@example.org"), "virtual mailbox (5.1.1 User unknown in virtual mailbox table)");
    EQ(h.find("postmaster@relay.example"), "relay (5.1.1 User unknown in relay recipient table)");
    EQ(h.expand("postmaster@elsewhere.example"), "postmaster@elsewhere.example");
}
END_TEST

TEST(role_names_with_an_owner_stay_as_they_are)
{
    House h("mydestination = $myhostname\nalias_maps = inline:{{postmaster=carol} {root=bob}}\n"
            "virtual_alias_maps = inline:{abuse@example.org=alice@example.org}\nrole_address = alice@example.org\n");
    EQ(h.expand("postmaster@mail.example.net"), "postmaster@mail.example.net");
    EQ(h.expand("abuse@example.org"), "alice@example.org");
    EQ(h.expand("postmaster@example.org"), "alice@example.org");
    EQ(h.expand("abuse@mail.example.net"), "alice@example.org");
    House bare("mydestination = $myhostname\nrole_address = alice@example.org\n");
    EQ(bare.expand("postmaster@mail.example.net"), "alice@example.org");
}
END_TEST

TEST(role_names_are_refused_when_nobody_takes_their_mail)
{
    House h("mydestination = $myhostname\n");
    EQ(h.find("postmaster@mail.example.net"), "local (5.1.1 User unknown in local recipient table)");
    EQ(h.find("abuse@example.org"), "virtual mailbox (5.1.1 User unknown in virtual mailbox table)");
    House own("role_names =\nrole_address = alice@example.org\n");
    EQ(own.find("abuse@example.org"), "virtual mailbox (5.1.1 User unknown in virtual mailbox table)");
    House broken("role_address = alice@example.org\nvirtual_alias_maps = fail:x\n");
    THAT(broken.find("abuse@example.org").starts_with("!"));
}
END_TEST

TEST(bare_postmaster_is_of_this_system)
{
    auto complete = [](House& h, std::string_view name) {
        return mail::to_text(h.router->complete_forward_path({std::string(name), ""}));
    };
    House ours("myorigin = example.org\n");
    EQ(complete(ours, "postmaster"), "postmaster@example.org");
    House theirs("myorigin = elsewhere.example\n");
    EQ(complete(theirs, "Postmaster"), "Postmaster@mail.example.net");
    EQ(complete(theirs, "alice"), "alice@elsewhere.example");
}
END_TEST

TEST(tables_elsewhere_are_asked_for)
{
    auto visible = routing::visible_tables(
        {"hash:/etc/aliases", "hash:/etc/tern/aliases", "hash:/etc/ternary/a", "inline:{a=b}", "proxy:hash:/x"}, "/etc/tern");
    std::string out;
    for (const std::string& table : visible)
        util::append(out, table, " ");
    EQ(out, "proxy:hash:/etc/aliases hash:/etc/tern/aliases proxy:hash:/etc/ternary/a inline:{a=b} proxy:hash:/x ");
}
END_TEST

TEST(postmaster_counts_before_root_and_the_name_before_both)
{
    House h("mydestination = $myhostname\nalias_maps = inline:{{postmaster=carol} {root=bob} {abuse=bob}}\n");
    EQ(h.expand("abuse@example.org"), "abuse@mail.example.net");
    EQ(h.expand("mailer-daemon@example.org"), "postmaster@mail.example.net");
    EQ(h.find("bob@mail.example.net"), "local");
    EQ(h.find("root@mail.example.net"), "local");
}
END_TEST

TEST(srs_addresses_are_whose_they_are)
{
    test::TempDir place;
    std::string file = place / "secrets";
    auto write = [&](std::string_view text, mode_t mode) { OK(util::sys::replace_file(file, text, mode)); };
    std::string settings = concat("srs_domain = SRS.example.net\nsrs_secrets_file = ", file,
                                  "\nsrs_exclude_domains = friend.example, .friends.example\nrole_address = alice@example.org\n"
                                  "virtual_alias_maps = inline:{ {moved@gone.example = new@home.example} }\n");
    const auto then = util::from_unix_seconds(20'786 * 86'400);
    write("tops3cret\n", 0600);
    House h(settings);
    EQ(h.fault, "");
    OK(h.router->open_srs());
    auto sender = [&](std::string_view text) {
        auto made = h.router->srs_sender(*mail::parse_address(text), then);
        OK(made);
        return *made ? mail::to_text(**made) : "stays";
    };
    EQ(sender("user@a.example"), "SRS0=XIzS=JS=a.example=user@srs.example.net");
    for (const char* stays : {"alice@example.org", "x@mail.example.net", "SRS0=XIzS=JS=a.example=user@srs.example.net",
                              "x@friend.example", "x@a.friends.example", "nodomain"})
        EQ(sender(stays), "stays");
    EQ(sender("x@a.friend.example").substr(0, 5), "SRS0=");
    // An address that is good now.
    std::string good = mail::to_text(**h.router->srs_sender({"user", "a.example"}));
    EQ(h.find(good), "virtual alias");
    THAT(h.router->find(*mail::parse_address(good))->srs);
    std::string old = mail::to_text(**h.router->srs_sender({"user", "a.example"}, util::wall_now() - std::chrono::days(60)));
    EQ(h.find(old), "virtual alias (5.1.1 SRS address: it has expired)");
    EQ(h.find("SRS0=XXXX=JS=a.example=user@srs.example.net"), "virtual alias (5.1.1 SRS address: its hash is not ours)");
    EQ(h.find("SRS0=XXXX=JS=a.example=user@other.example"), "default");
    EQ(h.find("nobody@srs.example.net"), "virtual alias (5.1.1 User unknown in virtual alias table)");
    EQ(h.find("postmaster@srs.example.net"), "virtual alias");
    // Only what has no sender goes home, by the tables if they have it.
    auto all = [&](std::string_view text, bool bounce) {
        auto expanded = h.router->expand(*mail::parse_address(text), bounce);
        OK(expanded);
        EQ(expanded->size(), 1U);
        return mail::to_text(expanded->front());
    };
    EQ(all(good, true), "user@a.example");
    EQ(all(good, false), good);
    EQ(all("SRS0=XXXX=JS=a.example=user@srs.example.net", true), "SRS0=XXXX=JS=a.example=user@srs.example.net");
    EQ(all(mail::to_text(**h.router->srs_sender({"moved", "gone.example"})), true), "new@home.example");
    EQ(h.route(good), "error:5.1.1 SRS address: not good for this message");
    // Secrets are for their owner's eyes.
    for (mode_t mode : {0640U, 0604U, 0660U, 0601U}) {
        write("tops3cret\n", mode);
        THAT(h.router->open_srs().error().text.find("chmod 600") != std::string::npos);
    }
    write("\n", 0400);
    THAT(h.router->open_srs().error().text.find("no secret") != std::string::npos);
    write("other\ntops3cret\n", 0400);
    OK(h.router->open_srs());
    EQ(all(good, true), "user@a.example");
    THAT(House("srs_domain = srs.example.net\nsrs_secrets_file = /nonexistent/x\n").router->open_srs().error().text.find(
             "tern srs new-secret") != std::string::npos);
    // Without srs_domain it is an address as any other.
    House off;
    OK(off.router->open_srs());
    THAT(!*off.router->srs_sender({"user", "a.example"}));
    EQ(off.find(good), "default");
}
END_TEST

TEST(addresses_of_a_proxy_are_this_systems)
{
    House h("proxy_interfaces = 192.0.2.26\n");
    EQ(h.find("carol@[192.0.2.26]"), "local");
    EQ(h.find("carol@[192.0.2.27]"), "default");
    THAT(h.router->is_own(*conf::IpAddress::parse("192.0.2.25")) && !h.router->is_own(*conf::IpAddress::parse("192.0.2.26")));
}
END_TEST

}  // namespace

SUITE(router, mail_for_the_sender_of_probes_is_taken_and_thrown_away, accounts_decide_by_default,
      error_transports_make_recipients_unknown, classes_go_in_postfix_order,
      relay_hosts_and_transport_tables_overrule_in_their_order, tables_that_cannot_be_read_are_temporary,
      addresses_get_their_domains, addresses_without_domain_are_turned_round, canonical_tables_replace_one_by_one,
      who_has_moved_is_refused_with_the_new_address, aliases_expand, bad_aliases_defer_and_lose_nobody,
      alias_limits_hold_at_their_edges, role_names_have_mail_in_every_domain_of_ours, role_names_with_an_owner_stay_as_they_are,
      role_names_are_refused_when_nobody_takes_their_mail, bare_postmaster_is_of_this_system, tables_elsewhere_are_asked_for,
      postmaster_counts_before_root_and_the_name_before_both, keys_come_in_postfix_order, srs_addresses_are_whose_they_are,
      addresses_of_a_proxy_are_this_systems)
