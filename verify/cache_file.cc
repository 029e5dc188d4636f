// The file of a Cache.
#include "verify/cache_file.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <fcntl.h>

namespace verify {

util::Result<CacheFile> CacheFile::parse(std::string_view map)
{
    CacheFile file;
    map = util::trim(map);
    if (map.empty())
        return file;
    auto [name, path] = util::split_first(map, ':');
    auto type = conf::index_type(name);
    if (!type || path.size() < 2 || path.front() != '/')
        return util::invalid(util::concat("address_verify_map: btree:/path, hash:/path or lmdb:/path is wanted, not ",
                                          util::printable(map, 100)));
    file.type_ = *type;
    file.path_ = conf::index_path(*type, path);
    return file;
}

util::Result<std::size_t> CacheFile::load(Cache& cache) const
{
    std::size_t count = 0;
    if (!exists())
        return count;
    auto index = conf::open_index(type_, path_);
    if (!index.ok()) {
        if (index.error().kind == util::Kind::NotFound)
            return count;
        return index.take_error();
    }
    std::vector<std::pair<std::string, Entry>> entries;
    TRY((*index)->each([&](std::string_view address, std::string_view value) {
        auto entry = parse_entry(value);
        if (entry && !address.empty() && address.size() <= ipc::max_verified_address)
            entries.emplace_back(address, std::move(*entry));
        return ++count < max_cache_file_entries;
    }));
    // Which of them were asked for last is not in the file; the oldest go first when there are too many.
    std::ranges::sort(entries, {}, [](const auto& entry) { return entry.second.updated; });
    for (auto& entry : entries)
        cache.add(entry.first, std::move(entry.second));
    return entries.size();
}

// A daemon that was killed while it wrote has left a file without a name that anybody looks for.
void CacheFile::clear_litter() const
{
    if (!exists())
        return;
    auto opened = util::sys::open(directory(), O_RDONLY | O_DIRECTORY);
    if (!opened.ok())
        return;
    auto names = util::sys::list_directory(opened->get());
    if (!names.ok())
        return;
    std::string litter = util::concat('.', path_.substr(path_.rfind('/') + 1), '.');
    for (const std::string& name : *names)
        if (name.starts_with(litter))
            (void)util::sys::unlink(util::concat(directory(), '/', name));
}

util::Result<void> CacheFile::store(const Cache& cache) const
{
    if (!exists())
        return {};
    constexpr std::size_t about = 200;   // bytes of one entry
    auto writer =
        TRY(conf::create_index(type_, path_, {.keep_entries = false, .expected_size = cache.size() * about, .mode = 0600}));
    util::Result<void> result;
    cache.each([&](const std::string& address, const Entry& entry) {
        if (auto put = writer->put(address, to_text(entry), true); !put.ok() && result.ok())
            result = put.take_error();
    });
    TRY(std::move(result));
    return writer->commit();
}

}  // namespace verify
