// libmail/srs.h: senders of mail that is sent on.
#include "libmail/srs.h"

#include "tests/unit/suite.h"

namespace {

constexpr std::int64_t day = 86'400;
// On this day postsrsd 1.10 made the addresses below with the secret "tops3cret".
constexpr std::int64_t then = 20'786 * day + 4711;

mail::SrsSettings settings(std::vector<std::string> secrets = {"tops3cret"})
{
    mail::SrsSettings settings;
    settings.domain = "ours.example";
    settings.secrets = std::move(secrets);
    return settings;
}

std::string forward(const mail::Srs& srs, std::string_view sender, std::int64_t now = then)
{
    auto made = srs.forward(*mail::parse_address(sender), now);
    return made ? mail::to_text(*made) : "-";
}

std::string reverse(const mail::Srs& srs, std::string_view address, std::int64_t now = then)
{
    auto original = srs.reverse(*mail::parse_address(address), now);
    return original ? mail::to_text(*original) : original.error().text;
}

TEST(makes_and_reads_what_postsrsd_does)
{
    mail::Srs srs(settings());
    constexpr std::pair<std::string_view, std::string_view> pairs[] = {
        {"user@a.example", "SRS0=XIzS=JS=a.example=user@ours.example"},
        {"User.Name+x@a.example", "SRS0=sAsN=JS=a.example=User.Name+x@ours.example"},
        {"SRS0=aaaa=TT=x.example=joe@b.example", "SRS1=ahaW=b.example==aaaa=TT=x.example=joe@ours.example"},
        {"SRS0+aaaa=TT=x.example=joe@b.example", "SRS1=0c+P=b.example=+aaaa=TT=x.example=joe@ours.example"},
    };
    for (const auto& [sender, address] : pairs) {
        EQ(forward(srs, sender), address);
        EQ(reverse(srs, address), sender);
    }
    // The first forwarder stays the one to whom it comes back.
    EQ(forward(srs, "SRS1=zzzz=b.example==aaaa=TT=x.example=joe@c.example"),
       "SRS1=ahaW=b.example==aaaa=TT=x.example=joe@ours.example");
    EQ(reverse(srs, forward(srs, "srs1-zzzz=b.example=-aaaa=TT=x.example=joe@c.example")),
       "SRS0-aaaa=TT=x.example=joe@b.example");
}
END_TEST

TEST(what_looks_like_srs_and_is_not_is_anybodys_address)
{
    mail::Srs srs(settings());
    for (const char* sender : {"SRS1=zz@c.example", "SRS1=zzzz=b.example=joe@c.example", "SRS1=zzzz===joe@c.example",
                               "SRS0@c.example", "SRS2=a=b=c=d@e.example"}) {
        std::string address = forward(srs, sender);
        EQ(address.substr(0, 5), "SRS0=");
        EQ(reverse(srs, address), sender);
    }
    EQ(forward(srs, "no-domain"), "-");
    THAT(!srs.forward({}, then));
}
END_TEST

TEST(case_does_not_count)
{
    mail::Srs srs(settings());
    EQ(reverse(srs, "srs0=xizs=js=a.example=user@ours.example"), "user@a.example");
    EQ(reverse(srs, "SRS0=XIZS=JS=A.EXAMPLE=USER@OURS.EXAMPLE"), "USER@a.example");
    EQ(reverse(srs, "srs1=AHAw=b.example==aaaa=tt=x.example=joe@ours.example"), "SRS0=aaaa=tt=x.example=joe@b.example");
}
END_TEST

TEST(forged_addresses_are_refused)
{
    mail::Srs srs(settings());
    for (const char* address :
         {"SRS0=XIzT=JS=a.example=user@ours.example", "SRS0=XIzS=JT=a.example=user@ours.example",
          "SRS0=XIzS=JS=b.example=user@ours.example", "SRS0=XIzS=JS=a.example=uses@ours.example",
          "SRS0=XIz=JS=a.example=user@ours.example", "SRS1=ahaX=b.example==aaaa=TT=x.example=joe@ours.example",
          "SRS1=ahaW=c.example==aaaa=TT=x.example=joe@ours.example"})
        EQ(reverse(srs, address), "SRS address: its hash is not ours");
    std::string long_hash(mail::max_srs_hash_length + 1, 'A');
    EQ(reverse(srs, "SRS0=" + long_hash + "=JS=a.example=user@ours.example"), "SRS address: its hash is not ours");
    for (const char* address :
         {"SRS0=XIzS=JS=a.example@ours.example", "SRS0=XIzS@ours.example", "SRS0=@ours.example",
          "SRS0==JS=a.example=user@ours.example", "SRS1=ahaW=b.example@ours.example", "SRS1=ahaW@ours.example"})
        EQ(reverse(srs, address), "SRS address: not complete");
    for (const char* address :
         {"SRS0=XIzS=JS=a.example=user@other.example", "SRS0XIzS@ours.example", "SRS2=a=b=c=d@ours.example"})
        EQ(reverse(srs, address), "SRS address: not of ours");
}
END_TEST

TEST(addresses_expire_and_days_come_again)
{
    mail::Srs srs(settings());
    constexpr const char* address = "SRS0=XIzS=JS=a.example=user@ours.example";
    EQ(reverse(srs, address, then + 21 * day), "user@a.example");
    EQ(reverse(srs, address, then + 22 * day), "SRS address: it has expired");
    EQ(reverse(srs, address, then - day), "SRS address: it has expired");
    EQ(reverse(srs, address, then + 1024 * day), "user@a.example");
    // Over the turn of the cycle.
    std::string made = forward(srs, "user@a.example", 1023 * day);
    THAT(made.find("=77=") != std::string::npos);
    EQ(reverse(srs, made, 1030 * day), "user@a.example");
    EQ(reverse(srs, made, 1045 * day), "SRS address: it has expired");
    // The first forwarder's time is not ours to judge.
    EQ(reverse(srs, "SRS1=ahaW=b.example==aaaa=TT=x.example=joe@ours.example", then + 500 * day),
       "SRS0=aaaa=TT=x.example=joe@b.example");
}
END_TEST

TEST(the_first_secret_signs_and_all_verify)
{
    mail::Srs old(settings()), rotated(settings({"another", "tops3cret"})), later(settings({"another"}));
    std::string before = forward(old, "user@a.example"), after = forward(rotated, "user@a.example");
    THAT(before != after);
    EQ(after, forward(later, "user@a.example"));
    EQ(reverse(rotated, before), "user@a.example");
    EQ(reverse(rotated, after), "user@a.example");
    EQ(reverse(later, before), "SRS address: its hash is not ours");
}
END_TEST

TEST(hashes_have_the_length_that_was_asked_for)
{
    mail::SrsSettings longer = settings();
    longer.hash_length = longer.hash_minimum = 26;
    mail::Srs srs(longer), lenient(settings());
    std::string made = forward(srs, "user@a.example");
    EQ(made.find("=JS="), 5U + 26U);
    EQ(reverse(srs, made), "user@a.example");
    EQ(reverse(lenient, made), "user@a.example");
    EQ(reverse(srs, forward(lenient, "user@a.example")), "SRS address: its hash is not ours");
}
END_TEST

TEST(too_long_a_sender_stays)
{
    mail::Srs srs(settings());
    std::string fixed = "SRS0=XIzS=JS=a.example=";
    std::string fits(mail::max_local_part_length - fixed.size(), 'x');
    EQ(reverse(srs, forward(srs, fits + "@a.example")), fits + "@a.example");
    EQ(forward(srs, fits + "x@a.example"), "-");
}
END_TEST

TEST(unusual_local_parts_come_home)
{
    mail::Srs srs(settings());
    for (const char* sender : {"\"a b\"@a.example", "a=b=c@a.example", "=@a.example", "prvs=1234=x@a.example", "x@[192.0.2.1]",
                               "\xc3\xbc@\xc3\xa4.example"})
        EQ(reverse(srs, forward(srs, sender)), sender);
}
END_TEST

TEST(secrets_are_lines)
{
    auto secrets = mail::parse_srs_secrets("one\r\n\n two \nthree");
    THAT(secrets.ok());
    EQ(secrets->size(), 3U);
    EQ((*secrets)[0], "one");
    EQ((*secrets)[1], " two ");
    EQ((*secrets)[2], "three");
    EQ(mail::parse_srs_secrets("\n\r\n").error().text, "no secret");
    std::string longest(mail::max_srs_secret_length, 's');
    THAT(mail::parse_srs_secrets(longest + "\n").ok());
    EQ(mail::parse_srs_secrets(longest + "s\n").error().text, "a secret is longer than 1000 bytes");
    std::string many;
    for (std::size_t i = 0; i < mail::max_srs_secrets; ++i)
        many += "s\n";
    THAT(mail::parse_srs_secrets(many).ok());
    EQ(mail::parse_srs_secrets(many + "s").error().text, "more than 100 secrets");
}
END_TEST

SUITE(srs, makes_and_reads_what_postsrsd_does, what_looks_like_srs_and_is_not_is_anybodys_address, case_does_not_count,
      forged_addresses_are_refused, addresses_expire_and_days_come_again, the_first_secret_signs_and_all_verify,
      hashes_have_the_length_that_was_asked_for, too_long_a_sender_stays, unusual_local_parts_come_home, secrets_are_lines)

}  // namespace
