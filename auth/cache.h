// Cache: recent successes, so that a mail program that logs in every minute costs one hashing an
// hour.  Knows no clock.  It holds no password and nothing that could be tried offline by who reads the
// memory without its key, which is random and dies with the process.
#pragma once

#include "libutil/time.h"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace auth {

class Cache {
public:
    Cache(std::size_t size, util::Duration ttl);

    // What stands for this password, account and stored hash, here and in Workers.
    std::string key(std::string_view account, std::string_view password, std::string_view stored) const;

    // Has this password been right?
    bool knows(const std::string& key, util::Instant now);
    // It was.  The entry used longest ago makes room.
    void remember(const std::string& key, util::Instant now);
    void clear();
    // Forgets all; keys stay what they are.
    void change(std::size_t size, util::Duration ttl);
    std::size_t size() const { return by_key_.size(); }

private:
    struct Entry {
        std::string key;
        util::Instant until;
    };
    std::size_t limit_;
    util::Duration ttl_;
    std::string secret_;
    std::list<Entry> entries_;  // the one used longest ago first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace auth
