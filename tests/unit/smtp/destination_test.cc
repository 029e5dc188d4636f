#include "smtp/site/destination.h"

#include "tests/unit/suite.h"

using smtp::Destination;
using smtp::parse_destination;

namespace {

TEST(destinations_have_their_forms)
{
    struct Case {
        const char* text;
        Destination::Kind kind;
        const char* name;
        int port;
        bool is_address;
    };
    constexpr auto Domain = Destination::Kind::Domain;
    constexpr auto Host = Destination::Kind::Host;
    constexpr auto Path = Destination::Kind::Path;
    for (const Case& c : {Case{"example.org", Domain, "example.org", 25, false},
                          Case{"Example.ORG.:2525", Domain, "example.org", 2525, false},
                          Case{"example.org:submission", Domain, "example.org", 587, false},
                          Case{"b\303\274cher.example", Domain, "xn--bcher-kva.example", 25, false},
                          Case{"[mx.example.org]", Host, "mx.example.org", 25, false},
                          Case{"[mx.example.org]:26", Host, "mx.example.org", 26, false},
                          Case{"[127.0.0.1]:2525", Host, "127.0.0.1", 2525, true},
                          Case{"[::1]:2525", Host, "::1", 2525, true},
                          Case{"[IPv6:2001:db8::1]", Host, "2001:db8::1", 25, true},
                          Case{"inet:[127.0.0.1]:24", Host, "127.0.0.1", 24, true},
                          Case{"unix:private/dovecot-lmtp", Path, "private/dovecot-lmtp", 0, false}}) {
        auto destination = parse_destination(c.text, 25, false);
        OK(destination);
        EQ(destination->kind, c.kind);
        EQ(destination->name, c.name);
        EQ(destination->port, c.port);
        EQ(destination->is_address, c.is_address);
    }
}
END_TEST

TEST(names_are_hosts_for_lmtp)
{
    auto host = parse_destination("inet:localhost:2424", 24, true);
    OK(host);
    EQ(host->kind, Destination::Kind::Host);
    auto address = parse_destination("127.0.0.1", 24, true);
    OK(address);
    THAT(address->is_address);
    EQ(address->port, 24);
}
END_TEST

TEST(what_is_no_destination_is_refused)
{
    for (const char* text :
         {"", "[", "[a", "[a]b", "[a]:", "a:", "a:0", "a:65536", "a:http", "unix:", "a..b", "a b", "[]", ":25"})
        THAT(!parse_destination(text, 25, false).ok());
}
END_TEST

TEST(several_are_tried_in_their_order)
{
    auto two = smtp::parse_destinations("[a.example], b.example:26", 25, false);
    OK(two);
    EQ(two->size(), 2);
    EQ((*two)[1].port, 26);
    std::string many;
    for (std::size_t i = 0; i < smtp::max_destinations; ++i)
        many += "a ";
    OK(smtp::parse_destinations(many, 25, false));
    THAT(!smtp::parse_destinations(many + "a", 25, false).ok());
    THAT(!smtp::parse_destinations(" , ", 25, false).ok());
}
END_TEST

}  // namespace

SUITE(destination, destinations_have_their_forms, names_are_hosts_for_lmtp, what_is_no_destination_is_refused,
      several_are_tried_in_their_order)
