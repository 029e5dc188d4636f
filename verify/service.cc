// Service of verify(8).
#include "verify/service.h"

#include "libmail/address.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace verify {

namespace log = util::log;

namespace {

using namespace std::chrono_literals;
using ipc::Verification;

// The file is written as a whole: at most so often, and so seldom that it takes one percent of the time.
constexpr util::Duration shortest_store_pause = 60s;
constexpr int store_share = 100;
constexpr util::Duration sweep_interval = 60s;
constexpr util::Duration longest_patience = std::chrono::hours(1);

std::int64_t wall_seconds() { return util::unix_seconds(util::wall_now()); }

}  // namespace

Service::Service(util::EventLoop& loop, Settings settings, CacheFile file)
    : loop_(loop), settings_(std::move(settings)), file_(std::move(file)), cache_(settings_.times),
      prober_(loop, settings_.probes,
              {.leaves =
                   [this](const std::string& address, const std::string& queue_id) {
                       auto found = pending_.find(address);
                       if (found == pending_.end())
                           return;
                       found->second.queue_ids.push_back(queue_id);
                       by_queue_id_.emplace(queue_id, address);
                   },
               .failed =
                   [this](const std::string& address, const util::Error& error) {
                       // That nothing could be found out is no result to remember.
                       bool refused = error.kind == util::Kind::Permanent;
                       end_probe(address, refused ? Verification::Undeliverable : Verification::Deferred, error.text, refused);
                   }}),
      store_pause_(shortest_store_pause), store_timer_(loop, [this] { store(); }), sweep_timer_(loop, [this] { sweep(); })
{
    file_.clear_litter();
    if (auto loaded = file_.load(cache_); !loaded.ok())
        log::warning("address_verify_map: begins anew: ", loaded.error().text);
    else if (*loaded > 0)
        log::info("address_verify_map: ", *loaded, " addresses");
    sweep_timer_.start(sweep_interval);
    next_expiry_ = util::now() + settings_.cleanup_interval;
}

void Service::accept(util::UniqueFd fd, uid_t uid, std::function<void()> gone)
{
    ClientNumber number = next_client_++;
    Client& client = clients_[number];
    client.uid = uid;
    client.gone = std::move(gone);
    client.patience = util::Timer(loop_, [this, number] {
        ipc::VerifyAnswer unknown;
        unknown.text = "Address verification in progress";
        answer(clients_.at(number), unknown);
    });
    client.channel = std::make_unique<ipc::Channel>(
        loop_, std::move(fd),
        ipc::Channel::Events{.received = [this, number](ipc::Packet& packet) { received(number, packet); },
                             .closed =
                                 [this, number](const util::Error&) {
                                     auto node = clients_.extract(number);
                                     node.mapped().gone();
                                 }});
}

void Service::received(ClientNumber number, ipc::Packet& packet)
{
    Client& client = clients_.at(number);
    std::string_view name = packet.name();
    if (name == ipc::VerifyQuery::message_name && (client.uid == settings_.asker || client.uid == 0)) {
        auto asked = ipc::decode<ipc::VerifyQuery>(packet);
        if (!asked.ok())
            return client.channel->fail(asked.take_error());
        return query(number, *asked);
    }
    // Who else could say so would say that strangers have mail here.
    if (name == ipc::ProbeResult::message_name && (client.uid == settings_.teller || client.uid == 0)) {
        auto told = ipc::decode<ipc::ProbeResult>(packet);
        if (!told.ok())
            return client.channel->fail(told.take_error());
        return result(*told);
    }
    client.channel->fail(util::invalid(util::concat("a message that it may not send: ", util::printable(name, 40))));
}

void Service::query(ClientNumber number, const ipc::VerifyQuery& query)
{
    Client& client = clients_.at(number);
    auto address = mail::parse_address(query.address);
    if (!client.address.empty() || !address.ok() || address->domain.empty() || query.address.size() > ipc::max_verified_address)
        return client.channel->fail(util::invalid("a question that cannot be understood"));
    address->domain = util::lower(address->domain);
    std::string key = mail::to_text(*address);
    auto look = cache_.look(key, wall_seconds());
    bool out = look.probe ? start_probe(key) : pending_.contains(key);
    if (look.answer.result != Verification::Unknown || query.patience <= 0 || !out)
        return answer(client, look.answer);
    client.address = key;
    pending_.at(key).waiting.push_back(number);
    client.patience.start(std::min<util::Duration>(util::Duration(query.patience), longest_patience));
}

void Service::answer(Client& client, const ipc::VerifyAnswer& answer)
{
    client.address.clear();
    client.patience.stop();
    client.channel->send(answer);
}

// False: there are too many on their way.
bool Service::start_probe(const std::string& address)
{
    if (pending_.contains(address))
        return true;
    if (pending_.size() >= settings_.pending_limit) {
        if (util::now() >= next_warning_) {
            log::warning(pending_.size(), " probes are on their way: no more (address_verify_pending_request_limit)");
            next_warning_ = util::now() + 60s;
        }
        return false;
    }
    cache_.probing(address, wall_seconds());
    pending_[address].since = util::now();
    prober_.probe(address);
    return true;
}

void Service::result(const ipc::ProbeResult& result)
{
    auto found = by_queue_id_.find(result.queue_id);
    if (found == by_queue_id_.end() || result.result == Verification::Unknown)
        return;
    std::string address = found->second;
    end_probe(address, result.result, result.text, true);
}

void Service::end_probe(const std::string& address, Verification result, const std::string& text, bool remember)
{
    auto node = pending_.extract(address);
    if (node.empty())
        return;
    for (const std::string& queue_id : node.mapped().queue_ids)
        by_queue_id_.erase(queue_id);
    if (remember && cache_.learn(address, result, text, wall_seconds()))
        changed();
    ipc::VerifyAnswer told;
    told.result = result;
    told.text = text.substr(0, ipc::max_verification_text);
    for (ClientNumber number : node.mapped().waiting)
        if (auto client = clients_.find(number); client != clients_.end() && client->second.address == address)
            answer(client->second, told);
}

void Service::changed()
{
    dirty_ = true;
    if (file_.exists() && !store_timer_.running())
        store_timer_.start(store_pause_);
}

void Service::store()
{
    if (!std::exchange(dirty_, false) || !file_.exists())
        return;
    util::Instant start = util::now();
    if (auto stored = file_.store(cache_); !stored.ok())
        log::warning("address_verify_map: not written: ", stored.error().text);
    store_pause_ = std::max(shortest_store_pause, (util::now() - start) * store_share);
}

// Probes whose result never came, and results that have expired.
void Service::sweep()
{
    util::Instant now = util::now();
    for (auto probe = pending_.begin(); probe != pending_.end();) {
        auto next = std::next(probe);
        if (now - probe->second.since > std::chrono::seconds(probe_lifetime)) {
            for (const std::string& queue_id : probe->second.queue_ids)
                by_queue_id_.erase(queue_id);
            pending_.erase(probe);
        }
        probe = next;
    }
    if (settings_.cleanup_interval > util::Duration::zero() && now >= next_expiry_) {
        next_expiry_ = now + settings_.cleanup_interval;
        if (std::size_t gone = cache_.expire(wall_seconds()); gone > 0) {
            log::info("address_verify_map: ", gone, " results have expired, ", cache_.size(), " remain");
            changed();
        }
    }
    sweep_timer_.start(sweep_interval);
}

}  // namespace verify
