// libconf/quota.h
#include "libconf/accounts_file.h"
#include "libconf/quota.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

namespace {

const std::string quotas_head(conf::quotas_version_line);

TEST(sizes_have_units_of_1024)
{
    EQ(*conf::parse_quota_size("1"), 1U);
    EQ(*conf::parse_quota_size("10k"), 10'240U);
    EQ(*conf::parse_quota_size("500M"), 524'288'000U);
    EQ(*conf::parse_quota_size("2G"), 2'147'483'648U);
    EQ(*conf::parse_quota_size("1048576T"), conf::max_quota);
    EQ(*conf::parse_quota_size("none"), conf::no_limit);
    for (const char* wrong :
         {"", "0", "0G", "G", "1.5G", "-1", "1GB", "1048577T", "1152921504606846977", "all", "1 G", "99999999999999999999"})
        EQ(conf::parse_quota_size(wrong).error().kind, util::Kind::Invalid);
    EQ(*conf::parse_quota_number("1000"), 1000U);
    EQ(conf::parse_quota_number("1k").ok(), false);
}
END_TEST

TEST(what_an_account_does_not_say_its_domain_does)
{
    std::vector<std::string> words = {"disabled", "storage=100", "messages=none", "each-mailboxes=3"};
    auto own = conf::quota_among(words);
    OK(own);
    conf::QuotaLimits limits = own->or_else({.storage = 5, .messages = 6, .mailboxes = 7});
    EQ(limits.storage.value(), 100U);
    EQ(limits.messages.value(), conf::no_limit);
    EQ(limits.mailboxes.value(), 7U);
    EQ(conf::quota_among(words, "each-")->mailboxes.value(), 3U);
    EQ(conf::quota_among({"storage=1G"}).ok(), false);   // files have bytes
    EQ(conf::quota_among({"storage="}).ok(), false);
    conf::set_quota_among(words, {.storage = 7});
    EQ(words.size(), 3U);
    EQ(words[0], "disabled");
    EQ(words[2], "storage=7");
    conf::set_quota_among(words, {.messages = conf::no_limit});
    EQ(words.back(), "messages=none");
}
END_TEST

TEST(the_file_of_domains_is_written_and_read_back)
{
    test::TempDir directory;
    std::string path = directory / "quotas";
    EQ(conf::read_domain_quotas(path)->size(), 0U);
    conf::DomainQuotas all;
    all["example.org"].words = {"storage=1000", "each-messages=5", "later-word=9"};
    all["example.net"].words = {"messages=none"};
    all["gone.example"];
    OK(conf::write_domain_quotas(path, all));
    all.erase("gone.example");
    auto read = conf::read_domain_quotas(path);
    OK(read);
    THAT(*read == all);
    EQ(read->at("example.org").all().storage.value(), 1000U);
    EQ(read->at("example.org").each().messages.value(), 5U);
    EQ(read->at("example.org").words[2], "later-word=9");
    conf::DomainQuotasReader reader(path);
    EQ((*reader.find("Example.ORG"))->all().storage.value(), 1000U);
    THAT(*reader.find("example.com") == nullptr);
    OK(conf::write_domain_quotas(path, {}));
    reader.refresh();
    THAT(*reader.find("example.org") == nullptr);
}
END_TEST

TEST(a_file_that_is_wrong_names_its_line)
{
    auto error = [](std::string_view text) { return conf::parse_domain_quotas(text).error().text; };
    THAT(error("x").find("does not begin") != std::string::npos);
    THAT(error(quotas_head + "@a.example:storage=1\n@B.example:storage=1\n").starts_with("line 3: "));
    THAT(error(quotas_head + "@a.example:storage=1k\n").starts_with("line 2: storage: "));
    THAT(error(quotas_head + "@a.example:\n").starts_with("line 2: no limits"));
    THAT(error(quotas_head + "@a.example:messages=1\n@a.example:messages=2\n").find("twice") != std::string::npos);
    THAT(error(quotas_head + "a.example:messages=1\n").starts_with("line 2: "));
    THAT(error(quotas_head + "@a.example:" + std::string(conf::max_quotas_line, 'x') + "\n").find("more than 1024") !=
         std::string::npos);
    test::TempDir directory;
    directory.write("quotas", "nonsense\n");
    conf::DomainQuotasReader reader(directory / "quotas");
    EQ(reader.find("a.example").error().kind, util::Kind::Temporary);
}
END_TEST

TEST(accounts_have_their_limits_among_their_flags)
{
    auto account = conf::parse_account_line("a@b:1000:1000:/h:disabled,storage=100");
    OK(account);
    EQ(conf::quota_among(account->flags)->storage.value(), 100U);
    EQ(*conf::format_account_line(*account), "a@b:1000:1000:/h:disabled,storage=100");
    EQ(conf::parse_account_line("a@b:1000:1000:/h:storage=much").ok(), false);
}
END_TEST

TEST(accounts_of_a_domain_are_found_without_aliases)
{
    test::TempDir directory;
    directory.write("accounts",
                    std::string(conf::accounts_version_line) +
                        "@a.example::::\n@b.a.example::::\nalias@a.example:::one@a.example:alias\n"
                        "one@a.example:1000:1000:/h1:\ntwo@a.example:1001:1001:/h2:\nzoe@b.a.example:1002:1002:/h3:\n");
    conf::AccountsReader reader(directory / "accounts");
    auto found = reader.of_domain("A.example");
    OK(found);
    EQ(found->size(), 2U);
    EQ((*found)[1].home, "/h2");
    std::uint64_t version = reader.version();
    EQ(reader.version(), version);
    directory.write("accounts", std::string(conf::accounts_version_line));
    reader.refresh();
    THAT(reader.version() != version);
    EQ(reader.of_domain("a.example")->size(), 0U);
}
END_TEST

SUITE(quota, sizes_have_units_of_1024, what_an_account_does_not_say_its_domain_does,
      the_file_of_domains_is_written_and_read_back, a_file_that_is_wrong_names_its_line,
      accounts_have_their_limits_among_their_flags, accounts_of_a_domain_are_found_without_aliases)

}  // namespace
