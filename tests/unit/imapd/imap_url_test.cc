// imapd/syntax/imap_url.h and imapd/engine/url_tokens.h
#include "imapd/syntax/imap_url.h"

#include "imapd/engine/message_limit.h"
#include "imapd/engine/url_content.h"
#include "imapd/engine/url_tokens.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <algorithm>

namespace {

using imapd::syntax::MessageUrl;
using imapd::syntax::parse_message_url;
using Whom = imapd::syntax::UrlAccess::Whom;

// What was read, in a form of its own.
std::string read_as(std::string_view text)
{
    auto url = parse_message_url(text);
    if (!url.ok())
        return "none";
    std::string out;
    if (url->server)
        util::append(out, "<", url->server->user, "@", url->server->host, ":", url->server->port, ">");
    util::append(out, url->mailbox, "/", url->uid);
    if (url->uid_validity)
        util::append(out, " of ", *url->uid_validity);
    if (!url->section.empty())
        util::append(out, " [", url->section, "]");
    if (url->partial)
        util::append(out, " from ", url->offset, url->length ? util::concat(" ", *url->length) : std::string());
    if (url->expires)
        util::append(out, " until ", *url->expires);
    if (url->access)
        util::append(out, " for ", int(url->access->whom), " ", url->access->user, " by ", url->access->mechanism, " ",
                     url->access->token.size());
    return out;
}

const std::string digits(32, 'a');

}  // namespace

TEST(urls_of_messages_are_read)
{
    const std::pair<std::string, std::string_view> urls[] = {
        {"/Drafts;UIDVALIDITY=385759045/;UID=30/;SECTION=1.2/;PARTIAL=0.1024", "Drafts/30 of 385759045 [1.2] from 0 1024"},
        {";uid=3", "/3"},
        {"/;UID=3/;PARTIAL=7", "/3 from 7"},
        {"inbox/a%2fb/;UID=4294967295", "INBOX/a/b/4294967295"},
        {"/%E6%97%A5%E6%9C%AC/;UID=1/;SECTION=HEADER.FIELDS%20(A/B)", "\xe6\x97\xa5\xe6\x9c\xac/1 [HEADER.FIELDS (A/B)]"},
        {"IMAP://joe;AUTH=*@Example.ORG:993/INBOX/;uid=20", "<joe@example.org:993>INBOX/20"},
        {"imap://example.org:/INBOX/;uid=20", "<@example.org:143>INBOX/20"},
        {"imap://j%C3%B6@[2001:DB8::7]:1143/a/b;uidvalidity=3/;uid=20/;section=1",
         "<j\xc3\xb6@[2001:db8::7]:1143>a/b/20 of 3 [1]"},
        {"imap://[::1]/a/;uid=20", "<@[::1]:143>a/20"},
        {"imap://joe@h/a/;uid=2;urlauth=anonymous", "<joe@h:143>a/2 for 0  by  0"},
        {"imap://joe@h/a/;uid=2/;section=1.2;EXPIRE=1970-01-01T00:01:00Z;URLAUTH=authUser",
         "<joe@h:143>a/2 [1.2] until 60 for 1  by  0"},
        {"imap://joe@h/a/;uid=2/;partial=0.5;urlauth=user+j%40d:internal:" + digits,
         "<joe@h:143>a/2 from 0 5 for 2 j@d by internal 32"},
        {"imap://joe@h/a/;uid=2;urlauth=submit+fred:X-1.b:" + digits + "0", "<joe@h:143>a/2 for 3 fred by X-1.b 33"},
    };
    for (const auto& [text, read] : urls)
        EQ(read_as(text), read);
    auto url = parse_message_url("imap://joe@h/a/;uid=2;urlauth=user+x:INTERNAL:" + digits);
    EQ(url->access->rump, std::string_view("imap://joe@h/a/;uid=2;urlauth=user+x").size());
    EQ(parse_message_url("imap://joe@h/a/;uid=2;urlauth=authuser")->access->rump,
       std::string_view("imap://joe@h/a/;uid=2;urlauth=authuser").size());
}
END_TEST

TEST(what_names_no_message_here_is_refused)
{
    for (std::string_view text :
         {"", "/", "x", "/INBOX", "/INBOX/;UID=0", "/INBOX/;UID=4294967296", "/INBOX/;UID=1/", "/INBOX/;UID=1;SECTION=1",
          "/INBOX/;UID=1x", "//h/INBOX/;UID=1", "http://h/INBOX/;UID=1", "mailto:joe", "/INBOX/;UID=1/;SECTION=%",
          "/INBOX/;UID=1/;SECTION=%4", "/INBOX/;UID=1/;PARTIAL=", "/INBOX/;UID=1/;PARTIAL=1.",
          "/INBOX/;UID=1/;PARTIAL=1.2/;SECTION=1", "/%C3/;UID=1", "/a%00b/;UID=1", "/INBOX;UID=1/;UID=2",
          // With a server all of it is as the grammar has it.
          "imap://", "imap:///", "imap://h", "imap://h/", "imap://h/INBOX", "imap://h/INBOX?ALL", "imap://h/;uid=1",
          "imap://h//;uid=1", "imap://h//INBOX/;uid=1", "imap:///INBOX/;uid=1", "imap://@h/INBOX/;uid=1",
          "imap://;AUTH=*@h/INBOX/;uid=1", "imap://joe;AUTH=@h/INBOX/;uid=1", "imap://joe;x@h/INBOX/;uid=1",
          "imap://joe@example.org@h/INBOX/;uid=1", "imap://joe:secret@h@x/INBOX/;uid=1", "imap://h:0/INBOX/;uid=1",
          "imap://h:65536/INBOX/;uid=1", "imap://h:1:2/INBOX/;uid=1", "imap://h%2e/INBOX/;uid=1", "imap://[::1/INBOX/;uid=1",
          "imap://[]/INBOX/;uid=1", "imap://jo%00e@h/INBOX/;uid=1", "imap://j%C3@h/INBOX/;uid=1", "imap://joe@h/IN BOX/;uid=1",
          "imap://joe@h/INBOX/;uid=1/;section=\"", "imap://joe@h/\xc3\xa4/;uid=1", "imap://joe@h/INBOX/;uid=1#x",
          // URLAUTH stands at the end, behind a message, and nowhere else.
          "/INBOX/;UID=1;URLAUTH=anonymous", "imap://joe@h/INBOX;URLAUTH=anonymous",
          "imap://joe@h/INBOX/;uid=1;EXPIRE=2026-01-01T00:00:00Z", "imap://joe@h/INBOX/;uid=1/;URLAUTH=anonymous",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous/",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous;EXPIRE=2026-01-01T00:00:00Z",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous;URLAUTH=anonymous",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=", "imap://joe@h/INBOX/;uid=1;URLAUTH=everybody",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=user+", "imap://joe@h/INBOX/;uid=1;URLAUTH=user",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=submit+%0A", "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymousx",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:", "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:INTERNAL",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:INTERNAL:",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:INTERNAL:0123456789abcdef0123456789abcde",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:INTERNAL:0123456789abcdef0123456789abcdeg",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous::0123456789abcdef0123456789abcdef",
          "imap://joe@h/INBOX/;uid=1;URLAUTH=anonymous:INTER_NAL:0123456789abcdef0123456789abcdef",
          "imap://joe@h/INBOX/;uid=1;EXPIRE=;URLAUTH=anonymous",
          "imap://joe@h/INBOX/;uid=1;EXPIRE=2026-01-01;URLAUTH=anonymous",
          "imap://joe@h/INBOX/;uid=1;EXPIRE=2026-01-01T00:00:00Z/;URLAUTH=anonymous"})
        if (auto read = read_as(text); read != "none")
            EQ(util::concat(text, " is ", read), "none");
    auto longest = util::concat("/", std::string(imapd::syntax::max_url_length - 7 - 500, 'x'), "/;UID=1");
    longest.insert(1, std::string(imapd::syntax::max_url_length - longest.size(), '%'));
    EQ(read_as(longest), "none");   // its length is fine, its escapes are not
    std::string section(imapd::syntax::max_url_length - 18, '1');
    EQ(read_as("/x/;UID=1/;SECTION=" + section.substr(1)).size(), section.size() + 5);
    EQ(read_as("/x/;UID=1/;SECTION=" + section), "none");
}
END_TEST

TEST(sections_are_those_of_fetch)
{
    for (std::string_view text :
         {"", "1", "1.2.3", "TEXT", "header", "2.MIME", "HEADER.FIELDS (From \"To\")", "1.HEADER.FIELDS.NOT (X)"})
        THAT(imapd::engine::parse_url_section(text).ok());
    for (std::string_view text : {"0", "1.", "x", "MIME", "1]<0.5", "1] FLAGS", "1]) (BODY[2", "HEADER.FIELDS",
                                  "HEADER.FIELDS ()", " 1", "1 ", "1]<0.5>"})
        if (imapd::engine::parse_url_section(text).ok())
            EQ(text, "no section");
}
END_TEST

TEST(tokens_are_of_one_key_and_one_url)
{
    using namespace imapd::engine;
    auto key = make_url_key(7);
    auto other = make_url_key(7);
    EQ(key.secret.size(), 32u);
    THAT(key.secret != other.secret);
    auto token = url_token(key, "imap://a");
    EQ(token.size(), 66u);   // RFC 4467 §2.5: at least 32
    THAT(token.starts_with("01") && token != url_token(other, "imap://a") && token != url_token(key, "imap://b"));
    THAT(is_url_token(token, key, "imap://a"));
    THAT(is_url_token(util::upper(token), key, "imap://a"));
    THAT(!is_url_token(token, other, "imap://a"));
    THAT(!is_url_token(token, key, "imap://A"));
    THAT(!is_url_token(token.substr(0, 64), key, "imap://a"));
    THAT(!is_url_token(token + "0", key, "imap://a"));
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto wrong = token;
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        THAT(!is_url_token(wrong, key, "imap://a"));
    }
    // As it is kept.
    auto read = read_url_key(url_key_text(key));
    EQ(read->uid_validity, 7u);
    EQ(read->secret, key.secret);
    for (auto bad : {std::string(), std::string("7"), std::string("7 00"), "x " + util::hex(key.secret),
                     "4294967296 " + util::hex(key.secret), url_key_text(key) + "00"})
        THAT(!read_url_key(bad));
}
END_TEST

TEST(the_highest_of_many_messages_are_kept)
{
    using namespace imapd::engine;
    auto ranges = [](std::vector<IndexRange> from, std::size_t limit) {
        bool more = keep_highest(from, limit);
        std::string out = more ? "more:" : "all:";
        for (const auto& range : from)
            util::append(out, " ", range.begin, "-", range.end);
        return out;
    };
    EQ(ranges({{0, 3}, {5, 9}}, 7), "all: 0-3 5-9");
    EQ(ranges({{0, 3}, {5, 9}}, 6), "more: 1-3 5-9");
    EQ(ranges({{0, 3}, {5, 9}}, 4), "more: 5-9");
    EQ(ranges({{0, 3}, {5, 9}}, 1), "more: 8-9");
    EQ(ranges({{0, 0}, {2, 2}}, 1), "all: 0-0 2-2");
    EQ(ranges({}, 1), "all:");
    auto common = [](std::vector<IndexRange> a, std::vector<IndexRange> b) {
        std::string out;
        for (const auto& range : common_ranges(a, b))
            util::append(out, range.begin, "-", range.end, " ");
        return out;
    };
    EQ(common({{0, 4}, {6, 9}}, {{2, 7}, {8, 20}}), "2-4 6-7 8-9 ");
    EQ(common({{0, 4}}, {{4, 7}}), "");
    EQ(common({{0, 4}, {4, 9}}, {{3, 5}}), "3-4 4-5 ");
    EQ(common({}, {{3, 5}}), "");
}
END_TEST

SUITE(imap_url, urls_of_messages_are_read, what_names_no_message_here_is_refused, sections_are_those_of_fetch,
      tokens_are_of_one_key_and_one_url, the_highest_of_many_messages_are_kept)
