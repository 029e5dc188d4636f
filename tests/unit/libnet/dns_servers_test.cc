#include "libnet/dns_servers.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

using namespace net::dns;
using namespace std::chrono_literals;

std::string server(std::string_view text)
{
    auto parsed = parse_server(text);
    return parsed.ok() ? util::concat(parsed->text, parsed->loopback ? " loopback" : "") : parsed.error().text;
}

std::string show_servers(const std::vector<Server>& servers)
{
    std::string text;
    for (const Server& each : servers)
        util::append(text, text.empty() ? "" : " ", each.text);
    return text;
}

struct Directory {
    Directory() { THAT(::mkdtemp(path.data()) != nullptr); }
    std::string path = "/tmp/dns_servers.XXXXXX";
    std::string file() const { return path + "/resolv.conf"; }
    ~Directory()
    {
        (void)util::sys::unlink(file());
        (void)util::sys::rmdir(path);
    }
};

TEST(a_server_is_an_address_and_perhaps_a_port)
{
    EQ(server("192.0.2.1"), "192.0.2.1");
    EQ(server("192.0.2.1:53"), "192.0.2.1");
    EQ(server("127.0.0.1:5353"), "127.0.0.1:5353 loopback");
    EQ(server("2001:db8::1"), "2001:db8::1");
    EQ(server("[2001:db8::1]"), "2001:db8::1");
    EQ(server("[::1]:5353"), "[::1]:5353 loopback");
    EQ(server("fe80::1%lo"), "fe80::1");
}
END_TEST

TEST(other_texts_are_no_servers)
{
    for (std::string_view text :
         {"", "ns.example", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:x", "[2001:db8::1", "[::1]x", "[::1]:", "[[::1]]"})
        EQ(server(text), util::concat('"', text, "\" is not the address of a server"));
    EQ(server("fe80::1%nosuchone"), "fe80::1%nosuchone: no such interface");
}
END_TEST

TEST(resolv_conf_gives_three_servers_and_options)
{
    auto file = parse_resolv_conf("# comment\n; another\nsearch example.org\nnameserver 192.0.2.1\nnameserver\tbad\n"
                                  "nameserver 192.0.2.2 # remark\n nameserver 192.0.2.9\nnameserver ::1\nnameserver 192.0.2.4\n"
                                  "options edns0 timeout:3 attempts:4 trust-ad\n");
    EQ(show_servers(file.servers), "192.0.2.1 192.0.2.2 ::1");
    EQ(*file.timeout, util::Duration(3s));
    EQ(*file.attempts, 4);
    THAT(file.trust_ad);
}
END_TEST

TEST(options_have_limits)
{
    auto file = parse_resolv_conf("options timeout:100 attempts:100\n");
    EQ(*file.timeout, util::Duration(30s));
    EQ(*file.attempts, 5);
    THAT(!file.trust_ad);
    file = parse_resolv_conf("options timeout:x attempts:0 trust-adx");
    THAT(!file.timeout && !file.attempts && !file.trust_ad);
}
END_TEST

TEST(without_a_file_the_server_is_on_this_host)
{
    Directory directory;
    auto list = ServerList::open({.resolv_conf = directory.file()}).take();
    EQ(show_servers(list.servers()), "127.0.0.1");
    EQ(list.timeout(), util::Duration(5s));
    EQ(list.attempts(), 2);
    THAT(list.trusted(list.servers()[0]));
}
END_TEST

TEST(a_changed_file_is_read_again)
{
    Directory directory;
    OK(util::sys::replace_file(directory.file(), "nameserver 192.0.2.1\noptions timeout:7"));
    auto list = ServerList::open({.resolv_conf = directory.file()}).take();
    EQ(show_servers(list.servers()), "192.0.2.1");
    EQ(list.timeout(), util::Duration(7s));
    THAT(!list.trusted(list.servers()[0]));
    OK(util::sys::replace_file(directory.file(), "nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions trust-ad"));
    auto end = util::Deadline::in(20s);
    while (!list.refresh() && !end.passed()) {
    }
    EQ(show_servers(list.servers()), "192.0.2.1 192.0.2.2");
    EQ(list.timeout(), util::Duration(5s));
    THAT(list.trusted(list.servers()[0]));
}
END_TEST

TEST(settings_come_before_the_file)
{
    util::log::to_nowhere();
    Directory directory;
    OK(util::sys::replace_file(directory.file(), "nameserver 192.0.2.1\noptions timeout:7 trust-ad"));
    Settings settings{.servers = {"192.0.2.7:54", "127.0.0.1"}, .resolv_conf = directory.file(), .attempts = 1};
    auto list = ServerList::open(settings).take();
    EQ(show_servers(list.servers()), "192.0.2.7:54 127.0.0.1");
    EQ(list.timeout(), util::Duration(7s));
    EQ(list.attempts(), 1);
    // The file speaks of its own servers.
    THAT(!list.trusted(list.servers()[0]));
    THAT(list.trusted(list.servers()[1]));
    settings.trust_ad = TrustAd::Yes;
    THAT(ServerList::open(settings)->trusted(list.servers()[0]));
    settings.trust_ad = TrustAd::No;
    THAT(!ServerList::open(settings)->trusted(list.servers()[1]));
    settings.servers = {"nonsense"};
    EQ(ServerList::open(settings).error().kind, util::Kind::Invalid);
    settings.servers = std::vector<std::string>(max_servers, "192.0.2.1");
    OK(ServerList::open(settings));
    settings.servers.push_back("192.0.2.1");
    EQ(ServerList::open(settings).error().text, "more than 8 servers");
}
END_TEST

TEST(a_jail_needs_the_directories_of_the_file_and_of_what_it_links_to)
{
    Directory directory;
    auto needs = jail_directories({.resolv_conf = directory.file()});
    EQ(needs.size(), 1);
    EQ(needs[0], directory.path);
    THAT(::symlink("/usr/bin/env", directory.file().c_str()) == 0);
    needs = jail_directories({.resolv_conf = directory.file()});
    EQ(needs.size(), 2);
    EQ(needs[1], "/usr/bin");
}
END_TEST

}  // namespace

SUITE(dns_servers, a_server_is_an_address_and_perhaps_a_port, other_texts_are_no_servers,
      resolv_conf_gives_three_servers_and_options, options_have_limits, without_a_file_the_server_is_on_this_host,
      a_changed_file_is_read_again, settings_come_before_the_file,
      a_jail_needs_the_directories_of_the_file_and_of_what_it_links_to)
