// Manager: taking messages up, starting jobs, forgetting messages.
#include "qmgr/manager.h"

#include "libmail/address.h"
#include "libutil/log.h"

#include <algorithm>

namespace qmgr {

namespace {

using namespace std::chrono_literals;

// Jobs that the scheduler does not know have numbers of their own.
constexpr ipc::JobId first_own_job = ipc::JobId(1) << 62;

Feedback parse_feedback(const std::string& text)
{
    auto [number, shape] = util::split_first(text, '/');
    Feedback feedback;
    double value = 0;
    auto trimmed = util::trim(number);
    auto parsed = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
    feedback.amount = parsed.ec == std::errc() && value >= 0 && value <= 1 ? value : 1;
    if (util::trim(shape) == "concurrency")
        feedback.shape = Feedback::Shape::Inverse;
    else if (util::trim(shape) == "sqrt_concurrency")
        feedback.shape = Feedback::Shape::InverseRoot;
    return feedback;
}

// A message may have two files open; a quarter of them is for clients, agents and the rest.
std::size_t message_limit(std::size_t wanted, std::size_t open_files)
{
    std::size_t possible = std::max<std::size_t>(1, open_files / 8 * 3);
    if (possible < wanted)
        util::log::info("the active queue takes ", possible, " messages, not qmgr_message_active_limit = ", wanted, ": only ",
                        open_files, " files may be open (ulimit -Hn, or LimitNOFILE= of the service manager)");
    return std::min(wanted, possible);
}

// FILTER and content_filter: without destination it is the recipient's domain.
routing::Route filter_route(std::string_view filter, const ipc::Recipient& recipient)
{
    return routing::parse_transport(filter, std::string_view(recipient.address).substr(recipient.address.rfind('@') + 1));
}

}  // namespace

TransportRules rules_of(const Config& config, std::string_view transport)
{
    auto number = [&](const Config::Count& parameter) {
        return static_cast<unsigned>(std::min<std::uint64_t>(parameter.of(transport), UINT32_MAX));
    };
    TransportRules rules;
    rules.initial_concurrency = std::max(1U, number(config.initial_concurrency));
    rules.concurrency_limit = number(config.concurrency_limit);
    if (rules.concurrency_limit > 0)
        rules.initial_concurrency = std::min(rules.initial_concurrency, rules.concurrency_limit);
    rules.recipient_limit = number(config.recipient_limit);
    if (rules.recipient_limit == 0 || rules.recipient_limit > ipc::max_job_recipients)
        rules.recipient_limit = ipc::max_job_recipients;
    rules.positive = parse_feedback(config.positive_feedback.of(transport));
    rules.negative = parse_feedback(config.negative_feedback.of(transport));
    rules.failed_cohort_limit = number(config.failed_cohort_limit);
    rules.dead_time = *config.minimal_backoff_time;
    rules.rate_delay = config.rate_delay.of(transport);
    rules.transport_delay = config.transport_rate_delay.of(transport);
    if (rules.rate_delay > util::Duration::zero())
        rules.initial_concurrency = rules.concurrency_limit = 1;
    rules.slot_cost = number(config.slot_cost);
    rules.slot_loan = number(config.slot_loan);
    rules.slot_discount = std::min(100U, number(config.slot_discount));
    rules.minimum_slots = number(config.minimum_slots);
    return rules;
}

RetryRules retry_rules(const Config& config)
{
    return {{config.minimal_backoff_time->count(), config.maximal_backoff_time->count()},
            config.maximal_queue_lifetime->count(), config.bounce_queue_lifetime->count()};
}

namespace {

// The address without its extension.
std::string user_of(std::string_view address, std::string_view delimiter)
{
    std::size_t at = std::min(address.rfind('@'), address.size());
    std::string_view user = mail::split_extension(address.substr(0, at), delimiter).first;
    return util::lower(util::concat(user, address.substr(at)));
}

}  // namespace

Manager::Manager(util::EventLoop& loop, const Config& config, queue::Directory& directory, Router router,
                 Agents::PathOf path_of, std::size_t open_files)
    : loop_(loop), config_(config), directory_(directory), router_(std::move(router)),
      scheduler_([this](std::string_view transport) { return rules_of(config_, transport); }),
      agents_(loop, std::move(path_of),
              {.stored = [this](const ipc::StoredNotice& notice) { stored(notice); },
               .outcome = [this](ipc::Outcome& result) { outcome(result); },
               .lost = [this](const std::string& transport, const std::vector<ipc::JobId>& jobs,
                              Agents::Loss loss) { lost(transport, jobs, loss); },
               .unavailable = [this](const std::string& transport, const util::Error& error) { unavailable(transport, error); },
               .room = [this] { dispatch(); }}),
      intake_({message_limit(*config.message_active_limit, open_files), *config.message_recipient_limit}),
      next_own_job_(first_own_job), race_timer_(loop, [this] { race_is_over(); }), slice_timer_(loop, [this] { scan_slice(); }),
      suspended_timer_(loop, [this] { defer_slice(); }), run_timer_(loop,
                                                                    [this] {
                                                                        scheduler_.expire(util::now());
                                                                        scan(queue::Place::Incoming, true);
                                                                        scan(queue::Place::Deferred, false);
                                                                        run_timer_.start(*config_.queue_run_delay);
                                                                    }),
      rate_timer_(loop, [this] { dispatch(); }), sweep_timer_(loop, [this] { gone_cleaners_.clear(); }),
      shortage_timer_(loop, [this] { try_again(); })
{
}

Manager::~Manager() = default;

void Manager::start() { run_timer_.start(0s); }

void Manager::stop(std::function<void()> stopped)
{
    stopped_ = std::move(stopped);
    run_timer_.stop();
    slice_timer_.stop();
    suspended_timer_.stop();
    agents_.stop();
    stop_when_idle();
}

// Also when the last agents died instead of answering.
void Manager::stop_when_idle()
{
    if (stopped_ && flights_.empty() && notices_.size() == waiting_notices_.size())
        stopped_();
}

Message* Manager::find_number(MessageNumber number)
{
    auto found = messages_.find(number);
    return found == messages_.end() ? nullptr : found->second.get();
}

const Message* Manager::find(const std::string& id) const
{
    auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::vector<ipc::Metric> Manager::metrics() const
{
    auto metrics = counters_.metrics();
    metrics.push_back({"active_messages", "", "", messages_.size(), ipc::Metric::Kind::Gauge});
    metrics.push_back({"active_recipients", "", "", intake_.open_recipients(), ipc::Metric::Kind::Gauge});
    return metrics;
}

Message& Manager::add_message(std::unique_ptr<Message> message)
{
    message->number = next_number_++;
    Message& added = *message;
    added.open = added.count(Message::State::Waiting);
    intake_.entered(added.recipients.size(), added.open);
    by_id_.emplace(added.id, &added);
    messages_.emplace(added.number, std::move(message));
    return added;
}

void Manager::forget(Message& message)
{
    intake_.left(message.recipients.size(), message.open);
    by_id_.erase(message.id);
    messages_.erase(message.number);
    use_room();
}

// Recipients have had their turn, or will have none.
void Manager::take_out(Message& message, std::size_t recipients)
{
    CHECK(message.outstanding >= recipients && message.open >= recipients);
    message.outstanding -= recipients;
    message.open -= recipients;
    intake_.done(recipients);
    use_room();
}

// Something may wait for room that is there now.
void Manager::use_room()
{
    if (!stopped_ && !slice_timer_.running() && (intake_.can_go_on() || (overflow_ && has_room())))
        slice_timer_.start(0s);
}

// Hands the message's recipients to the scheduler.
void Manager::activate(Message& message)
{
    message.active = true;
    ++counters_.messages;
    message.activated = util::wall_now().time_since_epoch().count();
    util::log::info(message.id, ": from=<", message.envelope.sender, ">, size=", message.size,
                    ", nrcpt=", message.recipients.size(), " (queue active)");
    std::vector<std::uint32_t> waiting;
    for (std::uint32_t i = 0; i < message.recipients.size(); ++i)
        if (message.recipients[i].state == Message::State::Waiting)
            waiting.push_back(i);
    message.outstanding = waiting.size();
    route(message, waiting);
    settle(message);
}

const Router& Manager::router_for(const Message& message) const
{
    return message.is_probe() && probes_.router ? probes_.router : router_;
}

void Manager::route(Message& message, const std::vector<std::uint32_t>& recipients)
{
    util::Instant now = util::now();
    struct Share {
        routing::Route route;
        std::string queue_name;
        std::vector<std::uint32_t> recipients;
    };
    std::vector<Share> shares;
    std::unordered_map<std::string, std::size_t> known;
    for (std::uint32_t index : recipients) {
        const ipc::Recipient& recipient = message.recipients[index].entry.recipient;
        const std::string& pass_to = message.recipients[index].pass_to;
        routing::Route way = !pass_to.empty()                 ? filter_route(pass_to, recipient)
                             : message.content_filter.empty() ? router_for(message)(recipient, message.envelope.sender)
                                                              : filter_route(message.content_filter, recipient);
        if (decide_inside(message, index, way))
            continue;
        std::string name =
            config_.recipient_limit.of(way.transport) == 1 ? user_of(recipient.address, recipient_delimiter_) : way.nexthop;
        auto added = known.emplace(util::concat(way.transport, '\0', name), shares.size());
        if (added.second)
            shares.push_back({std::move(way), std::move(name), {}});
        shares[added.first->second].recipients.push_back(index);
    }
    for (Share& share : shares) {
        auto reason =
            scheduler_.add(message.number, share.route.transport, share.route.nexthop, share.queue_name, share.recipients, now);
        if (reason)
            for (std::uint32_t index : share.recipients)
                defer_recipient(message, index, "4.4.1", util::concat("delivery temporarily suspended: ", *reason));
    }
}

// Recipients whose fate needs no agent: the transports error, retry and discard, and those that are
// not there now.
bool Manager::decide_inside(Message& message, std::uint32_t index, const routing::Route& way)
{
    if (way.is_error() || way.is_retry() || way.is_discard()) {
        ipc::DeliveryStatus status;
        status.relay = "none";
        if (way.is_discard()) {
            status.disposition = ipc::Disposition::Delivered;
            status.dsn = "2.0.0";
            status.text = way.nexthop.empty() ? "discarded" : way.nexthop;
        } else {
            routing::Refusal refusal = routing::refusal_of(way);
            status.disposition = way.is_error() ? ipc::Disposition::Bounced : ipc::Disposition::Deferred;
            status.dsn = std::move(refusal.dsn);
            status.text = std::move(refusal.text);
        }
        decide(message, index, std::move(status), true);
        return true;
    }
    const auto& deferred = *config_.defer_transports;
    if (!flushing_ && std::find(deferred.begin(), deferred.end(), way.transport) != deferred.end()) {
        defer_recipient(message, index, "4.3.2", "deferred transport");
        return true;
    }
    auto down = down_.find(way.transport);
    if (down == down_.end())
        return false;
    if (util::now() >= down->second.until) {
        down_.erase(down);
        return false;
    }
    defer_recipient(message, index, "4.3.0", down->second.reason);
    return true;
}

// Starts what can be started.  Outcomes that come back at once (a connection that breaks) must not
// start it again from within.
void Manager::dispatch()
{
    if (dispatching_) {
        dispatch_again_ = true;
        return;
    }
    dispatching_ = true;
    do {
        dispatch_again_ = false;
        if (stopped_)
            break;
        start_quarantined();
        util::Instant now = util::now();
        auto can_take = [this](const std::string& transport) {
            return !(quarantine_.contains(transport)) && agents_.can_take(transport);
        };
        while (auto order = scheduler_.next(now, can_take))
            start_job(*order);
        start_notices();
    } while (dispatch_again_);
    dispatching_ = false;
    // An earlier one may have come up since the timer was started.
    if (auto next = scheduler_.next_start(); next != util::Instant::max())
        rate_timer_.start(std::max<util::Duration>(next - util::now(), 1ms));
}

void Manager::start_job(const Order& order)
{
    Message* message = find_number(order.message);
    CHECK(message);
    if (message->verifies() && !agents_.verifies(order.transport))
        return answer_for_agent(order, *message);
    ipc::Job job;
    job.job = order.entry;
    job.queue_id = message->id;
    job.transport = order.transport;
    job.nexthop = order.nexthop;
    job.sender = message->envelope.sender;
    job.arrival = message->envelope.arrival;
    job.activated = message->activated;
    job.verify = message->verifies();
    job.tell_stored = order.fills_window;
    job.followed = order.followed;
    job.recipients.reserve(order.recipients.size());
    for (std::uint32_t index : order.recipients) {
        job.recipients.push_back({index, message->recipients[index].entry.recipient});
        message->recipients[index].state = Message::State::Busy;
    }
    ++message->flights;
    flights_.emplace(order.entry,
                     Flight{order.message, order.transport, order.recipients, order.recipients.size(), false, false, {}});
    // Lent for the call: send() passes a copy on.
    job.message = util::UniqueFd(message->file.get());
    agents_.send(order.transport, job);
    (void)job.message.release();
}

// An agent that would deliver what is only to be verified is not asked.
void Manager::answer_for_agent(const Order& order, Message& message)
{
    ipc::DeliveryStatus status;
    status.disposition = ipc::Disposition::Delivered;
    status.dsn = "2.0.0";
    status.relay = "none";
    status.text =
        util::concat("goes to transport ", order.transport, order.nexthop.empty() ? "" : ", destination ", order.nexthop);
    for (std::uint32_t index : order.recipients)
        decide(message, index, status, true);
    defer_withdrawn(scheduler_.finish(order.entry, Scheduler::Result::Neither, "", util::now()), "4.4.1", "");
    settle(message);
}

// Messages during which an agent of many jobs ended go out one at a time, with nothing beside them,
// until it is known which of them did it.
void Manager::start_quarantined()
{
    for (auto& [transport, waiting] : quarantine_) {
        if (agents_.in_flight(transport) > 0 || !agents_.can_take(transport))
            continue;
        while (!waiting.empty()) {
            Quarantined next = std::move(waiting.front());
            waiting.pop_front();
            if (!find_number(next.message) || next.recipients.empty())
                continue;
            start_job({next_own_job_++, next.message, transport, std::move(next.nexthop), std::move(next.recipients)});
            break;
        }
    }
    std::erase_if(quarantine_, [](const auto& item) { return item.second.empty(); });
}

void Manager::start_notices()
{
    const std::string service(bounce_service);
    while (!waiting_notices_.empty() && agents_.can_take(service)) {
        ipc::JobId number = waiting_notices_.front();
        waiting_notices_.pop_front();
        Notice& notice = notices_.at(number);
        Message* message = find_number(notice.message);
        CHECK(message);
        ipc::Notify order;
        order.job = number;
        order.kind = notice.kind;
        order.queue_id = message->id;
        order.envelope = message->envelope;
        order.expires = message->envelope.arrival + config_.maximal_queue_lifetime->count();
        for (std::uint32_t index : notice.recipients) {
            const MessageRecipient& recipient = message->recipients[index];
            order.recipients.push_back({index, recipient.entry.recipient});
            if (notice.kind == ipc::Notify::Kind::Failure && !recipient.return_to.empty()) {
                order.envelope.sender = recipient.return_to;
                order.recipients.back().recipient.notify = ipc::NotifyDefault;
            }
            order.statuses.push_back(recipient.status ? *recipient.status : ipc::DeliveryStatus());
        }
        order.message = util::UniqueFd(message->file.get());
        agents_.send(service, order);
        (void)order.message.release();
    }
}

}  // namespace qmgr
