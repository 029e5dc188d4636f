// Logins.
#include "anvil/logins.h"

#include "libconf/network.h"
#include "libutil/text.h"

namespace anvil {

namespace {

constexpr auto never_mind = [](const auto&) { return true; };

std::string network_key(std::string_view network) { return util::concat("network ", network); }
std::string account_key(std::string_view account) { return util::concat("account ", account); }
// No network has a blank.
std::string pair_key(std::string_view network, std::string_view account) { return util::concat(network, ' ', account); }

}  // namespace

void Logins::change(std::size_t limit, util::Duration failure_time, util::Duration known_time)
{
    failures_.set_limit(limit);
    known_.set_limit(limit);
    failure_time_ = failure_time;
    known_time_ = known_time;
}

std::uint64_t Logins::failures_of(const std::string& key, util::Instant now)
{
    Failures* found = failures_.find(key);
    return found && now - found->last <= failure_time_ ? found->count : 0;
}

void Logins::failed(const std::string& key, util::Instant now)
{
    Failures& failures = failures_.touch(
        key, [&](const Failures& old) { return now - old.last > failure_time_; }, never_mind);
    // Mistakes of many people behind one address do not add up over days.
    if (failures.count == 0 || now - failures.begin > failure_time_) {
        failures.count = 0;
        failures.begin = now;
    }
    ++failures.count;
    failures.last = now;
}

bool Logins::is_known(const std::string& network, const std::string& account, util::Instant now)
{
    util::Instant* last = known_.find(pair_key(network, account));
    return last && now - *last <= known_time_;
}

ipc::LoginHistory Logins::history(const ipc::LoginAsked& asked, util::Instant now)
{
    ipc::LoginHistory history;
    history.request = asked.request;
    history.network_failures = asked.network.empty() ? 0 : failures_of(network_key(asked.network), now);
    history.account_failures = failures_of(account_key(asked.account), now);
    history.known = is_known(asked.network, asked.account, now);
    return history;
}

void Logins::ended(const ipc::LoginEnded& login, util::Instant now)
{
    if (login.good) {
        auto old = [&](util::Instant last) { return now - last > known_time_; };
        known_.touch(pair_key(login.network, login.account), old, never_mind) = now;
        return;
    }
    if (!login.network.empty())
        failed(network_key(login.network), now);
    // Somebody who mistypes his own password at home brings nobody nearer to a block.
    if (!is_known(login.network, login.account, now))
        failed(account_key(login.account), now);
}

void Logins::forget_old(util::Instant now)
{
    failures_.forget_old([&](const Failures& failures) { return now - failures.last > failure_time_; });
    known_.forget_old([&](util::Instant last) { return now - last > known_time_; });
}

std::uint64_t Logins::forget(const ipc::ForgetFailures& wanted)
{
    if (wanted.all)
        return failures_.erase_if([](const std::string&) { return true; });
    if (!wanted.account.empty())
        return failures_.erase_if([own = account_key(wanted.account)](const std::string& key) { return key == own; });
    auto meant = conf::Network::parse(wanted.network);
    if (!meant.ok())
        return 0;
    const std::string prefix = network_key("");
    return failures_.erase_if([&](const std::string& key) {
        if (!key.starts_with(prefix))
            return false;
        auto network = conf::Network::parse(std::string_view(key).substr(prefix.size()));
        return network.ok() && (meant->contains(network->address) || network->contains(meant->address));
    });
}

}  // namespace anvil
