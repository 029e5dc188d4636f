// The policies that sts(8) has fetched, one file for each domain, which survive restarts.
//
// Several processes share the directory: a file is replaced as a whole, and the last one counts.  Its form:
//
//   tern-sts 1
//   domain example.com
//   id 20160831085700Z                  of the policy, and
//   fetched 1700000000                  when it came; both only with a policy
//   failed 1700000100 20160901 REASON   the last fetch, if it failed: when, of which id, why
//                                       (an empty line)
//   version: STSv1 ...                  the policy
#pragma once

#include "libtrust/sts_fetch.h"
#include "libutil/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sts {

struct Entry {
    std::string domain;
    std::string id;
    std::int64_t fetched = 0;      // seconds since 1970
    std::optional<trust::StsPolicy> policy;
    std::string failed_id;
    std::int64_t failed = 0;       // 0: the last fetch did not fail
    trust::StsFailure failure = trust::StsFailure::None;

    // Does the policy hold at this time?  One that was fetched in the future holds: the clock has been set back.
    bool holds(std::int64_t now) const { return policy && now < fetched + std::int64_t(policy->max_age); }
    bool operator==(const Entry&) const = default;
};

constexpr std::int64_t use_resolution = 3600;   // seconds
constexpr std::size_t max_entry = trust::max_sts_policy + 2048;  // bytes of a file

std::string to_text(const Entry& entry);
util::Result<Entry> parse_entry(std::string_view text);

class PolicyStore {
public:
    // A directory that exists; at most `limit` domains in it, those that were used last: a stranger who has mail sent to
    // domains of his, each with a policy, takes the place of what nobody has asked for, not of what comes later.
    PolicyStore(std::string directory, std::size_t limit) : directory_(std::move(directory)), limit_(limit) {}

    // Nothing when there is none; a broken file is removed, with a warning.
    util::Result<std::optional<Entry>> load(const std::string& domain) const;
    // The last use of a domain that is there stays; a new one is used now.  Temporary: no room.
    util::Result<void> save(const Entry& entry) const;
    // It was asked for.  To the hour (use_resolution): a file's mtime says when.
    util::Result<void> use(const std::string& domain) const;
    util::Result<void> remove(const std::string& domain) const;
    // Removes what processes left that ended while they wrote.
    util::Result<std::vector<std::string>> domains() const;

private:
    util::Result<void> make_room() const;
    std::string path_of(const std::string& domain) const;

    std::string directory_;
    std::size_t limit_;
};

}  // namespace sts
