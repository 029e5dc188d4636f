// Limits, usage, warnings.
#include "mailbox/quota_keeper.h"

#include "libipc/connection.h"
#include "libmail/date.h"
#include "libmail/quota_notice.h"
#include "libutil/log.h"
#include "libutil/random.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace mailbox {

namespace {

ipc::MailUsage as_told(const store::QuotaUsage& usage)
{
    return {usage.bytes, usage.messages, usage.mailboxes};
}

template <typename Message>
util::Result<void> send_now(int fd, const Message& message)
{
    std::vector<int> none;
    return ipc::send_packet(fd, ipc::encode(message, none), none, MSG_DONTWAIT);
}

// How many percent that is; what is over everything counts as 1000.
unsigned percent_of(std::uint64_t used, std::uint64_t limit)
{
    if (limit == 0)
        return used > 0 ? 1000 : 0;
    return static_cast<unsigned>(
        std::min<long double>(1000, static_cast<long double>(used) * 100 / static_cast<long double>(limit)));
}

// What is left of a limit.
std::uint64_t room(const std::optional<std::uint64_t>& limit, std::uint64_t used)
{
    return !limit ? UINT64_MAX : used < *limit ? *limit - used : 0;
}

// Has it become less by so little that it does not matter?
bool nearly(std::uint64_t before, std::uint64_t now)
{
    return now == before || (now < before && before - now <= before / 8 && now > 0);
}

}  // namespace

QuotaKeeper::QuotaKeeper(util::EventLoop& loop, store::Store& store, std::string account, Renderer render)
    : loop_(loop), store_(store), account_(std::move(account)), render_(render), looked_at_(store.last())
{
}

QuotaKeeper::~QuotaKeeper()
{
    store_.on_growth({});
}

void QuotaKeeper::take(ipc::QuotaOrder order)
{
    store::Quota quota;
    quota.limits = {order.storage, order.messages};
    quota.mailboxes = order.mailboxes;
    quota.grace_percent = std::min<unsigned>(order.grace_percent, store::max_quota_percent);
    quota.trash_percent = std::min<unsigned>(order.trash_percent, store::max_quota_percent);
    if (!order.warnings.empty())
        quota.soft_percent = order.warnings.back();
    store_.set_quota(quota);
    if (order.account.valid()) {
        watch_.reset();
        socket_ = std::move(order.account);
        watch_.emplace(loop_, socket_.get(), util::Watch::Read, [this](unsigned) { heard(); });
        told_.reset();
        asked_ = true;
    }
    if (order.shared)
        store_.on_growth(
            [this](const store::QuotaUsage& used, const store::QuotaUsage& more) { return ask_for_room(used, more); });
    else
        store_.on_growth({});
    order_ = std::move(order);
    // What is passed when the process begins was told before.
    if (!std::exchange(limits_seen_, true))
        passed_ = level().threshold;
    looked_at_ = 0;
}

// --- usher -------------------------------------------------------------------------------------------

void QuotaKeeper::lost(const util::Error& error)
{
    if (error.kind == util::Kind::Invalid)
        util::log::warning("what usher says of quotas cannot be understood: ", error.text);
    watch_.reset();
    socket_.reset();
}

bool QuotaKeeper::received(ipc::Packet& packet)
{
    if (packet.name() == ipc::UsageAsked::message_name) {
        asked_ = true;
        return true;
    }
    auto answer = ipc::decode<ipc::RoomAnswer>(packet);
    if (!answer.ok()) {
        lost(answer.error());
        return false;
    }
    answer_ = *answer;
    return true;
}

void QuotaKeeper::heard()
{
    while (socket_.valid()) {
        auto packet = ipc::receive_packet(socket_.get(), MSG_DONTWAIT);
        if (!packet.ok() && packet.error().code == EAGAIN)
            return;
        if (!packet.ok() || !*packet)
            return lost(packet.ok() ? util::temporary("closed") : packet.take_error());
        if (!received(**packet))
            return;
    }
}

util::Result<ipc::RoomAnswer> QuotaKeeper::room_answer(std::uint64_t request)
{
    auto deadline = util::Deadline::in(room_timeout);
    for (;;) {
        if (answer_ && answer_->request == request)
            return *std::exchange(answer_, std::nullopt);
        pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (!socket_.valid() || deadline.passed())
            return util::temporary("usher does not answer");
        if (::poll(&waiting, 1, std::max(deadline.poll_milliseconds(), 1)) > 0)
            heard();
    }
}

util::Result<void> QuotaKeeper::ask_for_room(const store::QuotaUsage& used, const store::QuotaUsage& more)
{
    auto unknown = [](std::string_view why) {
        return util::Error{util::Kind::Temporary,
                           util::concat("what the mailboxes of this domain hold is not known for now: ", why)};
    };
    if (!socket_.valid())
        return unknown("usher is gone");
    ipc::RoomWanted wanted{.request = ++request_, .used = as_told(used), .bytes = more.bytes, .messages = more.messages};
    if (auto sent = send_now(socket_.get(), wanted); !sent.ok())
        return unknown(sent.error().text);
    auto answer = room_answer(wanted.request);
    if (!answer.ok())
        return unknown(answer.error().text);
    // Usher counts it as stored: if that fails, the end of the turn tells the truth.
    told_.reset();
    switch (answer->room) {
    case ipc::Room::Granted:
        return {};
    case ipc::Room::Full:
        return util::Error{util::Kind::Permanent, "the mailboxes of this domain are full (over quota)", EDQUOT};
    case ipc::Room::Unknown:
        break;
    }
    return unknown("a mailbox of it has to be looked at first");
}

// Usher needs to know when a message no longer fits, and at once when it fits again.
bool QuotaKeeper::worth_telling(const store::QuotaUsage& usage) const
{
    if (!told_ || asked_)
        return true;
    if (usage == *told_)
        return false;
    return order_.shared || !nearly(room(order_.storage, told_->bytes), room(order_.storage, usage.bytes)) ||
           !nearly(room(order_.messages, told_->messages), room(order_.messages, usage.messages));
}

void QuotaKeeper::tell(const store::QuotaUsage& usage)
{
    // When the socket is full, at the end of the next turn.
    if (!send_now(socket_.get(), ipc::UsageTold{.usage = as_told(usage)}).ok())
        return;
    told_ = usage;
    asked_ = false;
}

void QuotaKeeper::turn()
{
    if (store_.last() != looked_at_) {
        watch_levels();
        looked_at_ = store_.last();
    } else if (!asked_ && told_) {
        return;
    }
    if (!socket_.valid())
        return;
    store::QuotaUsage usage = store_.usage();
    if (worth_telling(usage))
        tell(usage);
}

// --- warnings ----------------------------------------------------------------------------------------

// Of storage and messages, what is nearer to its limit.
QuotaKeeper::Level QuotaKeeper::level() const
{
    Level level;
    if (order_.warnings.empty() || (!order_.storage && !order_.messages))
        return level;
    store::QuotaUsage usage = store_.usage();
    auto consider = [&](bool storage, const std::optional<std::uint64_t>& limit, std::uint64_t used) {
        if (!limit)
            return;
        unsigned percent = percent_of(used, *limit);
        if (level.limit == 0 || percent > level.percent)
            level = {.threshold = 0, .percent = percent, .storage = storage, .used = used, .limit = *limit};
    };
    consider(true, order_.storage, usage.bytes);
    consider(false, order_.messages, usage.messages);
    for (std::uint32_t threshold : order_.warnings)
        if (level.percent >= threshold)
            level.threshold = threshold;
    return level;
}

// Each threshold once each time that it is passed upwards.  A warning makes the mailbox fuller itself, so that it
// may pass the next: as many times as there are thresholds at most.
void QuotaKeeper::watch_levels()
{
    for (std::size_t round = 0; round <= ipc::max_quota_warnings; ++round) {
        Level now = level();
        bool passed = now.threshold > passed_;
        passed_ = now.threshold;
        if (!passed || !warn(now))
            return;
    }
}

bool QuotaKeeper::warn(const Level& level)
{
    util::log::info("quota: user=<", util::printable(account_, 320), ">, ",
                    level.storage ? "storage=" : "messages=", level.used, ", limit=", level.limit, ", percent=", level.percent,
                    ", threshold=", level.threshold, ", warned");
    auto parsed = mail::QuotaNotice::parse(order_.warning_template);
    mail::QuotaNotice notice = parsed.ok() ? parsed.take() : mail::QuotaNotice::built_in();
    std::int64_t seconds = util::unix_seconds(util::wall_now());
    mail::QuotaFacts facts{.account = account_,
                           .hostname = order_.hostname.empty() ? "localhost" : order_.hostname,
                           .date = mail::format_date({.seconds = seconds, .zone_minutes = 0}),
                           .unique = util::concat(util::hex(util::random_string(12)), ".quota"),
                           .percent = level.percent,
                           .storage = level.storage,
                           .used = level.used,
                           .limit = level.limit};
    std::string message = util::concat("Return-Path: <>\r\n", mail::compose(notice, facts));
    auto inbox = store_.mailbox("INBOX");
    util::Error failure;
    if (inbox.ok()) {
        store::Rendered rendered = render_(message);
        store::NewMessage fresh;
        fresh.content = message;
        fresh.rendered = &rendered;
        fresh.beyond_quota = true;
        auto stored = store_.append((*inbox)->id, fresh);
        if (stored.ok())
            return true;
        failure = stored.take_error();
    } else {
        failure = inbox.take_error();
    }
    util::log::warning("the warning for ", account_, " cannot be stored: ", failure.text);
    return false;
}

}  // namespace mailbox
