// Cache: recent successes.
#include "auth/cache.h"

#include "libnet/crypto.h"
#include "libutil/random.h"
#include "libutil/text.h"

namespace auth {

Cache::Cache(std::size_t size, util::Duration ttl) : limit_(size), ttl_(ttl), secret_(util::random_string(32)) {}

std::string Cache::key_of(std::string_view account, std::string_view password, std::string_view stored) const
{
    // Lengths first: no two triples make the same text.
    return net::hmac_sha256(secret_, util::concat(account.size(), ':', password.size(), ':', account, password, stored));
}

bool Cache::knows(std::string_view account, std::string_view password, std::string_view stored, util::Instant now)
{
    if (limit_ == 0 || by_key_.empty())
        return false;
    auto found = by_key_.find(key_of(account, password, stored));
    if (found == by_key_.end())
        return false;
    auto entry = found->second;
    if (entry->until <= now) {
        by_key_.erase(found);
        entries_.erase(entry);
        return false;
    }
    entries_.splice(entries_.end(), entries_, entry);
    return true;
}

void Cache::remember(std::string_view account, std::string_view password, std::string_view stored, util::Instant now)
{
    if (limit_ == 0)
        return;
    std::string key = key_of(account, password, stored);
    if (auto found = by_key_.find(key); found != by_key_.end()) {
        found->second->until = now + ttl_;
        return;
    }
    if (entries_.size() == limit_) {
        by_key_.erase(entries_.front().key);
        entries_.pop_front();
    }
    entries_.push_back({key, now + ttl_});
    by_key_.emplace(std::move(key), std::prev(entries_.end()));
}

void Cache::clear()
{
    entries_.clear();
    by_key_.clear();
}

}  // namespace auth
