#include "libmail/scram.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"
#include "tools/ternuser/book.h"
#include "tools/ternuser/password.h"

#include <cstdlib>
#include <unistd.h>

namespace {

// A configuration directory of one's own.
struct Fixture {
    Fixture()
    {
        char name[] = "/tmp/tern-book-XXXXXX";
        CHECK(::mkdtemp(name));
        directory = name;
        conf::Problems problems;
        auto settings = conf::MainCf::parse(util::concat("mail_store_directory = /mail\nauth_owner = ", ::geteuid(), "\n"),
                                            "main.cf", directory, problems);
        settings.fill({&common}, problems);
        CHECK(!problems.any());
    }
    ~Fixture()
    {
        for (const char* file : {"accounts", "credentials", "accounts.lock", "accounts.last-uid", "logins"})
            (void)util::sys::unlink(directory + "/" + file);
        (void)util::sys::rmdir(directory);
    }
    ternuser::Book open(ternuser::UidRange range = {5000, 5002})
    {
        auto book = ternuser::Book::open(common, directory, range);
        CHECK(book.ok());
        return book.take();
    }
    util::Result<void> add(const std::string& address)
    {
        return open().add(address, {address, "{PLAIN}x", ""}, false);
    }

    std::string directory;
    conf::Common common;
};

TEST(accounts_come_change_and_go)
{
    Fixture f;
    OK(f.add("alice@example.org"));
    EQ(f.add("alice@example.org").error().kind, util::Kind::Invalid);
    {
        ternuser::Book book = f.open();
        const conf::Account* account = book.find("alice@example.org");
        THAT(account != nullptr);
        EQ(account->home, "/mail/example.org/alice");
        EQ(account->uid, ::geteuid() == 0 ? 5000U : ::geteuid());
        EQ(book.credential("alice@example.org")->hash, "{PLAIN}x");
        OK(book.set_credential({"alice@example.org", "{PLAIN}y", ""}));
        OK(book.disable("alice@example.org", false));
    }
    {
        ternuser::Book book = f.open();
        EQ(book.credential("alice@example.org")->hash, "{PLAIN}y");
        THAT(book.find("alice@example.org")->has_flag("disabled"));
        THAT(!book.find("alice@example.org")->has_flag("no-mail"));
        OK(book.disable("alice@example.org", true));
        THAT(book.find("alice@example.org")->has_flag("no-mail"));
        EQ(book.find("alice@example.org")->flags.size(), 2u);
        OK(book.enable("alice@example.org"));
        THAT(book.find("alice@example.org")->flags.empty());
        EQ(book.remove("bob@example.org").error().kind, util::Kind::NotFound);
        OK(book.remove("alice@example.org"));
    }
    ternuser::Book book = f.open();
    THAT(book.accounts().empty());
    THAT(!book.credential("alice@example.org"));
    auto about = util::sys::stat(f.directory + "/credentials");
    OK(about);
    EQ(about->st_mode & 0777U, 0600U);
}
END_TEST

TEST(a_uid_is_never_given_twice)
{
    if (::geteuid() != 0)
        return;  // without root all have the caller's
    Fixture f;
    OK(f.add("a@x.example"));
    OK(f.add("b@x.example"));
    OK(f.open().remove("b@x.example"));
    OK(f.add("c@x.example"));
    EQ(f.open().find("c@x.example")->uid, 5002U);
    EQ(f.add("d@x.example").error().kind, util::Kind::Permanent);
    // The mark alone says so, too; a broken one is not guessed at.
    OK(util::sys::replace_file(f.directory + "/accounts.last-uid", "many\n"));
    EQ(f.open({5000, 6000}).add("e@x.example", {"e@x.example", "", ""}, false).error().kind, util::Kind::Permanent);
}
END_TEST

TEST(the_first_account_leaves_the_mark_that_there_are_some)
{
    Fixture f;
    THAT(!util::sys::stat(f.directory + "/accounts.last-uid").ok());
    OK(f.add("a@x.example"));
    OK(util::sys::stat(f.directory + "/accounts.last-uid"));
    OK(util::sys::unlink(f.directory + "/accounts.last-uid"));
    // Also when an account takes no uid of the range.
    auto book = f.open();
    OK(book.remove("a@x.example"));
    EQ(*util::sys::read_file(f.directory + "/accounts.last-uid", 100), "4999\n");
}
END_TEST

TEST(names_are_checked)
{
    EQ(*ternuser::parse_name("Alice@Example.ORG"), "alice@example.org");
    EQ(*ternuser::parse_name("a.b-c_d+e@x.example"), "a.b-c_d+e@x.example");
    for (const char* bad : {"", "alice", "@x", "a@", "../a@x.example", "a/b@x.example", ".a@x.example", "a:b@x.example",
                            "a b@x.example", "\"a b\"@x.example", "a@[192.0.2.1]", "a@b@c", "a\n@x.example"})
        ck_assert_msg(!ternuser::parse_name(bad).ok(), "%s", bad);
}
END_TEST

TEST(uid_ranges_are_checked)
{
    auto range = ternuser::parse_uid_range("1900000000-1999999999");
    OK(range);
    EQ(range->first, 1900000000U);
    EQ(range->last, 1999999999U);
    for (const char* bad : {"", "5000", "6000-5000", "999-5000", "a-b", "5000-", "-5000", "5000-99999999999"})
        ck_assert_msg(!ternuser::parse_uid_range(bad).ok(), "%s", bad);
}
END_TEST

TEST(a_credential_holds_hash_and_verifier)
{
    auto made = ternuser::make_credential("a@x", "secret", ternuser::Scheme::Sha512, ternuser::fresh_salt(4096));
    OK(made);
    THAT(made->hash.starts_with("$6$"));
    auto verifier = mail::parse_scram_verifier(made->verifier);
    OK(verifier);
    THAT(mail::password_matches(*verifier, "secret"));
    THAT(!mail::password_matches(*verifier, "Secret"));
    THAT(!ternuser::make_credential("a@x", "se:cret", ternuser::Scheme::Plain, ternuser::fresh_salt(4096)).ok());
    THAT(!ternuser::make_credential("a@x", std::string(73, 'x'), ternuser::Scheme::Bcrypt, ternuser::fresh_salt(4096)).ok());
    THAT(!ternuser::parse_scheme("md5").ok());
}
END_TEST

TEST(aliases_belong_to_an_account_and_go_with_it)
{
    Fixture f;
    OK(f.add("alice@example.org"));
    OK(f.add("bob@example.org"));
    OK(f.open().add_alias("info@example.com", "alice@example.org", true, false));
    ternuser::Book book = f.open();
    EQ(book.find_alias("info@example.com")->target, "alice@example.org");
    THAT(!book.find("info@example.com"));
    THAT(book.find_alias("info@example.com")->has_flag("login"));
    // Again: other flags, and no second line.
    OK(book.add_alias("info@example.com", "alice@example.org", false, true));
    EQ(book.aliases_of("alice@example.org").size(), 1u);
    THAT(!book.find_alias("info@example.com")->has_flag("login"));
    // Names are had once.
    EQ(book.add_alias("info@example.com", "bob@example.org", false, false).error().kind, util::Kind::Invalid);
    EQ(book.add_alias("bob@example.org", "alice@example.org", false, false).error().kind, util::Kind::Invalid);
    EQ(book.add("info@example.com", {"info@example.com", "", ""}, false).error().kind, util::Kind::Invalid);
    EQ(book.add_alias("x@example.com", "info@example.com", false, false).error().kind, util::Kind::NotFound);
    EQ(book.add_alias("x@example.com", "nobody@example.org", false, false).error().kind, util::Kind::NotFound);
    EQ(book.set_credential({"info@example.com", "", ""}).error().kind, util::Kind::NotFound);
    EQ(book.remove("info@example.com").error().kind, util::Kind::NotFound);
    EQ(book.remove_alias("alice@example.org").error().kind, util::Kind::NotFound);
    OK(book.remove("alice@example.org"));
    THAT(!book.find_alias("info@example.com"));
    OK(book.add_alias("info@example.com", "bob@example.org", false, false));
    OK(book.remove_alias("info@example.com"));
    EQ(book.accounts().size(), 1u);
}
END_TEST

TEST(log_ins_are_limited_and_forgotten_with_the_account)
{
    Fixture f;
    OK(f.add("alice@example.org"));
    conf::Logins limits;
    limits.app_passwords_only = true;
    // Nobody could log in.
    EQ(f.open().set_logins("alice@example.org", limits).error().kind, util::Kind::Invalid);
    auto made = ternuser::make_app_password("phone", {}, 1, ternuser::fresh_salt(4096));
    OK(made);
    EQ(conf::app_secret(conf::show_app_secret(made->secret)), made->secret);
    auto verifier = mail::parse_scram_verifier(made->app.verifier);
    THAT(mail::password_matches(*verifier, conf::show_app_secret(made->secret)));
    OK(f.open().add_app_password("alice@example.org", made->app));
    EQ(f.open().add_app_password("alice@example.org", made->app).error().kind, util::Kind::Invalid);
    {
        ternuser::Book book = f.open();
        limits = book.logins("alice@example.org");
        limits.app_passwords_only = true;
        OK(book.set_logins("alice@example.org", limits));
        auto about = util::sys::stat(f.directory + "/logins");
        EQ(about->st_mode & 0777U, 0600U);
    }
    THAT(f.open().logins("alice@example.org").app_passwords_only);
    EQ(f.open().remove_app_password("alice@example.org", "tablet").error().kind, util::Kind::NotFound);
    EQ(f.open().add_app_password("bob@example.org", made->app).error().kind, util::Kind::NotFound);
    OK(f.open().remove("alice@example.org"));
    OK(f.add("alice@example.org"));
    THAT(f.open().logins("alice@example.org").none());
    for (std::size_t i = 0; i < conf::max_app_passwords; ++i) {
        made->app.name = util::concat("n", i);
        OK(f.open().add_app_password("alice@example.org", made->app));
    }
    made->app.name = "more";
    EQ(f.open().add_app_password("alice@example.org", made->app).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(a_home_with_mail_is_not_given_away_unasked)
{
    if (::geteuid() != 0)
        return;
    Fixture f;
    char name[] = "/tmp/tern-homes-XXXXXX";
    CHECK(::mkdtemp(name));
    std::string root = name;
    conf::Problems problems;
    auto settings = conf::MainCf::parse(util::concat("mail_store_directory = ", root, "\nauth_owner = 0\n"), "main.cf",
                                        f.directory, problems);
    settings.fill({&f.common}, problems);
    OK(util::sys::mkdir(root + "/x.example", 0755));
    auto home = [&](const char* user) { return root + "/x.example/" + user; };
    auto add = [&](const char* address, bool take) { return f.open().add(address, {address, "", ""}, take); };
    OK(add("a@x.example", false));
    for (const char* user : {"b", "c", "d"})
        OK(util::sys::mkdir(home(user), 0700));
    OK(util::sys::chown(home("b"), 5001, 5001));
    OK(util::sys::chown(home("c"), 5000, 5000));   // a's uid
    auto refused = add("b@x.example", false);
    EQ(refused.error().kind, util::Kind::Invalid);
    THAT(refused.error().text.find("uid 5001: move it away, or give it to the new account with --take-home") !=
         std::string::npos);
    OK(add("b@x.example", true));
    EQ(f.open().find("b@x.example")->uid, 5001u);
    THAT(add("c@x.example", true).error().text.find("which is the account a@x.example") != std::string::npos);
    THAT(add("d@x.example", true).error().text.find("its owner is uid 0") != std::string::npos);
    for (const char* user : {"b", "c", "d"})
        OK(util::sys::rmdir(home(user)));
    OK(util::sys::rmdir(root + "/x.example"));
    OK(util::sys::rmdir(root));
}
END_TEST

TEST(an_account_is_in_groups_and_their_number_is_limited)
{
    Fixture f;
    OK(f.add("alice@example.org"));
    ternuser::Book book = f.open();
    OK(book.add_group("alice@example.org", "staff"));
    OK(book.add_group("alice@example.org", "staff"));
    OK(book.add_group("alice@example.org", "chiefs"));
    EQ(book.find("alice@example.org")->groups(), (std::vector<std::string>{"staff", "chiefs"}));
    OK(book.remove_group("alice@example.org", "staff"));
    EQ(book.remove_group("alice@example.org", "staff").error().kind, util::Kind::NotFound);
    EQ(book.add_group("nobody@example.org", "staff").error().kind, util::Kind::NotFound);
    EQ(book.add_group("alice@example.org", "a b").error().kind, util::Kind::Invalid);
    for (std::size_t i = 1; i < conf::max_account_groups; ++i)
        OK(book.add_group("alice@example.org", util::concat(i, std::string(conf::max_group_name - 2, 'g'))));
    EQ(book.add_group("alice@example.org", "more").error().kind, util::Kind::Invalid);
    OK(book.add_group("alice@example.org", "chiefs"));
    OK(book.remove_group("alice@example.org", "chiefs"));
    OK(book.add_group("alice@example.org", "more"));
}
END_TEST

}  // namespace

SUITE(book, an_account_is_in_groups_and_their_number_is_limited, aliases_belong_to_an_account_and_go_with_it,
      log_ins_are_limited_and_forgotten_with_the_account, a_home_with_mail_is_not_given_away_unasked,
      accounts_come_change_and_go, the_first_account_leaves_the_mark_that_there_are_some, a_uid_is_never_given_twice,
      names_are_checked, uid_ranges_are_checked, a_credential_holds_hash_and_verifier)
