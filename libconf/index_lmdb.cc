// LMDB files: one file, no lock file beside it, since a new file takes the place of an old one.
//
// LMDB follows what page numbers it finds through a mapping, so that a damaged file would end the
// process.  Therefore a file that ternmap(1) writes has a page behind its last one, with a checksum
// over all before it; it is verified when the file is opened.  Files without it are taken as they are.
#include "libconf/index_types.h"

#include "libutil/crc32c.h"
#include "libutil/handle.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <lmdb.h>

#include <algorithm>

namespace conf {

using util::concat;
using util::Result;

namespace {

using Environment = util::Handle<MDB_env, mdb_env_close>;
using Transaction = util::Handle<MDB_txn, mdb_txn_abort>;
using LmdbCursor = util::Handle<MDB_cursor, mdb_cursor_close>;

util::Error lmdb_error(std::string_view what, std::string_view path, int code)
{
    if (code > 0)
        return util::system_error(concat(what, ' ', path), code);
    return util::temporary(concat(what, ' ', path, ": ", mdb_strerror(code)));
}

MDB_val value_of(std::string_view text)
{
    return {text.size(), const_cast<char*>(text.data())};  // LMDB only reads it
}

std::string_view text_of(const MDB_val& value)
{
    return shown_form({static_cast<const char*>(value.mv_data), value.mv_size});
}

struct Opened {
    Environment environment;
    Transaction transaction;
    MDB_dbi dbi = 0;
};

Result<Opened> open_environment(const std::string& path, unsigned flags, std::size_t map_size)
{
    MDB_env* raw = nullptr;
    int code = mdb_env_create(&raw);
    if (code != 0)
        return lmdb_error("open", path, code);
    Opened opened;
    opened.environment.reset(raw);
    if (map_size > 0)
        mdb_env_set_mapsize(raw, map_size);
    code = mdb_env_open(raw, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | flags, 0600);
    if (code != 0)
        return lmdb_error("open", path, code);
    bool reading = (flags & MDB_RDONLY) != 0;
    if (reading) {
        // A file that was cut short would fault where the mapping has no file behind it.
        MDB_envinfo info = {};
        MDB_stat pages = {};
        mdb_env_info(raw, &info);
        mdb_env_stat(raw, &pages);
        struct stat status = TRY(util::sys::stat(path));
        if (std::uint64_t(status.st_size) < (info.me_last_pgno + 1) * std::uint64_t(pages.ms_psize))
            return util::temporary(concat(path, ": cut short"));
    }
    MDB_txn* transaction = nullptr;
    code = mdb_txn_begin(raw, nullptr, reading ? unsigned(MDB_RDONLY) : 0u, &transaction);
    if (code != 0)
        return lmdb_error("open", path, code);
    opened.transaction.reset(transaction);
    code = mdb_dbi_open(transaction, nullptr, 0, &opened.dbi);
    if (code != 0)
        return lmdb_error("open", path, code);
    return opened;
}

constexpr std::string_view trailer_magic = "tern lmdb crc32c";
constexpr std::size_t trailer_size = 4096;  // the magic, then the checksum as eight digits, then NULs

std::string trailer_of(std::uint32_t checksum)
{
    std::string digits;
    for (int shift = 28; shift >= 0; shift -= 4)
        digits += "0123456789abcdef"[(checksum >> shift) & 15];
    std::string trailer = concat(trailer_magic, digits);
    trailer.resize(trailer_size);
    return trailer;
}

// Of the first `size` bytes.
Result<std::uint32_t> checksum_of(int fd, std::uint64_t size)
{
    std::string buffer(256 * 1024, '\0');
    std::uint32_t checksum = 0;
    for (std::uint64_t at = 0; at < size;) {
        std::size_t wanted = std::size_t(std::min<std::uint64_t>(buffer.size(), size - at));
        std::size_t got = TRY(util::sys::pread(fd, std::span(buffer.data(), wanted), at));
        if (got == 0)
            return util::temporary("it became shorter");
        checksum = util::crc32c(std::string_view(buffer).substr(0, got), checksum);
        at += got;
    }
    return checksum;
}

Result<void> add_trailer(const std::string& path)
{
    util::UniqueFd file = TRY(util::sys::open(path, O_RDWR));
    struct stat status = TRY(util::sys::fstat(file.get()));
    auto size = std::uint64_t(status.st_size);
    std::uint32_t checksum = TRY(checksum_of(file.get(), size));
    return util::sys::pwrite_all(file.get(), trailer_of(checksum), size);
}

Result<void> verify_trailer(const std::string& path)
{
    util::UniqueFd file = TRY(util::sys::open(path, O_RDONLY));
    struct stat status = TRY(util::sys::fstat(file.get()));
    auto size = std::uint64_t(status.st_size);
    if (size < trailer_size)
        return {};
    std::string trailer(trailer_size, '\0');
    TRY(util::sys::pread(file.get(), std::span(trailer.data(), trailer.size()), size - trailer_size));
    if (!trailer.starts_with(trailer_magic))
        return {};
    std::uint32_t checksum = TRY(checksum_of(file.get(), size - trailer_size));
    if (trailer != trailer_of(checksum))
        return util::temporary(concat(path, ": damaged"));
    return {};
}

class LmdbIndex final : public Index {
public:
    LmdbIndex(std::string path, Opened opened) : path_(std::move(path)), lmdb_(std::move(opened)) {}

    Result<std::optional<std::string>> lookup(std::string_view key) override
    {
        if (key.empty() || key.size() > max_lmdb_key)
            return std::optional<std::string>();
        std::string stored = stored_form(key);
        for (std::string_view form : {std::string_view(stored), key}) {
            MDB_val wanted = value_of(form), value = {};
            int code = mdb_get(lmdb_.transaction.get(), lmdb_.dbi, &wanted, &value);
            if (code == 0)
                return std::optional(std::string(text_of(value)));
            if (code != MDB_NOTFOUND)
                return lmdb_error("read", path_, code);
        }
        return std::optional<std::string>();
    }

    Result<void> each(const std::function<bool(std::string_view, std::string_view)>& take) override
    {
        MDB_cursor* raw = nullptr;
        int code = mdb_cursor_open(lmdb_.transaction.get(), lmdb_.dbi, &raw);
        if (code != 0)
            return lmdb_error("read", path_, code);
        LmdbCursor cursor(raw);
        while (true) {
            MDB_val key = {}, value = {};
            code = mdb_cursor_get(raw, &key, &value, MDB_NEXT);
            if (code == MDB_NOTFOUND)
                return {};
            if (code != 0)
                return lmdb_error("read", path_, code);
            if (!take(text_of(key), text_of(value)))
                return {};
        }
    }

private:
    std::string path_;
    Opened lmdb_;
};

class LmdbWriter final : public IndexWriter {
public:
    LmdbWriter(std::string path, Opened opened) : path_(std::move(path)), lmdb_(std::move(opened)) {}

    Result<Put> put(std::string_view key, std::string_view value, bool replace) override
    {
        if (key.empty() || key.size() > max_lmdb_key)
            return util::invalid(concat("key \"", util::printable(key, 60), "\" is longer than LMDB's ",
                                        max_lmdb_key, " bytes, or empty"));
        std::string stored_key = stored_form(key), stored_value = stored_form(value);
        MDB_val wanted = value_of(stored_key), data = value_of(stored_value);
        int code = mdb_put(lmdb_.transaction.get(), lmdb_.dbi, &wanted, &data, MDB_NOOVERWRITE);
        if (code == 0)
            return Put::Added;
        if (code == MDB_KEYEXIST && !replace)
            return Put::Kept;
        if (code == MDB_KEYEXIST) {
            data = value_of(stored_value);  // MDB_NOOVERWRITE has put the present value there
            code = mdb_put(lmdb_.transaction.get(), lmdb_.dbi, &wanted, &data, 0);
        }
        if (code != 0)
            return lmdb_error("write", path_, code);
        return Put::Replaced;
    }

    Result<bool> remove(std::string_view key) override
    {
        if (key.empty() || key.size() > max_lmdb_key)
            return false;
        std::string stored = stored_form(key);
        MDB_val wanted = value_of(stored);
        int code = mdb_del(lmdb_.transaction.get(), lmdb_.dbi, &wanted, nullptr);
        if (code != 0 && code != MDB_NOTFOUND)
            return lmdb_error("write", path_, code);
        return code == 0;
    }

    Result<void> commit() override
    {
        int code = mdb_txn_commit(lmdb_.transaction.release());
        if (code != 0)
            return lmdb_error("write", path_, code);
        lmdb_.environment.reset();
        return add_trailer(path_);
    }

private:
    std::string path_;
    Opened lmdb_;
};

}  // namespace

Result<std::unique_ptr<Index>> open_lmdb_index(const std::string& path)
{
    TRY(verify_trailer(path));
    Opened opened = TRY(open_environment(path, MDB_RDONLY | MDB_NOTLS, 0));
    return std::unique_ptr<Index>(std::make_unique<LmdbIndex>(path, std::move(opened)));
}

Result<std::unique_ptr<IndexWriter>> create_lmdb(const std::string& path, std::size_t expected_size)
{
    // Room in the address space, not on disk: the file grows as it is written.
    std::size_t map_size = 64 * 1024 * 1024 + expected_size * 8;
    Opened opened = TRY(open_environment(path, MDB_NOSYNC, map_size));
    return std::unique_ptr<IndexWriter>(std::make_unique<LmdbWriter>(path, std::move(opened)));
}

}  // namespace conf
