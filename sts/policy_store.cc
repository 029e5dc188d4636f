// The policies that sts(8) has fetched.
#include "sts/policy_store.h"

#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "libutil/time.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>

namespace sts {

namespace {

constexpr std::string_view head = "tern-sts 1";
constexpr std::string_view suffix = ".policy";

// Seconds since 1970, in the range that sums of them do not leave.
util::Result<std::int64_t> parse_time(std::string_view text)
{
    return std::int64_t(TRY(util::parse_unsigned(text, std::uint64_t(1) << 40)));
}

util::Result<trust::StsFailure> parse_failure(std::string_view text)
{
    for (auto failure : {trust::StsFailure::Fetch, trust::StsFailure::Invalid, trust::StsFailure::Webpki})
        if (text == trust::name_of(failure))
            return failure;
    return util::invalid("unknown reason of a failure");
}

util::Result<void> take_line(Entry& entry, std::string_view line)
{
    auto [name, value] = util::split_first(line, ' ');
    if (name == "domain") {
        entry.domain = value;
    } else if (name == "id") {
        entry.id = value;
    } else if (name == "fetched") {
        entry.fetched = TRY(parse_time(value));
    } else if (name == "failed") {
        auto words = util::split(value, ' ');
        if (words.size() != 3)
            return util::invalid("a broken line: failed");
        entry.failed = TRY(parse_time(words[0]));
        entry.failed_id = words[1];
        entry.failure = TRY(parse_failure(words[2]));
    }
    return {};  // what a later release writes is passed over
}

std::int64_t microseconds_of(util::WallTime time)
{
    return time.time_since_epoch().count();
}

std::int64_t mtime_of(const struct stat& status)
{
    return std::int64_t(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

util::Result<void> set_last_use(const std::string& path, std::int64_t microseconds)
{
    auto file = TRY(util::sys::open(path, O_RDONLY));
    return util::sys::set_times(file.get(), microseconds);
}

}  // namespace

std::string to_text(const Entry& entry)
{
    std::string text = util::concat(head, "\ndomain ", entry.domain, '\n');
    if (entry.policy)
        util::append(text, "id ", entry.id, "\nfetched ", entry.fetched, '\n');
    if (entry.failed)
        util::append(text, "failed ", entry.failed, ' ', entry.failed_id, ' ', trust::name_of(entry.failure), '\n');
    text += '\n';
    if (entry.policy)
        text += trust::to_text(*entry.policy);
    return text;
}

util::Result<Entry> parse_entry(std::string_view text)
{
    if (text.size() > max_entry)
        return util::invalid("too large");
    auto [first, rest] = util::split_first(text, '\n');
    if (first != head)
        return util::invalid("not of version 1");
    Entry entry;
    bool ended = false;
    while (!ended && !rest.empty()) {
        auto [line, behind] = util::split_first(rest, '\n');
        ended = line.empty();
        rest = behind;
        if (!ended)
            TRY(take_line(entry, line));
    }
    if (!ended)
        return util::invalid("cut short");
    if (!trust::may_have_sts(entry.domain))
        return util::invalid("no domain");
    if (!rest.empty()) {
        entry.policy = TRY(trust::parse_sts_policy(rest));
        auto id = trust::parse_sts_record(util::concat("v=STSv1; id=", entry.id));
        if (!id.ok() || entry.fetched == 0)
            return util::invalid("a policy without id or time");
    }
    return entry;
}

std::string PolicyStore::path_of(const std::string& domain) const
{
    // It becomes a file's name.
    CHECK(trust::may_have_sts(domain));
    return util::concat(directory_, '/', domain, suffix);
}

util::Result<std::optional<Entry>> PolicyStore::load(const std::string& domain) const
{
    auto text = util::sys::read_file(path_of(domain), max_entry);
    if (!text.ok() && text.error().code == ENOENT)
        return std::optional<Entry>();
    if (!text.ok() && text.error().kind != util::Kind::Permanent)
        return text.take_error();
    auto entry = text.ok() ? parse_entry(*text) : util::Result<Entry>(text.take_error());
    if (entry.ok() && entry->domain == domain)
        return std::optional<Entry>(entry.take());
    util::log::warning("the policy of ", domain, " is removed, since its file is broken: ",
                       entry.ok() ? "of another domain" : entry.error().text);
    TRY(remove(domain));
    return std::optional<Entry>();
}

util::Result<void> PolicyStore::save(const Entry& entry) const
{
    std::string path = path_of(entry.domain);
    auto old = util::sys::stat(path);
    if (!old.ok())
        TRY(make_room());
    TRY(util::sys::replace_file(path, to_text(entry), 0600));
    // A policy that is fetched again because it is old has not been used.
    return old.ok() ? set_last_use(path, mtime_of(*old)) : util::Result<void>();
}

util::Result<void> PolicyStore::use(const std::string& domain) const
{
    std::string path = path_of(domain);
    auto found = util::sys::stat(path);
    std::int64_t now = microseconds_of(util::wall_now());
    bool recent = found.ok() && std::abs(now - mtime_of(*found)) < use_resolution * 1'000'000;
    return found.ok() && !recent ? set_last_use(path, now) : util::Result<void>();
}

// So that there is a place for one more.
util::Result<void> PolicyStore::make_room() const
{
    auto names = TRY(domains());
    if (names.size() < limit_)
        return {};
    std::vector<std::pair<std::int64_t, std::string>> by_use;
    for (std::string& domain : names)
        if (auto found = util::sys::stat(path_of(domain)); found.ok())   // or another process was quicker
            by_use.emplace_back(mtime_of(*found), std::move(domain));
    std::ranges::sort(by_use);
    std::size_t too_many = by_use.size() < limit_ ? 0 : by_use.size() - limit_ + 1;
    for (std::size_t i = 0; i < too_many; ++i) {
        util::log::info("domain=", by_use[i].second, ", status=forgotten (sts_cache_limit)");
        TRY(remove(by_use[i].second));
    }
    return {};
}

util::Result<void> PolicyStore::remove(const std::string& domain) const
{
    auto removed = util::sys::unlink(path_of(domain));
    if (!removed.ok() && removed.error().code != ENOENT)
        return removed;
    return {};
}

util::Result<std::vector<std::string>> PolicyStore::domains() const
{
    auto directory = TRY(util::sys::open(directory_, O_RDONLY | O_DIRECTORY));
    auto names = TRY(util::sys::list_directory(directory.get()));
    std::vector<std::string> found;
    for (const std::string& name : names) {
        if (!name.ends_with(suffix))
            continue;
        std::string domain = name.substr(0, name.size() - suffix.size());
        if (trust::may_have_sts(domain))
            found.push_back(std::move(domain));
    }
    return found;
}

}  // namespace sts
