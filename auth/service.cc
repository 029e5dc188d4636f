// Service: SASL exchanges and tickets.
#include "auth/service.h"

#include "libutil/log.h"
#include "libutil/random.h"

#include <algorithm>

namespace auth {

namespace log = util::log;

using Kind = ipc::AuthenticationResult::Kind;

Service::Service(util::EventLoop& loop, Accounts& accounts, Workers& workers, Settings settings)
    : loop_(loop), accounts_(accounts), workers_(workers), settings_(std::move(settings)),
      cache_(settings_.cache_size, settings_.cache_ttl), tickets_(settings_.ticket_lifetime),
      guard_(loop_, settings_.anvil_socket), pam_(loop_, settings_.pam_socket),
      last_uses_(
          loop_, conf::last_uses_path(settings_.data_directory),
          [this](const std::string& account, const std::string& app) { return accounts_.logins(account).find(app) != nullptr; })
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
        statistics.metrics.push_back(
            {"authentications_total", "result", std::string(word), found == results_.end() ? 0 : found->second});
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
    entry->second.heard = util::now();
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
    found->second.heard = util::now();
    take(peer, response.exchange, found->second.sasl.step(response.response));
}

void Service::take(Peer& peer, std::uint64_t number, mail::SaslStep step)
{
    using Step = mail::SaslStep::Kind;
    switch (step.kind) {
    case Step::Challenge:
        peer.channel->send(
            ipc::AuthenticationResult{.exchange = number, .kind = Kind::Challenge, .data = std::move(step.text)});
        return;
    case Step::CheckPassword:
        return admit(peer, number, &Service::check_password);
    case Step::FindVerifier:
        return admit(peer, number, &Service::find_verifiers);
    case Step::Success:
        return prove(peer, number, std::move(step.text));
    case Step::Failure:
        return fail(peer, number, Kind::Failed, step.text);
    case Step::BadSyntax:
        return fail(peer, number, Kind::Invalid, step.text);
    }
}

// Nobody acts for another: an authorization identity is one's own or none.
util::Result<bool> Service::may_act(const Exchange& exchange)
{
    if (exchange.sasl.authzid().empty())
        return true;
    std::string wanted = TRY(accounts_.resolve(exchange.sasl.authzid()));
    return wanted == exchange.account;
}

Origin Service::origin_of(const ipc::Authenticate& request)
{
    constexpr std::string_view names[] = {"submission", "imap", "pop3", "sieve"};
    static_assert(std::size(names) == std::size_t(ipc::Service::last_) + 1);
    return {names[std::size_t(request.service)], request.client_address};
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
    return excepted.ok() && *excepted ? std::string()
                                      : conf::client_network(address, settings_.ipv4_prefix, settings_.ipv6_prefix);
}

// Why the exchange may not go on; empty: it may.
std::string Service::blocked(const Exchange& exchange) const
{
    const ipc::LoginHistory& history = exchange.history;
    if (settings_.network_failure_limit > 0 && history.network_failures >= settings_.network_failure_limit)
        return util::concat("blocked: ", history.network_failures, " failed log-ins from ", exchange.network,
                            " (auth_network_failure_limit)");
    if (settings_.account_failure_limit > 0 && history.account_failures >= settings_.account_failure_limit && !history.known)
        return util::concat("blocked: ", history.account_failures,
                            " failed log-ins to this account (auth_account_failure_limit)");
    return {};
}

void Service::admit(Peer& peer, std::uint64_t number, Next next)
{
    Exchange& exchange = peer.exchanges.at(number);
    auto account = accounts_.resolve(exchange.sasl.authcid());
    if (!account.ok()) {
        log::warning(account.error().text);
        return fail(peer, number, Kind::Unavailable, account.error().text);
    }
    exchange.account = account.take();
    exchange.network = counted_network(exchange.request.client_address);
    if (exchange.network.empty())
        return (this->*next)(peer, number);
    std::uint64_t guarded = exchange.guarded = next_guarded_++;
    guard_.ask(exchange.network, exchange.account.substr(0, ipc::max_anvil_name),
               [this, id = peer.number, number, guarded, next](const ipc::LoginHistory& history) {
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

// Was it an app password that may be used?  Then all is done.  One that may not costs as much as a wrong
// password: `refusal` says why, for the log.
bool Service::check_app_password(Peer& peer, std::uint64_t number, std::string& refusal)
{
    const Exchange& exchange = peer.exchanges.at(number);
    auto app = accounts_.find_app(exchange.account, exchange.sasl.password());
    if (!app)
        return false;
    auto leave = accounts_.leave(exchange.account, *app, origin_of(exchange.request));
    if (leave.ok() && leave->refusal.empty()) {
        confirm(peer, number, {std::move(*app), leave->stamp}, *leave, {});
        return true;
    }
    refusal = leave.ok() ? leave->refusal : leave.error().text;
    return false;
}

void Service::check_password(Peer& peer, std::uint64_t number)
{
    const Exchange& exchange = peer.exchanges.at(number);
    const std::string& account = exchange.account;
    Origin origin = origin_of(exchange.request);
    auto found = accounts_.find(account, origin);
    auto leave = accounts_.leave(account, {}, origin);
    if (!found.ok() || !leave.ok()) {
        util::Error error = found.ok() ? leave.take_error() : found.take_error();
        log::warning(error.text);
        return fail(peer, number, Kind::Unavailable, error.text);
    }
    std::string refusal = found->refusal;
    if (check_app_password(peer, number, refusal))
        return;
    bool usable = found->usable;
    // Not from the cache: what PAM knows of locked and expired accounts, nobody tells.
    if (usable && !found->system_user.empty())
        return ask_pam(peer, number, {{}, leave->stamp}, *leave, exchange.sasl.password(), {});
    // What stands in for a name without account may differ from time to time; its key does not, so that
    // such a name shares its checks, too, and takes no longer than another.
    std::string stored;
    if (usable)
        stored = found->hash.empty() ? found->verifier : found->hash;
    const std::string& password = exchange.sasl.password();
    std::string key = cache_.key(account, password, stored);
    if (usable && cache_.knows(key, util::now()))
        return succeed(peer, number, {{}, std::move(leave->stamp)}, {});
    if (refusal.empty())
        refusal = "wrong password";
    workers_.check(key, {found->hash, found->verifier, password},
                   [this, id = peer.number, number, key, usable, refusal, stamp = std::move(leave->stamp)](Verdict verdict) {
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
                           succeed(asker, number, {{}, stamp}, {});
                       else
                           fail(asker, number, Kind::Failed, refusal);
                   });
}

void Service::find_verifiers(Peer& peer, std::uint64_t number)
{
    Exchange& exchange = peer.exchanges.at(number);
    Origin origin = origin_of(exchange.request);
    auto provable = accounts_.provable(exchange.account, origin);
    if (!provable.ok()) {
        log::warning(provable.error().text);
        return fail(peer, number, Kind::Unavailable, provable.error().text);
    }
    std::vector<mail::ScramVerifier> verifiers;
    for (Accounts::Provable& one : *provable) {
        auto leave = accounts_.leave(exchange.account, one.app, origin);
        exchange.stamps.push_back(leave.ok() ? std::move(leave->stamp) : std::string());
        exchange.provable.push_back(std::move(one.app));
        verifiers.push_back(std::move(one.verifier));
    }
    take(peer, number, exchange.sasl.use_verifiers(std::move(verifiers)));
}

void Service::prove(Peer& peer, std::uint64_t number, std::string data)
{
    const Exchange& exchange = peer.exchanges.at(number);
    std::size_t which = exchange.sasl.proved();
    CHECK(which < exchange.provable.size());
    Proof proof{exchange.provable[which], exchange.stamps[which]};
    auto leave = accounts_.leave(exchange.account, proof.app, origin_of(exchange.request));
    if (!leave.ok())
        return fail(peer, number, Kind::Unavailable, leave.error().text);
    confirm(peer, number, std::move(proof), *leave, std::move(data));
}

void Service::confirm(Peer& peer, std::uint64_t number, Proof proof, const Accounts::Leave& leave, std::string data)
{
    if (leave.system_user.empty())
        return succeed(peer, number, proof, std::move(data));
    ask_pam(peer, number, std::move(proof), leave, std::nullopt, std::move(data));
}

void Service::ask_pam(Peer& peer, std::uint64_t number, Proof proof, const Accounts::Leave& leave,
                      std::optional<std::string> password, std::string data)
{
    Origin origin = origin_of(peer.exchanges.at(number).request);
    ipc::CheckUser question{.request = 0, .user = leave.system_user, .password = std::move(password),
                            .protocol = std::string(origin.protocol), .client_address = std::string(origin.client_address)};
    pam_.ask(std::move(question), [this, id = peer.number, number, proof = std::move(proof), data = std::move(data),
                                   uid = leave.uid](const ipc::UserChecked& checked) {
        using Said = ipc::UserChecked::Verdict;
        auto still = peers_.find(id);
        if (still == peers_.end() || !still->second.exchanges.contains(number))
            return;
        Peer& asker = still->second;
        if (checked.verdict == Said::Unavailable)
            return fail(asker, number, Kind::Unavailable, checked.text);
        if (checked.verdict == Said::Bad)
            return fail(asker, number, Kind::Failed, checked.text);
        if (checked.uid != uid)
            return fail(asker, number, Kind::Failed,
                        util::concat("the user has uid ", checked.uid, " by now, and the account ", uid));
        succeed(asker, number, proof, data);
    });
}

// The files may have changed while a hash was made or the client computed its proof.
void Service::succeed(Peer& peer, std::uint64_t number, const Proof& proof, std::string data)
{
    refresh();
    auto found = peer.exchanges.find(number);
    CHECK(found != peer.exchanges.end());
    const Exchange& exchange = found->second;
    auto leave = accounts_.leave(exchange.account, proof.app, origin_of(exchange.request));
    auto may = may_act(exchange);
    if (!leave.ok() || !may.ok())
        return fail(peer, number, Kind::Unavailable, leave.ok() ? may.error().text : leave.error().text);
    if (!leave->refusal.empty() || leave->stamp != proof.stamp)
        return fail(peer, number, Kind::Failed, leave->refusal.empty() ? "the account has changed meanwhile" : leave->refusal);
    if (!*may)
        return refuse_identity(peer, number);
    ipc::AuthenticationResult result{.exchange = number,
                                     .kind = Kind::Success,
                                     .data = std::move(data),
                                     .account = exchange.account,
                                     .app_password = proof.app};
    if (exchange.request.wants_ticket)
        result.ticket = tickets_.mint({exchange.account, proof.app, proof.stamp, exchange.request.client_address},
                                      exchange.request.service, peer.uid, util::now());
    if (!exchange.network.empty())
        guard_.ended(exchange.network, exchange.account.substr(0, ipc::max_anvil_name), true);
    if (!proof.app.empty())
        last_uses_.note(exchange.account, proof.app, origin_of(exchange.request).protocol, exchange.request.client_address,
                        util::unix_seconds(util::wall_now()));
    peer.exchanges.erase(found);
    ++results_[Kind::Success];
    peer.channel->send(result);
}

void Service::fail(Peer& peer, std::uint64_t number, Kind kind, std::string_view text)
{
    ipc::AuthenticationResult result{.exchange = number, .kind = kind, .text = std::string(text)};
    util::Duration delay{}, spent{};
    if (auto found = peer.exchanges.find(number); found != peer.exchanges.end()) {
        const Exchange& exchange = found->second;
        result.account = exchange.sasl.authcid();  // as the client said it, for the log
        if (kind == Kind::Failed && !exchange.network.empty())
            guard_.ended(exchange.network, exchange.account.substr(0, ipc::max_anvil_name), false);
        delay =
            settings_.failure_delay * (std::int64_t(1) << std::min<std::uint64_t>(exchange.history.network_failures / 5, 10));
        spent = util::now() - exchange.heard;
        peer.exchanges.erase(found);
    }
    ++results_[kind];
    // With what the check took: how long that is, says too much.
    if (kind == Kind::Failed)
        result.delay = std::max<std::int64_t>(
            0, (std::max(settings_.failure_delay, std::min(delay, settings_.failure_delay_limit)) - spent).count());
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

// The account may have been changed, disabled or removed since, and another have its name.
void Service::redeem(Peer& peer, const ipc::RedeemTicket& request)
{
    ipc::TicketRedeemed answer{.request = request.request};
    auto grant = tickets_.redeem(request.ticket, request.service, request.door_uid, util::now());
    if (grant) {
        refresh();
        ipc::Authenticate asked;
        asked.service = request.service;
        asked.client_address = grant->client_address;
        auto leave = accounts_.leave(grant->account, grant->app, origin_of(asked));
        answer.good = leave.ok() && leave->refusal.empty() && leave->stamp == grant->stamp;
        if (!answer.good)
            log::info("a ticket of ", grant->account, " is void: ",
                      !leave.ok() ? leave.error().text : leave->refusal.empty() ? "the account has changed" : leave->refusal);
    }
    if (answer.good) {
        answer.account = std::move(grant->account);
        answer.app_password = std::move(grant->app);
    }
    peer.channel->send(answer);
}

}  // namespace auth
