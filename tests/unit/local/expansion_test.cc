// local/expansion.h: what becomes of a recipient.
#include "tests/unit/local/fixture.h"

namespace {

using test::Routes;
using util::concat;

struct Walk {
    explicit Walk(std::string_view settings, std::size_t limit = 100) : routes(settings)
    {
        rules.router = routes.router.get();
        rules.find_account = [](std::string_view address) -> util::Result<std::string> {
            if (address.starts_with("broken"))
                return util::temporary("the accounts cannot be read");
            if (address.starts_with("left"))
                return util::permanent("mailbox disabled");
            for (std::string_view known : {"anna@mail.example.net", "bert@example.org", "carl@example.org"})
                if (address == known)
                    return std::string(known);
            return util::not_found("no such account");
        };
        rules.limit = limit;
    }

    // Each end: "account bert@example.org", "forward x@y <sender>", "errand PLACE#n", "!5.1.1 text".
    std::string run(const std::string& address, const std::string& sender = "from@x.example")
    {
        asked.clear();
        local::Expansion expansion(
            rules, "local", [this](std::string_view to) { return util::equal_nocase(to, looped); },
            [this](std::uint64_t question, const ipc::Place& place, const std::string& recipient) {
                asked.emplace_back(question, place);
                recipients.push_back(recipient);
            });
        expansion.begin(address, sender);
        while (!asked.empty()) {
            auto next = asked.front();
            asked.erase(asked.begin());
            expansion.answer(next.first, list_of(next.second));
        }
        ck_assert(expansion.complete());
        expanded = expansion.expanded();
        std::string out;
        for (const local::End& end : expansion.ends())
            util::append(out, out.empty() ? "" : "; ", show(end));
        return out;
    }

    static std::string name_of(const ipc::Place& place)
    {
        std::string name = concat(std::string("AFMV").substr(std::size_t(place.kind), 1), ":", place.name);
        for (std::uint32_t step : place.steps)
            util::append(name, "/", step);
        return name;
    }

    ipc::ListPart list_of(const ipc::Place& place) const
    {
        ipc::ListPart part;
        part.result = ipc::ListPart::Result::NoUser;
        auto found = files.find(name_of(place));
        if (found == files.end())
            return part;
        if (found->second == "-") {
            part.result = ipc::ListPart::Result::None;
            return part;
        }
        if (found->second == "!") {
            part.result = ipc::ListPart::Result::Failed;
            part.status.dsn = "4.3.0";
            part.status.text = "not now";
            return part;
        }
        part.result = ipc::ListPart::Result::Found;
        auto list = mail::parse_destination_file(found->second, 1000);
        OK(list);
        part.destinations = list.take();
        part.version = 7;
        return part;
    }

    static std::string show(const local::End& end)
    {
        switch (end.kind) {
        case local::End::Kind::Account:
            return concat("account ", end.address, end.account == end.address ? "" : concat("=", end.account));
        case local::End::Kind::Forward:
            return concat("forward ", end.address, " <", end.origin.sender, "> for ", end.origin.delivered_to,
                          end.origin.is_mailing_list ? " list" : "");
        case local::End::Kind::Errand: return concat("errand ", name_of(end.origin.place), "#", end.entry);
        case local::End::Kind::Pass: return concat("pass ", end.address, " ", end.account);
        case local::End::Kind::Failure: break;
        }
        return concat("!", end.status.dsn, " ", end.status.text);
    }

    Routes routes;
    local::ExpansionRules rules;
    std::string looped;
    std::map<std::string, std::string> files;
    std::vector<std::pair<std::uint64_t, ipc::Place>> asked;
    std::vector<std::string> recipients;
    bool expanded = false;
};

TEST(accounts_are_found_without_a_question)
{
    Walk walk("");
    EQ(walk.run("bert@example.org"), "account bert@example.org");
    EQ(walk.recipients.size(), 0u);
    EQ(walk.expanded, false);
    EQ(walk.run("nobody@example.org"), "!5.1.1 unknown user: \"nobody@example.org\"");
    EQ(walk.run("broken@example.org"), "!4.3.0 the accounts cannot be read");
    EQ(walk.run("left@example.org"), "!5.2.1 mailbox disabled");
}
END_TEST

TEST(aliases_expand_down_to_mailboxes)
{
    Walk walk(
        "alias_maps = inline:{{staff=anna, bert@example.org, carl@example.org, anna} {boss=staff} {out=x@far.example}}\n");
    EQ(walk.run("staff@mail.example.net"), "account bert@example.org; account carl@example.org; account anna@mail.example.net");
    EQ(walk.expanded, true);
    EQ(walk.run("boss@mail.example.net"), "account bert@example.org; account carl@example.org; account anna@mail.example.net");
    EQ(walk.run("Staff+x@mail.example.net").starts_with("account"), true);
    EQ(walk.run("out@mail.example.net"), "forward x@far.example <from@x.example> for out@mail.example.net");
    // Names of aliases are those of $mydestination only.
    EQ(walk.run("staff@example.org"), "!5.1.1 unknown user: \"staff@example.org\"");
}
END_TEST

TEST(who_has_it_gets_no_second_one_forwarded)
{
    Walk walk("alias_maps = inline:{{all=bert@example.org, dora} {both=dora, emil}}\n");
    walk.files["F:emil"] = "-";
    walk.files["F:dora"] = "bert@example.org, x@far.example\n";
    EQ(walk.run("all@mail.example.net"),
       "account bert@example.org; forward x@far.example <from@x.example> for all@mail.example.net");
    // Nor when the mailbox comes last.
    walk.files["F:dora"] = "emil\n";
    EQ(walk.run("both@mail.example.net"), "errand M:emil#0");
}
END_TEST

TEST(an_alias_may_name_itself)
{
    Walk walk("alias_maps = inline:{{anna=anna, x@far.example} {bert=\\bert}}\n");
    EQ(walk.run("anna@mail.example.net"),
       "forward x@far.example <from@x.example> for anna@mail.example.net; account anna@mail.example.net");
    walk.files["F:bert"] = "-";
    EQ(walk.run("bert@mail.example.net"), "errand M:bert#0");
}
END_TEST

TEST(loops_end)
{
    Walk walk("alias_maps = inline:{{a=b} {b=c} {c=a}}\n", 1000);
    EQ(walk.run("a@mail.example.net"), "!5.4.6 possible alias database loop for c@mail.example.net");
    walk.looped = "Bert@example.org";
    EQ(walk.run("bert@example.org"), "!5.4.6 mail forwarding loop for bert@example.org");
}
END_TEST

TEST(limits_hold_at_their_edges)
{
    Walk three("alias_maps = inline:{{three=a@x.example, b@x.example, c@x.example} {four=three, d@x.example}}\n", 3);
    THAT(three.run("three@mail.example.net").starts_with("forward a@x.example"));
    THAT(three.run("four@mail.example.net").ends_with("!4.6.0 more than local_expansion_limit = 3 destinations"));
    Walk two("alias_maps = inline:{{three=a@x.example, b@x.example, c@x.example}}\n", 2);
    EQ(two.run("three@mail.example.net"), "!4.3.5 alias three: more than 2 destinations");
}
END_TEST

TEST(lists_with_an_owner_are_forwarded_with_its_address)
{
    Walk walk(
        "alias_maps = inline:{{list=anna, x@far.example} {owner-list=carl@example.org, bert@example.org} {list-request=anna}}\n");
    walk.files["F:anna"] = "-";
    EQ(walk.run("list@mail.example.net"),
       "forward anna@mail.example.net <owner-list@mail.example.net> for list@mail.example.net list; "
       "forward x@far.example <owner-list@mail.example.net> for list@mail.example.net list");
    EQ(walk.run("list-request@mail.example.net"), "account anna@mail.example.net");
    walk.rules.owner_request_special = false;
    EQ(walk.run("list@mail.example.net"),
       "forward x@far.example <from@x.example> for list@mail.example.net; account anna@mail.example.net");
    Walk one("alias_maps = inline:{{list=anna} {owner-list=carl@example.org}}\n");
    one.rules.expand_owner_alias = true;
    EQ(one.run("list@mail.example.net"), "forward anna@mail.example.net <carl@example.org> for list@mail.example.net list");
}
END_TEST

TEST(forward_files_count_for_users_of_the_system)
{
    Walk walk("");
    walk.files["F:dora"] = "\\dora, x@far.example, bert@example.org, \"|/usr/bin/vacation dora\"\n";
    EQ(walk.run("Dora+x@mail.example.net"),
       "errand M:dora#0; forward x@far.example <from@x.example> for Dora+x@mail.example.net; "
       "forward bert@example.org <from@x.example> for Dora+x@mail.example.net; errand F:dora#3");
    EQ(walk.expanded, true);
    walk.files["F:dora"] = "dora\n";
    EQ(walk.run("dora@mail.example.net"), "errand M:dora#0");
    walk.files["F:dora"] = "# nothing\n";
    EQ(walk.run("dora@mail.example.net"), "errand M:dora#0");
    walk.files["F:dora"] = "-";
    EQ(walk.run("dora@mail.example.net"), "errand M:dora#0");
    EQ(walk.expanded, false);
    walk.files["F:dora"] = "!";
    EQ(walk.run("dora@mail.example.net"), "!4.3.0 not now");
    EQ(walk.run("eve@mail.example.net"), "!5.1.1 unknown user: \"eve@mail.example.net\"");
    // Who has both an account and a .forward.
    walk.files["F:anna"] = "x@far.example\n";
    EQ(walk.run("anna@mail.example.net"), "forward x@far.example <from@x.example> for anna@mail.example.net");
}
END_TEST

TEST(included_names_are_forwarded_and_their_entries_known_by_steps)
{
    Walk walk("alias_maps = inline:{{list=bert@example.org, :include:/lists/a}}\n");
    walk.files["A:list/1"] = "anna, |cmd\n:include:/lists/b\n";
    walk.files["A:list/1/2"] = "x@far.example, /a/file\n";
    EQ(walk.run("list@mail.example.net"),
       "account bert@example.org; forward anna@mail.example.net <from@x.example> for list@mail.example.net; errand A:list/1#1; "
       "forward x@far.example <from@x.example> for list@mail.example.net; errand A:list/1/2#1");
    walk.files.erase("A:list/1/2");
    THAT(walk.run("list@mail.example.net").ends_with("!4.3.5 an :include: file is empty or not there"));
}
END_TEST

TEST(names_that_other_tables_replace_go_through_cleanup)
{
    Walk walk(
        "alias_maps = inline:{{a=bert@example.org} {b=carl@example.org} {c=old@example.org}}\n"
        "virtual_alias_maps = inline:{carl@example.org=x@far.example}\nrecipient_canonical_maps = inline:{old@example.org=bert@example.org}\n");
    EQ(walk.run("a@mail.example.net"), "account bert@example.org");
    EQ(walk.run("b@mail.example.net"), "forward carl@example.org <from@x.example> for b@mail.example.net");
    EQ(walk.run("c@mail.example.net"), "forward old@example.org <from@x.example> for c@mail.example.net");
}
END_TEST

TEST(extensions_are_kept_where_they_are_asked_for)
{
    Walk walk("alias_maps = inline:{{a=x@far.example, y+z@far.example}}\npropagate_unmatched_extensions = alias\n");
    EQ(walk.run("a+ext@mail.example.net"),
       "forward x+ext@far.example <from@x.example> for a+ext@mail.example.net; forward y+z@far.example <from@x.example> for a+ext@mail.example.net");
    Walk without("alias_maps = inline:{{a=x@far.example}}\n");
    EQ(without.run("a+ext@mail.example.net"), "forward x@far.example <from@x.example> for a+ext@mail.example.net");
}
END_TEST

TEST(other_transports_deliver_for_users_and_for_unknown_names)
{
    auto tables = conf::Tables::open({"inline:{{anna=lmtp:unix:x} {dora=relay:[h]}}"});
    OK(tables);
    Walk walk("alias_maps = inline:{{all=anna, bert@example.org}}\n");
    walk.rules.mailbox_transports = &*tables;
    walk.files["F:dora"] = walk.files["F:emil"] = "-";
    EQ(walk.run("anna+x@mail.example.net"), "pass anna+x@mail.example.net lmtp:unix:x");
    EQ(walk.run("dora@mail.example.net"), "pass dora@mail.example.net relay:[h]");
    EQ(walk.run("emil@mail.example.net"), "errand M:emil#0");
    EQ(walk.run("bert@example.org"), "account bert@example.org");
    EQ(walk.run("all@mail.example.net"),
       "account bert@example.org; forward anna@mail.example.net <from@x.example> for all@mail.example.net");
    Walk lost("");
    lost.rules.fallback_transports = &*tables;
    EQ(lost.run("dora@mail.example.net"), "pass dora@mail.example.net relay:[h]");
    EQ(lost.run("eve@mail.example.net"), "!5.1.1 unknown user: \"eve@mail.example.net\"");
    lost.rules.fallback_transport = "error:no";
    EQ(lost.run("eve@mail.example.net"), "pass eve@mail.example.net error:no");
    EQ(lost.run("eve@example.org"), "!5.1.1 unknown user: \"eve@example.org\"");
}
END_TEST

TEST(luser_relay_gets_what_is_nobodys)
{
    Walk walk("");
    walk.rules.luser_relay = "bert@example.org";
    EQ(walk.run("eve@mail.example.net"), "account bert@example.org");
    walk.rules.luser_relay = "$user+$extension@far.example";
    EQ(walk.run("eve+x@mail.example.net"), "forward eve+x@far.example <from@x.example> for eve+x@mail.example.net");
    // It may itself be nobody.
    walk.rules.luser_relay = "nobody";
    EQ(walk.run("eve@mail.example.net"), "!5.1.1 unknown user: \"nobody@mail.example.net\"");
    walk.rules.luser_relay = "$unknown";
    THAT(walk.run("eve@mail.example.net").starts_with("!4.3.0 luser_relay: "));
}
END_TEST

TEST(virtual_mailboxes_are_errands_where_there_are_any)
{
    Walk walk("");
    walk.rules.virtual_mailboxes = true;
    EQ(walk.run("eve+x@example.org"), "errand V:eve+x@example.org#0");
    EQ(walk.run("bert@example.org"), "account bert@example.org");
    EQ(walk.run("eve@mail.example.net"), "!5.1.1 unknown user: \"eve@mail.example.net\"");
}
END_TEST

TEST(what_cannot_be_read_defers)
{
    Walk walk("alias_maps = fail:x\n");
    EQ(walk.run("a@mail.example.net"), "!4.3.0 table fail:x");
    Walk bad("alias_maps = inline:{{a=\"unclosed}}\n");
    EQ(bad.run("a@mail.example.net"), "!4.3.5 alias a: a quote without its second one");
}
END_TEST

SUITE(expansion, accounts_are_found_without_a_question, aliases_expand_down_to_mailboxes,
      who_has_it_gets_no_second_one_forwarded, an_alias_may_name_itself, loops_end, limits_hold_at_their_edges,
      lists_with_an_owner_are_forwarded_with_its_address, forward_files_count_for_users_of_the_system,
      included_names_are_forwarded_and_their_entries_known_by_steps, names_that_other_tables_replace_go_through_cleanup,
      extensions_are_kept_where_they_are_asked_for, other_transports_deliver_for_users_and_for_unknown_names,
      luser_relay_gets_what_is_nobodys, virtual_mailboxes_are_errands_where_there_are_any, what_cannot_be_read_defers)

}  // namespace
