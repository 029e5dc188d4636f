#include "libnet/dns.h"
#include "libnet/dns_proof.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libnet/signed_zone.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

using namespace net::dns;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::NameServer, test::SignedZone, test::Signing, test::World;

const std::string records =
    "@ 300 IN MX 10 mail.example.org.\n"
    "mail 300 IN A 192.0.2.1\n"
    "_25._tcp.mail 300 IN TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000\n"
    "www 300 IN CNAME mail.example.org.\n"
    "outside 300 IN CNAME host.plain.org.\n"
    "*.wild 300 IN TXT \"any\"\n"
    "there.wild 300 IN A 192.0.2.3\n"
    "tree 300 IN DNAME example.org.\n"
    "deep.empty 300 IN A 192.0.2.4\n";

// The root, org, example.org (signed as `signing` says), and plain.org without signatures.
struct Net {
    explicit Net(Signing signing = {}, Signing upper = {})
    {
        SignedZone example("example.org", records, signing);
        SignedZone plain("plain.org", "host 300 IN A 192.0.2.9\nback 300 IN CNAME mail.example.org.\n");
        SignedZone org("org", util::concat("example 300 IN NS ns.example.\nplain 300 IN NS ns.example.\n", example.ds()),
                       upper);
        SignedZone root("", util::concat("org 300 IN NS ns.example.\n", org.ds()));
        anchor = root.ds();
        for (SignedZone* zone : {&root, &org, &example})
            world.add(std::move(*zone));
        world.add(World::unsign(std::move(plain)));
    }
    World world;
    std::string anchor;
};

struct File {
    explicit File(const std::string& text)
    {
        THAT(::mkdtemp(directory.data()) != nullptr);
        OK(util::sys::replace_file(path(), text));
    }
    ~File()
    {
        (void)util::sys::unlink(path());
        (void)util::sys::rmdir(directory);
    }
    std::string path() const { return directory + "/anchor"; }
    std::string directory = "/tmp/dns_validator.XXXXXX";
};

Resolver validating(const NameServer& server, const std::string& anchor, Clocks clocks = {})
{
    File file(anchor);
    Settings settings;
    settings.servers = {server.text()};
    settings.resolv_conf = "/nonexistent/resolv.conf";
    settings.trust_anchor_file = file.path();
    settings.clocks = std::move(clocks);
    auto resolver = Resolver::open(settings);
    OK(resolver);
    return resolver.take();
}

template <typename T>
std::string show_validated(const Answer<T>& answer)
{
    return util::concat(name_of(answer.status), answer.secure ? " secure" : "", answer.secure_name ? " name" : "",
                        answer.status == Status::Bogus ? answer.text.substr(answer.text.rfind(" (")) : "");
}

// All that should hold in the net, however it is signed.
void check_net(Resolver& dns)
{
    EQ(show_validated(dns.mx("example.org")), "found secure name");
    EQ(show_validated(dns.addresses("mail.example.org", Families::V4)), "found secure name");
    EQ(show_validated(dns.tlsa("mail.example.org", 25)), "found secure name");
    EQ(show_validated(dns.tlsa("mail.example.org", 465)), "no such name secure name");
    EQ(show_validated(dns.addresses("mail.example.org", Families::V6)), "no data secure name");
    EQ(show_validated(dns.addresses("nowhere.example.org")), "no such name secure name");
    EQ(show_validated(dns.addresses("www.example.org", Families::V4)), "found secure name");
    EQ(show_validated(dns.addresses("www.example.org", Families::V6)), "no data secure name");
    EQ(show_validated(dns.txt("any.wild.example.org")), "found secure name");
    EQ(show_validated(dns.mx("any.wild.example.org")), "no data secure name");
    EQ(show_validated(dns.txt("there.wild.example.org")), "no data secure name");
    EQ(show_validated(dns.txt("empty.example.org")), "no data secure name");
    EQ(show_validated(dns.addresses("mail.tree.example.org", Families::V4)), "found secure name");
    EQ(show_validated(dns.soa("org")), "found secure name");
    EQ(show_validated(dns.txt("nowhere")), "no such name secure name");
}

TEST(a_chain_of_signatures_makes_answers_secure)
{
    Net net;
    NameServer server(net.world.script());
    Resolver dns = validating(server, net.anchor);
    check_net(dns);
}
END_TEST

TEST(nsec3_proves_the_same)
{
    Net net({.nsec3 = true}, {.nsec3 = true});
    NameServer server(net.world.script());
    Resolver dns = validating(server, net.anchor);
    check_net(dns);
}
END_TEST

TEST(what_is_below_an_unsigned_delegation_is_insecure)
{
    for (Signing upper : {Signing(), Signing{.nsec3 = true}, Signing{.nsec3 = true, .opt_out = true}}) {
        Net net({}, upper);
        NameServer server(net.world.script());
        Resolver dns = validating(server, net.anchor);
        EQ(show_validated(dns.addresses("host.plain.org", Families::V4)), "found");
        EQ(show_validated(dns.addresses("nowhere.plain.org")), "no such name");
        EQ(show_validated(dns.mx("host.plain.org")), "no data");
    }
}
END_TEST

TEST(aliases_are_as_good_as_their_worst_link)
{
    Net net;
    NameServer server(net.world.script());
    Resolver dns = validating(server, net.anchor);
    EQ(show_validated(dns.addresses("outside.example.org", Families::V4)), "found name");
    EQ(show_validated(dns.addresses("back.plain.org", Families::V4)), "found");
}
END_TEST

// Changes one record of the zone example.org.
template <typename Change>
std::string with_changed(Change change, std::string_view host = "mail.example.org")
{
    Net net;
    net.world.change = [change](std::string_view query, std::string answer) { return change(query, std::move(answer)); };
    NameServer server(net.world.script());
    Resolver dns = validating(server, net.anchor);
    return show_validated(dns.addresses(host, Families::V4));
}

// Replaces the first `from` by `to`, of the same length.
std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    auto at = text.find(from);
    if (at != std::string::npos)
        text.replace(at, from.size(), to);
    return text;
}

TEST(a_changed_record_is_bogus)
{
    EQ(with_changed([](std::string_view, std::string answer) {
        return replaced(std::move(answer), "\xc0\x00\x02\x01"sv, "\xc0\x00\x02\x42"sv);
    }), "bogus (no good signature of zone example.org)");
}
END_TEST

TEST(a_missing_signature_is_bogus)
{
    EQ(with_changed([](std::string_view query, std::string answer) {
        if (test::asked_type(query) != 1)
            return answer;
        return test::Reply(query).answer({"mail.example.org", 1, 300, test::a_data("192.0.2.66")}).bytes();
    }), "bogus (no signature of zone example.org)");
}
END_TEST

// What becomes of a name's TXT records if the answer for another name is given.
std::string with_answer_for(std::string_view other_name, std::string_view name, Signing signing = {}, Signing upper = {})
{
    Net net(signing, upper);
    auto plain = net.world;
    net.world.change = [plain, other_name](std::string_view query, std::string answer) {
        if (test::asked_type(query) != 16)
            return answer;
        std::string kind = test::wire_number(16) + test::wire_number(1);
        std::string other = util::concat(query.substr(0, 12), test::wire_name(other_name), kind);
        answer = plain.answer(other);
        return util::concat(answer.substr(0, 12), test::wire_name(test::asked_name(query)), kind, answer.substr(other.size()));
    };
    NameServer server(net.world.script());
    return show_validated(validating(server, net.anchor).txt(name));
}

TEST(a_denial_without_proof_is_bogus)
{
    EQ(with_changed([](std::string_view query, std::string answer) {
        return test::asked_type(query) == 1 ? test::Reply(query).code(3).bytes() : answer;
    }), "bogus (no proof that there is nothing)");
    EQ(with_answer_for("nowhere.example.org", "mail.example.org"), "bogus (no proof that there is nothing)");
}
END_TEST

TEST(a_zone_denies_nothing_of_the_zones_below_it)
{
    for (bool nsec3 : {false, true})
        EQ(with_answer_for("nowhere.org", "mail.example.org", {}, {.nsec3 = nsec3}), "bogus (no proof that there is nothing)");
}
END_TEST

TEST(a_wildcard_cannot_be_denied)
{
    for (bool nsec3 : {false, true})
        EQ(with_answer_for("nowhere.example.org", "any.wild.example.org", {.nsec3 = nsec3}),
           "bogus (no proof that there is nothing)");
}
END_TEST

TEST(a_delegation_cannot_be_made_unsigned)
{
    // Who takes the DS records away has no proof for it.
    EQ(with_changed([](std::string_view query, std::string answer) {
        return test::asked_type(query) == 43 ? test::Reply(query).bytes() : answer;
    }), "bogus (no proof that org has no DS records)");
}
END_TEST

TEST(an_answer_of_a_wildcard_for_a_name_that_is_there_is_bogus)
{
    // The wildcard's TXT record given out for there.wild.example.org, which has none.
    Net net;
    auto plain = net.world;
    net.world.change = [plain](std::string_view query, std::string answer) {
        if (test::asked_type(query) != 16)
            return answer;
        std::string other(query.substr(0, 12));
        other += test::wire_name("other.wild.example.org") + test::wire_number(16) + test::wire_number(1);
        std::string wire = plain.answer(other);
        for (auto at = wire.find("\5other"); at != std::string::npos; at = wire.find("\5other"))
            wire.replace(at, 6, "\5there");
        return wire;
    };
    NameServer server(net.world.script());
    EQ(show_validated(validating(server, net.anchor).txt("there.wild.example.org")),
       "bogus (no proof that the wildcard's records are the name's)");
}
END_TEST

TEST(signatures_have_their_time)
{
    for (Signing signing : {Signing{.begins = -7200, .ends = -3600}, Signing{.begins = 3600, .ends = 7200}}) {
        Net net(signing);
        NameServer server(net.world.script());
        EQ(show_validated(validating(server, net.anchor).addresses("mail.example.org", Families::V4)),
           "bogus (no trusted keys of zone example.org)");
    }
    // By the clock that was given.
    Net net({.begins = 3600, .ends = 7200});
    NameServer server(net.world.script());
    Clocks clocks;
    clocks.wall = [] { return util::wall_now() + 5000s; };
    EQ(show_validated(validating(server, net.anchor, clocks).addresses("mail.example.org", Families::V4)), "found secure name");
}
END_TEST

TEST(an_answer_is_kept_no_longer_than_its_signature)
{
    Net net({.begins = -100, .ends = 50});
    NameServer server(net.world.script());
    auto answer = validating(server, net.anchor).addresses("mail.example.org", Families::V4);
    EQ(show_validated(answer), "found secure name");
    THAT(answer.ttl <= 50s && answer.ttl > 30s);
}
END_TEST

TEST(another_roots_keys_are_not_trusted)
{
    Net net, other;
    NameServer server(net.world.script());
    EQ(show_validated(validating(server, other.anchor).addresses("mail.example.org", Families::V4)),
       "bogus (no trusted keys of zone .)");
}
END_TEST

TEST(too_many_iterations_make_denials_insecure)
{
    for (unsigned iterations : {100U, 101U}) {
        Net net({.nsec3 = true, .iterations = iterations});
        NameServer server(net.world.script());
        Resolver dns = validating(server, net.anchor);
        EQ(show_validated(dns.addresses("nowhere.example.org")),
           iterations <= max_nsec3_iterations ? "no such name secure name" : "no such name");
        EQ(show_validated(dns.addresses("mail.example.org", Families::V4)), "found secure name");
    }
}
END_TEST

TEST(a_chain_that_cannot_be_fetched_is_temporary)
{
    EQ(with_changed([](std::string_view query, std::string answer) {
        return test::asked_type(query) == 48 ? test::Reply(query).code(2).bytes() : answer;
    }), "try again");
    EQ(with_changed([](std::string_view query, std::string answer) {
        return test::asked_type(query) == 43 ? test::Reply(query).code(2).bytes() : answer;
    }), "try again");
}
END_TEST

TEST(keys_are_fetched_once)
{
    Net net;
    NameServer server(net.world.script());
    Resolver dns = validating(server, net.anchor);
    dns.addresses("mail.example.org", Families::V4);
    int before = server.udp_queries();
    dns.mx("example.org");
    EQ(server.udp_queries(), before + 1);
}
END_TEST

TEST(a_servers_word_does_not_count_beside_our_own)
{
    EQ(with_changed([](std::string_view, std::string answer) {
        answer[3] = char(answer[3] | 0x20);
        return answer;
    }, "host.plain.org"), "found");
}
END_TEST

// The root's NS set with this many bad signatures before a good one.
bool proven_after(unsigned bad)
{
    SignedZone root("", "");
    test::Reply reply(std::string(12, '\0') + test::wire_name("") + test::wire_number(2) + test::wire_number(1));
    test::Reply key_reply(reply);
    for (const auto& record : root.records()) {
        if (record.type == 48 || record.covered == 48)
            key_reply.raw_answer(record.wire);
        if (record.type == 2)
            reply.raw_answer(record.wire);
        if (record.covered != 2)
            continue;
        std::string wrong = record.wire;
        wrong.back() ^= 1;
        for (unsigned i = 0; i < bad; ++i)
            reply.raw_answer(wrong);
        reply.raw_answer(record.wire);
    }
    ProofBounds bounds{.now = util::wall_now()};
    auto keys = SignedMessage::parse(key_reply.bytes())->keys_by("", parse_trust_anchor(root.ds()).take(), bounds);
    THAT(keys.has_value());
    bounds.verifications = max_verifications;
    bool proven = SignedMessage::parse(reply.bytes())->prove("", 2, *keys, bounds).has_value();
    EQ(bounds.verifications, proven ? max_verifications - bad - 1 : 0);
    return proven;
}

TEST(signatures_are_checked_up_to_a_limit)
{
    THAT(proven_after(0));
    THAT(proven_after(max_verifications - 1));
    THAT(!proven_after(max_verifications));
}
END_TEST

TEST(a_trust_anchor_is_ds_or_dnskey_of_the_root)
{
    std::string anchor = Net().anchor;
    OK(parse_trust_anchor(util::concat("; comment\n\n", anchor)));
    OK(parse_trust_anchor(". 172800 IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3 ; id\n"));
    EQ(parse_trust_anchor("").error().text, "no record that can be used");
    EQ(parse_trust_anchor("org. IN DS 1 13 2 00").error().text, "line 1: not a DS or DNSKEY record of the root");
    EQ(parse_trust_anchor("\n. IN A 192.0.2.1").error().text, "line 2: not a DS or DNSKEY record of the root");
    EQ(parse_trust_anchor("nonsense").error().text, "line 1: not a DS or DNSKEY record of the root");
    // An algorithm and a digest that we do not know.
    EQ(parse_trust_anchor(". IN DS 1 200 2 00").error().text, "no record that can be used");
    EQ(parse_trust_anchor(". IN DS 1 13 99 00").error().text, "no record that can be used");
    Settings settings;
    settings.trust_anchor_file = "/nonexistent/anchor";
    EQ(Resolver::open(settings).error().kind, util::Kind::NotFound);
}
END_TEST

}  // namespace

SUITE(dns_validator, a_wildcard_cannot_be_denied, a_zone_denies_nothing_of_the_zones_below_it,
      signatures_are_checked_up_to_a_limit, a_chain_of_signatures_makes_answers_secure, nsec3_proves_the_same,
      what_is_below_an_unsigned_delegation_is_insecure, aliases_are_as_good_as_their_worst_link, a_changed_record_is_bogus,
      a_missing_signature_is_bogus, a_denial_without_proof_is_bogus, a_delegation_cannot_be_made_unsigned,
      an_answer_of_a_wildcard_for_a_name_that_is_there_is_bogus, signatures_have_their_time,
      an_answer_is_kept_no_longer_than_its_signature, another_roots_keys_are_not_trusted,
      too_many_iterations_make_denials_insecure, a_chain_that_cannot_be_fetched_is_temporary, keys_are_fetched_once,
      a_servers_word_does_not_count_beside_our_own, a_trust_anchor_is_ds_or_dnskey_of_the_root)
