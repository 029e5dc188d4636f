// Mailbox processes: starting, handing orders over, making room, taking in who has exited.
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "usher/usher.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unordered_set>

namespace usher {

namespace {

constexpr util::Duration sweep_interval = tenure / 2;
constexpr std::size_t max_reason = 200;   // of what a mailbox says about itself

}  // namespace

// --- orders ----------------------------------------------------------------------------------------

void Usher::place(Order order)
{
    if (order.parked && !parking_.find(order.parked))
        return;   // it was ended while it waited
    if (stopping_)
        return refuse(order, false, "shutting down");
    while (roster_.serves(order.account)) {
        auto identity = find_account_(order.account);
        if (!identity.ok())
            return refuse(order, identity.error().kind != util::Kind::Temporary, identity.error().text);
        if (!is_reachable(order.account))
            gone(order.account);
        else if (runs_as(order.account, *identity) && !(order.session && shares_layout(order.account)))
            return hand_over(order);
        else
            retire(order.account);
    }
    if (auto* failure = failures_.pausing(order.account, util::now())) {
        // What does not start is not waited for: it may be long.
        if (failure->starts > 0 || failure->until > util::now() + settings_.order_timeout)
            return refuse(order, false, why_paused(*failure));
        return wait_for_turn(std::move(order));
    }
    if (roster_.full())
        return wait_for_room(std::move(order));
    auto started = start(order);
    if (!started.ok()) {
        bool permanent = started.error().kind != util::Kind::Temporary;
        if (started.error().kind != util::Kind::NotFound)
            util::log::warning("mailbox of ", util::printable(order.account, 256), ": ", started.error().text);
        return refuse(order, permanent, started.error().text);
    }
    std::string account = order.account;
    hand_over(order);
    resume_waking_of(account);
}

// A send may have found that its process has gone, before the loop tells so.
bool Usher::is_reachable(const std::string& account) const
{
    auto control = controls_.find(account);
    return roster_.serves(account) && control != controls_.end() && control->second->is_open();
}

// An account that was removed and made again is another one: its process has another uid.
bool Usher::runs_as(const std::string& account, const Identity& identity) const
{
    auto life = lives_.find(roster_.pid_of(account));
    return life != lives_.end() && life->second.identity == identity;
}

// Who has logged in, or is a guest, never gets to see a process that has its layout of memory in common with those of
// other users: what he learns of it is of no use elsewhere.
bool Usher::shares_layout(const std::string& account) const
{
    auto life = lives_.find(roster_.pid_of(account));
    return life != lives_.end() && life->second.forked;
}

util::Result<void> Usher::start(const Order& order)
{
    Identity identity = TRY(find_account_(order.account));
    if (!settings_.own_uid && (identity.uid == 0 || identity.uid < settings_.minimum_uid))
        return util::permanent(util::concat("uid ", identity.uid, " is below usher_minimum_uid"));
    // Without its limits none is started.
    AccountQuota quota = TRY(quotas_->of(order.account));
    // News would have the sessions that are parked come back at once.
    bool for_a_session = order.session || parking_.count(order.account) > 0;
    Launched launched = TRY(launcher_.launch(identity, for_a_session ? Layout::Own : Layout::Any));
    pid_t pid = launched.pid;
    const std::string& account = order.account;
    util::Instant now = util::now();
    roster_.started(account, launched.pid, now);
    lives_[launched.pid] = {.since = now, .forked = launched.forked, .identity = std::move(identity)};
    if (!start_timer_.running())
        start_timer_.start(settings_.start_timeout);
    controls_[account] = std::make_unique<ipc::Channel>(
        loop_, std::move(launched.control),
        ipc::Channel::Events{.received = [this, account, pid](ipc::Packet& packet) { told(account, pid, packet); },
                             .closed = [this, account](const util::Error& error) { control_lost(account, error); },
                             .drained = [this, account] { go_on_telling_sharers(account); }},
        control_queue_limit);
    sharers_told_.erase(account);   // its predecessor's
    if (quota.limited() || quota.order.mailboxes)
        send_quota(account, std::move(quota), false);
    tell_watches(account, *controls_[account]);
    return {};
}

void Usher::hand_over(Order& order)
{
    ipc::Channel& control = *controls_[order.account];
    if (order.parked)
        return hand_back(order, control);
    ipc::Channel* peer = channel_of(order.peer);
    if (order.expire)
        return hand_over_expiry(order, control);
    if (!peer && !order.of_guest)
        return;   // nobody waits for it any more; a session's client is closed with the order
    if (order.session)
        return hand_over_session(order, control);
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    if (!pair.ok())
        return refuse(order, false, pair.error().text);
    roster_.ordered(order.account, util::now());
    ipc::NewDeliveries deliveries;
    deliveries.connection = std::move(pair->first);
    control.send(deliveries);
    ipc::MailboxOpened opened;
    opened.request = order.request;
    opened.connection = std::move(pair->second);
    peer->send(opened);
}

// The door hears that the session is open when the mailbox has it: until then the client is the door's.
void Usher::hand_over_session(Order& order, ipc::Channel& control)
{
    // A guest's may take rights from him: without knowing them he is not let in.
    auto groups = find_account_(order.of_guest ? order.session->facts.guest : order.account);
    if (!groups.ok() && order.of_guest)
        return refuse(order, false, groups.error().text);
    order.session->order = next_id_++;
    order.session->parked = static_cast<std::uint32_t>(parking_.count(order.account));
    handed_[order.session->order] = {.peer = order.peer, .request = order.request, .pid = roster_.pid_of(order.account),
                                     .session = order.session->facts.session};
    roster_.session_ordered(order.account, util::now());
    visitors_.add(order.account, order.session->facts, util::wall_now().time_since_epoch().count(),
                  order.app_password, util::sys::socket_cookie(order.session->client.get()).value_or(0));
    order.session->facts.groups = groups.ok() ? std::move(groups->groups) : std::vector<std::string>();
    // Whatever the door has said.
    order.session->facts.transcript =
        std::any_of(settings_.transcript_accounts.begin(), settings_.transcript_accounts.end(),
                    [&](const std::string& account) { return util::equal_nocase(account, order.account); });
    control.send(*order.session);
    if (control.is_open())
        return;
    // It was never there: the next process has it.
    handed_.erase(order.session->order);
    visitors_.ended(order.account, order.session->facts.session);
    wait_for_turn(std::move(order));
}

// What waited to be sent, until its process was gone.
void Usher::never_told(const std::string& account, ipc::Packet& packet)
{
    // Who does not hear that a session is parked ends it.
    if (packet.name() == ipc::SessionParked::message_name) {
        auto answer = ipc::decode<ipc::SessionParked>(packet);
        ParkedSession* parked = answer.ok() && answer->taken ? parking_.find(account, answer->session) : nullptr;
        if (parked) {
            parked->over = "the user's mailbox process has ended";
            try_again(*parked, util::Duration::zero());
        }
        return;
    }
    if (packet.name() != ipc::NewSession::message_name)
        return;
    // Nobody has begun with its client.
    auto session = ipc::decode<ipc::NewSession>(packet);
    auto found = session.ok() ? handed_.find(session->order) : handed_.end();
    if (found == handed_.end())
        return;
    Handed handed = std::move(found->second);
    handed_.erase(found);
    if (!handed.parked)
        return refuse(handed.peer, handed.request, false, "the user's mailbox process has ended");
    if (ParkedSession* parked = parking_.find(handed.parked))
        try_again(*parked, util::Duration::zero());
}

// One that was parked and is taken by a process that has been let go ends there: settle_sessions() sees to its place.
void Usher::session_taken(const std::string& account, pid_t pid, const ipc::SessionTaken& answer)
{
    auto found = handed_.find(answer.order);
    if (found == handed_.end() || found->second.pid != pid || (found->second.parked && !roster_.serves(account)))
        return;
    Handed handed = found->second;
    handed_.erase(found);
    if (handed.parked)
        return answer.refusal.empty() ? resumed(handed.parked) : not_resumed(handed.parked, false, answer.refusal);
    if (!answer.refusal.empty())
        return refuse(handed.peer, handed.request, false,
                      util::concat("the user's mailbox process: ", util::printable(answer.refusal, max_reason)));
    visitors_.opened(account, handed.session, handed.peer);
    if (ipc::Channel* peer = channel_of(handed.peer))
        peer->send(ipc::SessionOpened{.request = handed.request});
}

// The process has ended.  One that was never up has not seen its clients; of another the answer may be
// lost, and what it began with them is over: they are closed.
void Usher::settle_sessions(pid_t pid, const Life& life)
{
    // What is done for one may settle others: they are taken out first.
    std::vector<Handed> over;
    std::erase_if(handed_, [&](auto& item) {
        bool its = item.second.pid == pid;
        if (its)
            over.push_back(std::move(item.second));
        return its;
    });
    for (const Handed& handed : over) {
        if (handed.parked)
            not_resumed(handed.parked, life.ready, "the user's mailbox process has ended");
        else if (!life.ready)
            refuse(handed.peer, handed.request, false,
                   util::concat("the user's mailbox process does not start", life.reason.empty() ? "" : ": ", life.reason));
        else if (ipc::Channel* peer = channel_of(handed.peer))
            peer->send(ipc::SessionOpened{.request = handed.request});
    }
}

void Usher::wait_for_room(Order order)
{
    // When everybody has sessions, nobody can be asked to leave.
    if (roster_.leaving() == 0 && roster_.victim(util::Instant::max()).empty())
        return refuse(order, false, "mailbox_process_limit is reached");
    wait_for_turn(std::move(order));
    make_room();
}

void Usher::wait_for_turn(Order order)
{
    if (waiting_.size() >= max_waiting || (order.of_guest && !has_share_of_waiting(order)))
        return refuse(order, false, "too many mailboxes are wanted at once");
    if (order.deadline == util::Instant{})
        order.deadline = util::now() + settings_.order_timeout;
    waiting_.push_back(std::move(order));
    watch_time();
}

bool Usher::must_wait(const std::string& account) const
{
    return !roster_.serves(account) && (roster_.full() || failures_.pausing(account, util::now()));
}

std::string Usher::why_paused(const Failures::Entry& failure) const
{
    auto rest = std::chrono::ceil<std::chrono::seconds>(failure.until - util::now()).count();
    if (failure.starts == 0)
        return util::concat("the user's mailbox process failed a moment ago; the next start is in ", rest, " s");
    return util::concat("the user's mailbox process does not start", failure.reason.empty() ? "" : ": ", failure.reason,
                        " (tried ", failure.starts, failure.starts == 1 ? " time" : " times", "); the next try is in ", rest,
                        " s");
}

// For each account that waits one process leaves.
void Usher::make_room()
{
    std::unordered_set<std::string_view> wanted;
    for (const Order& order : waiting_) {
        if (!roster_.serves(order.account) && !failures_.pausing(order.account, util::now()))
            wanted.insert(order.account);
    }
    while (roster_.leaving() < wanted.size()) {
        std::string victim = roster_.victim(util::now() - tenure);
        if (victim.empty())
            return;   // sweep() tries again
        util::log::verbose("evicted: ", victim);
        retire(victim);
    }
}

void Usher::serve_waiting()
{
    // Each is looked at once; those that go on waiting keep their order.
    for (std::size_t left = waiting_.size(); left > 0; --left) {
        Order order = std::move(waiting_.front());
        waiting_.pop_front();
        if (must_wait(order.account))
            waiting_.push_back(std::move(order));
        else
            place(std::move(order));
    }
    make_room();
}

// --- what a mailbox says and does ------------------------------------------------------------------

void Usher::told(const std::string& account, pid_t pid, ipc::Packet& packet)
{
    ipc::Channel& control = *controls_[account];
    if (told_at_any_time(account, pid, packet) || !roster_.serves(account))
        return;
    if (told_of_guests(account, packet) || told_of_filling(account, packet))
        return;
    if (packet.name() == ipc::SessionCount::message_name) {
        auto count = ipc::decode<ipc::SessionCount>(packet);
        if (!count.ok())
            return control.fail(count.take_error());
        return roster_.sessions_told(account, count->sessions);
    }
    if (packet.name() == ipc::MailExpired::message_name) {
        auto answer = ipc::decode<ipc::MailExpired>(packet);
        if (!answer.ok())
            return control.fail(answer.take_error());
        return expired(std::string(account), *answer);
    }
    if (packet.name() == ipc::SessionEnded::message_name) {
        auto ended = ipc::decode<ipc::SessionEnded>(packet);
        if (!ended.ok())
            return control.fail(ended.take_error());
        if (ParkedSession* parked = parking_.find(account, ended->session))
            return end_parked(*parked, {}, "ended by its mailbox process");
        return visitors_.ended(account, ended->session);
    }
    if (packet.name() == ipc::ParkSession::message_name)
        return park(account, control, packet);
    if (packet.name() == ipc::Leaving::message_name) {
        auto leaving = ipc::decode<ipc::Leaving>(packet);
        if (!leaving.ok())
            return control.fail(leaving.take_error());
        // An order that it has not seen yet keeps it.
        if (leaving->orders_seen == roster_.orders(account))
            retire(std::string(account));
        return;
    }
    control.fail(util::invalid(util::concat("message ", util::printable(packet.name(), 40), " is not a mailbox's")));
}

// What counts also among the last words of a process that has been let go (forget_control()).  Nothing of it starts a process:
// whoever lets that one go may be about to start its successor.
bool Usher::told_at_any_time(const std::string& account, pid_t pid, ipc::Packet& packet)
{
    ipc::Channel& control = *controls_[account];
    if (packet.name() == ipc::ReturnSession::message_name)
        return take_back(account, control, packet), true;
    auto life = lives_.find(pid);
    if (packet.name() == ipc::SessionTaken::message_name) {
        auto answer = ipc::decode<ipc::SessionTaken>(packet);
        if (!answer.ok())
            return control.fail(answer.take_error()), true;
        return session_taken(account, pid, *answer), true;
    }
    if (packet.name() == ipc::WakeSessions::message_name) {
        auto order = ipc::decode<ipc::WakeSessions>(packet);
        if (!order.ok())
            return control.fail(order.take_error()), true;
        return wake_watchers(std::string(account), order->mailboxes), true;
    }
    if (packet.name() == ipc::NotStarted::message_name && life != lives_.end()) {
        auto told = ipc::decode<ipc::NotStarted>(packet);
        if (!told.ok())
            return control.fail(told.take_error()), true;
        life->second.reason = util::printable(told->reason, max_reason);
        return true;
    }
    // Its first words: the store is open.
    if (packet.name() == ipc::SessionCount::message_name && life != lives_.end() && !life->second.ready) {
        if (auto count = ipc::decode<ipc::SessionCount>(packet); !count.ok())
            return control.fail(count.take_error()), true;
        life->second.ready = true;
        return failures_.forget(account), true;
    }
    return false;
}

void Usher::control_lost(const std::string& lost, const util::Error& error)
{
    std::string account = lost;   // the name dies with the channel
    pid_t pid = roster_.pid_of(account);
    // When there was no descriptor to keep an order for it, it is not to blame: it sees the end, and leaves.
    bool ours = util::sys::is_descriptor_shortage(error.code);
    if (ours)
        util::log::warning("mailbox of ", account, " (pid ", pid, ") is told to leave: ", error.text);
    if (pid > 0 && !ours && error.code != ECONNRESET && error.code != EPIPE) {
        util::log::warning("mailbox of ", account, " (pid ", pid, ") is killed: ", error.text);
        ::kill(pid, SIGKILL);
    }
    gone(account);
}

// The next order may come before its exit is known.  One that was ready may be leaving in good order.
void Usher::gone(const std::string& account)
{
    // It may have said only now that it was ready, or why it is not; and what it said may have let it go, and more.
    pid_t pid = roster_.pid_of(account);
    hear_last_words(account);
    if (roster_.pid_of(account) != pid)
        return;
    if (auto life = lives_.find(pid); life != lives_.end() && !life->second.ready)
        note_failure(account, life->second);
    retire(account);
}

void Usher::retire(const std::string& account)
{
    pid_t pid = roster_.pid_of(account);
    if (pid > 0)
        leaving_until_[pid] = util::now() + settings_.exit_timeout;
    roster_.retire(account);
    forget_control(account);
    watch_time();
}

void Usher::hear_last_words(const std::string& account)
{
    auto control = controls_.find(account);
    if (control == controls_.end())
        return;
    auto unsent = control->second->take_unsent();
    control->second->hear_out();
    for (ipc::Packet& packet : unsent)
        never_told(account, packet);
}

// It is not in the roster any more.  What it has given back before counts: nobody else has that; and what else
// told_at_any_time() takes.  A turn to fill the index it has until it has exited.
void Usher::forget_control(const std::string& account)
{
    hear_last_words(account);
    visitors_.gone(account);
    sharers_told_.erase(account);
    filling_turns_.leave_line(account);
    controls_.erase(account);
}

void Usher::reap()
{
    for (;;) {
        int status = 0;
        pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            break;
        exited(pid, status);
    }
    serve_waiting();
    if (stopping_ && roster_.size() == 0 && done_)
        std::exchange(done_, {})();
}

void Usher::exited(pid_t pid, int status)
{
    leaving_until_.erase(pid);
    Roster::Exit exit = roster_.exited(pid);
    if (exit.account.empty())
        return launcher_.exited(pid, status);
    // Its end of the control socket is closed: the channel would find out, but later.  What it has said comes first.
    if (exit.was_serving)
        forget_control(exit.account);
    Life life = lives_[pid];
    lives_.erase(pid);
    bool has_news = WIFEXITED(status) && WEXITSTATUS(status) == ipc::untold_news_status;
    bool failed = !WIFEXITED(status) || (WEXITSTATUS(status) != 0 && !has_news);
    if (failed)
        util::log::warning("mailbox of ", exit.account, " (pid ", pid, ") ", describe_exit(status));
    if (failed || (exit.was_serving && !life.ready))
        note_failure(exit.account, life);
    settle_sessions(pid, life);
    settle_expiry(pid);
    if (has_news && !roster_.serves(exit.account))   // a successor looks by itself
        wake_soon(exit.account, [](const ParkedSession&) { return true; });
    filling_turns_.over(exit.account, pid);
    give_filling_turns();
    account_left(pid, exit.account, life);
}

// One that has served for a while may be replaced at once; one that cannot start must not spin.
void Usher::note_failure(const std::string& account, Life& life)
{
    util::Instant now = util::now();
    if (std::exchange(life.failed, true) || (life.ready && now - life.since >= early_time))
        return;
    auto& failure = failures_.note(account, life.ready, settings_.failure_pause, settings_.failure_pause_limit, now);
    failure.reason = life.reason;
    util::log::warning("mailbox of ", account, ": ", why_paused(failure));
}

// --- time ------------------------------------------------------------------------------------------

void Usher::watch_time()
{
    if (!sweep_timer_.running())
        sweep_timer_.start(sweep_interval);
}

// Those that are late are killed; the next look is when the oldest of the others would be.
void Usher::watch_starts()
{
    util::Instant now = util::now();
    util::Instant next = util::Instant::max();
    for (auto& [pid, life] : lives_) {
        util::Instant due = life.since + settings_.start_timeout;
        if (life.ready || life.late || pid <= 0)
            continue;
        if (due > now) {
            next = std::min(next, due);
            continue;
        }
        life.late = true;
        life.reason = util::concat("it was not ready after ",
                                   std::chrono::ceil<std::chrono::seconds>(settings_.start_timeout).count(), " s");
        util::log::warning("mailbox of ", life.identity.account, " (pid ", pid, ") is killed: ", life.reason);
        ::kill(pid, SIGKILL);
    }
    start_timer_.stop();
    if (next != util::Instant::max())
        start_timer_.start_at(next);
}

void Usher::sweep()
{
    util::Instant now = util::now();
    for (auto& [pid, deadline] : leaving_until_) {
        if (deadline > now)
            continue;
        util::log::warning("a mailbox (pid ", pid, ") did not leave in time and is killed");
        ::kill(pid, SIGKILL);
        deadline = now + settings_.exit_timeout;
    }
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        auto* failure = failures_.pausing(waiting_.front().account, now);
        refuse(waiting_.front(), false, failure ? why_paused(*failure) : "mailbox_process_limit is reached");
        waiting_.pop_front();
    }
    for (auto ticket = tickets_.begin(); ticket != tickets_.end();) {
        if (ticket->second.deadline > now) {
            ++ticket;
            continue;
        }
        refuse(ticket->second.peer, ticket->second.wanted.request, false, "the authentication service is slow");
        ticket = tickets_.erase(ticket);
    }
    serve_waiting();
    if (!recipients_.empty() || !rooms_.empty() || !usage_questions_.empty())
        settle_questions();
    if (!leaving_until_.empty() || !waiting_.empty() || !tickets_.empty() || !recipients_.empty() || !rooms_.empty() ||
        !usage_questions_.empty())
        watch_time();
}

void Usher::stop(std::function<void()> done)
{
    stopping_ = true;
    done_ = std::move(done);
    launcher_.stop();
    settings_.exit_timeout = settings_.last_exit_timeout;
    for (auto& [pid, deadline] : leaving_until_)
        deadline = std::min(deadline, util::now() + settings_.exit_timeout);
    end_all_parked();
    shares_.save();
    for (Order& order : std::exchange(waiting_, {}))
        refuse(order, false, "shutting down");
    std::vector<std::string> accounts;
    for (const auto& entry : controls_)
        accounts.push_back(entry.first);
    for (const std::string& account : accounts)
        retire(account);
    if (roster_.size() == 0)
        std::exchange(done_, {})();
}

}  // namespace usher
