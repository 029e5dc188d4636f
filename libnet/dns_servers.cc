// Which servers are asked.
#include "libnet/dns_servers.h"

#include "libconf/network.h"
#include "libnet/endpoint.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace net::dns {

namespace {

constexpr std::uint16_t dns_port = 53;
constexpr util::Duration default_timeout = std::chrono::seconds(5);
constexpr unsigned default_attempts = 2;

struct ServerText {
    std::string_view address;
    std::string_view interface;
    std::string_view port;
};

ServerText split_server(std::string_view text)
{
    ServerText parts{.address = text};
    if (text.starts_with('[')) {
        auto end = text.find(']');
        if (end == std::string_view::npos)
            return parts;
        parts.address = text.substr(1, end - 1);
        std::string_view rest = text.substr(end + 1);
        if (rest.starts_with(':') && rest.size() > 1)
            parts.port = rest.substr(1);
        else if (!rest.empty())
            parts.address = {};
    } else if (std::ranges::count(text, ':') == 1) {
        std::tie(parts.address, parts.port) = util::split_first(text, ':');
    }
    std::tie(parts.address, parts.interface) = util::split_first(parts.address, '%');
    return parts;
}

void set_address(Server& server, const conf::IpAddress& address, std::uint16_t port, unsigned scope)
{
    if (address.length == 4) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
        std::memcpy(&server.address, &v4, sizeof v4);
        server.address_size = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        v6.sin6_scope_id = scope;
        std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
        std::memcpy(&server.address, &v6, sizeof v6);
        server.address_size = sizeof v6;
    }
}

template <typename Number>
void read_option(std::string_view word, std::string_view name, std::uint64_t most, std::optional<Number>& out)
{
    if (!word.starts_with(name))
        return;
    auto number = util::parse_unsigned(word.substr(name.size()));
    if (number.ok() && *number > 0)
        out = Number(std::min(*number, most));
}

}  // namespace

util::Result<Server> parse_server(std::string_view text)
{
    ServerText parts = split_server(text);
    auto wrong = [&] {
        return util::invalid(util::concat('"', util::printable(text, 100), "\" is not the address of a server"));
    };
    auto address = conf::IpAddress::parse(parts.address);
    if (!address.ok() || parts.address.starts_with('[') || !(util::is_alnum(parts.address[0]) || parts.address[0] == ':'))
        return wrong();
    std::uint64_t port = dns_port;
    if (!parts.port.empty()) {
        auto number = util::parse_unsigned(parts.port, UINT16_MAX);
        if (!number.ok() || *number == 0)
            return wrong();
        port = *number;
    }
    unsigned scope = 0;
    if (!parts.interface.empty()) {
        scope = ::if_nametoindex(std::string(parts.interface).c_str());
        if (scope == 0)
            return util::invalid(util::concat(util::printable(text, 100), ": no such interface"));
    }
    Server server;
    set_address(server, *address, std::uint16_t(port), scope);
    server.text = address->to_text();
    server.loopback = Endpoint{server.text, 0}.is_loopback();
    if (port != dns_port)
        server.text = address->length == 4 ? util::concat(server.text, ':', port) : util::concat('[', server.text, "]:", port);
    return server;
}

ResolvConf parse_resolv_conf(std::string_view text)
{
    ResolvConf file;
    for (std::string_view line : util::split(text, '\n')) {
        // A keyword begins its line.
        if (line.empty() || util::is_space(line[0]))
            continue;
        auto words = util::split_words(line, " \t\r");
        if (words.size() < 2)
            continue;
        if (words[0] == "nameserver" && file.servers.size() < max_resolv_servers) {
            auto server = parse_server(words[1]);
            if (server.ok())
                file.servers.push_back(server.take());
        } else if (words[0] == "options") {
            std::optional<std::int64_t> seconds;
            for (std::string_view word : std::span(words).subspan(1)) {
                read_option(word, "timeout:", 30, seconds);
                read_option(word, "attempts:", 5, file.attempts);
                file.trust_ad = file.trust_ad || word == "trust-ad";
            }
            if (seconds)
                file.timeout = std::chrono::seconds(*seconds);
        }
    }
    return file;
}

ServerList::ServerList(const Settings& settings) :
    trust_ad_(settings.trust_ad), wanted_timeout_(settings.timeout), wanted_attempts_(settings.attempts)
{
    apply({});
}

util::Result<ServerList> ServerList::open(const Settings& settings)
{
    ServerList list(settings);
    if (!settings.servers.empty()) {
        list.fixed_ = true;
        list.servers_.clear();
        for (const std::string& text : settings.servers)
            list.servers_.push_back(TRY(parse_server(text)));
        if (list.servers_.size() > max_servers)
            return util::invalid(util::concat("more than ", max_servers, " servers"));
    }
    // The options of resolv.conf hold for servers of our own, too, but not its trust: that is in its servers.
    list.file_.emplace(settings.resolv_conf);
    list.refresh();
    return list;
}

bool ServerList::refresh()
{
    auto changed = file_->changed();
    if (!changed.ok() || !*changed)
        return false;
    auto text = util::sys::read_file(file_->path(), max_resolv_conf);
    if (!text.ok()) {
        util::log::warning(text.error().text);
        return false;
    }
    apply(parse_resolv_conf(*text));
    return true;
}

void ServerList::apply(const ResolvConf& file)
{
    timeout_ = wanted_timeout_ > util::Duration::zero() ? wanted_timeout_ : file.timeout.value_or(default_timeout);
    attempts_ = wanted_attempts_ > 0 ? wanted_attempts_ : file.attempts.value_or(default_attempts);
    if (fixed_)
        return;
    file_trusts_ad_ = file.trust_ad;
    servers_ = file.servers;
    if (servers_.empty())
        servers_.push_back(parse_server("127.0.0.1").take());
}

bool ServerList::trusted(const Server& server) const
{
    return trust_ad_ == TrustAd::Yes || (trust_ad_ == TrustAd::Auto && (server.loopback || file_trusts_ad_));
}

std::vector<std::string> jail_directories(const Settings& settings)
{
    std::vector<std::string> directories;
    auto add_directory_of = [&](std::string_view path) {
        auto slash = path.rfind('/');
        if (slash != std::string_view::npos && slash > 0)
            directories.emplace_back(path.substr(0, slash));
    };
    add_directory_of(settings.resolv_conf);
    char target[PATH_MAX];
    if (::realpath(settings.resolv_conf.c_str(), target) != nullptr && settings.resolv_conf != target)
        add_directory_of(target);
    return directories;
}

}  // namespace net::dns
