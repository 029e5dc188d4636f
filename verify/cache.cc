// Cache: results by address.
#include "verify/cache.h"

#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace verify {

namespace {

using ipc::Verification;

constexpr std::array numbers = {Verification::Deliverable, Verification::Deferred, Verification::Undeliverable};

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

}  // namespace

std::string to_text(const Entry& entry)
{
    auto number = std::find(numbers.begin(), numbers.end(), entry.result) - numbers.begin();
    return util::concat(number, ':', entry.probed, ':', entry.updated, ':', entry.text);
}

std::optional<Entry> parse_entry(std::string_view text)
{
    auto next = [&] {
        auto [piece, rest] = util::split_first(text, ':');
        text = rest;
        return util::parse_unsigned(piece, INT64_MAX);
    };
    auto number = next(), probed = next(), updated = next();
    if (!number.ok() || *number >= numbers.size() || !probed.ok() || !updated.ok() ||
        text.size() > ipc::max_verification_text || std::any_of(text.begin(), text.end(), is_control))
        return {};
    return Entry{numbers[*number], std::int64_t(*updated), std::int64_t(*probed), std::string(text)};
}

void Cache::change(const Times& times)
{
    times_ = times;
    shrink();
}

bool Cache::expired(const Entry& entry, std::int64_t now) const
{
    bool good = entry.result == Verification::Deliverable;
    return now - entry.updated > (good ? times_.positive_expire : times_.negative_expire);
}

bool Cache::old(const Entry& entry, std::int64_t now) const
{
    bool good = entry.result == Verification::Deliverable;
    return now - entry.updated > (good ? times_.positive_refresh : times_.negative_refresh);
}

Cache::Items::iterator Cache::find(std::string_view address)
{
    auto found = index_.find(address);
    return found == index_.end() ? items_.end() : found->second;
}

void Cache::forget(Items::iterator item)
{
    index_.erase(item->first);
    items_.erase(item);
}

void Cache::shrink()
{
    while (items_.size() > times_.limit)
        forget(std::prev(items_.end()));
}

Cache::Look Cache::look(std::string_view address, std::int64_t now)
{
    Look look;
    look.answer.text = "Address verification in progress";
    auto item = find(address);
    if (item != items_.end() && expired(item->second, now)) {
        forget(item);
        item = items_.end();
    }
    if (item == items_.end()) {
        look.probe = true;
        return look;
    }
    items_.splice(items_.begin(), items_, item);
    const Entry& entry = item->second;
    look.answer.result = entry.result;
    look.answer.text = entry.text;
    look.probe = old(entry, now) && now - entry.probed > probe_lifetime;
    return look;
}

void Cache::probing(std::string_view address, std::int64_t now)
{
    if (auto item = find(address); item != items_.end())
        item->second.probed = now;
}

bool Cache::learn(std::string_view address, ipc::Verification result, std::string_view text, std::int64_t now)
{
    auto item = find(address);
    if (item != items_.end() && expired(item->second, now)) {
        forget(item);
        item = items_.end();
    }
    bool good = result == Verification::Deliverable;
    if (item != items_.end() && !good && item->second.result == Verification::Deliverable)
        return false;
    if (!good && !times_.negative_cache) {
        if (item == items_.end())
            return false;
        forget(item);
        return true;
    }
    std::string kept(text.substr(0, ipc::max_verification_text));
    std::replace_if(kept.begin(), kept.end(), is_control, '?');
    add(address, {result, now, 0, std::move(kept)});
    return true;
}

void Cache::add(std::string_view address, Entry entry)
{
    if (auto item = find(address); item != items_.end())
        forget(item);
    items_.emplace_front(std::string(address), std::move(entry));
    index_.emplace(items_.front().first, items_.begin());
    shrink();
}

std::size_t Cache::expire(std::int64_t now)
{
    std::size_t before = items_.size();
    for (auto item = items_.begin(); item != items_.end();) {
        auto next = std::next(item);
        if (expired(item->second, now))
            forget(item);
        item = next;
    }
    return before - items_.size();
}

void Cache::each(const std::function<void(const std::string&, const Entry&)>& take) const
{
    for (auto item = items_.rbegin(); item != items_.rend(); ++item)
        take(item->first, item->second);
}

}  // namespace verify
