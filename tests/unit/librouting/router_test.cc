// Where addresses lead.
#include "librouting/router.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

struct Fixture {
    conf::Common common;
    routing::Config config;
    conf::Problems problems;
    std::unique_ptr<routing::Router> router;

    explicit Fixture(std::initializer_list<std::pair<std::string_view, std::string_view>> settings = {})
    {
        std::string text = "myhostname = mx.home.example\nmydomain = home.example\nmyorigin = home.example\n"
                           "mydestination = home.example\nrecipient_delimiter = +\n"
                           "local_recipient_maps = inline:{anna=1, bert@home.example=2}\n"
                           "virtual_mailbox_domains = boxes.example\n"
                           "virtual_mailbox_maps = inline:{carl@boxes.example=3, dora+x@boxes.example=4}\n";
        for (const auto& [name, value] : settings)
            util::append(text, name, " = ", value, "\n");
        auto settings_read = conf::MainCf::parse(text, "main.cf", "/etc/tern", problems);
        settings_read.fill({&common, &config}, problems);
        ck_assert_msg(!problems.any(), "%s", problems.to_text().c_str());
        auto opened = routing::Router::open(common, config);
        OK(opened);
        router = opened.take();
    }
    mail::Address address(std::string_view text) { return mail::parse_address(text).take(); }
    std::string unlisted(std::string_view text) { return router->unlisted(address(text))->value_or(""); }
    std::string route(std::string_view text)
    {
        auto way = router->route(address(text));
        OK(way);
        return way->transport + ":" + way->nexthop;
    }
    std::string expand(std::string_view text)
    {
        auto targets = router->expand(address(text));
        if (!targets.ok())
            return util::concat(util::name_of(targets.error().kind), ": ", targets.error().text);
        std::string all;
        for (const auto& target : *targets)
            util::append(all, all.empty() ? "" : " ", mail::to_text(target));
        return all;
    }
};

}  // namespace

TEST(each_domain_has_one_class)
{
    Fixture f({{"relay_domains", "partner.example"}, {"virtual_alias_domains", "alias.example"}});
    const std::pair<std::string_view, routing::Class> cases[] = {
        {"home.example", routing::Class::Local},
        {"boxes.example", routing::Class::VirtualMailbox},
        {"alias.example", routing::Class::VirtualAlias},
        {"partner.example", routing::Class::Relay},
        {"mx.partner.example", routing::Class::Relay},
        {"sub.boxes.example", routing::Class::Default},
        {"elsewhere.example", routing::Class::Default},
    };
    for (const auto& [domain, expected] : cases) {
        auto found = f.router->class_of(domain);
        OK(found);
        THAT(*found == expected);
    }
}
END_TEST

TEST(recipients_are_found_with_and_without_extension)
{
    Fixture f;
    EQ(f.unlisted("anna@home.example"), "");
    EQ(f.unlisted("anna+list@home.example"), "");
    EQ(f.unlisted("ANNA"), "");
    EQ(f.unlisted("bert@home.example"), "");
    EQ(f.unlisted("bert+x@home.example"), "");
    EQ(f.unlisted("nobody@home.example"), "User unknown in local recipient table");
    EQ(f.unlisted("carl@boxes.example"), "");
    EQ(f.unlisted("dora+x@boxes.example"), "");
    EQ(f.unlisted("dora@boxes.example"), "User unknown in virtual mailbox table");
    EQ(f.unlisted("anna@boxes.example"), "User unknown in virtual mailbox table");
    THAT(f.unlisted("x@elsewhere.example").starts_with("5.4.4 "));
}
END_TEST

TEST(the_mailbox_is_the_longest_account_there_is)
{
    Fixture f;
    const auto account = [&](std::string_view text) {
        auto found = f.router->mailbox(f.address(text));
        OK(found);
        return *found ? (*found)->account : std::string();
    };
    EQ(account("Anna+x@home.example"), "anna");
    EQ(account("bert@home.example"), "bert@home.example");
    EQ(account("dora+x@boxes.example"), "dora+x@boxes.example");
    EQ(account("dora+y@boxes.example"), "");
}
END_TEST

TEST(routes_follow_the_class_and_transport_maps_come_first)
{
    Fixture f({{"relay_domains", "partner.example"},
               {"relayhost", "[smart.example]"},
               {"default_transport", "smtp"},
               {"transport_maps", "inline:{special@home.example=pipe:x, .maps.example=smtp:[hub]:26, "
                                  "deep.maps.example=error:no, keep.example=:}"}});
    EQ(f.route("anna@home.example"), "local:mx.home.example");
    EQ(f.route("carl@boxes.example"), "local:boxes.example");
    EQ(f.route("x@partner.example"), "relay:partner.example");
    EQ(f.route("x@elsewhere.example"), "smtp:[smart.example]");
    EQ(f.route("special@home.example"), "pipe:x");
    EQ(f.route("special+y@home.example"), "pipe:x");
    EQ(f.route("x@a.maps.example"), "smtp:[hub]:26");
    EQ(f.route("x@deep.maps.example"), "error:no");
    EQ(f.route("x@keep.example"), "smtp:[smart.example]");
}
END_TEST

TEST(aliases_lead_on_until_they_end)
{
    Fixture f({{"virtual_alias_domains", "alias.example"},
               {"virtual_alias_maps",
                "inline:{{team@alias.example=anna,bert+a@home.example}, {anna=anna,carl@boxes.example}, "
                "loop@alias.example=pool@alias.example, pool@alias.example=loop@alias.example, "
                "@all.example=@boxes.example, {bad@alias.example=a@b..c}}"}});
    EQ(f.expand("team@alias.example"), "anna@home.example carl@boxes.example bert+a@home.example");
    EQ(f.expand("team+x@alias.example"), "anna+x@home.example carl+x@boxes.example bert+a+x@home.example");
    EQ(f.expand("carl@all.example"), "carl@boxes.example");
    EQ(f.expand("carl@boxes.example"), "carl@boxes.example");
    THAT(f.expand("loop@alias.example").ends_with("lead in a circle"));
    THAT(f.expand("bad@alias.example").starts_with("temporary: "));
    EQ(f.unlisted("team@alias.example"), "");
    EQ(f.unlisted("other@alias.example"), "User unknown in virtual alias table");
}
END_TEST

TEST(expansion_stops_at_its_limits)
{
    Fixture f({{"virtual_alias_maps", "inline:{a@b.example=c@b.example, c@b.example=d@b.example, "
                                      "d@b.example=e@b.example, {m@b.example=1@x.example 2@x.example 3@x.example}}"},
               {"virtual_alias_recursion_limit", "2"},
               {"virtual_alias_expansion_limit", "3"}});
    EQ(f.expand("c@b.example"), "e@b.example");
    THAT(f.expand("a@b.example").find("virtual_alias_") != std::string::npos);
    THAT(f.expand("m@b.example").find("virtual_alias_expansion_limit") != std::string::npos);
}
END_TEST

TEST(a_table_that_cannot_be_read_is_temporary)
{
    Fixture f({{"virtual_alias_maps", "fail:broken"}});
    EQ(f.router->expand(f.address("a@b.example")).error().kind, util::Kind::Temporary);
    EQ(f.router->unlisted(f.address("anna@home.example")).error().kind, util::Kind::Temporary);
}
END_TEST

SUITE(router, each_domain_has_one_class, recipients_are_found_with_and_without_extension,
      the_mailbox_is_the_longest_account_there_is, routes_follow_the_class_and_transport_maps_come_first,
      aliases_lead_on_until_they_end, expansion_stops_at_its_limits,
      a_table_that_cannot_be_read_is_temporary)
