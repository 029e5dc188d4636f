// Cache: recent successes.
#include "auth/cache.h"

#include "libnet/crypto.h"
#include "libutil/random.h"
#include "libutil/text.h"

namespace auth {

Cache::Cache(std::size_t size, util::Duration ttl) : limit_(size), ttl_(ttl), secret_(util::random_string(32)) {}

std::string Cache::key(std::string_view account, std::string_view password, std::string_view stored) const
{
    // Lengths first: no two triples make the same text.
    return net::hmac_sha256(secret_, util::concat(account.size(), ':', password.size(), ':', account, password, stored));
}

bool Cache::knows(const std::string& key, util::Instant now)
{
    auto found = by_key_.find(key);
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

void Cache::remember(const std::string& key, util::Instant now)
{
    if (limit_ == 0)
        return;
    if (auto found = by_key_.find(key); found != by_key_.end()) {
        found->second->until = now + ttl_;
        return;
    }
    if (entries_.size() == limit_) {
        by_key_.erase(entries_.front().key);
        entries_.pop_front();
    }
    entries_.push_back({key, now + ttl_});
    by_key_.emplace(key, std::prev(entries_.end()));
}

void Cache::clear()
{
    entries_.clear();
    by_key_.clear();
}

void Cache::change(std::size_t size, util::Duration ttl)
{
    clear();
    limit_ = size;
    ttl_ = ttl;
}

}  // namespace auth
