// master/plan.h, master/sockets.h and master/certificates.h
#include "master/certificates.h"
#include "master/plan.h"
#include "master/sockets.h"

#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace master;
namespace sys = util::sys;

namespace {

// A configuration directory, and a directory of programs that do nothing.
struct Fixture {
    std::string path;
    conf::Problems problems;

    Fixture()
    {
        char name[] = "/tmp/tern-unit-XXXXXX";
        path = ::mkdtemp(name);
        for (const char* program : {"log", "smtpd", "usher", "cleanup"})
            ck_assert(sys::replace_file(path + "/" + program, "#!/bin/sh\n", 0755).ok());
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture()
    {
        auto directory = sys::open(path, O_RDONLY | O_DIRECTORY);
        for (const std::string& name : sys::list_directory(directory->get()).take())
            (void)sys::unlinkat(directory->get(), name);
        (void)sys::rmdir(path);
    }

    std::unique_ptr<Plan> load(std::string_view main_cf, std::string_view master_cf)
    {
        std::string basics = util::concat("daemon_directory = ", path, "\nqueue_directory = ", path, "\n");
        ck_assert(sys::replace_file(path + "/main.cf", basics + std::string(main_cf)).ok());
        ck_assert(sys::replace_file(path + "/master.cf", master_cf).ok());
        problems = {};
        return Plan::load(path, true, problems);
    }
    bool says(std::string_view text) const { return problems.to_text().find(text) != std::string::npos; }
};

TEST(reads_services_and_always_runs_the_log)
{
    Fixture fixture;
    auto plan = fixture.load("default_process_limit = 7\n",
                             "127.0.0.1:2525 inet n - n - - smtpd -o a=b\n"
                             "cleanup unix - - n - 0 cleanup\n"
                             "usher unix - n n 60? 1 usher\n");
    ck_assert_msg(!fixture.problems.any(), "%s", fixture.problems.to_text().c_str());
    EQ(plan->services.size(), 4u);
    THAT(plan->services[0].always);
    EQ(plan->services[0].type(), "log");
    EQ(plan->services[1].limit, 7u);
    THAT(plan->services[1].program->certificates);
    EQ(plan->services[2].limit, server::Scoreboard::slots);
    EQ(plan->services[3].entry.wakeup, 60u);
    EQ(plan->pid_file(), fixture.path + "/pid/master.pid");
    auto line = plan->services[1].command_line("/etc/tern", true, true);
    std::string text;
    for (const std::string& word : line)
        util::append(text, word, " ");
    EQ(text, "smtpd -n 127.0.0.1:2525 -t inet -c /etc/tern -v -o stress=yes -o a=b ");
}
END_TEST

TEST(tells_all_that_is_wrong_with_its_line)
{
    Fixture fixture;
    fixture.load("tls_chain_files = /nonexistent/chain.pem\nservice_throttle_time = 2x\n",
                 "127.0.0.1:1 inet n n n - - smtpd\n"
                 "usher unix - y n - 1 usher\n"
                 "x unix - - n - 1 frobnicate\n"
                 "y unix - - n - 1 imapd\n"
                 "log unix - - n - 1 log\n"
                 "master unix - - n - 1 cleanup\n");
    for (std::string_view text :
         {"master.cf:1: 127.0.0.1:1/inet: smtpd never runs as root", "master.cf:2: usher/unix: usher runs as root",
          "master.cf:3: x/unix: frobnicate is not one of Tern's daemons",
          "master.cf:4: y/unix: ", "master.cf:5: log/unix: the log daemon has no entry",
          "master.cf:6: master/unix: the name is that of master's own socket",
          "main.cf:3: tls_chain_files: ", "main.cf:4: service_throttle_time"})
        ck_assert_msg(fixture.says(text), "%s is not in\n%s", std::string(text).c_str(), fixture.problems.to_text().c_str());
}
END_TEST

TEST(who_has_no_anvil_is_told_so)
{
    Fixture fixture;
    fixture.load("", "127.0.0.1:2525 inet n - n - - smtpd\n");
    THAT(!fixture.problems.any());
    THAT(fixture.says("there is no anvil/unix"));
    fixture.load("", "cleanup unix - - n - 0 cleanup\n");
    THAT(!fixture.says("anvil"));
    ck_assert(sys::replace_file(fixture.path + "/anvil", "#!/bin/sh\n", 0755).ok());
    fixture.load("", "127.0.0.1:2525 inet n - n - - smtpd\nanvil unix - - - - 1 anvil\n");
    THAT(!fixture.says("anvil"));
}
END_TEST

TEST(a_path_that_no_socket_can_have_is_refused)
{
    Fixture fixture;
    // With "/private/cleanup" that is 108 bytes, one too many.
    std::string directory = "/" + std::string(91, 'd');
    fixture.load("queue_directory = " + directory + "\n", "cleanup unix - - n - 1 cleanup\n");
    ck_assert_msg(fixture.says("longer than 107 bytes"), "%s", fixture.problems.to_text().c_str());
    directory.pop_back();
    fixture.load("queue_directory = " + directory + "\n", "cleanup unix - - n - 1 cleanup\n");
    THAT(!fixture.problems.any());
}
END_TEST

TEST(endpoints_are_addresses_and_paths)
{
    Fixture fixture;
    auto plan = fixture.load("inet_interfaces = loopback-only\n",
                             "127.0.0.1:2525 inet n - n - - smtpd\n"
                             "2526 inet n - n - - smtpd\n"
                             "cleanup unix n - n - 0 cleanup\n");
    EQ(endpoints_of(*plan, plan->services[0])->size(), 0u);
    auto one = endpoints_of(*plan, plan->services[1]).take();
    EQ(one.size(), 1u);
    EQ(one[0].key, "inet/127.0.0.1:2525");
    auto two = endpoints_of(*plan, plan->services[2]).take();
    EQ(two.size(), 2u);
    EQ(two[1].key, "inet/[::1]:2526");
    EQ(endpoints_of(*plan, plan->services[3])->front().path, fixture.path + "/public/cleanup");
    plan = fixture.load("inet_interfaces = loopback-only\ninet_protocols = ipv4\n", "2526 inet n - n - - smtpd\n");
    EQ(endpoints_of(*plan, plan->services[1])->size(), 1u);
    plan = fixture.load("inet_protocols = ipv6\n", "127.0.0.1:2526 inet n - n - - smtpd\n");
    EQ(endpoints_of(*plan, plan->services[1]).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(a_listening_socket_hands_nodelay_to_its_clients)
{
    Endpoint endpoint;
    auto* address = reinterpret_cast<sockaddr_in*>(&endpoint.address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    endpoint.address_size = sizeof(sockaddr_in);
    endpoint.key = "inet/test";
    auto listener = open_endpoint(endpoint).take();
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ck_assert(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
    util::UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
    ck_assert(::connect(client.get(), reinterpret_cast<sockaddr*>(&bound), size) == 0);
    util::UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, 0));
    int on = 0;
    socklen_t length = sizeof on;
    ck_assert(::getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0);
    EQ(on, 1);
    // The address is taken: an error, and a clear one.
    std::memcpy(&endpoint.address, &bound, sizeof bound);
    auto second = open_endpoint(endpoint);
    THAT(second.error().text.starts_with("bind inet/test: Address already in use"));
    // Closed for good, although somebody still holds it.
    auto held = sys::duplicate(listener.get()).take();
    close_listener("inet/test", listener);
    util::UniqueFd late(::socket(AF_INET, SOCK_STREAM, 0));
    THAT(::connect(late.get(), reinterpret_cast<sockaddr*>(&bound), size) < 0);
}
END_TEST

TEST(certificates_that_are_no_good_change_nothing)
{
    Fixture fixture;
    std::string file = fixture.path + "/chain.pem";
    OK(sys::replace_file(file, "not PEM"));
    EQ(read_certificates({{file}, {}}).ok(), false);
    EQ(read_certificates({})->text, "");
    Certificates certificates;
    OK(certificates.set({{file}, {}}, {"", {file}}));
    EQ(certificates.fd(), -1);
    THAT(!certificates.refresh());
    OK(sys::replace_file(file, "still not PEM"));
    THAT(!certificates.refresh());
    OK(certificates.set({{file}, {}}, {"text", {file}}));
    THAT(sys::is_sealed(certificates.fd()));
}
END_TEST

SUITE(plan, reads_services_and_always_runs_the_log, tells_all_that_is_wrong_with_its_line, who_has_no_anvil_is_told_so,
      a_path_that_no_socket_can_have_is_refused, endpoints_are_addresses_and_paths,
      a_listening_socket_hands_nodelay_to_its_clients, certificates_that_are_no_good_change_nothing)

}  // namespace
