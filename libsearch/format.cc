// How a segment of the index lies on disk.
#include "libsearch/format.h"

#include "libstore/codec.h"
#include "libutil/crc32c.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace search {

namespace {

constexpr std::string_view magic = "TernIdx1";
constexpr std::uint32_t opaque_flag = 1;

}  // namespace

std::uint64_t short_guid(const store::Guid& guid)
{
    std::uint64_t value;
    std::memcpy(&value, guid.bytes.data(), sizeof value);
    return value;
}

void append_number(std::string& out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        out += char(value | 0x80);
    out += char(value);
}

bool take_number(std::string_view& left, std::uint64_t& value)
{
    value = 0;
    for (unsigned shift = 0, i = 0; shift < 63 && i < left.size(); shift += 7) {
        auto byte = static_cast<unsigned char>(left[i++]);
        value |= std::uint64_t(byte & 0x7F) << shift;
        if (byte & 0x80)
            continue;
        left.remove_prefix(i);
        return true;
    }
    return false;
}

std::string SegmentHeader::encode() const
{
    std::string out(magic);
    store::Writer writer(out);
    writer.u32(documents);
    writer.u32(chunks);
    writer.u32(blocks);
    writer.u32(documents_checksum);
    writer.u32(blocks_checksum);
    writer.u32(0);
    writer.u64(documents_at);
    writer.u64(blocks_at);
    out.resize(header_bytes - 4);
    writer.u32(util::crc32c(out));
    return out;
}

std::optional<SegmentHeader> SegmentHeader::decode(std::string_view bytes, std::uint64_t file_size)
{
    if (bytes.size() != header_bytes || !bytes.starts_with(magic))
        return std::nullopt;
    store::Reader reader(bytes.substr(magic.size()));
    SegmentHeader header;
    header.documents = reader.u32();
    header.chunks = reader.u32();
    header.blocks = reader.u32();
    header.documents_checksum = reader.u32();
    header.blocks_checksum = reader.u32();
    reader.u32();
    header.documents_at = reader.u64();
    header.blocks_at = reader.u64();
    store::Reader last(bytes.substr(header_bytes - 4));
    if (last.u32() != util::crc32c(bytes.substr(0, header_bytes - 4)) || header.documents > max_documents ||
        header.chunks > max_chunks || header.blocks > max_blocks)
        return std::nullopt;
    if (header.documents_at < header_bytes || header.documents_at > file_size || header.blocks_at > file_size ||
        header.blocks_at != header.documents_at + std::uint64_t(header.documents) * document_bytes ||
        file_size != header.blocks_at + std::uint64_t(header.blocks) * block_entry_bytes)
        return std::nullopt;
    return header;
}

std::string encode_documents(const std::vector<Document>& documents)
{
    std::string out;
    out.reserve(documents.size() * document_bytes);
    store::Writer writer(out);
    for (const auto& document : documents) {
        writer.u64(document.content);
        writer.u64(document.guid);
        writer.u32(document.first_chunk);
        writer.u32(document.opaque ? opaque_flag : 0);
    }
    return out;
}

std::optional<std::vector<Document>> decode_documents(std::string_view bytes, const SegmentHeader& header)
{
    if (bytes.size() != std::size_t(header.documents) * document_bytes || util::crc32c(bytes) != header.documents_checksum)
        return std::nullopt;
    std::vector<Document> documents(header.documents);
    store::Reader reader(bytes);
    store::Lsn content = 0;
    std::uint32_t chunk = 0;
    for (auto& document : documents) {
        document.content = reader.u64();
        document.guid = reader.u64();
        document.first_chunk = reader.u32();
        document.opaque = reader.u32() & opaque_flag;
        if (document.content <= content || document.first_chunk < chunk || document.first_chunk > header.chunks)
            return std::nullopt;
        content = document.content;
        chunk = document.first_chunk;
    }
    return documents;
}

std::string encode_blocks(const std::vector<BlockEntry>& blocks)
{
    std::string out;
    out.reserve(blocks.size() * block_entry_bytes);
    store::Writer writer(out);
    for (const auto& block : blocks) {
        writer.u32(block.first);
        writer.u32(block.checksum);
        writer.u64(block.offset);
    }
    return out;
}

std::optional<std::vector<BlockEntry>> decode_blocks(std::string_view bytes, const SegmentHeader& header)
{
    if (bytes.size() != std::size_t(header.blocks) * block_entry_bytes || util::crc32c(bytes) != header.blocks_checksum)
        return std::nullopt;
    std::vector<BlockEntry> blocks(header.blocks);
    store::Reader reader(bytes);
    std::uint64_t end = header_bytes;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        blocks[i] = {reader.u32(), reader.u32(), reader.u64()};
        bool first = i == 0;
        if (blocks[i].first >> key_bits || (!first && blocks[i].first <= blocks[i - 1].first) ||
            (first ? blocks[i].offset != header_bytes : blocks[i].offset <= end) ||
            blocks[i].offset - end > max_block || blocks[i].offset >= header.documents_at)
            return std::nullopt;
        end = blocks[i].offset;
    }
    if (header.documents_at - end > max_block)
        return std::nullopt;
    return blocks;
}

void append_postings(std::string& out, const std::vector<std::uint32_t>& chunks, std::uint32_t all_chunks)
{
    std::string bytes;
    std::size_t bitmap = (std::size_t(all_chunks) + 7) / 8;
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < chunks.size() && bytes.size() < bitmap; ++i) {
        append_number(bytes, i == 0 ? chunks[i] : chunks[i] - last - 1);
        last = chunks[i];
    }
    bool bits = bytes.size() >= bitmap;
    if (bits) {
        bytes.assign(bitmap, '\0');
        for (std::uint32_t chunk : chunks)
            bytes[chunk / 8] = char(bytes[chunk / 8] | 1 << (chunk % 8));
    }
    append_number(out, std::uint64_t(chunks.size()) << 1 | std::uint64_t(bits));
    append_number(out, bytes.size());
    out += bytes;
}

bool BlockReader::number(std::uint64_t& value)
{
    broken_ = broken_ || !take_number(left_, value);
    return !broken_;
}

bool BlockReader::next()
{
    if (broken_ || left_.empty())
        return false;
    std::uint64_t step = 0;
    std::uint64_t count = 0;
    std::uint64_t length = 0;
    if (!number(step) || !number(count) || !number(length))
        return false;
    if ((step == 0) == begun_ || step >> key_bits || (key_ + step) >> key_bits || count >> 1 > all_chunks_ || count < 2 ||
        length > left_.size() || ((count & 1) && length != (std::uint64_t(all_chunks_) + 7) / 8)) {
        broken_ = true;
        return false;
    }
    begun_ = true;
    key_ += Key(step);
    bits_ = count & 1;
    count_ = std::uint32_t(count >> 1);
    postings_ = left_.substr(0, std::size_t(length));
    left_.remove_prefix(std::size_t(length));
    return true;
}

void BlockReader::postings(Postings& out) const
{
    out.bytes.assign(postings_);
    out.count = count_;
    out.bits = bits_;
}

bool Postings::chunks(std::uint32_t all_chunks, std::vector<std::uint32_t>& out) const
{
    std::size_t before = out.size();
    if (bits) {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            for (auto byte = static_cast<unsigned char>(bytes[i]); byte; byte = static_cast<unsigned char>(byte & (byte - 1)))
                out.push_back(std::uint32_t(i * 8) + std::uint32_t(std::countr_zero(byte)));
        return out.size() - before == count && out.back() < all_chunks;
    }
    std::uint64_t chunk = 0;
    for (std::string_view left = bytes; !left.empty();) {
        std::uint64_t step = 0;
        if (!take_number(left, step) || step >= all_chunks)
            return false;
        chunk = out.size() == before ? step : chunk + step + 1;
        if (chunk >= all_chunks)
            return false;
        out.push_back(std::uint32_t(chunk));
    }
    return out.size() - before == count;
}

bool Postings::filter(std::uint32_t all_chunks, std::vector<std::uint32_t>& chunks) const
{
    if (bits) {
        std::erase_if(chunks, [this](std::uint32_t chunk) {
            return chunk / 8 >= bytes.size() || !(static_cast<unsigned char>(bytes[chunk / 8]) >> (chunk % 8) & 1);
        });
        return true;
    }
    std::vector<std::uint32_t> own;
    own.reserve(std::min<std::size_t>(count, bytes.size()));
    if (!this->chunks(all_chunks, own))
        return false;
    auto at = own.begin();
    std::erase_if(chunks, [&](std::uint32_t chunk) {
        while (at != own.end() && *at < chunk)
            ++at;
        return at == own.end() || *at != chunk;
    });
    return true;
}

}  // namespace search
