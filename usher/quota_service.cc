// Usher: who may hold how much.  Limits go to mailbox processes; what these hold comes back; and others ask.
#include "libutil/log.h"
#include "libutil/sys.h"
#include "usher/usher.h"

#include <algorithm>
#include <csignal>
#include <sys/socket.h>

namespace usher {

namespace {

// Mailboxes that are opened at a time only to say what they hold.
constexpr std::size_t max_learning = 4;
constexpr std::size_t max_questions = 2000;
// How long an answer may take for which a mailbox process must say what it holds: of smtpd, which takes the
// recipient then; of root.  (Of a mailbox, whose delivery is deferred then: Settings::room_patience.)
constexpr util::Duration recipient_patience{2'000'000};
constexpr util::Duration usage_patience{10'000'000};

}  // namespace

// --- limits ----------------------------------------------------------------------------------------

// The end of the account socket that a mailbox gets; none when it has one.
util::UniqueFd Usher::account_socket(const std::string& account, pid_t pid)
{
    AccountSocket& socket = sockets_[pid];
    if (socket.channel)
        return {};
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    if (!pair.ok()) {
        util::log::warning("quota of ", account, ": ", pair.error().text);
        return {};
    }
    socket.account = account;
    socket.since = util::now();
    socket.channel = std::make_unique<ipc::Channel>(
        loop_, std::move(pair->first),
        ipc::Channel::Events{.received = [this, pid](ipc::Packet& packet) { account_said(pid, packet); },
                             .closed = [this, pid](const util::Error& error) { account_socket_lost(pid, error); }},
        control_queue_limit);
    return std::move(pair->second);
}

void Usher::send_quota(const std::string& account, AccountQuota quota, bool with_socket)
{
    auto control = controls_.find(account);
    pid_t pid = roster_.pid_of(account);
    if (control == controls_.end() || pid <= 0)
        return;
    if (quota.limited() || with_socket)
        quota.order.account = account_socket(account, pid);
    control->second->send(quota.order);
}

std::uint64_t Usher::quotas_changed()
{
    quotas_->refresh();
    domains_seen_.clear();   // what closed stores hold is read again, since ternbox(1) may have changed it
    std::vector<std::string> accounts;
    for (const auto& entry : controls_)
        accounts.push_back(entry.first);
    std::uint64_t count = 0;
    for (const std::string& account : accounts) {
        auto quota = quotas_->of(account);
        if (quota.ok()) {
            send_quota(account, quota.take(), false);
            ++count;
        } else if (quota.error().kind == util::Kind::Temporary) {
            util::log::warning("quota of ", account, " stays as it was: ", quota.error().text);
        }
    }
    return count;
}

// --- what mailboxes hold ---------------------------------------------------------------------------

void Usher::account_socket_lost(pid_t pid, const util::Error& error)
{
    if (error.kind == util::Kind::Invalid) {
        util::log::warning("mailbox of ", sockets_[pid].account, " (pid ", pid, ") is killed: ", error.text);
        ::kill(pid, SIGKILL);
    }
    // What it holds is read, or learnt, when it has exited.
    sockets_[pid].channel.reset();
}

void Usher::account_said(pid_t pid, ipc::Packet& packet)
{
    AccountSocket& socket = sockets_[pid];
    if (packet.name() == ipc::UsageTold::message_name) {
        auto told = ipc::decode<ipc::UsageTold>(packet);
        if (!told.ok())
            return socket.channel->fail(told.take_error());
        return usage_told(pid, told->usage);
    }
    if (packet.name() == ipc::RoomWanted::message_name) {
        auto wanted = ipc::decode<ipc::RoomWanted>(packet);
        if (!wanted.ok())
            return socket.channel->fail(wanted.take_error());
        auto deadline = util::now() + settings_.room_patience;
        (void)give_room({.pid = pid, .account = socket.account, .wanted = *wanted, .deadline = deadline}, true);
        return;
    }
    socket.channel->fail(util::invalid(util::concat("message ", util::printable(packet.name(), 40), " is not a mailbox's")));
}

void Usher::usage_told(pid_t pid, const ipc::MailUsage& usage)
{
    std::string account = sockets_[pid].account;
    sockets_[pid].told = true;
    // The last word of a predecessor may be read after the first of its successor, which waited for its end.
    pid_t serving = roster_.pid_of(account);
    if (serving != pid && serving > 0 && sockets_[serving].told)
        return;
    ledger_.told(account, believed(account, usage));
    for (UsageQuestion& question : usage_questions_)
        if (question.waiting.erase(account) > 0)
            question.known.accounts.push_back({account, usage});
    if (learning_.erase(account) > 0 && serving == pid && roster_.orders(account) == 0)
        retire(account);
    settle_questions();
}

// It has exited: what it held when it closed its store stands there, or somebody must open it.
void Usher::account_left(pid_t pid, const std::string& account, const Life& life)
{
    bool told = sockets_.contains(pid) && sockets_[pid].told;
    bool had_socket = sockets_.erase(pid) > 0;
    bool learnt = learning_.erase(account) > 0;
    if (roster_.serves(account) || (!had_socket && !learnt && !ledger_.usage(account)))
        return settle_questions();
    if (!ledger_.is_member(account)) {
        ledger_.forget(account);   // it can be read again
    } else if (auto usage = quotas_->usage_at(life.identity.home)) {
        ledger_.told(account, believed(account, *usage));
    } else if (!told) {
        // Its domain must not wait for one whose store cannot be opened, or whose user kills who opens it.
        auto before = ledger_.usage(account);
        util::log::warning("mailbox of ", account, " cannot say what it holds: it counts ",
                           before ? "as what it said last" : "as empty", " in the quota of its domain");
        ledger_.told(account, before.value_or(ipc::MailUsage()));
    }
    // Else what it said last stands, nearly right after a crash: its next process says it anew.
    settle_questions();
}

// Of a member of no domain with limits only a live process is believed.
std::optional<ipc::MailUsage> Usher::usage_of(const std::string& account, const std::string& home)
{
    pid_t pid = roster_.pid_of(account);
    if (pid > 0) {
        auto socket = sockets_.find(pid);
        return socket != sockets_.end() && socket->second.told ? ledger_.usage(account) : std::nullopt;
    }
    return quotas_->usage_at(home);
}

// False.  Its domain must not wait for one that cannot be opened: it counts as empty.
bool Usher::cannot_tell(const std::string& account, const util::Error& error)
{
    if (error.kind != util::Kind::Temporary && ledger_.is_member(account) && !ledger_.usage(account))
        ledger_.told(account, {});
    return false;
}

// Whoever can write to a store can make it say anything, and it counts against others of the domain.  What is more than
// the account's own limits permit is believed as far as it was counted before, or has room on the disk.
ipc::MailUsage Usher::believed(const std::string& account, ipc::MailUsage claimed)
{
    auto quota = ledger_.is_member(account) ? quotas_->of(account) : util::not_found("no member");
    if (!quota.ok())
        return claimed;
    Ledger::Limits most = quota->at_most();
    if (Ledger::fits(most, claimed, {}))
        return claimed;
    auto before = ledger_.usage(account);
    ipc::MailUsage proven = before ? *before : quotas_->room_at(quota->home);
    if (most.storage)
        claimed.bytes = std::min(claimed.bytes, std::max(*most.storage, proven.bytes));
    if (most.messages)
        claimed.messages = std::min(claimed.messages, std::max(*most.messages, proven.messages));
    return claimed;
}

// Members whose processes were asked long ago and say nothing (as one that its user has stopped) count as empty, too.
bool Usher::count_silent(const std::string& domain)
{
    bool any = false;
    for (const std::string& account : ledger_.unknown_members(domain, max_questions)) {
        auto socket = sockets_.find(roster_.pid_of(account));
        if (socket == sockets_.end() || util::now() < socket->second.since + settings_.room_patience)
            continue;
        util::log::warning("mailbox of ", account,
                           " does not say what it holds: it counts as empty in the quota of its domain");
        ledger_.told(account, {});
        any = true;
    }
    return any;
}

// Sees to it that the account's mailbox says what it holds.  False: not now.
bool Usher::learn(const std::string& account, bool nothing_else)
{
    if (stopping_)
        return false;
    auto quota = quotas_->of(account);
    if (!quota.ok())
        return cannot_tell(account, quota.error());
    if (roster_.serves(account)) {
        if (!sockets_[roster_.pid_of(account)].channel)
            send_quota(account, quota.take(), true);
        return true;
    }
    if (roster_.full() || failures_.pausing(account, util::now()) || (nothing_else && learning_.size() >= max_learning))
        return false;
    Order order;
    order.account = account;
    auto started = start(order);
    if (!started.ok()) {
        util::log::warning("mailbox of ", util::printable(account, 256), ": ", started.error().text);
        return cannot_tell(account, started.error());
    }
    if (nothing_else)
        learning_.insert(account);
    if (!sockets_[roster_.pid_of(account)].channel)
        send_quota(account, quota.take(), true);
    return true;
}

// The domain's members as they are now, and what those hold that nobody has open.
util::Result<void> Usher::ensure_domain(const std::string& domain)
{
    std::uint64_t version = quotas_->accounts_version();
    auto seen = domains_seen_.find(domain);
    if (seen != domains_seen_.end() && seen->second == version && ledger_.has_domain(domain))
        return {};
    auto members = TRY(quotas_->members(domain));
    std::vector<std::string> accounts;
    for (const Member& member : members)
        accounts.push_back(member.account);
    ledger_.set_members(domain, accounts);
    for (const Member& member : members) {
        if (auto usage = usage_of(member.account, member.home))
            ledger_.told(member.account, believed(member.account, *usage));
        else if (!roster_.serves(member.account))
            ledger_.forget(member.account);
    }
    domains_seen_[domain] = version;
    return {};
}

void Usher::learn_members(const std::string& domain)
{
    for (const std::string& account : ledger_.unknown_members(domain, max_learning))
        (void)learn(account, true);
}

// --- answers ---------------------------------------------------------------------------------------

// A mailbox waits for it, and does nothing else meanwhile.
bool Usher::give_room(RoomQuestion question, bool keep)
{
    auto socket = sockets_.find(question.pid);
    if (socket == sockets_.end() || !socket->second.channel)
        return true;
    ipc::RoomAnswer answer{.request = question.wanted.request, .room = ipc::Room::Unknown};
    auto quota = quotas_->of(question.account);
    std::string domain = quota.ok() ? quota->domain : std::string();
    if (quota.ok() && !quota->of_domain.any()) {
        answer.room = ipc::Room::Granted;
    } else if (quota.ok() && ensure_domain(domain).ok()) {
        auto grant = [&] {
            return ledger_.grant(question.account, domain, quota->of_domain, believed(question.account, question.wanted.used),
                                 {question.wanted.bytes, question.wanted.messages, 0});
        };
        answer.room = grant();
        if (answer.room == ipc::Room::Unknown && count_silent(domain))
            answer.room = grant();
        if (answer.room == ipc::Room::Unknown && util::now() < question.deadline && (keep || !domain.empty())) {
            learn_members(domain);
            if (keep && rooms_.size() < max_questions) {
                rooms_.push_back(std::move(question));
                watch_time();
                return true;
            }
            if (!keep)
                return false;
        }
    }
    socket->second.channel->send(answer);
    return true;
}

// May the account take a message of that size?  Nothing: nobody can say yet.
std::optional<ipc::QuotaAnswer> Usher::judge(const RecipientQuestion& question)
{
    ipc::QuotaAnswer answer{.request = question.request, .full = false, .text = {}};
    auto quota = quotas_->of(question.account);
    if (!quota.ok() || !quota->limited())
        return answer;
    ipc::MailUsage more{.bytes = std::max<std::uint64_t>(question.size, 1), .messages = 1, .mailboxes = 0};
    if (quota->of_domain.any() && ensure_domain(quota->domain).ok() &&
        ledger_.judge(quota->domain, quota->of_domain, more) == ipc::Room::Full) {
        answer.full = true;
        answer.text = "the mailboxes of this domain are full (over quota)";
        return answer;
    }
    Ledger::Limits limits = quota->of_account();
    if (!limits.any())
        return answer;
    auto usage = usage_of(question.account, quota->home);
    if (!usage)
        return std::nullopt;
    answer.full = !Ledger::fits(limits, *usage, more);
    if (answer.full)
        answer.text = "mailbox is full (over quota)";
    return answer;
}

void Usher::asked_for_recipient(Peer& peer, const ipc::QuotaAsked& asked)
{
    RecipientQuestion question{.peer = peer.id, .request = asked.request, .account = asked.account, .size = asked.size,
                               .deadline = util::now() + recipient_patience};
    auto answer = judge(question);
    // One that failed a moment ago is started again soon; one that does not start is not waited for.
    bool hopeful = !answer && recipients_.size() < max_questions &&
                   (learn(question.account, false) || (failures_.pausing(question.account, util::now()) &&
                                                       !failures_.pausing(question.account, question.deadline)));
    if (hopeful) {
        recipients_.push_back(std::move(question));
        return watch_time();
    }
    peer.channel->send(answer.value_or(ipc::QuotaAnswer{.request = asked.request, .full = false, .text = {}}));
}

void Usher::asked_for_usage(Peer& peer, ipc::UsageWanted wanted)
{
    UsageQuestion question{.peer = peer.id, .waiting = {}, .known = {}, .deadline = util::now() + usage_patience};
    if (wanted.accounts.size() > ipc::max_usage_items)
        wanted.accounts.resize(ipc::max_usage_items);
    for (std::string& account : wanted.accounts)
        question.waiting.insert(std::move(account));
    usage_questions_.push_back(std::move(question));
    ask_mailboxes(usage_questions_.back());
    settle_questions();
    watch_time();
}

// Those that are live say it anew, since what they told may be a little old.
void Usher::ask_mailboxes(UsageQuestion& question)
{
    for (const std::string& account : question.waiting) {
        auto socket = sockets_.find(roster_.pid_of(account));
        if (socket != sockets_.end() && socket->second.channel)
            socket->second.channel->send(ipc::UsageAsked{});
    }
}

// Is it answered, or past its time?
bool Usher::settle(UsageQuestion& question, util::Instant now)
{
    for (auto account = question.waiting.begin(); account != question.waiting.end();) {
        auto quota = quotas_->of(*account);
        bool known = !quota.ok();   // who is none is not waited for
        if (quota.ok() && !roster_.serves(*account)) {
            if (auto usage = quotas_->usage_at(quota->home)) {
                question.known.accounts.push_back({*account, *usage});
                known = true;
            }
        }
        if (!known)
            (void)learn(*account, true);
        account = known ? question.waiting.erase(account) : std::next(account);
    }
    ipc::Channel* peer = channel_of(question.peer);
    if (!peer)
        return true;
    if (!question.waiting.empty() && now < question.deadline)
        return false;
    peer->send(question.known);
    return true;
}

// Something has become known, or time has passed.
void Usher::settle_questions()
{
    if (std::exchange(settling_, true))
        return;
    util::Instant now = util::now();
    std::erase_if(recipients_, [&](const RecipientQuestion& question) {
        ipc::Channel* peer = channel_of(question.peer);
        if (!peer)
            return true;
        auto answer = judge(question);
        if (!answer && now < question.deadline) {
            (void)learn(question.account, false);
            return false;
        }
        peer->send(answer.value_or(ipc::QuotaAnswer{.request = question.request, .full = false, .text = {}}));
        return true;
    });
    std::deque<RoomQuestion> rooms = std::exchange(rooms_, {});
    for (RoomQuestion& question : rooms)
        if (!give_room(question, false))
            rooms_.push_back(std::move(question));
    std::erase_if(usage_questions_, [&](UsageQuestion& question) { return settle(question, now); });
    settling_ = false;
}

}  // namespace usher
