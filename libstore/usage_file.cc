// usage (see usage_file.h and tern-store(5)).
#include "libstore/usage_file.h"

#include "libstore/codec.h"
#include "libstore/format.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace store {

namespace {

constexpr std::string_view usage_magic("TERNUSE\1", 8);

// Up to `size` bytes at `offset` of a regular file; nothing when it is none, or cannot be read.
std::optional<std::string> bytes_of(int directory, const std::string& name, std::uint64_t offset, std::size_t size)
{
    auto fd = util::sys::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fd.ok())
        return std::nullopt;
    auto status = util::sys::fstat(fd->get());
    if (!status.ok() || !S_ISREG(status->st_mode))
        return std::nullopt;
    std::string bytes(size, '\0');
    auto count = util::sys::pread(fd->get(), bytes, offset);
    if (!count.ok())
        return std::nullopt;
    bytes.resize(*count);
    return bytes;
}

// At most so many: a stranger's directory may hold millions.
std::optional<std::vector<std::string>> names_in(int directory, std::size_t most)
{
    auto own = util::sys::openat(directory, ".", O_RDONLY | O_DIRECTORY);
    if (!own.ok())
        return std::nullopt;
    int fd = own->release();
    std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
    if (!stream) {
        ::close(fd);
        return std::nullopt;
    }
    std::vector<std::string> names;
    while (names.size() < most) {
        const dirent* entry = ::readdir(stream.get());
        if (!entry)
            break;
        if (std::string_view name = entry->d_name; name != "." && name != "..")
            names.emplace_back(name);
    }
    return names;
}

bool is_there(int directory, const std::string& name)
{
    struct stat status {};
    return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

std::string encode_usage(const UsageRemark& remark)
{
    std::string bytes;
    Writer writer(bytes);
    writer.raw(usage_magic);
    writer.u64(remark.usage.bytes);
    writer.u64(remark.usage.messages);
    writer.u64(remark.usage.mailboxes);
    writer.u32(remark.segment);
    writer.u32(remark.next_segment);
    writer.u64(remark.end);
    bytes.resize(usage_file_size - 4);
    writer.u32(util::crc32c(bytes));
    return bytes;
}

std::optional<UsageRemark> decode_usage(std::string_view bytes)
{
    if (bytes.size() != usage_file_size || !bytes.starts_with(usage_magic))
        return std::nullopt;
    Reader reader(bytes.substr(usage_magic.size()));
    UsageRemark remark;
    remark.usage.bytes = reader.u64();
    remark.usage.messages = reader.u64();
    remark.usage.mailboxes = reader.u64();
    remark.segment = reader.u32();
    remark.next_segment = reader.u32();
    remark.end = reader.u64();
    Reader checksum(bytes.substr(usage_file_size - 4));
    if (checksum.u32() != util::crc32c(bytes.substr(0, usage_file_size - 4)) || remark.end > INT64_MAX)
        return std::nullopt;
    return remark;
}

void write_usage(const std::string& directory, const UsageRemark& remark)
{
    auto fd = util::sys::open(util::concat(directory, '/', usage_file_name), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd.ok())
        (void)util::sys::write_all(fd->get(), encode_usage(remark));
}

std::optional<QuotaUsage> read_usage(const std::string& directory)
{
    auto home = util::sys::open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!home.ok())
        return home.error().kind == util::Kind::NotFound ? std::optional(QuotaUsage()) : std::nullopt;
    auto bytes = bytes_of(home->get(), std::string(usage_file_name), 0, usage_file_size + 1);
    if (!bytes) {
        // A home that nobody has ever opened.
        auto names = names_in(home->get(), 1);
        return names && names->empty() ? std::optional(QuotaUsage()) : std::nullopt;
    }
    auto remark = decode_usage(*bytes);
    if (!remark || is_there(home->get(), segment_name(remark->next_segment)))
        return std::nullopt;
    // Room that is prepared for the next record is zero.
    auto behind = bytes_of(home->get(), segment_name(remark->segment), remark->end, record_header_size);
    if (!behind || std::ranges::any_of(*behind, [](char byte) { return byte != '\0'; }))
        return std::nullopt;
    return remark->usage;
}

std::uint64_t disk_use(const std::string& directory)
{
    std::uint64_t bytes = 0;
    auto home = util::sys::open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    for (const char* part : {".", "bodies"}) {
        if (!home.ok())
            break;
        auto opened = util::sys::openat(home->get(), part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        auto names = opened.ok() ? names_in(opened->get(), max_files_looked_at) : std::nullopt;
        for (std::size_t i = 0; names && i < names->size(); ++i) {
            auto status = util::sys::fstatat(opened->get(), (*names)[i], AT_SYMLINK_NOFOLLOW);
            if (status.ok() && S_ISREG(status->st_mode) && status->st_nlink > 0)
                bytes += std::uint64_t(status->st_blocks) * 512 / status->st_nlink;
        }
    }
    return bytes;
}

}  // namespace store
