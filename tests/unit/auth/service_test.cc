#include "tests/unit/auth/service_fixture.h"

namespace {

using namespace test;
using Fixture = AuthFixture;

TEST(the_right_password_opens_and_all_failures_look_the_same)
{
    Fixture f;
    auto result = f.plain("alice@example.org", "secret");
    EQ(result.kind, Kind::Success);
    EQ(result.account, "alice@example.org");
    EQ(result.ticket, "");
    EQ(f.plain("ALICE@Example.ORG", "secret").account, "alice@example.org");
    EQ(f.plain("alice", "secret").account, "alice@example.org");
    EQ(f.plain("alice", "secret", "alice@example.org").kind, Kind::Success);
    struct Case {
        const char *user, *password, *authzid;
    };
    for (const Case& c : {Case{"alice@example.org", "wrong", ""}, Case{"nobody@example.org", "secret", ""},
                          Case{"off@example.org", "secret", ""}, Case{"alice@example.org", "wrong", "off@example.org"}}) {
        auto failed = f.plain(c.user, c.password, c.authzid);
        EQ(failed.kind, Kind::Failed);
        EQ(failed.data, "");
        is_about_two_seconds(failed.delay);
        THAT(!failed.not_authorized);
    }
    // A second time from the cache; a wrong one still fails.
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    EQ(f.plain("alice@example.org", "secret2").kind, Kind::Failed);
}
END_TEST

TEST(nobody_acts_for_another_and_is_told_so_if_the_password_was_right)
{
    Fixture f;
    for (int i = 0; i < 2; ++i) {  // the second time from the cache
        auto refused = f.plain("alice@example.org", "secret", "off@example.org");
        EQ(refused.kind, Kind::Failed);
        THAT(refused.not_authorized);
        EQ(refused.delay, 0);
        EQ(refused.ticket, "");
        EQ(refused.account, "alice@example.org");
        EQ(refused.text, "may not act as off@example.org");
    }
    EQ(f.plain("off@example.org", "secret", "alice@example.org").not_authorized, false);
}
END_TEST

TEST(accents_count_however_they_are_sent)
{
    Fixture f;
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}caf\xc3\xa9:\n"));
    EQ(f.plain("alice@example.org", "caf\xc3\xa9").kind, Kind::Success);
    EQ(f.plain("alice@example.org", "cafe\xcc\x81").kind, Kind::Success);
    EQ(f.plain("alice@example.org", "cafe").kind, Kind::Failed);
    // Names, too; of others the same is made, but not the same account.
    f.listed.push_back({"ren\xc3\xa9@example.org", 5009, 5009, "/home/r", {}});
    OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    f.write_credentials(util::concat(conf::credentials_version_line, "ren\xc3\xa9@example.org:{PLAIN}secret:\n"));
    EQ(f.plain("rene\xcc\x81@example.org", "secret").account, "ren\xc3\xa9@example.org");
    EQ(f.plain("rene@example.org", "secret").kind, Kind::Failed);
}
END_TEST

TEST(a_changed_password_counts_at_once)
{
    Fixture f;
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:\n"));
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Failed);
    EQ(f.plain("alice@example.org", "other").kind, Kind::Success);
    // A broken file lets nobody in, and the mended one does.
    f.write_credentials("nonsense");
    EQ(f.plain("alice@example.org", "other").kind, Kind::Failed);
    f.write_credentials(Fixture::usual());
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
}
END_TEST

TEST(mechanisms_follow_tls_and_verifiers)
{
    Fixture f;
    auto names = [&](bool tls, bool binding) {
        std::string text;
        for (const std::string& name :
             f.call<ipc::Mechanisms>(f.peer, ipc::MechanismsWanted{ipc::Service::Smtp, tls, binding}).names)
            text += name + " ";
        return text;
    };
    EQ(names(true, true), "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN ");
    EQ(names(true, false), "SCRAM-SHA-256 PLAIN LOGIN ");
    EQ(names(false, false), "SCRAM-SHA-256 ");
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:\n"));
    EQ(names(true, true), "PLAIN LOGIN ");
    EQ(names(false, false), "");
    // And what is not offered is not accepted.
    ipc::Authenticate request;
    request.exchange = 99;
    request.mechanism = "PLAIN";
    request.initial = std::string("\0alice@example.org\0other", 24);
    EQ(f.call<ipc::AuthenticationResult>(f.peer, request).kind, Kind::Invalid);
    f.settings.allow_plaintext_login = true;
    f.service->change(f.settings);
    EQ(names(false, false), "PLAIN LOGIN ");
}
END_TEST

TEST(scram_proves_the_password_with_and_without_channel_binding)
{
    Fixture f;
    for (bool plus : {false, true}) {
        auto result = scram(f, "alice@example.org", "secret", plus);
        EQ(result.kind, Kind::Success);
        EQ(result.account, "alice@example.org");
        EQ(result.ticket.size(), 32U);
        EQ(scram(f, "alice@example.org", "wrong", plus).kind, Kind::Failed);
        EQ(scram(f, "nobody@example.org", "secret", plus).kind, Kind::Failed);
        EQ(scram(f, "off@example.org", "secret", plus).kind, Kind::Failed);
    }
}
END_TEST

TEST(tickets_are_redeemed_by_usher_only)
{
    Fixture f;
    auto result = f.plain("alice@example.org", "secret", "", true);
    EQ(result.ticket.size(), 32U);
    ipc::Connection usher = f.connect(0);
    ipc::RedeemTicket request{5, result.ticket, ipc::Service::Imap, 77};
    auto redeemed = f.call<ipc::TicketRedeemed>(usher, request);
    THAT(redeemed.good);
    EQ(redeemed.account, "alice@example.org");
    EQ(redeemed.request, 5U);
    THAT(!f.call<ipc::TicketRedeemed>(usher, request).good);
    // A door that asks is cut off.
    OK(f.peer.send(request));
    for (int i = 0; i < 10'000 && f.gone == 0; ++i)
        f.loop->run_for(std::chrono::milliseconds(10));
    EQ(f.gone, 1);
}
END_TEST

TEST(too_many_checks_are_told_to_come_again_and_a_peer_may_leave_meanwhile)
{
    Fixture f;
    std::vector<ipc::Connection> peers;
    for (int i = 0; i < 8; ++i) {
        peers.push_back(f.connect(77));
        ipc::Authenticate request;
        request.exchange = 1;
        request.mechanism = "PLAIN";
        request.tls = true;
        request.initial = util::concat('\0', "alice@example.org", '\0', "guess", i);
        OK(peers.back().send(request));
    }
    peers[0].close();
    int unavailable = 0, failed = 0;
    for (int round = 0; round < 5000 && unavailable + failed < 7; ++round) {
        f.loop->run_for(std::chrono::milliseconds(20));
        for (std::size_t i = 1; i < peers.size(); ++i) {
            auto packet = ipc::receive_packet(peers[i].fd(), MSG_DONTWAIT);
            if (!packet.ok() || !*packet)
                continue;
            auto result = ipc::decode<ipc::AuthenticationResult>(**packet).take();
            (result.kind == Kind::Unavailable ? unavailable : failed)++;
        }
    }
    EQ(unavailable + failed, 7);
    THAT(unavailable > 0);
    THAT(failed >= 3);
}
END_TEST

TEST(garbage_closes_the_connection_and_nothing_else)
{
    Fixture f;
    ipc::Connection bad = f.connect(77);
    OK(ipc::send_packet(bad.fd(), "nonsense", {}));
    EQ(f.plain("alice@example.org", "secret").kind, Kind::Success);
    EQ(f.gone, 1);
    // A response to an exchange that never was.
    EQ(f.call<ipc::AuthenticationResult>(f.peer, ipc::AuthenticationResponse{12345, "x", false}).kind, Kind::Invalid);
}
END_TEST

TEST(a_name_without_account_keeps_its_salt_whatever_others_do)
{
    Fixture f;
    std::string before = salt_shown(f, "nobody@example.org");
    THAT(before != salt_shown(f, "nobody2@example.org"));
    auto verifier = mail::to_text(mail::make_scram_verifier("other", "another", 4096).take());
    f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:", verifier, "\n"));
    EQ(salt_shown(f, "nobody@example.org"), before);
    std::string path = f.directory + "/auth/last-uses";   // any place that may be written
    std::string secret = auth::lasting_secret(path);
    EQ(secret.size(), 32U);
    EQ(auth::lasting_secret(path), secret);
    OK(util::sys::replace_file(path, "short"));
    THAT(auth::lasting_secret(path) != "short");
    EQ(auth::lasting_secret("/nonexistent/secret").size(), 32U);
}
END_TEST

TEST(a_change_counts_while_a_password_is_being_checked)
{
    Fixture f(slow_credentials());
    auto disable = [&](bool off) {
        f.listed[0].flags = off ? std::vector<std::string>{"disabled"} : std::vector<std::string>();
        OK(conf::write_accounts(f.directory + "/accounts", f.listed));
    };
    for (int round = 0; round < 3; ++round) {
        ipc::Authenticate request;
        request.exchange = ++f.number;
        request.service = ipc::Service::Imap;
        request.client_address = "192.0.2.1";
        request.mechanism = "PLAIN";
        request.tls = true;
        request.initial = util::concat('\0', "alice@example.org", '\0', "secret");
        OK(f.peer.send(request));
        for (int i = 0; i < 5000 && f.workers->checks_made() == std::uint64_t(round); ++i)
            f.loop->run_once();
        if (round == 0)
            disable(true);
        else if (round == 1)
            f.write_logins(limited("pop3", "all"));
        else
            f.write_credentials(util::concat(conf::credentials_version_line, "alice@example.org:{PLAIN}other:\n"));
        std::optional<ipc::AuthenticationResult> result;
        for (int i = 0; i < 5000 && !result; ++i) {
            f.loop->run_for(std::chrono::milliseconds(20));
            auto packet = ipc::receive_packet(f.peer.fd(), MSG_DONTWAIT);
            if (packet.ok() && *packet)
                result = ipc::decode<ipc::AuthenticationResult>(**packet).take();
        }
        EQ(result->kind, Kind::Failed);
        EQ(result->text, round == 0   ? "disabled account"
                         : round == 1 ? "not permitted by imap"
                                      : "the account has changed meanwhile");
        disable(false);
        f.write_logins({});
        f.service->change(f.settings);   // forgets that the password was right
    }
}
END_TEST

}  // namespace

SUITE(auth_service, the_right_password_opens_and_all_failures_look_the_same,
      nobody_acts_for_another_and_is_told_so_if_the_password_was_right, accents_count_however_they_are_sent,
      a_changed_password_counts_at_once, mechanisms_follow_tls_and_verifiers,
      scram_proves_the_password_with_and_without_channel_binding, tickets_are_redeemed_by_usher_only,
      too_many_checks_are_told_to_come_again_and_a_peer_may_leave_meanwhile,
      garbage_closes_the_connection_and_nothing_else, a_name_without_account_keeps_its_salt_whatever_others_do,
      a_change_counts_while_a_password_is_being_checked)
