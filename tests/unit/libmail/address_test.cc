#include "libmail/address.h"

#include "tests/unit/suite.h"

using mail::parse_forward_path;
using mail::parse_reverse_path;

namespace {

std::string forward(std::string_view text, mail::PathSyntax syntax = {})
{
    auto address = parse_forward_path(text, syntax);
    return address.ok() ? mail::to_text(*address) : "! " + address.error().text;
}

std::string reverse(std::string_view text, mail::PathSyntax syntax = {})
{
    auto address = parse_reverse_path(text, syntax);
    return address.ok() ? mail::to_path(*address) : "! " + address.error().text;
}

}  // namespace

TEST(reads_paths_and_drops_source_routes)
{
    EQ(forward("<Joe@Example.COM>"), "Joe@example.com");
    EQ(forward("<@a.example,@b.example:joe@example.com>"), "joe@example.com");
    EQ(forward("<@a.example:joe@example.com>"), "joe@example.com");
    EQ(reverse("<>"), "<>");
    EQ(forward("<postmaster>"), "postmaster");
    EQ(forward("<PostMaster>", {.strict = true}), "PostMaster");
    EQ(forward("<joe@[192.0.2.1]>"), "joe@[192.0.2.1]");
    EQ(forward("<joe@[ipv6:2001:DB8:0::1]>"), "joe@[IPv6:2001:db8::1]");
    EQ(forward("<a_b=c@under_score.example>"), "a_b=c@under_score.example");
    EQ(forward("<a@example.com.>"), "a@example.com");
}
END_TEST

TEST(refuses_what_is_no_path)
{
    for (std::string_view bad :
         {"", "<", "<>", "<a@>", "<@b>", "<a@b", "a@b>", "<a@b>x", "<a@b> x", "<a b@c>", "<a@b c>", "<a@b@c>",
          "<a@.b>", "<a@b..c>", "<a@-b>", "<a@b->", "<a@[1.2.3]>", "<a@[1.2.3.4>", "<a@[IPv6:zz]>",
          "<a@[x400:abc]>", "<@a,b@c>", "<@a:>", "<\"a@b>", "<\"\"@b>", "<a\001b@c>", "<\"a\001\"@c>",
          "<a@b\200>", "<a\303\251@b>", "<(a)b@c>", "<a\\b@c>"})
        THAT(forward(bad).starts_with("! "));
    THAT(forward(std::string_view("<a@[1.2.3.4\0]>", 14)).starts_with("! "));
    THAT(forward(std::string_view("<a\0@b>", 6)).starts_with("! "));
}
END_TEST

TEST(strictness_is_a_choice)
{
    EQ(forward(" <a@b>"), "a@b");
    EQ(forward("a@b"), "a@b");
    EQ(forward("< a@b >"), "a@b");
    EQ(forward("<a..b.@docomo.example>"), "\"a..b.\"@docomo.example");
    EQ(forward("<root>"), "root");
    for (std::string_view loose : {" <a@b>", "a@b", "< a@b >", "<a..b@c>", "<.a@b>", "<root>", "<a@b.>"})
        THAT(forward(loose, {.strict = true}).starts_with("! "));
}
END_TEST

TEST(quotes_come_and_go)
{
    EQ(forward("<\"a b\"@c>"), "\"a b\"@c");
    EQ(forward("<\"ab\"@c>"), "ab@c");
    EQ(forward("<\"a\\\"\\\\b\"@c>"), "\"a\\\"\\\\b\"@c");
    EQ(forward("<\"a\\b\"@c>"), "ab@c");
    EQ(forward("<\"a@x\"@c>"), "\"a@x\"@c");
    EQ(mail::parse_address("\"a b\"@c")->local_part, "a b");
}
END_TEST

TEST(utf8_only_where_allowed)
{
    EQ(forward("<d\303\266rte@s\303\266.example>", {.utf8 = true}), "d\303\266rte@s\303\266.example");
    THAT(forward("<d\303\266rte@s.example>").starts_with("! "));
    THAT(forward("<a@s\303\266.example>").starts_with("! "));
    THAT(forward("<d\303rte@s.example>", {.utf8 = true}).starts_with("! "));
    THAT(forward("<\"d\\\303\266\"@s.example>", {.utf8 = true}).starts_with("! "));
    THAT(mail::parse_address("d\303\266@a")->needs_utf8());
}
END_TEST

TEST(limits_hold_at_their_edges)
{
    std::string local(mail::max_local_part_length, 'a');
    EQ(forward("<" + local + "@b>"), local + "@b");
    THAT(forward("<" + local + "a@b>").starts_with("! "));
    std::string label(mail::max_label_length, 'b');
    EQ(forward("<a@" + label + ">"), "a@" + label);
    THAT(forward("<a@" + label + "b>").starts_with("! "));
    std::string domain = label + "." + label + "." + label + "." + label;
    EQ(domain.size(), mail::max_domain_length);
    EQ(forward("<a@" + domain + ">"), "a@" + domain);
    THAT(forward("<a@c." + domain + ">").starts_with("! "));
    std::string route;
    while (route.size() + 8 <= mail::max_path_length)
        route += (route.empty() ? "@b" : ",@b");
    THAT(forward("<" + route + ":a@b>").starts_with("! ") || route.size() + 7 <= mail::max_path_length);
    THAT(forward("<" + route + ",@b,@b,@b:a@b>").starts_with("! "));
}
END_TEST

TEST(parameters_stay_behind_the_path)
{
    auto path = mail::read_reverse_path("<a@b> SIZE=1", {});
    OK(path);
    EQ(path->rest, " SIZE=1");
    path = mail::read_reverse_path("a@b SIZE=1", {});
    OK(path);
    EQ(path->rest, " SIZE=1");
    EQ(mail::to_text(path->address), "a@b");
}
END_TEST

TEST(splits_extensions)
{
    auto split = [](std::string_view local, std::string_view delimiters) {
        auto [user, extension] = mail::split_extension(local, delimiters);
        return std::string(user) + "|" + std::string(extension);
    };
    EQ(split("joe+spam", "+"), "joe|spam");
    EQ(split("joe+a+b", "+"), "joe|a+b");
    EQ(split("joe-a+b", "+-"), "joe|a+b");
    EQ(split("joe", "+"), "joe|");
    EQ(split("joe+", "+"), "joe|");
    EQ(split("+joe", "+"), "+joe|");
    EQ(split("joe+x", ""), "joe+x|");
    EQ(split("owner-list", "-"), "owner-list|");
    EQ(split("list-request", "-"), "list-request|");
    EQ(split("list-request", "+"), "list-request|");
    EQ(split("MAILER-DAEMON", "-"), "MAILER-DAEMON|");
    EQ(split("double-bounce", "-"), "double-bounce|");
}
END_TEST

SUITE(address, reads_paths_and_drops_source_routes, refuses_what_is_no_path, strictness_is_a_choice,
      quotes_come_and_go, utf8_only_where_allowed, limits_hold_at_their_edges,
      parameters_stay_behind_the_path, splits_extensions)
