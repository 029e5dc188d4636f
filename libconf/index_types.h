// The formats behind libconf/index.h.
#pragma once

#include "libconf/index.h"

namespace conf {

util::Result<std::unique_ptr<Index>> open_berkeley(IndexType type, const std::string& path);
util::Result<std::unique_ptr<IndexWriter>> create_berkeley(IndexType type, const std::string& path);
util::Result<std::unique_ptr<Index>> open_lmdb_index(const std::string& path);
util::Result<std::unique_ptr<IndexWriter>> create_lmdb(const std::string& path, std::size_t expected_size);

// What both formats do with a key before it is stored: a NUL at its end.
inline std::string stored_form(std::string_view text)
{
    std::string out(text);
    out.push_back('\0');
    return out;
}
// And after it was read: without that NUL.
inline std::string_view shown_form(std::string_view stored)
{
    if (!stored.empty() && stored.back() == '\0')
        stored.remove_suffix(1);
    return stored;
}

}  // namespace conf
