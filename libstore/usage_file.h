// usage: what a store held when it was closed, for those who may not open it, or need not.
//
// It is only a remark beside the log, written without a sync when the store is closed.  Whoever reads it
// looks at the end of the log that it names: if anything has been written there since, it says nothing any
// more.  So it is never removed, and never wrong after a crash.
#pragma once

#include "libstore/store.h"

#include <optional>
#include <string>

namespace store {

struct UsageRemark {
    QuotaUsage usage;
    std::uint32_t segment = 0;        // the last one of the log
    std::uint32_t next_segment = 0;   // the number of the one that would be made next
    std::uint64_t end = 0;            // where the log ends in it
};

constexpr std::string_view usage_file_name = "usage";
constexpr std::size_t usage_file_size = 64;

std::string encode_usage(const UsageRemark& remark);
// nullopt unless these are the bytes that encode_usage() makes.
std::optional<UsageRemark> decode_usage(std::string_view bytes);

// Errors are of no importance: the next reader asks the mailbox process.
void write_usage(const std::string& directory, const UsageRemark& remark);
// What the store in this directory holds; nullopt: nobody can say without opening it.  One without a log
// holds nothing.  The directory may be a stranger's: only regular files are read, and no link is followed.
std::optional<QuotaUsage> read_usage(const std::string& directory);

// How much of the disk a store's files take, which is more than it can be made to say: holes, and files of several names,
// count once.  As far as max_files_looked_at tell; links are not followed here, either.
std::uint64_t disk_use(const std::string& directory);
constexpr std::size_t max_files_looked_at = 20'000;
// No message takes less of a log, not even a copy.
constexpr std::uint64_t least_message = 80;

}  // namespace store
