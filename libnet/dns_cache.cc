// Answers that are still good.
#include "libnet/dns_cache.h"

#include "libutil/text.h"

#include <algorithm>

namespace net::dns {

namespace {

std::string key_of(const Question& question)
{
    return util::concat(std::uint16_t(question.type), ' ', question.name);
}

std::size_t size_of(const std::string& key, const Outcome& outcome)
{
    constexpr std::size_t overhead = 300;  // nodes of the list and the index, what an Outcome has inside
    std::size_t size = overhead + 2 * key.size() + outcome.name.size();
    for (const Record& record : outcome.records)
        size += sizeof(Record) + record.owner.size() + record.text.size();
    return size;
}

}  // namespace

std::uint32_t time_to_keep(const Outcome& outcome)
{
    switch (outcome.status) {
    case Status::Found:
        return std::min(outcome.ttl, max_cached_ttl);
    case Status::NoData:
    case Status::NoSuchName:
        return std::min(outcome.ttl, max_negative_ttl);
    default:
        return 0;
    }
}

std::optional<Outcome> Cache::find(const Question& question, util::Instant now)
{
    auto found = index_.find(key_of(question));
    if (found == index_.end())
        return std::nullopt;
    auto entry = found->second;
    if (now >= entry->expires) {
        remove(entry);
        return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    Outcome outcome = entry->outcome;
    auto left = std::uint32_t(std::chrono::ceil<std::chrono::seconds>(entry->expires - now).count());
    std::uint32_t age = time_to_keep(outcome) - left;
    for (Record& record : outcome.records)
        record.ttl -= std::min(record.ttl, age);
    outcome.ttl = left;
    return outcome;
}

void Cache::keep(const Question& question, const Outcome& outcome, util::Instant now)
{
    std::uint32_t ttl = time_to_keep(outcome);
    std::string key = key_of(question);
    std::size_t size = size_of(key, outcome);
    if (ttl == 0 || size > limit_)
        return;
    if (auto old = index_.find(key); old != index_.end())
        remove(old->second);
    while (bytes_ + size > limit_)
        remove(std::prev(entries_.end()));
    entries_.push_front({std::move(key), outcome, now + std::chrono::seconds(ttl), size});
    index_.emplace(entries_.front().key, entries_.begin());
    bytes_ += size;
}

void Cache::remove(Entries::iterator entry)
{
    bytes_ -= entry->bytes;
    index_.erase(entry->key);
    entries_.erase(entry);
}

void Cache::clear()
{
    index_.clear();
    entries_.clear();
    bytes_ = 0;
}

}  // namespace net::dns
