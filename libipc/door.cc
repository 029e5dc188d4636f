// The door of a mail protocol.
#include "libipc/door.h"

#include "libconf/network.h"
#include "libipc/door_client.h"
#include "libnet/proxy_header.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <sys/socket.h>

#include <algorithm>

namespace ipc {

namespace {

std::string_view name_of(Service service) { return service == Service::Pop3 ? "pop3d" : "imapd"; }

}  // namespace

Door::Door(util::EventLoop& loop, Service service, DoorSettings settings,
           LoginService::Sockets sockets, MakeDialog make_dialog)
    : loop_(loop), service_(service), settings_(std::move(settings)),
      logins_(loop, service, std::move(sockets)), make_dialog_(std::move(make_dialog)),
      sweep_timer_(loop, [this] { sweep(); })
{
}

Door::~Door() = default;

util::Result<void> Door::set_certificates(std::string_view pem)
{
    if (pem.empty()) {
        tls_.reset();
        return {};
    }
    net::TlsSettings settings;
    if (!settings_.tls_protocols.empty())
        settings.protocols = settings_.tls_protocols;
    if (!settings_.tls_ciphers.empty())
        settings.ciphers = settings_.tls_ciphers;
    tls_ = TRY(net::TlsContext::server(pem, settings));
    return {};
}

struct Door::Proxied {
    std::uint64_t id = 0;
    util::UniqueFd socket;
    net::Endpoint address;       // the proxy's
    std::function<void()> gone;
    net::ProxyHeaderParser parser;
    util::Watch watch;
    util::Timer timer;
};

void Door::accept(util::UniqueFd socket, const sockaddr_storage& address, std::function<void()> gone)
{
    auto end = net::endpoint_of(address, sizeof address).value_or(net::Endpoint{"unknown", 0});
    if (!settings_.upstream_proxy)
        return admit(std::move(socket), end, std::move(gone));
    auto id = next_++;
    auto proxied = std::make_unique<Proxied>();
    Proxied& added = *proxied;
    proxied_.emplace(id, std::move(proxied));
    added.id = id;
    added.socket = std::move(socket);
    added.address = std::move(end);
    added.gone = std::move(gone);
    added.watch = util::Watch(loop_, added.socket.get(), util::Watch::Read, [this, &added](unsigned) { hear_proxy(added); });
    added.timer = util::Timer(loop_, [this, &added] {
        util::log::warning("PROXY header from [", added.address.address, "]:", added.address.port, ": timeout");
        auto over = std::move(added.gone);
        proxied_.erase(added.id);
        over();
    });
    added.timer.start(settings_.upstream_proxy_timeout);
}

// Whatever comes of it, the wait is over when the header is complete or wrong.
void Door::hear_proxy(Proxied& proxied)
{
    auto complete = net::read_proxy_header(proxied.socket.get(), proxied.parser);
    if (complete.ok() && !*complete)
        return;
    auto node = proxied_.extract(proxied.id);
    if (!complete.ok()) {
        util::log::warning("PROXY header from [", proxied.address.address, "]:", proxied.address.port, ": ", complete.error().text);
        return proxied.gone();
    }
    // Without a client the proxy speaks for itself.
    const net::Endpoint client = proxied.parser.header().client.value_or(proxied.address);
    proxied.watch.reset();
    admit(std::move(proxied.socket), client, std::move(proxied.gone));
}

void Door::admit(util::UniqueFd socket, const net::Endpoint& client_end, std::function<void()> gone)
{
    const std::string& who = client_end.address;
    if (settings_.wrappermode && !tls_) {
        util::log::warning("connection from [", who, "] closed: TLS is wanted and there is no certificate");
        return gone();
    }
    auto& dialogues = by_network_[network_of(who)];
    if (dialogues >= settings_.login_limit_per_client) {
        util::log::warning("too many connections that are not logged in from [", who, "]: ",
                           name_of(service_), "_login_connection_limit is ", settings_.login_limit_per_client);
        turn_away(socket.get());
        return gone();
    }
    ++dialogues;
    auto id = next_++;
    auto client = std::make_unique<DoorClient>(*this, id, std::move(socket), who, client_end.is_loopback(),
                                               std::move(gone));
    auto& added = *client;
    if (clients_.size() + proxied_.size() + 1 == settings_.client_limit)
        util::log::warning(name_of(service_), "_client_limit, ", settings_.client_limit,
                           " connections, is reached: others wait");
    clients_.emplace(id, std::move(client));
    added.begin();
}

std::string Door::network_of(std::string_view address) const
{
    return conf::client_network(address, 32, settings_.ipv6_prefix);
}

// Before TLS begins there is no way to say anything.
void Door::turn_away(int socket)
{
    if (settings_.wrappermode)
        return;
    std::string text = farewell("Too many connections are logging in from your address");
    (void)::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::string Door::farewell(std::string_view reason) const
{
    auto dialog = make_dialog_();
    dialog->say_goodbye(reason);
    return dialog->output();
}

// A client may be in the middle of one of its own methods: it goes in the loop's next round.
void Door::remove(DoorClient& client)
{
    auto found = clients_.find(client.id());
    if (found == clients_.end())
        return;
    removed_.push_back(std::move(found->second));
    clients_.erase(found);
    sweep_timer_.start({});
}

void Door::sweep()
{
    auto removed = std::move(removed_);
    removed_.clear();
    removed.clear();
    if (stopped_ && clients_.empty()) {
        auto stopped = std::move(stopped_);
        stopped_ = nullptr;
        stopped();
    }
}

void Door::stop(std::function<void()> done)
{
    stopped_ = std::move(done);
    for (auto& [id, proxied] : std::exchange(proxied_, {}))
        proxied->gone();
    std::vector<DoorClient*> all;
    for (auto& [id, client] : clients_)
        all.push_back(client.get());
    for (auto* client : all)
        client->stop();
    sweep_timer_.start({});
}

}  // namespace ipc
