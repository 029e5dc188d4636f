// Queue files from anywhere: with the checksums as they are, then made right, so that what is behind
// them is reached.
#include "libqueue/reader.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"

#include <algorithm>

namespace {

void read(const std::string& bytes)
{
    auto file = util::sys::memfd("fuzz");
    if (!file.ok() || !util::sys::write_all(file->get(), bytes).ok())
        return;
    auto reader = queue::Reader::open(file->get());
    if (!reader.ok())
        return;
    auto content = reader->read_content(1 << 20);
    if (content.ok() && (content->size() != reader->content_size() || reader->body_offset() > content->size() + (1 << 20)))
        __builtin_trap();
    (void)reader->story().ok();
}

// The region's checksum, marks counted as waiting.
std::uint32_t sum(std::string region, std::size_t start)
{
    for (queue::format::RecordCursor cursor(region, start); !cursor.at_end();) {
        auto record = cursor.next();
        if (!record.ok())
            break;
        if (record->type == 'R' && record->payload.size() >= 4)
            region.replace(record->offset, 4, "wait");
    }
    return util::crc32c(region);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace queue::format;
    std::string bytes(reinterpret_cast<const char*>(data), size);
    read(bytes);
    if (size < superblock_size + end_size)
        return 0;
    // Sizes that fit the input, whatever it says.
    std::uint64_t room = size - superblock_size - end_size;
    Superblock superblock;
    superblock.content_offset = superblock_size + std::min<std::uint64_t>(get_u32(bytes, 16) % 4096, room) / 4 * 4;
    room -= superblock.content_offset - superblock_size;
    superblock.content_size = std::min<std::uint64_t>(get_u32(bytes, 24) % 4096, room);
    room -= superblock.content_size;
    superblock.trailer_size = std::min<std::uint64_t>(get_u32(bytes, 32) % 4096, room);
    superblock.trailer_size -= std::min<std::uint64_t>(superblock.end_offset() % 4, superblock.trailer_size);
    bytes.replace(0, superblock_size, encode_superblock(superblock));
    std::size_t padding = (4 - superblock.trailer_offset() % 4) % 4;
    End end{sum(bytes.substr(superblock_size, superblock.content_offset - superblock_size), 0),
            util::crc32c(std::string_view(bytes).substr(superblock.content_offset, superblock.content_size)),
            sum(bytes.substr(superblock.trailer_offset(), superblock.trailer_size), padding)};
    if (superblock.end_offset() + end_size <= bytes.size())
        bytes.replace(superblock.end_offset(), end_size, encode_end(end));
    read(bytes);
    return 0;
}
