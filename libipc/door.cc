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
    logins_.on_returned([this](SessionReturned returned) { take_back(std::move(returned)); });
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
        util::log::warning("PROXY header from [", proxied.address.address, "]:", proxied.address.port, ": ",
                           complete.error().text);
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
    auto place = place_for(who);
    if (!place) {
        turn_away(socket.get(), too_many_dialogues);
        return gone();
    }
    auto id = next_++;
    auto client = std::make_unique<DoorClient>(*this, id, std::move(socket), who, client_end.is_loopback(),
                                               std::move(place), std::move(gone));
    auto& added = *client;
    if (clients_.size() + proxied_.size() + 1 == settings_.client_limit)
        util::log::warning(name_of(service_), "_client_limit, ", settings_.client_limit,
                           " connections, is reached: others wait");
    clients_.emplace(id, std::move(client));
    added.begin();
}

// For a dialogue with this address; null: there are too many.
Dialogues::Place Door::place_for(const std::string& address)
{
    auto place = dialogues_.enter(conf::client_network(address, 32, settings_.ipv6_prefix), settings_.login_limit_per_client);
    if (!place)
        util::log::warning("too many connections that are not logged in from [", address, "]: ",
                           name_of(service_), "_login_connection_limit is ", settings_.login_limit_per_client);
    return place;
}

void Door::set_returning(std::function<bool()> admit, std::function<void()> gone)
{
    admit_returned_ = std::move(admit);
    returned_gone_ = std::move(gone);
}

// usher(8) says it only of sessions that it got from here, and of their own connections.  What the session's process says
// beside that is the bytes of one client: they can do no more than what he could have sent himself.
void Door::take_back(SessionReturned returned)
{
    if (auto found = spliced_.find(returned.facts.session); found != spliced_.end())
        return found->second->take_back(std::move(returned));
    // Its client has gone meanwhile; or the descriptor did not come, and the client sees the end.
    if (returned.facts.tls || !returned.client.valid())
        return;
    if (stopped_)
        return turn_away(returned.client.get(), "Server shutting down");
    if (!admit_returned_ || !admit_returned_())
        return turn_away(returned.client.get(), "The server has too many connections");
    net::Endpoint end{returned.facts.client_address, 0};
    auto place = settings_.wrappermode ? Dialogues::Place() : place_for(end.address);
    if (!place) {
        turn_away(returned.client.get(), too_many_dialogues);
        return returned_gone_();
    }
    auto id = next_++;
    auto client = std::make_unique<DoorClient>(*this, id, std::move(returned.client), end.address, end.is_loopback(),
                                               std::move(place), returned_gone_);
    auto& added = *client;
    clients_.emplace(id, std::move(client));
    added.begin_again(returned.facts.session, std::move(returned.pending));
}

// Before TLS begins there is no way to say anything.
void Door::turn_away(int socket, std::string_view reason)
{
    if (settings_.wrappermode)
        return;
    std::string text = farewell(reason);
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
        logins_.hear_out();
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
