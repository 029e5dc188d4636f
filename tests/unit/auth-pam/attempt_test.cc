// auth-pam/attempt.h, auth-pam/keeper.h: with files of PAM that are the test's own.
#include "auth-pam/attempt.h"
#include "auth-pam/keeper.h"
#include "libipc/connection.h"
#include "libutil/log.h"
#include "libutil/orphans.h"
#include "libutil/sys.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
// pam_start() loses what it had made when there are no rules.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpam.so\n"; }
#endif

namespace {

using Verdict = ipc::UserChecked::Verdict;

struct House {
    House()
    {
        util::log::to_nowhere();
        // Any user that is not root.
        user = ::geteuid() == 0 ? ::getpwnam("nobody") : ::getpwuid(::geteuid());
        CHECK(user);
        rules.directory = dir.path();
        rules.minimum_uid = 1;
    }
    void pam(std::string_view text) { dir.write("tern", text); }
    ipc::UserChecked ask(std::optional<std::string> password = "secret")
    {
        return auth_pam::attempt({7, user->pw_name, std::move(password), "imap", "192.0.2.1"}, rules);
    }

    test::TempDir dir;
    passwd* user = nullptr;
    auth_pam::Rules rules;
};

constexpr const char* permits = "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n";

TEST(pam_says_who_may_log_in)
{
    House h;
    h.pam(permits);
    auto good = h.ask();
    EQ(good.text, "");
    EQ(good.verdict, Verdict::Good);
    EQ(good.request, 7u);
    EQ(good.uid, h.user->pw_uid);
    h.rules.session = true;
    EQ(h.ask().verdict, Verdict::Good);
    h.rules.session = false;
    h.pam("auth required pam_deny.so\naccount required pam_permit.so\n");
    auto denied = h.ask();
    EQ(denied.verdict, Verdict::Bad);
    EQ(denied.text, "PAM authentication: Authentication failure");
    // The account's state counts, also where the password is not PAM's to check.
    h.pam("auth required pam_permit.so\naccount required pam_deny.so\n");
    EQ(h.ask().verdict, Verdict::Bad);
    EQ(h.ask(std::nullopt).verdict, Verdict::Bad);
    h.pam("auth required pam_deny.so\naccount required pam_permit.so\n");
    EQ(h.ask(std::nullopt).verdict, Verdict::Good);
    h.pam("auth required pam_permit.so\naccount required pam_debug.so acct=new_authtok_reqd\n");
    EQ(h.ask().verdict, Verdict::Bad);
    h.pam("auth required pam_permit.so\naccount required pam_debug.so acct=acct_expired\n");
    EQ(h.ask().text, "PAM account: User account has expired");
    h.pam("auth required pam_debug.so auth=authinfo_unavail\naccount required pam_permit.so\n");
    EQ(h.ask().verdict, Verdict::Unavailable);
    // A session that fails is a log-in that fails, where sessions are wanted.
    h.pam("auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_deny.so\n");
    EQ(h.ask().verdict, Verdict::Good);
    h.rules.session = true;
    THAT(h.ask().verdict != Verdict::Good);
    EQ(h.ask(std::nullopt).verdict, Verdict::Good);
}
END_TEST

TEST(without_rules_of_pam_nobody_comes_in)
{
    House h;
    THAT(h.ask().verdict != Verdict::Good);
    h.pam("auth required pam_no_such_module.so\naccount required pam_permit.so\n");
    THAT(h.ask().verdict != Verdict::Good);
    h.pam("");
    THAT(h.ask().verdict != Verdict::Good);
}
END_TEST

TEST(root_and_low_uids_and_strange_names_are_not_asked_for)
{
    House h;
    h.pam(permits);
    auto as = [&](std::string name) { return auth_pam::attempt({1, std::move(name), "secret", "imap", "192.0.2.1"}, h.rules); };
    EQ(as("root").text, "uid 0 is below auth_pam_minimum_uid");
    h.rules.minimum_uid = h.user->pw_uid + 1;
    EQ(h.ask().verdict, Verdict::Bad);
    h.rules.minimum_uid = h.user->pw_uid;
    EQ(h.ask().verdict, Verdict::Good);
    EQ(as("no-such-user-here").text, "the system has no user no-such-user-here");
    for (const std::string& name :
         std::vector<std::string>{"", "../x", "a:b", "a\nb", std::string("a\0b", 3), std::string(300, 'x')})
        EQ(as(name).text, "no name of a user, or no password");
    EQ(h.ask(std::string("a\0b", 3)).verdict, Verdict::Bad);
    auto from = [&](std::string address) {
        return auth_pam::attempt({1, h.user->pw_name, "secret", "imap", std::move(address)}, h.rules).verdict;
    };
    EQ(from("unknown"), Verdict::Good);
    EQ(from("a\nb"), Verdict::Bad);
}
END_TEST

TEST(pam_gets_the_password_and_nothing_else)
{
    House h;
    // What the module has on its standard input is what was given when it asked.
    std::string script =
        h.dir.write("check", "#!/bin/sh\nread -r given; [ \"$given\" = 'se cret' ] && [ \"$PAM_RHOST\" = 192.0.2.1 ] && "
                             "[ \"$PAM_TTY\" = imap ]\n");
    OK(util::sys::chmod(script, 0755));
    h.pam(util::concat("auth required pam_exec.so quiet expose_authtok ", script, "\naccount required pam_permit.so\n"));
    EQ(h.ask("se cret").verdict, Verdict::Good);
    EQ(h.ask("secret").verdict, Verdict::Bad);
    // Only once is enough for two modules; a user's name or a code nobody gives.
    h.pam(util::concat("auth required pam_exec.so quiet expose_authtok ", script,
                       "\nauth required pam_exec.so quiet expose_authtok ", script, "\naccount required pam_permit.so\n"));
    EQ(h.ask("se cret").verdict, Verdict::Good);
}
END_TEST

struct Office {
    explicit Office(auth_pam::Settings settings, auth_pam::Keeper::Work work)
        : loop(util::EventLoop::create().take()), keeper(loop, std::move(settings), std::move(work)),
          children(loop, SIGCHLD, [this] { keeper.reap(); })
    {
        util::log::to_nowhere();
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET).take();
        keeper.accept(std::move(pair.first), [this] { ++gone; });
        auth = ipc::Connection(std::move(pair.second));
    }
    void ask(std::uint64_t request, std::string user)
    {
        OK(auth.send(ipc::CheckUser{request, std::move(user), "secret", "imap", "::1"}));
    }
    ipc::UserChecked next()
    {
        for (int i = 0; i < 10'000; ++i) {
            loop.run_for(std::chrono::milliseconds(10));
            auto packet = ipc::receive_packet(auth.fd(), MSG_DONTWAIT);
            if (packet.ok() && *packet)
                return ipc::decode<ipc::UserChecked>(**packet).take();
        }
        ck_abort_msg("no answer came");
    }

    util::EventLoop loop;
    auth_pam::Keeper keeper;
    util::SignalWatch children;
    ipc::Connection auth;
    int gone = 0;
};

// In the process of a question: what it does is in the user's name.
void act(const ipc::CheckUser& wanted, const auth_pam::Rules&, int result)
{
    if (wanted.user == "hangs")
        for (;;)
            ::pause();
    if (wanted.user == "leaves" && ::fork() == 0) {
        ::setsid();
        for (;;)
            ::pause();
    }
    if (wanted.user == "dies")
        ::raise(SIGKILL);
    std::vector<int> none;
    ipc::UserChecked answer{
        .request = wanted.user == "lies" ? 99 : wanted.request, .verdict = Verdict::Good, .uid = 5, .text = {}};
    (void)ipc::send_packet(result, wanted.user == "garbage" ? "x" : ipc::encode(answer, none), none);
}

TEST(each_question_has_one_answer_whatever_becomes_of_its_process)
{
    auth_pam::Settings settings{.rules = {}, .timeout = std::chrono::hours(1), .process_limit = 5};
    Office office(settings, act);
    std::uint64_t request = 0;
    for (auto [user, verdict] : {std::pair("good", Verdict::Good), std::pair("dies", Verdict::Unavailable),
                                 std::pair("lies", Verdict::Unavailable), std::pair("garbage", Verdict::Unavailable),
                                 std::pair("hangs", Verdict::Unavailable), std::pair("good", Verdict::Good)}) {
        settings.timeout = std::string_view(user) == "hangs" ? util::Duration(1000) : util::Duration(std::chrono::hours(1));
        office.keeper.change(settings);
        office.ask(++request, user);
        auto answer = office.next();
        EQ(answer.request, request);
        EQ(answer.verdict, verdict);
    }
    for (int i = 0; i < 10'000 && office.keeper.processes() > 0; ++i)
        office.loop.run_for(std::chrono::milliseconds(10));
    EQ(office.keeper.processes(), 0u);
    // Garbage from auth ends the connection.
    OK(ipc::send_packet(office.auth.fd(), "nonsense", {}));
    for (int i = 0; i < 10'000 && office.gone == 0; ++i)
        office.loop.run_for(std::chrono::milliseconds(10));
    EQ(office.gone, 1);
}
END_TEST

TEST(what_a_module_leaves_running_is_ended)
{
    OK(util::adopt_orphans());
    Office office({.rules = {}, .timeout = std::chrono::hours(1), .process_limit = 5}, act);
    office.ask(1, "hangs");   // which is no orphan
    office.ask(2, "leaves");
    EQ(office.next().verdict, Verdict::Good);
    auto children = [] {
        auto text = util::sys::read_file(util::concat("/proc/self/task/", ::getpid(), "/children"), 4096);
        return util::split_words(text.ok() ? std::string_view(*text) : std::string_view(), " \n").size();
    };
    for (int i = 0; i < 10'000 && children() != 1; ++i)
        office.loop.run_for(std::chrono::milliseconds(10));
    EQ(children(), 1u);
    EQ(office.keeper.processes(), 1u);
}
END_TEST

TEST(so_many_are_asked_at_a_time_and_others_wait)
{
    // However slow this machine is: those who are asked have an hour, those who wait next to nothing.
    auth_pam::Settings patient{.rules = {}, .timeout = std::chrono::hours(1), .process_limit = 2};
    auth_pam::Settings hasty{.rules = {}, .timeout = std::chrono::milliseconds(1), .process_limit = 2};
    Office office(patient, act);
    for (int i = 0; i < 2; ++i)
        office.ask(1, "hangs");
    for (int i = 0; i < 10'000 && office.keeper.processes() < 2; ++i)
        office.loop.run_for(std::chrono::milliseconds(10));
    office.keeper.change(hasty);
    for (int i = 0; i < 2; ++i)
        office.ask(2, "good");
    for (int i = 0; i < 2; ++i) {
        auto answer = office.next();
        EQ(answer.request, 2u);
        EQ(answer.text, "PAM is slow, and others came first (auth_pam_process_limit)");
    }
    EQ(office.keeper.processes(), 2u);
    // One who waits comes in when others have ended.
    office.keeper.change(patient);
    office.ask(3, "good");
    office.keeper.stop();
    int good = 0, unavailable = 0;
    for (int i = 0; i < 3; ++i)
        (office.next().verdict == Verdict::Good ? good : unavailable)++;
    EQ(good, 1);
    EQ(unavailable, 2);
}
END_TEST

}  // namespace

SUITE(auth_pam, pam_says_who_may_log_in, without_rules_of_pam_nobody_comes_in,
      root_and_low_uids_and_strange_names_are_not_asked_for, pam_gets_the_password_and_nothing_else,
      each_question_has_one_answer_whatever_becomes_of_its_process, what_a_module_leaves_running_is_ended,
      so_many_are_asked_at_a_time_and_others_wait)
