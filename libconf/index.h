// Index files: what ternmap(1) makes of a text table, and what hash:, btree: and lmdb: tables read.
// Keys and values end with a NUL byte inside the file, as Postfix's do; both forms are read.  What is
// written here carries checksums, so that damage is an error and never another answer.
#pragma once

#include "libutil/result.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace conf {

enum class IndexType : unsigned char { Hash, Btree, Lmdb };

std::optional<IndexType> index_type(std::string_view name);  // "hash", "btree", "lmdb"
std::string_view name_of(IndexType type);
// "/etc/tern/access" to "/etc/tern/access.db" or "/etc/tern/access.lmdb".
std::string index_path(IndexType type, std::string_view table_path);

constexpr std::size_t max_lmdb_key = 510;  // bytes, by LMDB's own limit of 511 with the NUL

// An index opened for reading.
class Index {
public:
    virtual ~Index();
    // Temporary: locked by a writer, or damaged where it was looked.
    virtual util::Result<std::optional<std::string>> lookup(std::string_view key) = 0;
    // Did the last lookup fail because a writer had the file, and not because of the file?
    virtual bool locked() const { return false; }
    // All entries in the file's order, until `take` says false.
    virtual util::Result<void> each(
        const std::function<bool(std::string_view key, std::string_view value)>& take) = 0;
};

// NotFound: there is no such file.  Others: it cannot be read, is of another format, is cut short.
util::Result<std::unique_ptr<Index>> open_index(IndexType type, const std::string& path);
// Reads the whole file and says what is wrong with it.
util::Result<void> verify_index(IndexType type, const std::string& path);

// A new index that takes the place of an old one when it is complete: readers see either, whole.
class IndexWriter {
public:
    virtual ~IndexWriter();

    enum class Put : unsigned char { Added, Replaced, Kept };
    // Without `replace` an entry that is there is kept.
    virtual util::Result<Put> put(std::string_view key, std::string_view value, bool replace) = 0;
    // Was there such an entry?
    virtual util::Result<bool> remove(std::string_view key) = 0;
    // Writes, syncs, renames, syncs the directory.  Without it nothing happens.
    virtual util::Result<void> commit() = 0;
};

struct IndexOptions {
    bool keep_entries = false;      // begin with what the present file holds
    std::size_t expected_size = 0;  // bytes of all keys and values that will come, about
    mode_t mode = 0644;             // of the new file
};
util::Result<std::unique_ptr<IndexWriter>> create_index(IndexType type, const std::string& path,
                                                        const IndexOptions& options);

}  // namespace conf
