// The layout of a queue file: fixed parts and records.
#include "libqueue/format.h"

#include "libutil/crc32c.h"
#include "libutil/text.h"

namespace queue::format {

namespace {

constexpr std::size_t alignment = 4;

template <typename Number>
Number get(std::string_view bytes, std::size_t offset)
{
    Number value = 0;
    for (std::size_t i = sizeof(Number); i-- > 0;)
        value = static_cast<Number>((value << 8) | static_cast<unsigned char>(bytes[offset + i]));
    return value;
}

template <typename Number>
void put(std::string& out, Number value)
{
    for (std::size_t i = 0; i < sizeof(Number); ++i)
        out += static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace

std::uint32_t get_u32(std::string_view bytes, std::size_t offset) { return get<std::uint32_t>(bytes, offset); }
std::uint64_t get_u64(std::string_view bytes, std::size_t offset) { return get<std::uint64_t>(bytes, offset); }
void put_u32(std::string& out, std::uint32_t value) { put(out, value); }
void put_u64(std::string& out, std::uint64_t value) { put(out, value); }

std::string encode_superblock(const Superblock& superblock)
{
    std::string out(magic);
    put_u32(out, version);
    put_u32(out, readable_by);
    put_u64(out, superblock.content_offset);
    put_u64(out, superblock.content_size);
    put_u64(out, superblock.trailer_size);
    out.resize(superblock_size - sizeof(std::uint32_t), '\0');
    put_u32(out, util::crc32c(out));
    return out;
}

util::Result<Superblock> decode_superblock(std::string_view bytes)
{
    if (bytes.size() < superblock_size)
        return util::invalid("the file is shorter than a superblock");
    bytes = bytes.substr(0, superblock_size);
    if (bytes.substr(0, magic.size()) != magic)
        return util::invalid("not a queue file, or never completed");
    std::size_t crc_offset = superblock_size - sizeof(std::uint32_t);
    if (get_u32(bytes, crc_offset) != util::crc32c(bytes.substr(0, crc_offset)))
        return util::invalid("the superblock does not match its checksum");
    if (get_u32(bytes, 12) > version)
        return util::invalid(util::concat("written for version ", get_u32(bytes, 12), " and later"));
    Superblock superblock{get_u64(bytes, 16), get_u64(bytes, 24), get_u64(bytes, 32)};
    constexpr std::uint64_t max_content_size = std::uint64_t(1) << 48;
    if (superblock.content_offset < superblock_size || superblock.content_offset > max_envelope_size ||
        superblock.content_offset % alignment != 0 || superblock.content_size > max_content_size ||
        superblock.trailer_size > max_trailer_size || superblock.end_offset() % alignment != 0)
        return util::invalid("the superblock has impossible sizes");
    return superblock;
}

std::string encode_end(const End& end)
{
    std::string out(end_magic);
    put_u32(out, end.envelope_crc);
    put_u32(out, end.content_crc);
    put_u32(out, end.trailer_crc);
    out.resize(end_size - sizeof(std::uint32_t), '\0');
    put_u32(out, util::crc32c(out));
    return out;
}

util::Result<End> decode_end(std::string_view bytes)
{
    if (bytes.size() < end_size || bytes.substr(0, end_magic.size()) != end_magic)
        return util::invalid("the end record is missing");
    std::size_t crc_offset = end_size - sizeof(std::uint32_t);
    if (get_u32(bytes, crc_offset) != util::crc32c(bytes.substr(0, crc_offset)))
        return util::invalid("the end record does not match its checksum");
    return End{get_u32(bytes, 4), get_u32(bytes, 8), get_u32(bytes, 12)};
}

void put_padding(std::string& out, std::uint64_t base)
{
    while ((base + out.size()) % alignment != 0)
        out += '\0';
}

void put_record(std::string& out, RecordType type, std::string_view payload)
{
    CHECK(payload.size() <= max_record_size);
    put_u32(out, static_cast<std::uint32_t>(payload.size() << 8) | static_cast<unsigned char>(type));
    out += payload;
    out.append((alignment - payload.size() % alignment) % alignment, '\0');
}

util::Result<RecordView> RecordCursor::next()
{
    if (region_.size() - at_ < record_header_size)
        return util::invalid(util::concat("a torn record at ", at_));
    std::uint32_t header = get_u32(region_, at_);
    std::size_t size = header >> 8;
    std::size_t padded = (size + alignment - 1) / alignment * alignment;
    if (padded > region_.size() - at_ - record_header_size)
        return util::invalid(util::concat("a record of wrong length at ", at_));
    RecordView record{static_cast<char>(header & 0xff), region_.substr(at_ + record_header_size, size),
                      at_ + record_header_size};
    at_ += record_header_size + padded;
    return record;
}

}  // namespace queue::format
