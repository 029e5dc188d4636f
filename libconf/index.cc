// Index files: formats by name, and the replacing of a file as a whole.
#include "libconf/index.h"

#include "libconf/index_types.h"
#include "libutil/random.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

namespace conf {

using util::concat;
using util::Result;

Index::~Index() = default;
IndexWriter::~IndexWriter() = default;

namespace {

constexpr std::pair<std::string_view, IndexType> names[] = {
    {"hash", IndexType::Hash},
    {"btree", IndexType::Btree},
    {"lmdb", IndexType::Lmdb},
};

// Writes a file of another name, and renames it at the end.
class ReplacingWriter final : public IndexWriter {
public:
    ReplacingWriter(std::string path, std::string temporary, std::unique_ptr<IndexWriter> writer, mode_t mode) :
        path_(std::move(path)), temporary_(std::move(temporary)), writer_(std::move(writer)), mode_(mode)
    {
    }
    ReplacingWriter(const ReplacingWriter&) = delete;
    ReplacingWriter& operator=(const ReplacingWriter&) = delete;
    ~ReplacingWriter() override
    {
        writer_.reset();
        if (!temporary_.empty())
            (void)util::sys::unlink(temporary_);
    }

    Result<Put> put(std::string_view key, std::string_view value, bool replace) override
    {
        return writer_->put(key, value, replace);
    }
    Result<bool> remove(std::string_view key) override { return writer_->remove(key); }

    Result<void> commit() override
    {
        TRY(writer_->commit());
        writer_.reset();
        util::UniqueFd file = TRY(util::sys::open(temporary_, O_RDWR));
        TRY(util::sys::fchmod(file.get(), mode_));
        TRY(util::sys::fsync(file.get()));
        TRY(util::sys::rename(temporary_, path_));
        temporary_.clear();
        return util::sys::sync_directory(path_.substr(0, path_.rfind('/') + 1));
    }

private:
    std::string path_;
    std::string temporary_;
    std::unique_ptr<IndexWriter> writer_;
    mode_t mode_;
};

}  // namespace

std::optional<IndexType> index_type(std::string_view name)
{
    for (const auto& [known, type] : names) {
        if (name == known)
            return type;
    }
    return std::nullopt;
}

std::string_view name_of(IndexType type)
{
    for (const auto& [name, known] : names) {
        if (known == type)
            return name;
    }
    return "";
}

std::string index_path(IndexType type, std::string_view table_path)
{
    return concat(table_path, type == IndexType::Lmdb ? ".lmdb" : ".db");
}

Result<std::unique_ptr<Index>> open_index(IndexType type, const std::string& path)
{
    TRY(util::sys::stat(path));
    return type == IndexType::Lmdb ? open_lmdb_index(path) : open_berkeley(type, path);
}

Result<void> verify_index(IndexType type, const std::string& path)
{
    auto index = TRY(open_index(type, path));
    // Pages that name each other in a circle must not make this endless.
    struct stat status = TRY(util::sys::stat(path));
    std::int64_t bytes = 0;
    TRY(index->each([&](std::string_view key, std::string_view value) {
        bytes += std::int64_t(key.size() + value.size()) + 1;
        return bytes <= status.st_size;
    }));
    if (bytes > status.st_size)
        return util::temporary(concat(path, ": damaged"));
    return {};
}

Result<std::unique_ptr<IndexWriter>> create_index(IndexType type, const std::string& path,
                                                  const IndexOptions& options)
{
    std::size_t expected = options.expected_size;
    std::unique_ptr<Index> present;
    if (options.keep_entries) {
        present = TRY(open_index(type, path));
        struct stat status = TRY(util::sys::stat(path));
        expected += std::size_t(status.st_size);
    }
    std::size_t slash = path.rfind('/') + 1;
    std::string temporary = concat(path.substr(0, slash), '.', path.substr(slash), '.',
                                   util::hex(util::random_string(6)));
    auto writer = type == IndexType::Lmdb ? create_lmdb(temporary, expected) : create_berkeley(type, temporary);
    if (!writer) {
        (void)util::sys::unlink(temporary);
        return writer.take_error();
    }
    auto replacing = std::make_unique<ReplacingWriter>(path, std::move(temporary), writer.take(), options.mode);
    if (present) {
        Result<void> copied;
        TRY(present->each([&](std::string_view key, std::string_view value) {
            auto put = replacing->put(key, value, true);
            if (!put)
                copied = put.take_error();
            return put.ok();
        }));
        TRY(copied);
    }
    return std::unique_ptr<IndexWriter>(std::move(replacing));
}

}  // namespace conf
