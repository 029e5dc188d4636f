// The simulation: what happens in the world, and what must hold meanwhile.
#include "tests/unit/qmgr/simulation.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace test {

namespace {

const util::Instant simulation_start{1000h};
// Between two slices of a look through a queue; how many names one of them has.
constexpr util::Duration slice_pause = 10ms;
constexpr std::size_t slice_budget = 200;
// By how much an attempt may be late: a destination that hangs, a full active queue.
constexpr util::Duration slack = 120s;

double step_of(const Feedback& feedback, double window)
{
    switch (feedback.shape) {
    case Feedback::Shape::Constant:
        return feedback.amount;
    case Feedback::Shape::Inverse:
        return feedback.amount / window;
    case Feedback::Shape::InverseRoot:
        return feedback.amount / std::sqrt(window);
    }
    return 0;
}

}  // namespace

void ReferenceWindow::reset(const TransportRules& rules)
{
    *this = {};
    window = rules.initial_concurrency;
}

void ReferenceWindow::delivered(const TransportRules& rules, unsigned busy)
{
    cohorts = 0;
    if (dead) {
        reset(rules);
        window = busy;
        return;
    }
    if (window >= rules.concurrency_limit || window >= busy + rules.initial_concurrency)
        return;
    double step = step_of(rules.positive, window);
    for (success += step; success + step / 2 >= 1; success -= 1) {
        window += 1;
        failure = 0;
    }
    window = std::min<double>(window, rules.concurrency_limit);
}

void ReferenceWindow::failed(const TransportRules& rules, util::Instant now)
{
    if (dead)
        return;
    cohorts += 1 / window;
    if (rules.failed_cohort_limit > 0 && cohorts + 1e-9 >= rules.failed_cohort_limit) {
        dead = true;
        dead_until = now + rules.dead_time;
        return;
    }
    double step = step_of(rules.negative, window);
    for (failure -= step; failure - step / 2 < 0; failure += 1) {
        window -= 1;
        success = 0;
    }
    window = std::max(window, 1.0);
}

World::World(unsigned seed, const Config& config, unsigned processes, util::Duration patience)
    : seed_(seed), config_(config), retry_(retry_rules(config)), processes_(processes), patience_(patience), random_(seed),
      now_(simulation_start), scheduler_([this](std::string_view transport) { return rules_of(config_, transport); }),
      intake_({*config.message_active_limit, *config.message_recipient_limit}), wake_(util::Instant::max())
{
    at(now_, [this] { run_queue(); });
}

void World::require(bool condition, const std::string& what) const
{
    if (!condition)
        ck_abort_msg("SEED=%u, after %.3f s: %s", seed_, std::chrono::duration<double>(now_ - simulation_start).count(),
                     what.c_str());
}

std::string World::where(const Site& site) const { return util::concat(site.transport, ":", site.name); }

std::size_t World::add_site(Site site)
{
    by_name_.emplace(where(site), sites_.size());
    rules_.emplace(site.transport, rules_of(config_, site.transport));
    reference_.emplace_back();
    sites_.push_back(std::move(site));
    return sites_.size() - 1;
}

void World::at(util::Instant when, std::function<void()> what)
{
    events_.push_back({when, event_number_++, std::move(what)});
    std::push_heap(events_.begin(), events_.end());
}

void World::run_until(util::Instant end)
{
    while (!events_.empty() && events_.front().at <= end) {
        std::pop_heap(events_.begin(), events_.end());
        Event event = std::move(events_.back());
        events_.pop_back();
        now_ = event.at;
        event.what();
    }
    now_ = end;
}

void World::finish()
{
    util::Instant end = now_ + *config_.maximal_queue_lifetime + *config_.maximal_backoff_time + 24h;
    while (left_ < posted_ && now_ < end)
        run_until(now_ + 60s);
    require(left_ == posted_, util::concat(posted_ - left_, " recipients are neither delivered nor returned"));
    require(scheduler_.waiting() == 0 && scheduler_.in_flight() == 0, "something is left in the scheduler");
    require(intake_.messages() == 0 && intake_.recipients() == 0 && intake_.open_recipients() == 0,
            "something is left in the active queue");
    run_until(now_ + *config_.minimal_backoff_time + *config_.queue_run_delay + 1h);
    require(scheduler_.destinations() == 0, "destinations are left, for which there is nothing");
}

// --- mail ------------------------------------------------------------------------------------------

void World::post(const std::vector<std::uint32_t>& sites)
{
    MessageNumber number = mail_.size();
    Mail& mail = mail_.emplace_back();
    mail.arrival = now_;
    for (std::uint32_t site : sites)
        mail.recipients.push_back({site});
    posted_ += sites.size();
    mail.fresh = sites.size() == 1 && sites_[sites.front()].healthy;
    // What cleanup offers is taken at once, if there is room; else it waits in its file.
    if (intake_.has_room())
        return activate(number), dispatch();
    put_into(queue::Place::Incoming, number);
    overflow_ = true;
}

void World::preload(std::uint32_t site, util::Duration age, util::Duration since)
{
    Mail& mail = mail_.emplace_back();
    mail.arrival = now_ - age;
    mail.last_attempt = now_ - since;
    mail.recipients.push_back({site});
    mail.tried = true;
    put_into(queue::Place::Deferred, mail_.size() - 1);
    ++posted_;
}

void World::activate(MessageNumber number)
{
    Mail& mail = mail_[number];
    require(!mail.active && !mail.gone, "a message is taken in twice");
    require(intake_.messages() < *config_.message_active_limit, "more messages are active than qmgr_message_active_limit");
    require(intake_.open_recipients() < *config_.message_recipient_limit,
            "a message is taken in beyond qmgr_message_recipient_limit");
    if (mail.tried) {
        auto since = now_ - mail.last_attempt;
        require(since >= *config_.minimal_backoff_time, util::concat("tried again after ", since.count() / 1'000'000, " s"));
        require(since <= *config_.maximal_backoff_time + *config_.queue_run_delay + slack,
                util::concat("tried again only after ", since.count() / 1'000'000, " s"));
    }
    mail.active = mail.tried = true;
    auto open = std::ranges::count(mail.recipients, false, &Recipient::done);
    intake_.entered(mail.recipients.size(), static_cast<std::size_t>(open));
    most_active_ = std::max(most_active_, intake_.messages());
    std::map<std::uint32_t, std::vector<std::uint32_t>> shares;
    for (std::uint32_t i = 0; i < mail.recipients.size(); ++i)
        if (!mail.recipients[i].done) {
            shares[mail.recipients[i].site].push_back(i);
            ++mail.outstanding;
        }
    for (auto& [index, recipients] : shares) {
        Site& site = sites_[index];
        ReferenceWindow& reference = reference_[index];
        const TransportRules& rules = rules_[site.transport];
        if (reference.dead && now_ >= reference.dead_until) {
            reference.reset(rules);
            if (site.active > 0)
                reference.window = site.active;
        } else if (!reference.dead && scheduler_.window(site.transport, site.name) == 0) {
            reference.reset(rules);   // nothing was known of it any more
        }
        bool added = !scheduler_.add(number, site.transport, site.name, site.name, recipients, now_);
        require(added == !reference.dead, util::concat(where(site), added ? " should be dead" : " should not be dead"));
        if (!added)
            take_out(mail, recipients.size());
    }
    settle(number);
}

void World::settle(MessageNumber number)
{
    Mail& mail = mail_[number];
    if (mail.outstanding == 0 && mail.flights == 0 && mail.active)
        conclude(number);
}

void World::take_out(Mail& mail, std::size_t recipients)
{
    mail.outstanding -= recipients;
    intake_.done(recipients);
    want_slice();
}

// As Manager::conclude(): what could not be delivered waits in its file, or goes back.
void World::conclude(MessageNumber number)
{
    Mail& mail = mail_[number];
    std::size_t left = 0;
    for (Recipient& recipient : mail.recipients)
        left += !recipient.done;
    auto age = now_ - mail.arrival;
    intake_.left(mail.recipients.size(), 0);
    mail.active = false;
    if (left > 0 && retry_.is_over(age.count(), false)) {
        require(age >= *config_.maximal_queue_lifetime, "returned before its time");
        require(age <= *config_.maximal_queue_lifetime + *config_.maximal_backoff_time + *config_.queue_run_delay + slack,
                util::concat("returned only after ", age.count() / 1'000'000, " s"));
        for (Recipient& recipient : mail.recipients)
            recipient.done = true;
        returned_ += left;
        left_ += left;
        left = 0;
    }
    if (left == 0) {
        mail.gone = true;
        mail.recipients.clear();
    } else {
        mail.last_attempt = now_;
        put_into(queue::Place::Deferred, number);
    }
    want_slice();
}

// --- deliveries ------------------------------------------------------------------------------------

void World::dispatch()
{
    auto can_take = [this](const std::string& transport) { return in_use_[transport] < processes_; };
    while (auto order = scheduler_.next(now_, can_take))
        start(*order);
    auto next = scheduler_.next_start();
    require(next > now_, "next_start() lies in the past");
    if (next < wake_) {
        wake_ = next;
        at(next, [this, next] {
            if (wake_ == next)
                wake_ = util::Instant::max();
            dispatch();
        });
    }
}

bool World::is_down(const Site& site) const
{
    return site.down > 0s && (now_ - simulation_start) % (site.up + site.down) >= site.up;
}

void World::count_active(Site& site, int change)
{
    site.busy_seconds += site.active * std::chrono::duration<double>(now_ - site.changed).count();
    site.changed = now_;
    site.active += static_cast<unsigned>(change);
}

void World::check_start(const Order& order, const Site& site, std::size_t index)
{
    const TransportRules& rules = rules_[order.transport];
    const ReferenceWindow& reference = reference_[index];
    require(!reference.dead, util::concat(where(site), ": a delivery to a dead destination"));
    require(site.active < static_cast<unsigned>(reference.window),
            util::concat(where(site), ": ", site.active + 1, " deliveries, the window is ",
                         static_cast<unsigned>(reference.window)));
    require(rules.concurrency_limit == 0 || site.active < rules.concurrency_limit,
            util::concat(where(site), ": more deliveries than its limit"));
    require(order.recipients.size() <= rules.recipient_limit, "an order with too many recipients");
    if (rules.rate_delay > 0s && site.attempts > 0)
        require(site.active == 0 && now_ >= site.last_end + rules.rate_delay,
                util::concat(where(site), ": the rate delay is not kept"));
    if (auto last = last_start_.find(order.transport); last != last_start_.end())
        require(now_ >= last->second + rules.transport_delay,
                util::concat(order.transport, ": the transport's rate delay is not kept"));
    last_start_[order.transport] = now_;
}

void World::start(const Order& order)
{
    std::size_t index = by_name_.at(util::concat(order.transport, ":", order.nexthop));
    Site& site = sites_[index];
    check_start(order, site, index);
    if (watch)
        watch(order);
    Mail& mail = mail_[order.message];
    if (mail.fresh) {
        auto wait = now_ - mail.arrival;
        require(wait <= patience_, util::concat(where(site), ": a new message waited ", wait.count() / 1'000'000, " s"));
        waits_.longest = std::max(waits_.longest, wait);
        ++waits_.messages;
        mail.fresh = false;
    }
    ++mail.flights;
    ++orders_;
    ++site.attempts;
    ++in_use_[order.transport];
    count_active(site, +1);
    util::Duration takes = random(site.shortest, site.longest);
    auto result = Scheduler::Result::Delivered;
    if (is_down(site)) {
        takes = site.failure_time;
        result = Scheduler::Result::DestinationFailed;
    } else if (site.active > site.capacity) {
        takes = 100ms;
        ++site.refusals;
        result = Scheduler::Result::DestinationFailed;
    } else if (random(100) < site.percent_deferred) {
        result = Scheduler::Result::Neither;
    }
    at(now_ + takes, [this, order, index, result] { end(order, index, result); });
}

void World::end(const Order& order, std::size_t index, Scheduler::Result result)
{
    Site& site = sites_[index];
    Mail& mail = mail_[order.message];
    for (std::uint32_t recipient : order.recipients)
        if (result == Scheduler::Result::Delivered) {
            require(!mail.recipients[recipient].done, "a recipient was delivered to twice");
            mail.recipients[recipient].done = true;
            ++delivered_;
            ++left_;
        }
    take_out(mail, order.recipients.size());
    --mail.flights;
    bool out_of_processes = in_use_[order.transport] == processes_;
    --in_use_[order.transport];
    site.deliveries += result == Scheduler::Result::Delivered;
    site.last_end = now_;
    ReferenceWindow& reference = reference_[index];
    ReferenceWindow with_ready = reference;   // if the entry that waits for a process is for this site
    with_ready.delivered(rules_[site.transport], site.active + 1);
    if (result == Scheduler::Result::Delivered)
        reference.delivered(rules_[site.transport], site.active);
    else if (result == Scheduler::Result::DestinationFailed)
        reference.failed(rules_[site.transport], now_);
    count_active(site, -1);
    auto withdrawn = scheduler_.finish(order.entry, result, "reason", now_);
    double window = scheduler_.window(site.transport, site.name);
    if (result == Scheduler::Result::Delivered && out_of_processes && window != reference.window && window == with_ready.window)
        reference = with_ready;
    require(window == 0 || (!reference.dead && std::abs(window - reference.window) < 1e-6),
            util::concat(where(site), ": the window is ", std::to_string(window), ", Postfix's ",
                         std::to_string(reference.window)));
    require(withdrawn.empty() || reference.dead,
            util::concat(where(site), ": what waits for it was taken back, but it is not dead"));
    for (const Withdrawn& item : withdrawn) {
        take_out(mail_[item.message], item.recipients.size());
        settle(item.message);
    }
    settle(order.message);
    dispatch();
}

// --- queues ----------------------------------------------------------------------------------------

void World::run_queue()
{
    scheduler_.expire(now_);
    look(queue::Place::Incoming);
    look(queue::Place::Deferred);
    at(now_ + *config_.queue_run_delay, [this] { run_queue(); });
}

void World::put_into(queue::Place place, MessageNumber number)
{
    Mail& mail = mail_[number];
    if (!mail.listed || mail.place != place)
        files_[place == queue::Place::Deferred].push_back(number);
    mail.listed = true;
    mail.place = place;
}

void World::look(queue::Place place)
{
    if (!intake_.begin(place, place == queue::Place::Incoming))
        return;
    auto& files = files_[place == queue::Place::Deferred];
    std::erase_if(files, [&](MessageNumber number) {
        Mail& mail = mail_[number];
        mail.listed = !mail.gone && mail.place == place;
        return !mail.listed;
    });
    std::vector<std::string> names;
    names.reserve(files.size());
    for (MessageNumber number : files)
        names.push_back(std::to_string(number));
    intake_.listed(place, std::move(names));
    want_slice();
}

void World::want_slice()
{
    if (slicing_ || !(intake_.can_go_on() || (overflow_ && intake_.has_room())))
        return;
    slicing_ = true;
    at(now_ + slice_pause, [this] { slice(); });
}

// As Manager::scan_slice().
void World::slice()
{
    slicing_ = false;
    if (overflow_ && intake_.has_room() && !intake_.running(queue::Place::Incoming)) {
        overflow_ = false;
        look(queue::Place::Incoming);
    }
    for (auto place : {queue::Place::Incoming, queue::Place::Deferred}) {
        for (std::size_t budget = slice_budget; budget > 0; --budget) {
            const std::string* name = intake_.next(place);
            if (!name)
                break;
            MessageNumber number = 0;
            std::from_chars(name->data(), name->data() + name->size(), number);
            Mail& mail = mail_[number];
            if (mail.active || mail.gone || mail.place != place)
                continue;
            if (!intake_.all(place) &&
                retry_.next_attempt(microseconds(mail.arrival), microseconds(mail.last_attempt)) > microseconds(now_))
                continue;
            activate(number);
        }
        if (!intake_.running(place) && intake_.ended(place))
            look(place);
    }
    dispatch();
    want_slice();
}

}  // namespace test
