// What an account permits: aliases, limits, app passwords, users of the system.
#include "tests/unit/auth/service_fixture.h"

#include <algorithm>
#include <sys/un.h>
#include <unistd.h>

namespace {

using namespace test;
using Fixture = AuthFixture;

const char* const secrets[] = {"aaaa-bbbb-cccc-dddd-eeee-ffff-gggg", "aaaa-bbbb-cccc-dddd-eeee-ffff-hhhh"};

conf::LoginsByAccount with_apps(bool only)
{
    conf::LoginsByAccount all;
    conf::Logins& alice = all["alice@example.org"];
    alice.app_passwords_only = only;
    auto app = [&](const char* name, const char* secret, conf::LoginLimits limits) {
        std::string verifier = mail::to_text(mail::make_scram_verifier(secret, "salt", 4096).take());
        alice.apps.push_back({name, net::sha256(conf::app_secret(secret)), verifier, 1, std::move(limits)});
    };
    app("phone", secrets[0], {{"imap", "submission"}, {}, {}});
    app("tablet", secrets[1], {{}, conf::parse_login_networks("2001:db8::/32").take(), {}});
    return all;
}

// auth-pam(8)'s place, in the same loop: "secret" is everybody's password.
struct FakePam {
    FakePam(Fixture& fixture) : path(fixture.directory + "/pam"), f(fixture)
    {
        listener = util::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::copy(path.begin(), path.end(), address.sun_path);
        CHECK(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
              ::listen(listener.get(), 5) == 0);
        accepting = util::Watch(*f.loop, listener.get(), util::Watch::Read, [this](unsigned) {
            channel =
                std::make_unique<ipc::Channel>(*f.loop, util::UniqueFd(::accept(listener.get(), nullptr, nullptr)),
                                               ipc::Channel::Events{.received = [this](ipc::Packet& packet) { asked(packet); },
                                                                    .closed = [](const util::Error&) {}});
        });
    }
    ~FakePam() { (void)util::sys::unlink(path); }
    void asked(ipc::Packet& packet)
    {
        using Verdict = ipc::UserChecked::Verdict;
        auto question = ipc::decode<ipc::CheckUser>(packet).take();
        questions += util::concat(question.user, ' ', question.password.value_or("-"), ' ', question.protocol, ' ',
                                  question.client_address, ";");
        bool good = !locked && question.password.value_or("secret") == "secret";
        channel->send(ipc::UserChecked{question.request,
                                       broken ? Verdict::Unavailable
                                       : good ? Verdict::Good
                                              : Verdict::Bad,
                                       uid, "why not"});
    }

    std::string path;
    Fixture& f;
    util::UniqueFd listener;
    util::Watch accepting;
    std::unique_ptr<ipc::Channel> channel;
    std::string questions;
    bool locked = false, broken = false;
    uid_t uid = 5050;
};

TEST(an_alias_opens_its_account_where_that_is_permitted)
{
    Fixture f;
    auto result = f.plain("Info@Example.org", "secret");
    EQ(result.kind, Kind::Success);
    EQ(result.account, "alice@example.org");
    EQ(f.plain("info@example.org", "secret", "alice@example.org").kind, Kind::Success);
    EQ(f.plain("alice@example.org", "secret", "info@example.org").kind, Kind::Success);
    EQ(f.plain("info@example.org", "wrong").kind, Kind::Failed);
    EQ(f.plain("sales@example.org", "secret").kind, Kind::Failed);
    EQ(f.plain("sales@example.org", "secret").text, "unknown account");
    EQ(scram(f, "info@example.org", "secret", true).account, "alice@example.org");
    EQ(scram(f, "sales@example.org", "secret", true).kind, Kind::Failed);
}
END_TEST

TEST(limits_count_for_each_log_in_and_look_like_a_wrong_password)
{
    using ipc::Service;
    Fixture f;
    auto as = [&](Service service, const char* address) {
        return f.plain("alice@example.org", "secret", "", false, service, address);
    };
    // The cache knows the password: it must not open what is closed since.
    EQ(as(Service::Imap, "192.0.2.1").kind, Kind::Success);
    f.write_logins(limited("imap,submission", "192.0.2.0/24,2001:db8::/32"));
    EQ(as(Service::Imap, "192.0.2.1").kind, Kind::Success);
    EQ(as(Service::Smtp, "2001:db8::1").kind, Kind::Success);
    auto wrong = f.plain("alice@example.org", "wrong");
    for (auto [service, address, why] : {std::tuple(Service::Pop3, "192.0.2.1", "not permitted by pop3"),
                                         std::tuple(Service::Imap, "192.0.3.1", "not permitted from 192.0.3.1"),
                                         std::tuple(Service::Imap, "2001:db9::1", "not permitted from 2001:db9::1"),
                                         std::tuple(Service::Smtp, "unknown", "not permitted from unknown")}) {
        auto checks = f.workers->checks_made();
        auto refused = as(service, address);
        EQ(refused.kind, wrong.kind);
        is_about_two_seconds(refused.delay);
        EQ(refused.not_authorized, wrong.not_authorized);
        EQ(refused.text, why);
        EQ(f.workers->checks_made(), checks + 1);   // it takes as long
    }
    // Wider, narrower, gone: each at the next request.
    f.write_logins(limited("pop3", "all"));
    EQ(as(Service::Imap, "192.0.2.1").kind, Kind::Failed);
    EQ(as(Service::Pop3, "198.51.100.1").kind, Kind::Success);
    f.write_logins({});
    EQ(as(Service::Imap, "198.51.100.1").kind, Kind::Success);
    // Without its limits nobody comes in, and is not told that it was the password.
    OK(util::sys::replace_file(f.directory + "/logins", "nonsense"));
    EQ(as(Service::Imap, "192.0.2.1").kind, Kind::Unavailable);
    f.write_logins({});
    EQ(as(Service::Imap, "192.0.2.1").kind, Kind::Success);
}
END_TEST

TEST(a_disabled_account_is_closed_at_the_next_request)
{
    Fixture f;
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    f.listed[0].flags = {"disabled"};
    OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    EQ(f.plain("alice@example.org", "secret").text, "disabled account");
    f.listed[0].flags = {};
    OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
}
END_TEST

TEST(app_passwords_open_what_they_are_for)
{
    using ipc::Service;
    Fixture f;
    f.write_logins(with_apps(false));
    auto phone = f.plain("alice@example.org", secrets[0]);
    EQ(phone.kind, Kind::Success);
    EQ(phone.app_password, "phone");
    EQ(f.plain("info@example.org", "AAAABBBB cccc dddd eeee ffff gggg").app_password, "phone");
    EQ(f.workers->checks_made(), 0U);
    auto refused = f.plain("alice@example.org", secrets[0], "", false, Service::Pop3);
    EQ(refused.kind, Kind::Failed);
    is_about_two_seconds(refused.delay);
    EQ(refused.text, "not permitted by pop3 (app password phone)");
    EQ(f.plain("alice@example.org", secrets[1]).text, "not permitted from 192.0.2.1 (app password tablet)");
    EQ(f.plain("alice@example.org", secrets[1], "", false, Service::Pop3, "2001:db8::1").app_password, "tablet");
    EQ(f.plain("off@example.org", secrets[0]).kind, Kind::Failed);
    EQ(f.plain("alice@example.org", "aaaa-bbbb-cccc-dddd-eeee-ffff-iiii").text, "wrong password");
    // The main one goes on, unless it may not.
    EQ(f.plain("alice@example.org", "secret").app_password, "");
    f.write_logins(with_apps(true));
    EQ(f.plain("alice@example.org", "secret").text, "only app passwords are taken");
    EQ(f.plain("alice@example.org", secrets[0]).kind, Kind::Success);
    // Limits of the account hold for all of its passwords.
    auto all = with_apps(false);
    all["alice@example.org"].limits.protocols = {"pop3"};
    f.write_logins(all);
    EQ(f.plain("alice@example.org", secrets[0]).text, "not permitted by imap (app password phone)");
    f.write_logins({});
    EQ(f.plain("alice@example.org", secrets[0]).text, "wrong password");
}
END_TEST

TEST(scram_takes_any_password_of_the_account_that_is_for_it)
{
    Fixture f;
    f.write_logins(with_apps(false));
    EQ(scram(f, "alice@example.org", "secret", true).app_password, "");
    auto phone = scram(f, "alice@example.org", secrets[0], true);
    EQ(phone.kind, Kind::Success);
    EQ(phone.app_password, "phone");
    EQ(scram(f, "alice@example.org", secrets[1], true).kind, Kind::Failed);   // not from there
    EQ(scram(f, "alice@example.org", "wrong", true).kind, Kind::Failed);
    std::string salt = salt_shown(f, "alice@example.org");
    f.write_logins(with_apps(true));
    EQ(scram(f, "alice@example.org", "secret", true).kind, Kind::Failed);
    EQ(scram(f, "alice@example.org", secrets[0], true).kind, Kind::Success);
    EQ(salt_shown(f, "alice@example.org"), salt);
    // An app password without a verifier could not be used: then SCRAM is not offered.
    auto all = with_apps(false);
    all["alice@example.org"].apps[0].verifier.clear();
    f.write_logins(all);
    auto names = f.call<ipc::Mechanisms>(f.peer, ipc::MechanismsWanted{ipc::Service::Smtp, true, true}).names;
    EQ(names.size(), 2U);
}
END_TEST

TEST(a_user_of_the_system_is_whom_pam_says)
{
    Fixture f;
    f.settings.pam_socket = f.directory + "/pam";
    f.service.emplace(*f.loop, *f.accounts, *f.workers, f.settings);
    f.peer = f.connect(77);
    f.listed.push_back({"carol@example.org", 5050, 5050, "/home/carol", {"system=carol"}});
    OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    // Not there: that is no wrong password.
    EQ(f.plain("carol@example.org", "secret").kind, Kind::Unavailable);
    FakePam pam(f);
    auto in = f.plain("Carol@example.org", "secret", "", true);
    EQ(in.kind, Kind::Success);
    EQ(in.account, "carol@example.org");
    EQ(in.ticket.size(), 32U);
    EQ(pam.questions, "carol secret imap 192.0.2.1;");
    auto wrong = f.plain("carol@example.org", "wrong");
    EQ(wrong.kind, Kind::Failed);
    is_about_two_seconds(wrong.delay);
    EQ(wrong.text, "why not");
    // Nothing is remembered: who is locked now is out now.
    pam.locked = true;
    EQ(f.plain("carol@example.org", "secret").kind, Kind::Failed);
    pam.locked = false;
    pam.broken = true;
    EQ(f.plain("carol@example.org", "secret").kind, Kind::Unavailable);
    pam.broken = false;
    // Another user of the system has the name.
    pam.uid = 5051;
    EQ(f.plain("carol@example.org", "secret").text, "the user has uid 5051 by now, and the account 5050");
    pam.uid = 5050;
    // What limits an account limits this one: PAM is not asked.
    pam.questions.clear();
    auto limits = limited("pop3", "all");
    limits["carol@example.org"] = limits["alice@example.org"];
    f.write_logins(limits);
    EQ(f.plain("carol@example.org", "secret").text, "not permitted by imap");
    EQ(pam.questions, "");
    // An app password is no business of PAM's, but the account's state is.
    auto apps = with_apps(true);
    apps["carol@example.org"] = apps["alice@example.org"];
    f.write_logins(apps);
    EQ(f.plain("carol@example.org", secrets[0]).app_password, "phone");
    EQ(pam.questions, "carol - imap 192.0.2.1;");
    pam.locked = true;
    EQ(f.plain("carol@example.org", secrets[0]).kind, Kind::Failed);
    pam.locked = false;
    EQ(f.plain("carol@example.org", "secret").text, "only app passwords are taken");
    // SCRAM would never let PAM see a password.
    EQ(f.call<ipc::Mechanisms>(f.peer, ipc::MechanismsWanted{ipc::Service::Smtp, true, true}).names.size(), 2U);
    // A ticket is void with its account.
    f.write_logins({});
    ipc::Connection usher = f.connect(0);
    in = f.plain("carol@example.org", "secret", "", true);
    THAT(f.call<ipc::TicketRedeemed>(usher, ipc::RedeemTicket{5, in.ticket, ipc::Service::Imap, 77}).good);
    in = f.plain("carol@example.org", "secret", "", true);
    f.listed.back().flags = {"system=dave"};
    OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    THAT(!f.call<ipc::TicketRedeemed>(usher, ipc::RedeemTicket{5, in.ticket, ipc::Service::Imap, 77}).good);
}
END_TEST

TEST(the_last_use_of_an_app_password_is_kept)
{
    Fixture f;
    f.write_logins(with_apps(false));
    EQ(f.plain("alice@example.org", secrets[0]).kind, Kind::Success);
    EQ(f.plain("alice@example.org", secrets[1]).kind, Kind::Failed);
    std::string path = f.directory + "/auth/last-uses";
    for (int i = 0; i < 5000 && conf::read_last_uses(path).empty(); ++i)
        f.loop->run_for(std::chrono::milliseconds(20));
    auto uses = conf::read_last_uses(path);
    EQ(uses.size(), 1U);
    EQ((uses[{"alice@example.org", "phone"}].client_address), "192.0.2.1");
    EQ((uses[{"alice@example.org", "phone"}].protocol), "imap");
    // Others are written at the end, and what is gone is forgotten.
    auto left = with_apps(false);
    left["alice@example.org"].apps.erase(left["alice@example.org"].apps.begin());
    f.write_logins(left);
    EQ(f.plain("alice@example.org", secrets[1], "", false, ipc::Service::Imap, "2001:db8::7").kind, Kind::Success);
    f.service.reset();
    uses = conf::read_last_uses(path);
    EQ(uses.size(), 1U);
    EQ((uses[{"alice@example.org", "tablet"}].client_address), "2001:db8::7");
}
END_TEST

TEST(a_ticket_is_void_once_the_account_is_another)
{
    Fixture f;
    ipc::Connection usher = f.connect(0);
    auto redeem = [&](const std::string& ticket) {
        return f.call<ipc::TicketRedeemed>(usher, ipc::RedeemTicket{5, ticket, ipc::Service::Imap, 77});
    };
    auto ticket = [&](std::string_view password) { return f.plain("alice@example.org", password, "", true).ticket; };
    f.write_logins(with_apps(false));
    auto redeemed = redeem(ticket(secrets[0]));
    THAT(redeemed.good);
    EQ(redeemed.app_password, "phone");
    // Revoked, and given anew under the same name.
    std::string old = ticket(secrets[0]);
    f.write_logins({});
    THAT(!redeem(old).good);
    f.write_logins(with_apps(false));
    old = ticket(secrets[0]);
    auto others = with_apps(false);
    others["alice@example.org"].apps[0].digest = std::string(32, 'x');
    f.write_logins(others);
    redeemed = redeem(old);
    THAT(!redeemed.good);
    EQ(redeemed.account, "");
    f.write_logins({});
    // Limited, disabled, removed and made anew, another password.
    old = ticket("secret");
    f.write_logins(limited("pop3", "all"));
    THAT(!redeem(old).good);
    f.write_logins({});
    old = ticket("secret");
    auto changed = f.listed;
    changed[0].flags = {"disabled"};
    OK(conf::write_accounts(f.directory + "/accounts", changed));
    THAT(!redeem(old).good);
    OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    old = ticket("secret");
    changed = f.listed;
    changed[0].uid = 5007;
    OK(conf::write_accounts(f.directory + "/accounts", changed));
    THAT(!redeem(old).good);
    old = ticket("secret");
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:\n"));
    THAT(!redeem(old).good);
    THAT(redeem(ticket("other")).good);
}
END_TEST

TEST(scram_keeps_to_limits_and_shows_the_same_salt)
{
    Fixture f;
    std::string before = salt_shown(f, "alice@example.org"), off = salt_shown(f, "off@example.org");
    EQ(before, off);   // both were made with "salt"
    f.write_logins(limited("pop3", "all"));
    EQ(scram(f, "alice@example.org", "secret", true).kind, Kind::Failed);
    EQ(salt_shown(f, "alice@example.org"), before);
    f.write_logins(limited("imap", "192.0.2.0/24"));
    EQ(scram(f, "alice@example.org", "secret", true).kind, Kind::Failed);   // its client has no address
    f.write_logins({});
    EQ(scram(f, "alice@example.org", "secret", true).kind, Kind::Success);
}
END_TEST

}  // namespace

SUITE(auth_service_accounts, an_alias_opens_its_account_where_that_is_permitted,
      limits_count_for_each_log_in_and_look_like_a_wrong_password, a_disabled_account_is_closed_at_the_next_request,
      app_passwords_open_what_they_are_for, scram_takes_any_password_of_the_account_that_is_for_it,
      a_user_of_the_system_is_whom_pam_says, the_last_use_of_an_app_password_is_kept,
      a_ticket_is_void_once_the_account_is_another, scram_keeps_to_limits_and_shows_the_same_salt)
