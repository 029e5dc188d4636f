// Frames of the log (see format.h).
#include "libstore/format.h"

#include "libstore/codec.h"
#include "libstore/records.h"
#include "libutil/check.h"
#include "libutil/crc32c.h"
#include "libutil/text.h"

#include <algorithm>

namespace store {

namespace {

constexpr std::string_view segment_magic("TERNSEG\1", 8);
constexpr std::string_view segment_prefix = "segment-";

}  // namespace

void encode_header(const RecordHeader& header, std::uint64_t tag, std::string& out)
{
    std::size_t start = out.size();
    Writer writer(out);
    writer.u64(tag);
    writer.u64(header.lsn);
    writer.u64(header.durable);
    writer.u32(header.length);
    writer.u32(header.meta_length);
    writer.u8(std::uint8_t(header.type));
    writer.u8(header.version);
    writer.u16(header.group_index);
    writer.u16(header.group_size);
    writer.u16(0);
    writer.u32(header.meta_checksum);
    writer.u32(util::crc32c(std::string_view(out).substr(start)));
    CHECK(out.size() - start == record_header_size);
}

RecordHeader voided(RecordHeader header)
{
    header.type = Type::Voided;
    header.version = record_version;
    header.meta_length = 0;
    header.meta_checksum = util::crc32c({});
    header.group_index = 0;
    header.group_size = 1;
    return header;
}

std::optional<RecordHeader> decode_header(std::string_view bytes, std::uint64_t tag)
{
    if (bytes.size() < record_header_size)
        return std::nullopt;
    Reader reader(bytes.substr(0, record_header_size));
    if (reader.u64() != tag)
        return std::nullopt;
    RecordHeader header;
    header.lsn = reader.u64();
    header.durable = reader.u64();
    header.length = reader.u32();
    header.meta_length = reader.u32();
    header.type = Type(reader.u8());
    header.version = reader.u8();
    header.group_index = reader.u16();
    header.group_size = reader.u16();
    reader.u16();
    header.meta_checksum = reader.u32();
    if (reader.u32() != util::crc32c(bytes.substr(0, record_header_size - 4)))
        return std::nullopt;
    if (header.length < record_header_size || header.length > max_record_size ||
        header.meta_length > header.length - record_header_size || header.lsn == 0 ||
        header.lsn >= Lsn(1) << 63 || header.durable >= header.lsn ||
        header.group_index >= header.group_size)
        return std::nullopt;
    return header;
}

std::string encode_segment_header(const SegmentHeader& header)
{
    CHECK(header.replaces.size() <= max_replaced);
    std::string out;
    Writer writer(out);
    writer.raw(segment_magic);
    writer.u32(segment_version);
    writer.u32(std::uint32_t(header.kind));
    writer.u64(header.id);
    writer.u64(header.tag);
    writer.u64(header.base);
    writer.i64(header.created);
    writer.u32(std::uint32_t(header.replaces.size()));
    writer.u32(0);
    for (std::size_t i = 0; i < max_replaced; ++i)
        writer.u64(i < header.replaces.size() ? header.replaces[i] : 0);
    writer.u32(0);
    writer.u32(util::crc32c(out));
    CHECK(out.size() == segment_header_size);
    return out;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes)
{
    if (bytes.size() < segment_header_size || !bytes.starts_with(segment_magic))
        return std::nullopt;
    Reader reader(bytes.substr(segment_magic.size(), segment_header_size - segment_magic.size()));
    SegmentHeader header;
    std::uint32_t version = reader.u32();
    header.kind = SegmentKind(reader.u32());
    header.id = reader.u64();
    header.tag = reader.u64();
    header.base = reader.u64();
    header.created = reader.i64();
    std::uint32_t replaced = reader.u32();
    reader.u32();
    for (std::size_t i = 0; i < max_replaced; ++i) {
        std::uint64_t id = reader.u64();
        if (i < replaced)
            header.replaces.push_back(id);
    }
    reader.u32();
    if (reader.u32() != util::crc32c(bytes.substr(0, segment_header_size - 4)) ||
        version != segment_version || replaced > max_replaced || header.base >= Lsn(1) << 63 ||
        (header.kind != SegmentKind::Log && header.kind != SegmentKind::Compacted))
        return std::nullopt;
    return header;
}

std::string segment_name(std::uint64_t id)
{
    std::string digits(16, '0');
    for (std::size_t i = 16; i-- > 0; id >>= 4)
        digits[i] = "0123456789abcdef"[id & 15];
    return util::concat(segment_prefix, digits);
}

std::optional<std::uint64_t> segment_id(std::string_view name)
{
    if (!name.starts_with(segment_prefix) || name.size() != segment_prefix.size() + 16)
        return std::nullopt;
    name.remove_prefix(segment_prefix.size());
    std::uint64_t id = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id, 16);
    if (error != std::errc() || end != name.data() + name.size())
        return std::nullopt;
    return id;
}

std::optional<Frame> frame_at(std::string_view bytes, std::uint64_t offset, std::uint64_t tag,
                              Lsn after)
{
    if (offset + record_header_size > bytes.size())
        return std::nullopt;
    auto header = decode_header(bytes.substr(offset), tag);
    if (!header || header->lsn <= after || header->length > bytes.size() - offset)
        return std::nullopt;
    Frame frame{*header, offset, bytes.substr(offset, header->length)};
    if (util::crc32c(frame.meta()) != header->meta_checksum)
        return std::nullopt;
    return frame;
}

namespace {

// Where the next record header with the right tag and checksum may be, from `offset` on.
std::uint64_t find_tag(std::string_view bytes, std::uint64_t offset, std::uint64_t tag)
{
    std::string_view wanted(reinterpret_cast<const char*>(&tag), sizeof tag);
    while (offset < bytes.size()) {
        std::size_t found = bytes.find(wanted, offset);
        if (found == bytes.npos)
            return bytes.size();
        if (found % record_alignment == 0)
            return found;
        offset = found + 1;
    }
    return bytes.size();
}

bool body_is_whole(const Frame& frame)
{
    if (frame.header.type == Type::Voided)
        return false;   // its body is what was refused
    if (frame.header.type != Type::Arrival)
        return frame.header.length == record_header_size + frame.header.meta_length;
    auto message = MessageRecord::decode(frame.meta());
    return message && message->verify(frame);
}

// Drops records that reached the disk, of a batch that did not as a whole: those beyond the last
// durable mark whose body is damaged.
void drop_unsynced_damage(Scan& scan)
{
    std::vector<Frame> kept;
    kept.reserve(scan.frames.size());
    for (const auto& frame : scan.frames) {
        if (frame.header.lsn <= scan.durable || body_is_whole(frame)) {
            kept.push_back(frame);
        } else {
            scan.gaps.push_back({frame.offset, padded(frame.bytes.size())});
            scan.refused.push_back(frame);
        }
    }
    scan.frames = std::move(kept);
}

}  // namespace

Scan scan_segment(std::string_view bytes, std::uint64_t tag, bool verify, std::uint64_t at)
{
    Scan scan;
    std::uint64_t begin = at == 0 ? segment_header_size : 0;
    std::uint64_t offset = begin;
    Lsn last = 0;
    while (offset < bytes.size()) {
        auto frame = frame_at(bytes, offset, tag, last);
        if (!frame) {
            std::uint64_t next = offset;
            do {
                next = find_tag(bytes, next + 1, tag);
                frame = frame_at(bytes, next, tag, last);
            } while (!frame && next < bytes.size());
            if (!frame)
                break;
            scan.gaps.push_back({offset, next - offset});
            offset = next;
        }
        last = frame->header.lsn;
        scan.durable = std::max(scan.durable, frame->header.durable);
        offset += padded(frame->bytes.size());
        scan.frames.push_back(*frame);
    }
    if (verify)
        drop_unsynced_damage(scan);
    else
        scan.durable = last;

    // Records begin at multiples of the alignment, also behind one whose padding was cut off.
    scan.end = begin;
    if (!scan.frames.empty())
        scan.end = scan.frames.back().offset + padded(scan.frames.back().bytes.size());
    // A gap with nothing valid behind it is the tail.
    auto in_tail = [&](const auto& item) { return item.offset >= scan.end; };
    std::erase_if(scan.gaps, in_tail);
    std::erase_if(scan.refused, in_tail);
    std::ranges::sort(scan.gaps, {}, &Scan::Gap::offset);
    std::size_t nonzero = bytes.find_last_not_of('\0');
    if (nonzero != bytes.npos && nonzero >= scan.end)
        scan.tail = nonzero + 1 - scan.end;
    for (auto& frame : scan.frames)
        frame.offset += at;
    for (auto& frame : scan.refused)
        frame.offset += at;
    for (auto& gap : scan.gaps)
        gap.offset += at;
    scan.end += at;
    return scan;
}

}  // namespace store
