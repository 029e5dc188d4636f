// Service: peers, warnings, statistics.
#include "anvil/service.h"

#include "libconf/parameter.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <ctime>
#include <unistd.h>

namespace anvil {

namespace log = util::log;

namespace {

constexpr auto warning_interval = std::chrono::minutes(1);
constexpr auto sweep_interval = std::chrono::minutes(1);

// "Nov 29 12:00:00", as Postfix has it.
std::string local_time(util::WallTime time)
{
    std::time_t when = util::unix_seconds(time);
    std::tm local{};
    char text[64] = "";
    if (::localtime_r(&when, &local))
        std::strftime(text, sizeof text, "%b %e %H:%M:%S", &local);
    return text;
}

}  // namespace

Service::Service(util::EventLoop& loop, Settings settings)
    : loop_(loop), settings_(settings), rates_(settings.client_limit, settings.rate_time_unit),
      logins_(settings.client_limit, settings.failure_time, settings.known_network_time),
      sweep_timer_(loop, [this] { sweep(); }), statistics_timer_(loop, [this] {
          log_statistics();
          statistics_timer_.start(settings_.status_update_time);
      })
{
    sweep_timer_.start(sweep_interval);
    statistics_timer_.start(settings_.status_update_time);
}

void Service::change(Settings settings)
{
    settings_ = settings;
    rates_.change(settings.client_limit, settings.rate_time_unit);
    logins_.change(settings.client_limit, settings.failure_time, settings.known_network_time);
    statistics_timer_.start(settings_.status_update_time);
}

void Service::accept(util::UniqueFd fd, uid_t uid, std::function<void()> gone)
{
    std::uint64_t number = next_peer_++;
    Peer& peer = peers_[number];
    peer.uid = uid;
    peer.gone = std::move(gone);
    ipc::Channel::Events events;
    events.received = [this, number](ipc::Packet& packet) { received(peers_.at(number), packet); };
    events.closed = [this, number](const util::Error&) {
        disconnect(peers_.at(number));
        auto told = std::move(peers_.at(number).gone);
        peers_.erase(number);
        told();
    };
    peer.channel = std::make_unique<ipc::Channel>(loop_, std::move(fd), std::move(events));
}

void Service::received(Peer& peer, ipc::Packet& packet)
{
    std::string_view name = packet.name();
    bool from_auth = peer.uid == settings_.auth_uid || peer.uid == 0;
    auto fail = [&](util::Error error) { peer.channel->fail(std::move(error)); };
    if (name == ipc::CountEvent::message_name) {
        auto event = ipc::decode<ipc::CountEvent>(packet);
        if (!event.ok())
            return fail(event.take_error());
        if (event->service.size() + event->network.size() > ipc::max_anvil_name || event->account.size() > ipc::max_anvil_name)
            return fail(util::invalid("a name is too long"));
        count(peer, *event);
    } else if (name == ipc::Disconnect::message_name) {
        disconnect(peer);
    } else if (name == ipc::LoginAsked::message_name && from_auth) {
        auto asked = ipc::decode<ipc::LoginAsked>(packet);
        if (!asked.ok())
            return fail(asked.take_error());
        peer.channel->send(logins_.history(*asked, util::now()));
    } else if (name == ipc::LoginEnded::message_name && from_auth) {
        auto login = ipc::decode<ipc::LoginEnded>(packet);
        if (!login.ok())
            return fail(login.take_error());
        if (login->network.size() > ipc::max_anvil_name || login->account.size() > ipc::max_anvil_name)
            return fail(util::invalid("a name is too long"));
        logins_.ended(*login, util::now());
        warn_of_evictions();
    } else if (name == ipc::ForgetFailures::message_name && (peer.uid == 0 || peer.uid == ::geteuid())) {
        auto wanted = ipc::decode<ipc::ForgetFailures>(packet);
        if (!wanted.ok())
            return fail(wanted.take_error());
        ipc::FailuresForgotten answer{logins_.forget(*wanted)};
        if (answer.count > 0)
            log::info("failed log-ins of ", wanted->all ? "everybody" : util::printable(wanted->network + wanted->account, 300),
                      " are forgotten by request");
        peer.channel->send(answer);
    } else {
        fail(util::invalid(util::concat("message not expected: ", util::printable(name, 40))));
    }
}

void Service::count(Peer& peer, const ipc::CountEvent& event)
{
    if (event.event == ipc::AnvilEvent::Connection) {
        disconnect(peer);
        if (!event.network.empty())
            peer.connected = Rates::key_of(event);
    }
    peer.channel->send(rates_.count(event, util::now(), util::wall_now()));
    warn_of_evictions();
}

void Service::disconnect(Peer& peer)
{
    if (!peer.connected.empty())
        rates_.disconnect(std::exchange(peer.connected, {}));
}

void Service::sweep()
{
    rates_.forget_old(util::now());
    logins_.forget_old(util::now());
    sweep_timer_.start(sweep_interval);
}

void Service::warn_of_evictions()
{
    std::uint64_t now = rates_.evicted() + logins_.evicted();
    if (now == evicted_ || util::now() < next_warning_)
        return;
    log::warning("anvil_client_limit, ", settings_.client_limit, " networks and accounts, is reached: ",
                 now - evicted_, " were forgotten");
    evicted_ = now;
    next_warning_ = util::now() + warning_interval;
}

void Service::log_statistics()
{
    static constexpr std::string_view names[] = {"connection", "message", "recipient", "newtls", "auth"};
    static_assert(std::size(names) == ipc::anvil_event_kinds);
    Statistics statistics = rates_.take_statistics();
    std::string unit = conf::format_duration(settings_.rate_time_unit);
    for (std::size_t kind = 0; kind < std::size(names); ++kind)
        if (const Peak& peak = statistics.rates[kind]; peak.value > 0)
            log::info("statistics: max ", names[kind], " rate ", peak.value, '/', unit, " for ", util::printable(peak.who, 300),
                      " at ", local_time(peak.when));
    if (statistics.connections.value > 0)
        log::info("statistics: max connection count ", statistics.connections.value, " for ",
                  util::printable(statistics.connections.who, 300), " at ", local_time(statistics.connections.when));
    if (statistics.entries.value > 0)
        log::info("statistics: max cache size ", statistics.entries.value, " at ", local_time(statistics.entries.when));
}

}  // namespace anvil
