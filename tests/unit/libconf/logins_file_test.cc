// libconf/logins_file.h, libconf/last_uses_file.h
#include "libconf/last_uses_file.h"
#include "libconf/logins_file.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

namespace {

const std::string head(conf::logins_version_line);
const std::string digest(64, 'a');

conf::LoginsByAccount some_logins()
{
    conf::LoginsByAccount all;
    conf::Logins& alice = all["alice@example.org"];
    alice.limits.protocols = {"imap", "submission"};
    alice.limits.networks = conf::parse_login_networks("192.0.2.0/24,2001:db8::/32").take();
    alice.app_passwords_only = true;
    alice.apps.push_back({"phone", std::string(32, 'x'), "SCRAM-SHA-256$4096:c2FsdA==$a:b", 1'796'000'000, {}});
    alice.apps.push_back({"tablet", std::string(32, 'y'), "", 0, {{"imap"}, {}, {}}});
    return all;
}

TEST(logins_are_written_and_read_back)
{
    auto text = conf::format_logins(some_logins());
    OK(text);
    EQ(*text, head +
                  "limits alice@example.org protocols=imap,submission networks=192.0.2.0/24,2001:db8::/32 app-passwords-only\n"
                  "app alice@example.org phone sha256=" +
                  util::hex(std::string(32, 'x')) +
                  " scram=SCRAM-SHA-256$4096:c2FsdA==$a:b created=1796000000\n"
                  "app alice@example.org tablet sha256=" +
                  util::hex(std::string(32, 'y')) + " protocols=imap\n");
    auto back = conf::parse_logins(*text);
    OK(back);
    THAT(*back == some_logins());
    // Who has nothing has no line.
    conf::LoginsByAccount none;
    none["bob@example.org"] = {};
    EQ(*conf::format_logins(none), head);
}
END_TEST

TEST(limits_say_who_may_log_in_how_and_from_where)
{
    auto all = some_logins();
    const conf::LoginLimits& limits = all["alice@example.org"].limits;
    EQ(limits.why_not("imap", "192.0.2.77"), "");
    EQ(limits.why_not("submission", "2001:db8:1::5"), "");
    EQ(limits.why_not("imap", "::ffff:192.0.2.77"), "");   // a client on a dual socket
    EQ(limits.why_not("pop3", "192.0.2.77"), "not permitted by pop3");
    EQ(limits.why_not("imap", "192.0.3.1"), "not permitted from 192.0.3.1");
    EQ(limits.why_not("imap", "2001:db9::1"), "not permitted from 2001:db9::1");
    EQ(limits.why_not("imap", "unknown"), "not permitted from unknown");
    EQ(limits.why_not("imap", ""), "not permitted from ");
    EQ(conf::LoginLimits().why_not("sieve", "unknown"), "");
    THAT(conf::parse_login_protocols("all")->empty());
    EQ(conf::protocols_text({conf::parse_login_protocols("pop3, imap,imap").take(), {}, {}}), "imap,pop3");
    for (const char* bad : {"", "smtp", "imap,", "none", "imap;pop3"})
        ck_assert_msg(!conf::parse_login_protocols(bad).ok(), "%s", bad);
    for (const char* bad : {"", "192.0.2.1/24", "192.0.2.0/33", "localhost", "192.0.2.0/24,", "!192.0.2.1", "/etc/passwd"})
        ck_assert_msg(!conf::parse_login_networks(bad).ok(), "%s", bad);
    std::string many = "192.0.2.1";
    for (std::size_t i = 1; i < conf::max_login_networks; ++i)
        many += ",192.0.2.1";
    OK(conf::parse_login_networks(many));
    THAT(!conf::parse_login_networks(many + ",192.0.2.1").ok());
}
END_TEST

TEST(what_a_later_release_added_lets_nobody_in_and_is_kept)
{
    std::string text =
        head + "limits a@b protocols=imap hours=9-17\napp a@b x sha256=" + digest + " protocols=imap,carrier-pigeon\n";
    auto all = conf::parse_logins(text);
    OK(all);
    EQ((*all)["a@b"].limits.why_not("imap", "192.0.2.1"), "a limit that is not known: hours=9-17");
    EQ((*all)["a@b"].apps[0].limits.why_not("imap", "192.0.2.1"), "a limit that is not known: protocols=imap,carrier-pigeon");
    EQ(*conf::format_logins(*all), text);
}
END_TEST

TEST(a_bad_line_of_logins_is_named)
{
    for (const std::string& bad : std::vector<std::string>{
             "x", "limits", "limits a@b", "grant a@b x", "limits A@b protocols=imap", "limits a@b  protocols=imap",
             "limits a@b networks=x", "limits a@b protocols=imap\nlimits a@b protocols=pop3", "app a@b", "app a@b x",
             "app a@b x/y sha256=" + digest, "app a@b x sha256=aa", "app a@b x sha256=" + digest + " created=-1",
             "app a@b x sha256=" + digest + "\napp a@b x sha256=" + digest, "limits a@b x\ty=1",
             "limits a@b x=" + std::string(conf::max_logins_line, 'y')})
        ck_assert_msg(!conf::parse_logins(head + bad + "\n").ok(), "%s", bad.c_str());
    THAT(!conf::parse_logins("# tern logins 2\n").ok());
    EQ(conf::parse_logins(head + "limits a@b protocols=imap\nlimits c@d protocols=imap").error().text,
       "line 3: the end is missing");
    // Nothing can be smuggled in.
    for (const char* name : {"a@b\nlimits c@d protocols=imap", "a b", ""}) {
        conf::LoginsByAccount all;
        all[name].app_passwords_only = true;
        ck_assert_msg(!conf::format_logins(all).ok(), "%s", name);
    }
    conf::LoginsByAccount all;
    all["a@b"].apps.push_back({"x", std::string(32, 'x'), "v\nlimits", 0, {}});
    THAT(!conf::format_logins(all).ok());
    all["a@b"].apps = {{"x", std::string(32, 'x'), "", 0, {{}, {}, {"created=7"}}}};
    THAT(!conf::format_logins(all).ok());
}
END_TEST

TEST(app_passwords_are_bounded_and_their_names_plain)
{
    std::string text = head;
    for (std::size_t i = 0; i < conf::max_app_passwords; ++i)
        text += util::concat("app a@b n", i, " sha256=", digest, "\n");
    OK(conf::parse_logins(text));
    THAT(!conf::parse_logins(text + "app a@b more sha256=" + digest + "\n").ok());
    OK(conf::check_app_password_name(std::string(conf::max_app_password_name, 'x')));
    OK(conf::check_app_password_name("Bob.s_phone-2"));
    for (const std::string& bad : std::vector<std::string>{"", "-x", "a b", "a/b", "a\n",
                                   "a:b", "\xc3\xa9", std::string(conf::max_app_password_name + 1, 'x')})
        ck_assert_msg(!conf::check_app_password_name(bad).ok(), "%s", bad.c_str());
}
END_TEST

TEST(an_app_secret_is_read_as_people_write_it)
{
    std::string secret = "abcdefghijkmnpqrstuvwxyz2345";
    EQ(conf::show_app_secret(secret), "abcd-efgh-ijkm-npqr-stuv-wxyz-2345");
    for (const char* text :
         {"abcd-efgh-ijkm-npqr-stuv-wxyz-2345", "abcdefghijkmnpqrstuvwxyz2345", "ABCD efgh ijkm npqr stuv wxyz 2345"})
        EQ(conf::app_secret(text), secret);
    for (const std::string& other :
         std::vector<std::string>{"", "secret", secret + "2", secret.substr(1), "0" + secret.substr(1), "l" + secret.substr(1),
                                  secret + std::string(100, '-'), std::string(100'000, 'a')})
        EQ(conf::app_secret(other), "");
}
END_TEST

TEST(a_reader_notices_a_new_file_at_once_and_believes_no_broken_one)
{
    test::TempDir dir;
    conf::LoginsReader reader(dir / "logins");
    THAT(*reader.update());
    THAT(!*reader.update());
    THAT(reader.find("a@b").none());
    dir.write("logins", head + "limits a@b protocols=imap\n");
    THAT(*reader.update());
    THAT(!*reader.update());
    EQ(conf::protocols_text(reader.find("a@b").limits), "imap");
    THAT(reader.find("b@b").none());
    THAT(reader.all_have_verifiers());
    dir.write("logins", "nonsense");
    EQ(reader.update().error().kind, util::Kind::Temporary);
    EQ(reader.update().error().kind, util::Kind::Temporary);
    dir.write("logins", head + "app a@b x sha256=" + digest + "\n");
    THAT(*reader.update());
    THAT(!reader.all_have_verifiers());
    OK(util::sys::unlink(dir / "logins"));
    THAT(*reader.update());
    THAT(reader.find("a@b").none());
}
END_TEST

TEST(last_uses_are_kept_without_what_does_not_fit)
{
    test::TempDir dir;
    conf::LastUses uses;
    uses[{"a@b", "phone"}] = {1'796'000'000, "imap", "192.0.2.1"};
    uses[{"a@b", "tablet"}] = {1'796'000'001, "pop3", "not an\naddress"};
    OK(conf::write_last_uses(dir / "uses", uses));
    auto back = conf::read_last_uses(dir / "uses");
    EQ(back.size(), 1u);
    EQ((back[{"a@b", "phone"}].client_address), "192.0.2.1");
    THAT(conf::read_last_uses(dir / "none").empty());
    THAT(conf::parse_last_uses("nonsense").empty());
    std::string lines(conf::last_uses_version_line);
    EQ(conf::parse_last_uses(lines + "a@b x 1 imap ::1\na@b y z imap ::1\nshort\n\na@b  2 imap ::1").size(), 1u);
}
END_TEST

}  // namespace

SUITE(logins_file, logins_are_written_and_read_back, limits_say_who_may_log_in_how_and_from_where,
      what_a_later_release_added_lets_nobody_in_and_is_kept, a_bad_line_of_logins_is_named,
      app_passwords_are_bounded_and_their_names_plain, an_app_secret_is_read_as_people_write_it,
      a_reader_notices_a_new_file_at_once_and_believes_no_broken_one, last_uses_are_kept_without_what_does_not_fit)
