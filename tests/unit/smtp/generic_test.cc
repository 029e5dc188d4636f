#include "smtp/generic.h"

#include "tests/unit/smtp/fake_server.h"

namespace {

struct GenericBed {
    GenericBed()
    {
        test::fill(config);
        conf::Problems problems;
        auto settings =
            conf::MainCf::parse("myhostname = host.localdomain\nmydestination = host.localdomain\n", "main.cf", "/x", problems);
        settings.fill({&common, &routes}, problems);
        EQ(problems.to_text(), "");
        OK(config.generic_maps.read("inline:{anna@host.localdomain=anna.example@provider.example, "
                                    "{@host.localdomain=@provider.example}, loop@a.example=loop@b.example}"));
        auto opened = routing::Router::open(common, routes);
        OK(opened);
        router = opened.take();
        auto made = smtp::Generic::open(config, *router);
        OK(made);
        generic.emplace(made.take());
    }
    conf::Common common;
    routing::Config routes;
    smtp::Config config{smtp::Protocol::Smtp};
    std::unique_ptr<routing::Router> router;
    std::optional<smtp::Generic> generic;
};

TEST(addresses_become_what_other_sites_know)
{
    GenericBed bed;
    EQ(mail::to_text(*bed.generic->map({"anna", "host.localdomain"})), "anna.example@provider.example");
    EQ(mail::to_text(*bed.generic->map({"bert", "host.localdomain"})), "bert@provider.example");
    EQ(mail::to_text(*bed.generic->map({"carl", "elsewhere.example"})), "carl@elsewhere.example");
    THAT(bed.generic->map({})->is_null());
}
END_TEST

TEST(headers_are_changed_where_addresses_stand)
{
    GenericBed bed;
    auto header = bed.generic->rewrite(
        "Received: from anna@host.localdomain\r\nFrom: \"A. N.\" <anna@host.localdomain>\r\n"
        "To: x@elsewhere.example,\r\n bert@host.localdomain (Bert)\r\nSubject: anna@host.localdomain\r\n\r\n");
    OK(header);
    EQ(*header, "Received: from anna@host.localdomain\r\nFrom: \"A. N.\" <anna.example@provider.example>\r\n"
                "To: x@elsewhere.example,\r\n bert@provider.example (Bert)\r\nSubject: anna@host.localdomain\r\n\r\n");
    EQ(*bed.generic->rewrite(""), "");
}
END_TEST

}  // namespace

SUITE(generic, addresses_become_what_other_sites_know, headers_are_changed_where_addresses_stand)
