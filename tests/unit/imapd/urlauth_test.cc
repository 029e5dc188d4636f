// URLAUTH beyond dialogues: what is on disk when, what a store remembers, large messages, who hears of it.
#include "imapd/engine/session.h"
#include "imapd/engine/url_tokens.h"
#include "imapd/syntax/capability.h"
#include "libmail/date.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <algorithm>

namespace {

using imapd::engine::Session;
using imapd::engine::SessionFacts;

constexpr std::string_view rump = "imap://anna@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser";

SessionFacts annas()
{
    SessionFacts facts = test::unhurried();
    facts.user = "anna@example.org";
    facts.url_hosts = {"h"};
    return facts;
}

struct UrlFixture {
    test::ScratchStore scratch;
    std::unique_ptr<Session> session;

    UrlFixture()
    {
        test::deliver(scratch.store(), "Subject: x\r\n\r\nbody\r\n");
        make_durable();
        log_in(annas());
    }
    void log_in(const SessionFacts& facts) { session = std::make_unique<Session>(scratch.store(), facts); }
    void make_durable()
    {
        OK(scratch.store().sync());
        OK(scratch.store().collect());
    }
    // Without the disk's doing.
    std::string says(std::string_view line)
    {
        session->feed(util::concat(line, "\r\n"));
        auto out = std::exchange(session->output(), {});
        while (session->has_work()) {
            session->work();
            out += std::exchange(session->output(), {});
        }
        return out;
    }
    std::string hears()
    {
        make_durable();
        session->durable_grew();
        return std::exchange(session->output(), {});
    }
    std::string generates(std::string_view of = rump)
    {
        auto out = says(util::concat("g GENURLAUTH \"", of, "\" INTERNAL"));
        out += hears();
        auto begin = out.find('"') + 1;
        THAT(out.starts_with("* GENURLAUTH \"") && out.ends_with("g OK GENURLAUTH completed\r\n"));
        return out.substr(begin, out.find('"', begin) - begin);
    }
    bool has(std::string_view url)
    {
        return says(util::concat("u URLFETCH \"", url, "\"")).find("\" {6}\r\nbody\r\n\r\nu OK ") != std::string::npos;
    }
};

}  // namespace

TEST(a_key_is_on_disk_before_anybody_sees_what_it_made)
{
    UrlFixture f;
    auto command = util::concat("a GENURLAUTH \"", rump, "\" INTERNAL");
    EQ(f.says(command), "");
    // It is there already, for another session, and no more on disk than for the first.
    auto first = std::move(f.session);
    f.log_in(annas());
    EQ(f.says(command), "");
    auto second = f.hears();
    THAT(second.starts_with("* GENURLAUTH \"imap://anna@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser:INTERNAL:01"));
    first->durable_grew();
    EQ(first->output(), second);
    // A new key neither.
    EQ(f.says("b RESETKEY INBOX"), "");
    EQ(f.hears(), "b OK [URLMECH INTERNAL] RESETKEY completed\r\n");
    EQ(f.says("c RESETKEY"), "");
    EQ(f.hears(), "c OK RESETKEY completed, there are no keys any more\r\n");
}
END_TEST

TEST(a_store_that_is_opened_again_knows_its_keys)
{
    UrlFixture f;
    auto url = f.generates();
    THAT(f.has(url));
    f.session.reset();
    f.scratch.reopen();
    f.log_in(annas());
    THAT(f.has(url));
    EQ(f.generates(), url);
    (void)f.says("a RESETKEY INBOX");
    THAT(!f.has(url));
    (void)f.hears();
    f.session.reset();
    f.scratch.reopen();
    f.log_in(annas());
    THAT(!f.has(url));
    auto second = f.generates();
    THAT(f.has(second) && second != url);
    (void)f.says("b RESETKEY");
    (void)f.hears();
    f.session.reset();
    f.scratch.reopen();
    f.log_in(annas());
    THAT(!f.has(second));
}
END_TEST

// Where the mailbox has got another UIDVALIDITY, its key makes no tokens and takes none.
TEST(a_key_is_of_one_uidvalidity)
{
    UrlFixture f;
    auto url = f.generates();
    auto& store = f.scratch.store();
    auto inbox = store.mailbox("INBOX");
    auto key = imapd::engine::url_key_of((*inbox)->annotations);
    THAT(key.has_value());
    EQ(key->uid_validity, (*inbox)->uid_validity);
    --key->uid_validity;
    store::NewAnnotation older{.name = std::string(imapd::engine::url_key_annotation),
                               .value = imapd::engine::url_key_text(*key)};
    OK(store.annotate((*inbox)->id, std::span(&older, 1)));
    f.make_durable();
    THAT(!f.has(url));
    auto again = f.generates();
    THAT(again != url && f.has(again) && !f.has(url));
    // One that is damaged is none.
    older.value = "1 00";
    OK(store.annotate((*inbox)->id, std::span(&older, 1)));
    f.make_durable();
    THAT(!f.has(again));
    THAT(f.has(f.generates()));
}
END_TEST

// Tokens that the key would make, for URLs that nobody gets authorized.
TEST(a_right_token_is_not_enough)
{
    UrlFixture f;
    THAT(f.has(f.generates()));
    auto inbox = f.scratch.store().mailbox("INBOX");
    auto key = imapd::engine::url_key_of((*inbox)->annotations);
    auto with_token = [&](std::string_view of) { return util::concat(of, ":INTERNAL:", imapd::engine::url_token(*key, of)); };
    auto now = util::unix_seconds(util::wall_now());
    auto until = [](std::int64_t seconds) {
        auto day = mail::day_from_days(seconds / 86400);
        auto two = [](std::int64_t number) { return util::concat(number < 10 ? "0" : "", number); };
        return util::concat("imap://anna@h/INBOX/;uid=1/;section=TEXT;expire=", day.year, "-", two(day.month), "-",
                            two(day.day), "T", two(seconds % 86400 / 3600), ":", two(seconds % 3600 / 60), ":",
                            two(seconds % 60), "Z;urlauth=authuser");
    };
    for (const auto& good :
         {std::string(rump),
          util::concat("imap://ANNA%40example.org@H:143/inbox;uidvalidity=", (*inbox)->uid_validity,
                       "/;uid=1/;section=TEXT;urlauth=user+Anna"),
          until(now + 60), std::string("imap://anna@h/INBOX/;uid=1/;section=TEXT/;partial=0.6;urlauth=anonymous")})
        if (!f.has(with_token(good)))
            EQ(good, "a good URL");
    for (const auto& bad : {std::string("imap://bert@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@example.com@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna%40example.com@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://h/INBOX/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@elsewhere/INBOX/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@h:993/INBOX/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@h/INBOX/;uid=1/;section=TEXT;urlauth=user+bert"),
                            std::string("imap://anna@h/INBOX/;uid=1/;section=TEXT;urlauth=submit+anna"),
                            std::string("imap://anna@h/INBOX/;uid=2/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@h/INBOX;uidvalidity=1/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@h/Sent/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@h/Nowhere/;uid=1/;section=TEXT;urlauth=authuser"),
                            std::string("imap://anna@h/INBOX/;uid=1/;section=2;urlauth=authuser"), until(now - 2)})
        EQ(f.says(util::concat("u URLFETCH \"", with_token(bad), "\"")),
           util::concat("* URLFETCH \"", with_token(bad), "\" NIL\r\nu OK URLFETCH completed\r\n"));
}
END_TEST

TEST(large_messages_go_out_in_pieces)
{
    UrlFixture f;
    std::string line(998, 'x');
    std::string body;
    for (int i = 0; i < 3000; ++i)
        body += line + "\r\n";
    test::deliver(f.scratch.store(), "Subject: big\r\n\r\n" + body);
    f.make_durable();
    auto whole = f.generates("imap://anna@h/INBOX/;uid=2;urlauth=authuser");
    auto text = f.generates("imap://anna@h/INBOX/;uid=2/;section=TEXT/;partial=1000000.1000000;urlauth=authuser");
    std::string out;
    std::size_t most = 0;
    f.session->feed(util::concat("a URLFETCH \"", whole, "\" (\"", text, "\" BINARY)\r\nb NOOP\r\n"));
    for (;;) {
        most = std::max(most, f.session->output().size());
        out += std::exchange(f.session->output(), {});
        if (!f.session->has_work())
            break;
        f.session->work();
    }
    THAT(most < 600'000);
    EQ(out, util::concat("* URLFETCH \"", whole, "\" {", body.size() + 16, "}\r\nSubject: big\r\n\r\n", body,
                         "\r\n* URLFETCH \"", text, "\" (BINARY {1000000}\r\n", body.substr(1'000'000, 1'000'000),
                         ")\r\na OK URLFETCH completed\r\nb OK NOOP completed\r\n"));
}
END_TEST

TEST(so_many_urls_one_command_has)
{
    UrlFixture f;
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += " x";
    THAT(f.says("a URLFETCH" + many).ends_with("* URLFETCH \"x\" NIL\r\na OK URLFETCH completed\r\n"));
    EQ(f.says("b URLFETCH x" + many), "b BAD Too many URLs\r\n");
    std::string pairs;
    for (int i = 0; i < 1001; ++i)
        pairs += " x INTERNAL";
    EQ(f.says("c GENURLAUTH" + pairs), "c BAD Too many URLs\r\n");
    EQ(f.says("d GENURLAUTH" + pairs.substr(11)), "d BAD The URL names no message\r\n");
}
END_TEST

// What is generated can be fetched, up to the longest.
TEST(a_url_has_room_for_its_token)
{
    UrlFixture f;
    auto long_rump = [](std::size_t size) {
        std::string text = "imap://anna@h/INBOX/;uid=1/;section=HEADER.FIELDS%20();urlauth=authuser";
        text.insert(text.find(')'), size - text.size(), 'x');
        return text;
    };
    auto longest = f.generates(long_rump(4096 - 76));
    EQ(longest.size(), imapd::syntax::max_url_length);
    EQ(f.says(util::concat("a URLFETCH \"", longest, "\"")),
       util::concat("* URLFETCH \"", longest, "\" {2}\r\n\r\n\r\na OK URLFETCH completed\r\n"));
    EQ(f.says(util::concat("b GENURLAUTH \"", long_rump(4096 - 75), "\" INTERNAL")), "b BAD The URL is too long\r\n");
}
END_TEST

TEST(who_has_no_name_of_the_server_has_no_urlauth)
{
    UrlFixture f;
    auto url = f.generates();
    THAT(f.says("a CAPABILITY").find(" URLAUTH URLAUTH=BINARY URL-PARTIAL\r\n") != std::string::npos);
    auto facts = annas();
    facts.url_hosts.clear();
    f.log_in(facts);
    auto told = f.says("a CAPABILITY");
    THAT(told.find(" URL-PARTIAL\r\n") != std::string::npos && told.find("URLAUTH") == std::string::npos);
    std::string greeting = util::concat("a OK [CAPABILITY ", imapd::syntax::session_capabilities, "] Logged in\r\n");
    f.session->adjust_greeting(greeting);
    THAT(greeting.find("URLAUTH") == std::string::npos);
    EQ(f.says(util::concat("b GENURLAUTH \"", rump, "\" INTERNAL")), "b BAD Unknown command GENURLAUTH\r\n");
    THAT(!f.has(url));
    // A URL of another server is none of this one's, even if this one's key has made it.
    facts.url_hosts = {"elsewhere", "h:1143"};
    f.log_in(facts);
    THAT(!f.has(url));
    facts.url_hosts = {"elsewhere", "H:143"};
    f.log_in(facts);
    THAT(f.has(url));
}
END_TEST

// RFC 4467 §10: URLMECH is not for who listens on the way.
TEST(a_selected_mailbox_tells_of_mechanisms_by_tls)
{
    UrlFixture f;
    THAT(f.says("a SELECT INBOX").find("URLMECH") == std::string::npos);
    auto facts = annas();
    facts.tls = true;
    f.log_in(facts);
    THAT(f.says("b EXAMINE INBOX").find("* OK [URLMECH INTERNAL] ") != std::string::npos);
    facts.url_hosts.clear();
    f.log_in(facts);
    THAT(f.says("c SELECT INBOX").find("URLMECH") == std::string::npos);
}
END_TEST

TEST(who_does_not_hear_of_the_limit_has_none)
{
    using Whom = ipc::CapabilityRule::Whom;
    UrlFixture f;
    for (int i = 0; i < 3; ++i)
        test::deliver(f.scratch.store(), "Subject: x\r\n\r\nbody\r\n");
    f.make_durable();
    auto facts = annas();
    facts.limits.messages = 2;
    facts.discard_capabilities = {{Whom::Client, "Old*", {"MESSAGELIMIT"}}};
    f.log_in(facts);
    THAT(f.says("a CAPABILITY").find(" MESSAGELIMIT=2\r\n") != std::string::npos);
    std::string greeting = util::concat("a OK [CAPABILITY ", imapd::syntax::session_capabilities, "] Logged in\r\n");
    f.session->adjust_greeting(greeting);
    THAT(greeting.ends_with(" MESSAGELIMIT=2] Logged in\r\n"));
    f.says("b SELECT INBOX");
    EQ(f.says("c SEARCH ALL"),
       "* SEARCH 3 4\r\nc OK [MESSAGELIMIT 2 3] SEARCH completed for the highest of these messages\r\n");
    THAT(f.says("d ID (\"name\" \"Oldmail\")").ends_with("d OK ID completed\r\n"));
    THAT(f.says("e CAPABILITY").find("MESSAGELIMIT") == std::string::npos);
    EQ(f.says("f SEARCH ALL"), "* SEARCH 1 2 3 4\r\nf OK SEARCH completed\r\n");
    EQ(f.says("g SEARCH UIDAFTER 1"), "g BAD Unknown search key\r\n");
}
END_TEST

SUITE(imap_urlauth, a_key_is_on_disk_before_anybody_sees_what_it_made, a_store_that_is_opened_again_knows_its_keys,
      a_key_is_of_one_uidvalidity, a_right_token_is_not_enough, large_messages_go_out_in_pieces, so_many_urls_one_command_has,
      a_url_has_room_for_its_token, who_has_no_name_of_the_server_has_no_urlauth, a_selected_mailbox_tells_of_mechanisms_by_tls,
      who_does_not_hear_of_the_limit_has_none)
