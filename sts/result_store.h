// Results of TLS that sts(8) keeps for reports to domains: a file for each day and domain.
//
// A line of a file is a JSON object: "count" sessions of one kind, with the names of RFC 8460 section 4.4 for
// all else.  Several processes append to a file, a line with one write each.  A later reader adds up.
#pragma once

#include "libipc/sts.h"
#include "libutil/result.h"

#include <cstdint>
#include <string>

namespace sts {

constexpr std::size_t max_result_file = 256 * 1024;  // bytes of a day and domain
constexpr std::size_t max_result_domains = 10'000;   // of a day
constexpr int result_days = 7;                       // that are kept, today with them

// "2026-11-29", UTC.
std::string day_of(std::int64_t unix_seconds);
// One line with its end.
std::string to_json(const ipc::TlsResult& result);

class ResultStore {
public:
    explicit ResultStore(std::string directory) : directory_(std::move(directory)) {}

    // Invalid: no domain.  Temporary: the file, or the day, is full; no room.
    util::Result<void> add(const ipc::TlsResult& result, std::int64_t now) const;
    // Removes days that are too old.
    util::Result<void> forget(std::int64_t now) const;

private:
    std::string directory_;
};

}  // namespace sts
