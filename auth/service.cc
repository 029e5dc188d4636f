// Service: SASL exchanges and tickets.
#include "auth/service.h"

#include "libutil/log.h"
#include "libutil/random.h"

#include <algorithm>

namespace auth {

namespace log = util::log;

using Kind = ipc::AuthenticationResult::Kind;

Service::Service(util::EventLoop& loop, Accounts& accounts, Workers& workers, Settings settings)
    : loop_(loop),
      accounts_(accounts),
      workers_(workers),
      settings_(std::move(settings)),
      cache_(settings_.cache_size, settings_.cache_ttl),
      tickets_(settings_.ticket_lifetime),
      guard_(loop_, settings_.anvil_socket)
{
}

Service::~Service() = default;

void Service::change(Settings settings)
{
    settings_ = std::move(settings);
    cache_.change(settings_.cache_size, settings_.cache_ttl);
    tickets_.set_lifetime(settings_.ticket_lifetime);
}

void Service::accept(util::UniqueFd fd, uid_t uid, std::function<void()> gone)
{
    std::uint64_t number = next_peer_++;
    Peer& peer = peers_[number];
    peer.number = number;
    peer.uid = uid;
    peer.gone = std::move(gone);
    ipc::Channel::Events events;
    events.received = [this, number](ipc::Packet& packet) { received(peers_.at(number), packet); };
    events.closed = [this, number](const util::Error&) {
        auto told = std::move(peers_.at(number).gone);
        peers_.erase(number);
        told();
    };
    peer.channel = std::make_unique<ipc::Channel>(loop_, std::move(fd), std::move(events));
}

void Service::received(Peer& peer, ipc::Packet& packet)
{
    auto dispatch = [&](auto handler, auto message) {
        if (message.ok())
            (this->*handler)(peer, message.take());
        else
            peer.channel->fail(message.take_error());
    };
    std::string_view name = packet.name();
    if (name == ipc::MechanismsWanted::message_name)
        dispatch(&Service::mechanisms, ipc::decode<ipc::MechanismsWanted>(packet));
    else if (name == ipc::Authenticate::message_name)
        dispatch(&Service::begin, ipc::decode<ipc::Authenticate>(packet));
    else if (name == ipc::AuthenticationResponse::message_name)
        dispatch(&Service::respond, ipc::decode<ipc::AuthenticationResponse>(packet));
    else if (name == ipc::StatisticsWanted::message_name && (peer.uid == 0 || peer.uid == ::geteuid()))
        tell_statistics(peer);
    else if (name == ipc::RedeemTicket::message_name && peer.uid == settings_.usher_uid)
        dispatch(&Service::redeem, ipc::decode<ipc::RedeemTicket>(packet));
    else
        peer.channel->fail(util::invalid(util::concat("message not expected: ", util::printable(name, 40))));
}

void Service::tell_statistics(Peer& peer) const
{
    constexpr std::pair<Kind, std::string_view> words[] = {
        {Kind::Success, "success"}, {Kind::Failed, "failed"}, {Kind::Unavailable, "unavailable"}, {Kind::Invalid, "invalid"}};
    ipc::Statistics statistics;
    for (const auto& [kind, word] : words) {
        auto found = results_.find(kind);
        statistics.metrics.push_back({"authentications_total", "result", std::string(word), found == results_.end() ? 0 : found->second});
    }
    peer.channel->send(statistics);
}

// Takes note of changed files.
void Service::refresh()
{
    auto changed = accounts_.update();
    if (!changed.ok())
        log::warning(changed.error().text);
    if (!changed.ok() || *changed)
        cache_.clear();
}

std::vector<std::string> Service::offered(bool tls, bool channel_binding)
{
    bool scram = accounts_.all_have_verifiers();
    std::vector<std::string> names;
    for (const std::string& name : settings_.mechanisms) {
        auto mechanism = mail::find_mechanism(name);
        if (!mechanism)
            continue;
        bool plain = *mechanism == mail::Mechanism::Plain || *mechanism == mail::Mechanism::Login;
        if (plain ? !tls && !settings_.allow_plaintext_login : !scram)
            continue;
        if (*mechanism == mail::Mechanism::ScramSha256Plus && !channel_binding)
            continue;
        names.emplace_back(mail::name_of(*mechanism));
    }
    return names;
}

void Service::mechanisms(Peer& peer, const ipc::MechanismsWanted& wanted)
{
    refresh();
    peer.channel->send(ipc::Mechanisms{offered(wanted.tls, wanted.channel_binding)});
}

void Service::begin(Peer& peer, ipc::Authenticate request)
{
    refresh();
    bool binding = request.channel_binding_type == "tls-exporter" && !request.channel_binding.empty();
    auto names = offered(request.tls, binding);
    auto mechanism = mail::find_mechanism(request.mechanism);
    if (!mechanism || std::ranges::find(names, mail::name_of(*mechanism)) == names.end())
        return fail(peer, request.exchange, Kind::Invalid, "mechanism not offered");
    mail::ChannelBinding channel;
    if (binding)
        channel.exporter = request.channel_binding;
    channel.plus_offered = std::ranges::find(names, "SCRAM-SHA-256-PLUS") != names.end();
    if (peer.exchanges.size() >= exchange_limit)
        peer.exchanges.erase(peer.exchanges.begin());
    std::uint64_t number = request.exchange;
    std::optional<std::string> initial = std::exchange(request.initial, std::nullopt);
    auto [entry, fresh] = peer.exchanges.try_emplace(
        number, Exchange{std::move(request),
                         mail::SaslExchange(*mechanism, std::move(channel), util::encode_base64(util::random_string(18)))});
    if (!fresh)
        return peer.channel->fail(util::invalid("an exchange was begun twice"));
    take(peer, number, entry->second.sasl.step(initial ? std::optional<std::string_view>(*initial) : std::nullopt));
}

void Service::respond(Peer& peer, const ipc::AuthenticationResponse& response)
{
    auto found = peer.exchanges.find(response.exchange);
    if (found == peer.exchanges.end())
        return fail(peer, response.exchange, Kind::Invalid, "no such exchange");
    if (found->second.guarded)
        return fail(peer, response.exchange, Kind::Invalid, "the exchange waits for its answer");
    if (response.cancelled)
        return fail(peer, response.exchange, Kind::Invalid, "cancelled by the client");
    take(peer, response.exchange, found->second.sasl.step(response.response));
}

void Service::take(Peer& peer, std::uint64_t number, mail::SaslStep step)
{
    using Step = mail::SaslStep::Kind;
    switch (step.kind) {
    case Step::Challenge:
        peer.channel->send(ipc::AuthenticationResult{.exchange = number, .kind = Kind::Challenge, .data = std::move(step.text)});
        return;
    case Step::CheckPassword:
        return admit(peer, number, &Service::check_password);
    case Step::FindVerifier:
        return admit(peer, number, &Service::find_verifier);
    case Step::Success: {
        const Exchange& exchange = peer.exchanges.at(number);
        std::string account = accounts_.canonical(exchange.sasl.authcid());
        auto found = accounts_.find(account);
        if (!found.ok())
            return fail(peer, number, Kind::Unavailable, found.error().text);
        if (!found->usable)
            return fail(peer, number, Kind::Failed, "not permitted");
        return succeed(peer, number, account, std::move(step.text));
    }
    case Step::Failure:
        return fail(peer, number, Kind::Failed, step.text);
    case Step::BadSyntax:
        return fail(peer, number, Kind::Invalid, step.text);
    }
}

// Nobody acts for another: an authorization identity is one's own or none.
bool Service::may_act(const Exchange& exchange, const std::string& account) const
{
    return exchange.sasl.authzid().empty() || accounts_.canonical(exchange.sasl.authzid()) == account;
}

// Empty: log-ins from there are not counted.
std::string Service::counted_network(const std::string& address)
{
    auto parsed = conf::IpAddress::parse(address);
    if (!parsed.ok() || (settings_.network_failure_limit == 0 && settings_.account_failure_limit == 0))
        return {};
    auto excepted = settings_.failure_exceptions ? settings_.failure_exceptions->contains(*parsed) : util::Result<bool>(false);
    if (!excepted.ok())
        log::warning("auth_failure_exceptions: ", excepted.error().text);
    return excepted.ok() && *excepted ? std::string() : conf::client_network(address, settings_.ipv4_prefix, settings_.ipv6_prefix);
}

// Why the exchange may not go on; empty: it may.
std::string Service::blocked(const Exchange& exchange) const
{
    const ipc::LoginHistory& history = exchange.history;
    if (settings_.network_failure_limit > 0 && history.network_failures >= settings_.network_failure_limit)
        return util::concat("blocked: ", history.network_failures, " failed log-ins from ", exchange.network,
                            " (auth_network_failure_limit)");
    if (settings_.account_failure_limit > 0 && history.account_failures >= settings_.account_failure_limit && !history.known)
        return util::concat("blocked: ", history.account_failures, " failed log-ins to this account (auth_account_failure_limit)");
    return {};
}

void Service::admit(Peer& peer, std::uint64_t number, Next next)
{
    Exchange& exchange = peer.exchanges.at(number);
    exchange.network = counted_network(exchange.request.client_address);
    if (exchange.network.empty())
        return (this->*next)(peer, number);
    std::uint64_t guarded = exchange.guarded = next_guarded_++;
    std::string account = accounts_.canonical(exchange.sasl.authcid()).substr(0, ipc::max_anvil_name);
    guard_.ask(exchange.network, account, [this, id = peer.number, number, guarded, next](const ipc::LoginHistory& history) {
        auto still = peers_.find(id);
        if (still == peers_.end())
            return;
        auto found = still->second.exchanges.find(number);
        if (found == still->second.exchanges.end() || found->second.guarded != guarded)
            return;
        found->second.guarded = 0;
        found->second.history = history;
        if (std::string why = blocked(found->second); !why.empty()) {
            found->second.network.clear();  // else the block would never end
            return fail(still->second, number, Kind::Failed, why);
        }
        (this->*next)(still->second, number);
    });
}

void Service::check_password(Peer& peer, std::uint64_t number)
{
    const Exchange& exchange = peer.exchanges.at(number);
    std::string account = accounts_.canonical(exchange.sasl.authcid());
    auto found = accounts_.find(account);
    if (!found.ok()) {
        log::warning(found.error().text);
        return fail(peer, number, Kind::Unavailable, found.error().text);
    }
    bool usable = found->usable;
    // What stands in for a name without account may differ from time to time; its key does not, so that
    // such a name shares its checks, too, and takes no longer than another.
    std::string stored;
    if (usable)
        stored = found->hash.empty() ? found->verifier : found->hash;
    const std::string& password = exchange.sasl.password();
    std::string key = cache_.key(account, password, stored);
    if (usable && cache_.knows(key, util::now()))
        return succeed(peer, number, account, {});
    workers_.check(key, {found->hash, found->verifier, password},
                   [this, id = peer.number, number, account, key, usable](Verdict verdict) {
                       if (verdict == Verdict::Good && usable)
                           cache_.remember(key, util::now());
                       auto still = peers_.find(id);
                       if (still == peers_.end() || !still->second.exchanges.contains(number))
                           return;
                       Peer& asker = still->second;
                       if (verdict == Verdict::Busy)
                           fail(asker, number, Kind::Unavailable, "password checks are overloaded");
                       else if (verdict == Verdict::Unavailable)
                           fail(asker, number, Kind::Unavailable, "there is no process to check the password");
                       else if (verdict == Verdict::Good && usable)
                           succeed(asker, number, account, {});
                       else
                           fail(asker, number, Kind::Failed, usable ? "wrong password" : "unknown or disabled account");
                   });
}

void Service::find_verifier(Peer& peer, std::uint64_t number)
{
    Exchange& exchange = peer.exchanges.at(number);
    auto verifier = accounts_.verifier(accounts_.canonical(exchange.sasl.authcid()));
    if (!verifier.ok()) {
        log::warning(verifier.error().text);
        return fail(peer, number, Kind::Unavailable, verifier.error().text);
    }
    take(peer, number, exchange.sasl.use_verifier(*verifier));
}

void Service::succeed(Peer& peer, std::uint64_t number, const std::string& account, std::string data)
{
    auto found = peer.exchanges.find(number);
    CHECK(found != peer.exchanges.end());
    if (!may_act(found->second, account))
        return refuse_identity(peer, number);
    ipc::AuthenticationResult result{.exchange = number, .kind = Kind::Success, .data = std::move(data), .account = account};
    if (found->second.request.wants_ticket)
        result.ticket = tickets_.mint(account, found->second.request.service, peer.uid, util::now());
    if (!found->second.network.empty())
        guard_.ended(found->second.network, account.substr(0, ipc::max_anvil_name), true);
    peer.exchanges.erase(found);
    ++results_[Kind::Success];
    peer.channel->send(result);
}

void Service::fail(Peer& peer, std::uint64_t number, Kind kind, std::string_view text)
{
    ipc::AuthenticationResult result{.exchange = number, .kind = kind, .text = std::string(text)};
    util::Duration delay{};
    if (auto found = peer.exchanges.find(number); found != peer.exchanges.end()) {
        const Exchange& exchange = found->second;
        result.account = exchange.sasl.authcid();  // as the client said it, for the log
        if (kind == Kind::Failed && !exchange.network.empty())
            guard_.ended(exchange.network, accounts_.canonical(result.account).substr(0, ipc::max_anvil_name), false);
        delay = settings_.failure_delay * (std::int64_t(1) << std::min<std::uint64_t>(exchange.history.network_failures / 5, 10));
        peer.exchanges.erase(found);
    }
    ++results_[kind];
    if (kind == Kind::Failed)
        result.delay = std::max(settings_.failure_delay, std::min(delay, settings_.failure_delay_limit)).count();
    peer.channel->send(result);
}

// The credentials were right, so nobody is guessing: the answer needs no delay (RFC 4616 §2, RFC 5802 §5.1).
void Service::refuse_identity(Peer& peer, std::uint64_t number)
{
    auto found = peer.exchanges.find(number);
    const mail::SaslExchange& sasl = found->second.sasl;
    ipc::AuthenticationResult result{.exchange = number, .kind = Kind::Failed, .account = sasl.authcid(),
                                     .not_authorized = true,
                                     .text = util::concat("may not act as ", sasl.authzid())};
    peer.exchanges.erase(found);
    ++results_[Kind::Failed];
    peer.channel->send(result);
}

void Service::redeem(Peer& peer, const ipc::RedeemTicket& request)
{
    auto account = tickets_.redeem(request.ticket, request.service, request.door_uid, util::now());
    peer.channel->send(ipc::TicketRedeemed{request.request, account.has_value(), account.value_or("")});
}

}  // namespace auth
