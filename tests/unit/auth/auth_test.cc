#include "auth/cache.h"
#include "auth/password.h"
#include "auth/tickets.h"
#include "tests/unit/suite.h"

#include "libmail/scram.h"

namespace {

const util::Instant start{std::chrono::hours(1)};

TEST(the_cache_knows_what_was_right_until_its_time)
{
    auth::Cache cache(2, std::chrono::seconds(10));
    THAT(!cache.knows(cache.key("a", "pw", "h"), start));
    cache.remember(cache.key("a", "pw", "h"), start);
    THAT(cache.knows(cache.key("a", "pw", "h"), start));
    THAT(!cache.knows(cache.key("a", "pw", "other hash"), start));
    THAT(!cache.knows(cache.key("a", "px", "h"), start));
    THAT(!cache.knows(cache.key("ap", "w", "h"), start));
    THAT(cache.knows(cache.key("a", "pw", "h"), start + std::chrono::milliseconds(9'999)));
    THAT(!cache.knows(cache.key("a", "pw", "h"), start + std::chrono::seconds(10)));
    EQ(cache.size(), 0U);
}
END_TEST

TEST(the_cache_is_bounded_and_forgets_the_one_used_longest_ago)
{
    auth::Cache cache(2, std::chrono::seconds(10));
    cache.remember(cache.key("a", "pw", "h"), start);
    cache.remember(cache.key("b", "pw", "h"), start);
    THAT(cache.knows(cache.key("a", "pw", "h"), start));
    cache.remember(cache.key("c", "pw", "h"), start);
    EQ(cache.size(), 2U);
    THAT(cache.knows(cache.key("a", "pw", "h"), start));
    THAT(!cache.knows(cache.key("b", "pw", "h"), start));
    cache.clear();
    THAT(!cache.knows(cache.key("a", "pw", "h"), start));
    // New parameters forget all, and keys from before are good for what comes.
    std::string key = cache.key("a", "pw", "h");
    cache.remember(key, start);
    cache.change(1, std::chrono::seconds(20));
    THAT(!cache.knows(key, start));
    cache.remember(key, start);
    cache.remember(cache.key("b", "pw", "h"), start);
    EQ(cache.size(), 1U);
    THAT(cache.knows(cache.key("b", "pw", "h"), start + std::chrono::seconds(19)));
    auth::Cache none(0, std::chrono::seconds(10));
    none.remember(none.key("a", "pw", "h"), start);
    THAT(!none.knows(none.key("a", "pw", "h"), start));
}
END_TEST

TEST(a_ticket_is_good_once_in_time_for_its_door_and_service)
{
    using ipc::Service;
    auth::Tickets tickets(std::chrono::seconds(10));
    std::string ticket = tickets.mint({"a@b"}, Service::Imap, 7, start);
    EQ(ticket.size(), 32U);
    EQ(tickets.redeem(ticket, Service::Imap, 7, start).value_or(auth::Grant{}).account, "a@b");
    THAT(!tickets.redeem(ticket, Service::Imap, 7, start));
    // Whoever shows it wrongly has spoilt it.
    ticket = tickets.mint({"a@b"}, Service::Imap, 7, start);
    THAT(!tickets.redeem(ticket, Service::Pop3, 7, start));
    THAT(!tickets.redeem(ticket, Service::Imap, 7, start));
    ticket = tickets.mint({"a@b"}, Service::Imap, 7, start);
    THAT(!tickets.redeem(ticket, Service::Imap, 8, start));
    ticket = tickets.mint({"a@b"}, Service::Imap, 7, start);
    THAT(!tickets.redeem(ticket, Service::Imap, 7, start + std::chrono::seconds(10)));
    THAT(!tickets.redeem("", Service::Imap, 7, start));
    EQ(tickets.size(), 0U);
}
END_TEST

TEST(tickets_are_bounded)
{
    auth::Tickets tickets(std::chrono::seconds(10));
    std::string first = tickets.mint({"a@b"}, ipc::Service::Imap, 7, start);
    for (std::size_t i = 0; i < auth::Tickets::limit; ++i)
        tickets.mint({"x@b"}, ipc::Service::Imap, 7, start);
    EQ(tickets.size(), auth::Tickets::limit);
    THAT(!tickets.redeem(first, ipc::Service::Imap, 7, start));
}
END_TEST

TEST(passwords_are_checked_by_any_scheme)
{
    // sha512 with few rounds, made by crypt(3) for "secret".
    std::string sha = "$5$rounds=1000$salt$";
    std::string like = auth::hash_like(sha + "x");
    EQ(like, sha);
    auto verifier = mail::make_scram_verifier("secret", "salt", 4096);
    OK(verifier);
    std::string text = mail::to_text(*verifier);
    THAT(auth::password_matches("{PLAIN}secret", "", "secret"));
    THAT(!auth::password_matches("{PLAIN}secret", "", "Secret"));
    THAT(!auth::password_matches("{PLAIN}secret", "", ""));
    THAT(!auth::password_matches("{PLAIN}", "", ""));
    THAT(auth::password_matches("", text, "secret"));
    THAT(!auth::password_matches("", text, "secreT"));
    THAT(!auth::password_matches("", "", "secret"));
    THAT(!auth::password_matches("*", "", "secret"));
    THAT(!auth::password_matches("$nonsense$", "", "secret"));
    THAT(!auth::password_matches("{PLAIN}a", "", std::string("a\0b", 3)));
    // What stands for an unknown account fits nothing.
    THAT(!auth::password_matches(like, "", "secret"));
    THAT(auth::hash_like("").starts_with("$y$"));
    THAT(!auth::password_matches(auth::hash_like(""), "", "secret"));
    THAT(auth::hash_like("{PLAIN}x").starts_with("{PLAIN}"));
}
END_TEST

}  // namespace

SUITE(auth, the_cache_knows_what_was_right_until_its_time,
      the_cache_is_bounded_and_forgets_the_one_used_longest_ago,
      a_ticket_is_good_once_in_time_for_its_door_and_service, tickets_are_bounded,
      passwords_are_checked_by_any_scheme)
