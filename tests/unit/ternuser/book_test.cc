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
        for (const char* file : {"accounts", "credentials", "accounts.lock", "accounts.last-uid"})
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
        return open().add(address, {address, "{PLAIN}x", ""});
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
        OK(book.set_disabled("alice@example.org", true));
    }
    {
        ternuser::Book book = f.open();
        EQ(book.credential("alice@example.org")->hash, "{PLAIN}y");
        THAT(book.find("alice@example.org")->has_flag("disabled"));
        OK(book.set_disabled("alice@example.org", false));
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
    EQ(f.open({5000, 6000}).add("e@x.example", {"e@x.example", "", ""}).error().kind, util::Kind::Permanent);
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
    auto made = ternuser::make_credential("a@x", "secret", ternuser::Scheme::Sha512, 4096);
    OK(made);
    THAT(made->hash.starts_with("$6$"));
    auto verifier = mail::parse_scram_verifier(made->verifier);
    OK(verifier);
    THAT(mail::password_matches(*verifier, "secret"));
    THAT(!mail::password_matches(*verifier, "Secret"));
    THAT(!ternuser::make_credential("a@x", "se:cret", ternuser::Scheme::Plain, 4096).ok());
    THAT(!ternuser::make_credential("a@x", std::string(73, 'x'), ternuser::Scheme::Bcrypt, 4096).ok());
    THAT(!ternuser::parse_scheme("md5").ok());
}
END_TEST

}  // namespace

SUITE(book, accounts_come_change_and_go, a_uid_is_never_given_twice, names_are_checked, uid_ranges_are_checked,
      a_credential_holds_hash_and_verifier)
