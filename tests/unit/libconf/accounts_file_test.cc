// libconf/accounts_file.h
#include "libconf/accounts_file.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

namespace {

std::vector<conf::Account> some()
{
    return {{"bob@example.org", 1002, 1003, "/m/bob", {"disabled", "x"}},
            {"alice@example.org", 1001, 1001, "/m/alice", {}},
            {"carol@example.net", 4294967294, 0, "/", {}},
            {"root", 5, 6, "/root", {}}};
}

TEST(writes_and_reads_back)
{
    auto text = conf::format_accounts(some());
    OK(text);
    EQ(*text, "# tern accounts 1\n@example.net::::\n@example.org::::\nalice@example.org:1001:1001:/m/alice:\n"
              "bob@example.org:1002:1003:/m/bob:disabled,x\ncarol@example.net:4294967294:0:/:\nroot:5:6:/root:\n");
    auto back = conf::parse_accounts(*text);
    OK(back);
    EQ(back->size(), 4u);
    THAT((*back)[1].has_flag("disabled"));
    THAT(!(*back)[0].has_flag("disabled"));
    EQ((*back)[2].uid, 4294967294u);
    OK(conf::parse_accounts("# tern accounts 1\n"));
}
END_TEST

TEST(refuses_what_the_form_cannot_hold)
{
    for (auto account : {conf::Account {"A@b", 1, 1, "/", {}}, conf::Account {"a:b@c", 1, 1, "/", {}},
                         conf::Account {"a\n@c", 1, 1, "/", {}}, conf::Account {"a@", 1, 1, "/", {}},
                         conf::Account {"", 1, 1, "/", {}}, conf::Account {"a@b", 1, 1, "x", {}},
                         conf::Account {"a@b", 1, 1, "/a:b", {}}, conf::Account {"a@b", 1, 1, "/", {"x,y"}},
                         conf::Account {"a@b", 1, 1, "/", {""}}, conf::Account {"a@b", UINT32_MAX, 1, "/", {}},
                         conf::Account {"#a@b", 1, 1, "/", {}}, conf::Account {"a b@c", 1, 1, "/", {}},
                         conf::Account {"a@b", 1, 1, std::string("/") + std::string(5000, 'x'), {}}})
        ck_assert_msg(!conf::format_account_line(account), "%s", account.address.c_str());
    auto twice = some();
    twice.push_back(twice[0]);
    EQ(conf::format_accounts(twice).error().text, "bob@example.org is there twice");
}
END_TEST

TEST(names_the_line_that_is_bad)
{
    EQ(conf::parse_accounts("").error().text, "it does not begin with \"# tern accounts 1\"");
    EQ(conf::parse_accounts("# tern accounts 2\n").error().text, "it does not begin with \"# tern accounts 1\"");
    const std::string head(conf::accounts_version_line);
    EQ(conf::parse_accounts(head + "a@b:1:1:/:\nx\n").error().text,
       "line 3: five fields between colons are wanted, not 1");
    EQ(conf::parse_accounts(head + "b@b:1:1:/:\na@b:1:1:/:\n").error().text,
       "line 3: a@b is out of order or double");
    EQ(conf::parse_accounts(head + "a@b:1:1:/:\na@b:1:1:/:\n").error().kind, util::Kind::Invalid);
    EQ(conf::parse_accounts(head + "a@b:1:x:/:\n").error().text, "line 2: uid and gid are numbers");
    EQ(conf::parse_accounts(head + "@b:1:::\n").error().text, "line 2: a domain's line has no other fields");
}
END_TEST

TEST(finds_every_account_in_small_and_mapped_files)
{
    for (int count : {0, 1, 2, 3, 50, 9000}) {
        test::TempDir dir;
        std::vector<conf::Account> accounts;
        for (int i = 0; i < count; ++i)
            accounts.push_back({util::concat("u", i * 7919 % 10007, "@d", i % 5, ".example"), uid_t(i + 1), 1, "/m", {}});
        OK(conf::write_accounts(dir / "accounts", accounts));
        conf::AccountsReader reader(dir / "accounts");
        for (const auto& account : accounts) {
            auto found = reader.find(util::upper(account.address));
            OK(found);
            THAT(found->has_value());
            EQ((*found)->uid, account.uid);
        }
        THAT(!reader.find("a@d0.example")->has_value());
        THAT(!reader.find("zzz@d0.example")->has_value());
        THAT(!reader.find("")->has_value());
        THAT(!reader.find("@d0.example")->has_value());
        THAT(!reader.find("u1@d1.example:1")->has_value());
        EQ(*reader.has_domain("D0.example"), count > 0);
        EQ(*reader.has_domain("d9.example"), false);
        EQ(*reader.has_domain(""), false);
    }
}
END_TEST

TEST(notices_a_replaced_file)
{
    test::TempDir dir;
    conf::AccountsReader reader(dir / "accounts");
    OK(conf::write_accounts(dir / "accounts", some()));
    THAT(reader.find("root")->has_value());
    OK(conf::write_accounts(dir / "accounts", {}));
    reader.refresh();
    THAT(!reader.find("root")->has_value());
    dir.write("accounts", "nonsense\n");
    reader.refresh();
    EQ(reader.find("root").error().kind, util::Kind::Temporary);
    OK(conf::write_accounts(dir / "accounts", some()));
    THAT(reader.find("root")->has_value());
    OK(conf::read_accounts(dir / "accounts"));
    EQ(conf::read_accounts(dir / "none")->size(), 0u);
}
END_TEST

TEST(where_there_never_was_a_file_there_are_no_accounts)
{
    test::TempDir dir;
    conf::AccountsReader reader(dir / "accounts");
    THAT(!reader.find("a@b")->has_value() && !*reader.has_domain("b") && !*reader.has_system_users());
    // What was there and is gone was lost: for who has seen it, and, by the mark, for those who come later.
    OK(conf::write_accounts(dir / "accounts", some()));
    THAT(reader.find("root")->has_value());
    OK(util::sys::unlink(dir / "accounts"));
    reader.refresh();
    EQ(reader.find("root").error().kind, util::Kind::Temporary);
    conf::AccountsReader moved(std::move(reader));
    EQ(moved.find("root").error().kind, util::Kind::Temporary);
    THAT(!conf::AccountsReader(dir / "accounts").find("root")->has_value());
    dir.write("accounts.last-uid", "5000\n");
    EQ(conf::AccountsReader(dir / "accounts").find("root").error().kind, util::Kind::Temporary);
}
END_TEST

TEST(a_bad_line_is_temporary_and_nobody_elses)
{
    test::TempDir dir;
    dir.write("accounts", "# tern accounts 1\na@b:1:1:/:\nb@b:x\nc@b:3:3:/:\n");
    conf::AccountsReader reader(dir / "accounts");
    THAT(reader.find("a@b")->has_value());
    THAT(reader.find("c@b")->has_value());
    EQ(reader.find("b@b").error().kind, util::Kind::Temporary);
}
END_TEST

TEST(users_of_the_system_are_told_by_their_flag)
{
    test::TempDir dir;
    conf::AccountsReader reader(dir / "accounts");
    OK(conf::write_accounts(dir / "accounts", some()));
    EQ(*reader.has_system_users(), false);
    for (const auto& flags : {std::vector<std::string>{"system=dora"}, {"disabled", "system=dora"}}) {
        auto all = some();
        all.push_back({"dora@example.org", 30001, 30001, "/m/dora", flags});
        OK(conf::write_accounts(dir / "accounts", all));
        reader.refresh();
        EQ(*reader.has_system_users(), true);
        EQ((*reader.find("dora@example.org"))->system_user(), "dora");
        EQ((*reader.find("bob@example.org"))->system_user(), "");
    }
    OK(conf::write_accounts(dir / "accounts", {}));
    reader.refresh();
    EQ(*reader.has_system_users(), false);
}
END_TEST

conf::Account alias(std::string address, std::string target, std::vector<std::string> flags)
{
    conf::Account made;
    made.address = std::move(address);
    made.target = std::move(target);
    made.flags = std::move(flags);
    return made;
}

TEST(an_alias_stands_for_its_account_and_for_no_other_alias)
{
    test::TempDir dir;
    auto all = some();
    all.push_back(alias("info@example.com", "bob@example.org", {"alias", "send"}));
    all.push_back(alias("chain@example.com", "info@example.com", {"alias"}));
    all.push_back(alias("gone@example.com", "nobody@example.org", {"alias"}));
    OK(conf::write_accounts(dir / "accounts", all));
    THAT(util::sys::read_file(dir / "accounts", 10'000)->find("\ninfo@example.com:::bob@example.org:alias,send\n") !=
         std::string::npos);
    EQ(conf::read_accounts(dir / "accounts")->size(), 7u);
    conf::AccountsReader reader(dir / "accounts");
    EQ((*reader.find("INFO@example.com"))->address, "bob@example.org");
    EQ((*reader.find("INFO@example.com"))->uid, 1002u);
    EQ((*reader.find_entry("info@example.com"))->target, "bob@example.org");
    THAT((*reader.find_entry("info@example.com"))->has_flag("send"));
    THAT(!reader.find("chain@example.com")->has_value());
    THAT(!reader.find("gone@example.com")->has_value());
    THAT(*reader.has_domain("example.com"));
    for (const auto& bad : {alias("a@b", "c@d", {}), alias("a@b", "a@b", {"alias"}), alias("a@b", "@d", {"alias"}),
                            alias("a@b", "C@d", {"alias"}), alias("a@b", "c@d:x", {"alias"}), alias("a@b", "c d", {"alias"})})
        ck_assert_msg(!conf::format_account_line(bad), "%s", bad.target.c_str());
    EQ(conf::parse_account_line("a@b:::c@d:send").error().text, "neither uid and gid nor the flag \"alias\"");
    EQ(conf::parse_account_line("a@b:1::c@d:alias").error().text, "uid and gid are numbers");
}
END_TEST

// Older releases keep the words that they do not know.
TEST(groups_are_flags_and_their_names_are_checked)
{
    auto account = conf::parse_account_line("a@b:5:5:/m/a:disabled,group=staff,storage=5,group=chiefs@b");
    OK(account);
    EQ(account->groups(), (std::vector<std::string>{"staff", "chiefs@b"}));
    EQ(conf::format_account_line(*account).value_or("?"), "a@b:5:5:/m/a:disabled,group=staff,storage=5,group=chiefs@b");
    EQ(conf::parse_account_line("a@b:5:5:/m/a:")->groups().size(), 0u);
    for (std::string_view good : {"staff", "a@b", "g=h", "gr\xc3\xbc" "n", "-"})
        THAT(conf::is_group_name(good));
    for (std::string_view bad : {"", "Staff", "a b", "a,b", "a:b", "a\n", "\xff"})
        THAT(!conf::is_group_name(bad));
    // As many of the longest names as there may be fit into a line.
    conf::Account full{"a@b", 4294967294, 4294967294, "/" + std::string(800, 'x'), {}};
    for (std::size_t i = 0; i < conf::max_account_groups; ++i)
        full.flags.push_back(util::concat(conf::group_flag, std::string(conf::max_group_name, 'g')));
    OK(conf::format_account_line(full));
}
END_TEST

}  // namespace

SUITE(accounts_file, groups_are_flags_and_their_names_are_checked, users_of_the_system_are_told_by_their_flag,
      an_alias_stands_for_its_account_and_for_no_other_alias, writes_and_reads_back, refuses_what_the_form_cannot_hold,
      names_the_line_that_is_bad, finds_every_account_in_small_and_mapped_files, notices_a_replaced_file,
      where_there_never_was_a_file_there_are_no_accounts, a_bad_line_is_temporary_and_nobody_elses)
