// The door of a mail protocol.
#include "libipc/door.h"

#include "libipc/door_client.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace ipc {

namespace {

struct ClientAddress {
    std::string text;
    bool loopback = false;
};

std::string_view name_of(Service service) { return service == Service::Pop3 ? "pop3d" : "imapd"; }

ClientAddress describe(const sockaddr_storage& address)
{
    char text[INET6_ADDRSTRLEN] = "";
    ClientAddress out;
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        out.loopback = (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        out.loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
            out.loopback = v6.sin6_addr.s6_addr[12] == 127;
        } else {
            inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        }
    }
    out.text = *text ? text : "unknown";
    return out;
}

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

void Door::accept(util::UniqueFd socket, const sockaddr_storage& address, std::function<void()> gone)
{
    auto who = describe(address);
    if (settings_.wrappermode && !tls_) {
        util::log::warning("connection from [", who.text, "] closed: TLS is wanted and there is no certificate");
        return gone();
    }
    auto& dialogues = by_address_[who.text];
    if (dialogues >= settings_.login_limit_per_client) {
        util::log::warning("too many connections that are not logged in from [", who.text, "]: ",
                           name_of(service_), "_login_connection_limit is ", settings_.login_limit_per_client);
        turn_away(socket.get());
        return gone();
    }
    ++dialogues;
    auto id = next_++;
    auto client = std::make_unique<DoorClient>(*this, id, std::move(socket), who.text, who.loopback,
                                               std::move(gone));
    auto& added = *client;
    if (clients_.size() + 1 == settings_.client_limit)
        util::log::warning(name_of(service_), "_client_limit, ", settings_.client_limit,
                           " connections, is reached: others wait");
    clients_.emplace(id, std::move(client));
    added.begin();
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
    std::vector<DoorClient*> all;
    for (auto& [id, client] : clients_)
        all.push_back(client.get());
    for (auto* client : all)
        client->stop();
    sweep_timer_.start({});
}

}  // namespace ipc
