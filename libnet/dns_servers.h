// Which servers are asked: resolv.conf(5), or a list of our own.
#pragma once

#include "libconf/watched_file.h"
#include "libnet/dns.h"

#include <sys/socket.h>

namespace net::dns {

constexpr std::size_t max_servers = 8;          // more are left out
constexpr std::size_t max_resolv_servers = 3;   // of resolv.conf, as with the C library
constexpr std::size_t max_resolv_conf = 64 * 1024;  // bytes; a larger file is refused

struct Server {
    sockaddr_storage address{};
    socklen_t address_size = 0;
    std::string text;  // for logs: "192.0.2.1", and the port where it is not 53
    bool loopback = false;
};

// "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353", "fe80::1%eth0"; Invalid: all else.
util::Result<Server> parse_server(std::string_view text);

// What resolv.conf says.  Lines that are none of these, and servers with a mistake, are passed over, as the C library
// does; `search` and its kin have no meaning for mail.
struct ResolvConf {
    std::vector<Server> servers;  // at most max_resolv_servers
    std::optional<util::Duration> timeout;  // options timeout:N, 1 to 30 s
    std::optional<unsigned> attempts;       // options attempts:N, 1 to 5
    bool trust_ad = false;                  // options trust-ad
};
ResolvConf parse_resolv_conf(std::string_view text);

// The servers of the Settings as they are now.
class ServerList {
public:
    // Invalid: a server's text.
    static util::Result<ServerList> open(const Settings& settings);

    // Looks whether resolv.conf has changed, at most once a second; true if so.  A file that cannot be read leaves
    // what was known; if nothing was, the server is 127.0.0.1.
    bool refresh();

    const std::vector<Server>& servers() const { return servers_; }
    util::Duration timeout() const { return timeout_; }
    unsigned attempts() const { return attempts_; }
    // May the AD bit of this server's answers be believed?
    bool trusted(const Server& server) const;

private:
    ServerList(const Settings& settings);
    void apply(const ResolvConf& file);

    TrustAd trust_ad_;
    util::Duration wanted_timeout_;
    unsigned wanted_attempts_;
    bool fixed_ = false;  // the Settings name the servers
    std::optional<conf::WatchedFile> file_;
    std::vector<Server> servers_;
    util::Duration timeout_{};
    unsigned attempts_ = 0;
    bool file_trusts_ad_ = false;
};

}  // namespace net::dns
