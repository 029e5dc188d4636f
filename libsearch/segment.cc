// One segment of the index.
#include "libsearch/segment.h"

#include "libutil/crc32c.h"
#include "libutil/sys.h"

#include <algorithm>

namespace search {

namespace {

constexpr std::size_t write_size = 256U << 10;

util::Error damaged()
{
    return util::invalid("a segment of the search index is damaged");
}

}  // namespace

util::Result<void> Segment::read(std::uint64_t offset, std::size_t length, std::string& out) const
{
    out.resize(length);
    for (std::size_t got = 0; got < length;) {
        std::size_t more = TRY(util::sys::pread(fd_.get(), std::span(out).subspan(got), offset + got));
        if (more == 0)
            return damaged();
        got += more;
    }
    return {};
}

util::Result<Segment> Segment::open(util::UniqueFd fd)
{
    struct stat status = TRY(util::sys::fstat(fd.get()));
    if (!S_ISREG(status.st_mode) || status.st_size < off_t(header_bytes))
        return damaged();
    Segment segment(std::move(fd), {});
    std::string bytes;
    TRY(segment.read(0, header_bytes, bytes));
    auto header = SegmentHeader::decode(bytes, std::uint64_t(status.st_size));
    if (!header)
        return damaged();
    segment.header_ = *header;
    TRY(segment.read(header->documents_at, std::size_t(header->documents) * document_bytes, bytes));
    auto documents = decode_documents(bytes, *header);
    TRY(segment.read(header->blocks_at, std::size_t(header->blocks) * block_entry_bytes, bytes));
    auto blocks = decode_blocks(bytes, *header);
    if (!documents || !blocks)
        return damaged();
    segment.documents_ = std::move(*documents);
    segment.blocks_ = std::move(*blocks);
    return segment;
}

util::Result<void> Segment::read_block(std::size_t number, std::string& out) const
{
    const BlockEntry& block = blocks_[number];
    std::uint64_t end = number + 1 < blocks_.size() ? blocks_[number + 1].offset : header_.documents_at;
    TRY(read(block.offset, std::size_t(end - block.offset), out));
    if (util::crc32c(out) != block.checksum)
        return damaged();
    return {};
}

util::Result<void> Segment::find(Key key, Postings& out)
{
    out = {};
    auto behind = std::ranges::upper_bound(blocks_, key, {}, &BlockEntry::first);
    if (behind == blocks_.begin())
        return {};
    auto number = std::size_t(behind - blocks_.begin()) - 1;
    TRY(read_block(number, buffer_));
    BlockReader reader(buffer_, blocks_[number].first, header_.chunks);
    while (reader.next()) {
        if (reader.key() < key)
            continue;
        if (reader.key() == key)
            reader.postings(out);
        break;
    }
    if (reader.broken())
        return damaged();
    return {};
}

util::Result<bool> Segment::Walk::next()
{
    for (;;) {
        if (reader_ && reader_->next())
            return true;
        if (reader_ && reader_->broken())
            return damaged();
        reader_.reset();
        if (block_ == segment_.blocks_.size())
            return false;
        TRY(segment_.read_block(block_, bytes_));
        reader_.emplace(bytes_, segment_.blocks_[block_++].first, segment_.chunks());
    }
}

util::Result<void> Segment::Walk::chunks(std::vector<std::uint32_t>& out)
{
    reader_->postings(postings_);
    if (!postings_.chunks(segment_.chunks(), out))
        return damaged();
    return {};
}

SegmentWriter::SegmentWriter(int fd, std::vector<Document> documents, std::uint32_t chunks)
    : fd_(fd), documents_(std::move(documents))
{
    header_.documents = std::uint32_t(documents_.size());
    header_.chunks = chunks;
    pending_.assign(header_bytes, '\0');
}

void SegmentWriter::end_block()
{
    if (block_.empty())
        return;
    blocks_.back().checksum = util::crc32c(block_);
    pending_ += block_;
    block_.clear();
}

util::Result<void> SegmentWriter::flush()
{
    TRY(util::sys::pwrite_all(fd_, pending_, written_));
    written_ += pending_.size();
    pending_.clear();
    return {};
}

util::Result<void> SegmentWriter::add(Key key, const std::vector<std::uint32_t>& chunks)
{
    if (block_.empty())
        blocks_.push_back({.first = key, .checksum = 0, .offset = written_ + pending_.size()});
    append_number(block_, block_.empty() ? 0 : key - last_);
    append_postings(block_, chunks, header_.chunks);
    last_ = key;
    if (block_.size() >= wanted_block)
        end_block();
    if (pending_.size() >= write_size)
        TRY(flush());
    return {};
}

util::Result<void> SegmentWriter::finish()
{
    end_block();
    header_.documents_at = written_ + pending_.size();
    std::string documents = encode_documents(documents_);
    header_.documents_checksum = util::crc32c(documents);
    pending_ += documents;
    header_.blocks_at = written_ + pending_.size();
    std::string blocks = encode_blocks(blocks_);
    header_.blocks_checksum = util::crc32c(blocks);
    header_.blocks = std::uint32_t(blocks_.size());
    pending_ += blocks;
    TRY(flush());
    // Last, so that a file that was not finished has none.
    return util::sys::pwrite_all(fd_, header_.encode(), 0);
}

}  // namespace search
