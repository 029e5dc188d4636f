// The file of a Cache, address_verify_map: it is replaced as a whole, so that it is never torn, and what a
// crash takes with it is probed again.
#pragma once

#include "libconf/index.h"
#include "verify/cache.h"

namespace verify {

constexpr std::size_t max_cache_file_entries = 20'000'000;   // a damaged file may go round in circles

class CacheFile {
public:
    // "btree:/path"; empty: no file.  Invalid: another type, no path.
    static util::Result<CacheFile> parse(std::string_view map);

    // Adds what the file has.  Entries that are none are passed over; how many came.
    util::Result<std::size_t> load(Cache& cache) const;
    util::Result<void> store(const Cache& cache) const;
    // At the start, when nobody else writes.
    void clear_litter() const;

    bool exists() const { return !path_.empty(); }
    std::string directory() const { return path_.substr(0, path_.rfind('/')); }

private:
    conf::IndexType type_ = conf::IndexType::Btree;
    std::string path_;   // with .db or .lmdb
};

}  // namespace verify
