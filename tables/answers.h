// The tables that are looked into for others, and no others.
#pragma once

#include "libconf/table.h"
#include "libipc/table_lookup.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tables {

class Answers {
public:
    // Of `words` those that begin with proxy: (proxy_read_maps).  Invalid: one cannot be opened.
    static util::Result<Answers> open(const std::vector<std::string>& words);

    ipc::LookUpAnswer answer(const ipc::LookUp& question);
    // The directories of the files behind them.
    std::vector<std::string> directories() const;
    std::size_t size() const { return tables_.size(); }

private:
    std::unordered_map<std::string, std::unique_ptr<conf::Table>> tables_;   // by name without proxy:
};

}  // namespace tables
