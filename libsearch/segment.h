// One segment of the index: written once, read by preads of single blocks.
//
// The reader believes nothing: what does not fit its checksum, or makes no sense, is Invalid, and the owner forgets
// the segment.  Files are read, not mapped: one that is cut short meanwhile is an error, not a signal.
#pragma once

#include "libsearch/format.h"
#include "libutil/result.h"
#include "libutil/unique_fd.h"

namespace search {

class Segment {
public:
    static util::Result<Segment> open(util::UniqueFd fd);

    std::uint32_t chunks() const { return header_.chunks; }
    std::uint64_t bytes() const { return header_.blocks_at + std::uint64_t(header_.blocks) * block_entry_bytes; }
    const std::vector<Document>& documents() const { return documents_; }
    // The chunks that hold the key; a count of 0 if there are none.
    util::Result<void> find(Key key, Postings& out);

    // All keys, one after the other.
    class Walk {
    public:
        explicit Walk(Segment& segment) : segment_(segment) {}
        // False at the end.
        util::Result<bool> next();
        Key key() const { return reader_->key(); }
        util::Result<void> chunks(std::vector<std::uint32_t>& out);

    private:
        Segment& segment_;
        std::size_t block_ = 0;
        std::string bytes_;
        std::optional<BlockReader> reader_;
        Postings postings_;
    };

private:
    Segment(util::UniqueFd fd, SegmentHeader header) : fd_(std::move(fd)), header_(header) {}
    util::Result<void> read(std::uint64_t offset, std::size_t length, std::string& out) const;
    util::Result<void> read_block(std::size_t number, std::string& out) const;

    util::UniqueFd fd_;
    SegmentHeader header_;
    std::vector<Document> documents_;
    std::vector<BlockEntry> blocks_;
    std::string buffer_;
};

class SegmentWriter {
public:
    // `documents` ascend by content and by chunk.  Writes to `fd` from its beginning; it is empty.
    SegmentWriter(int fd, std::vector<Document> documents, std::uint32_t chunks);

    // Keys ascend, and so do chunks, of which there is one at least.
    util::Result<void> add(Key key, const std::vector<std::uint32_t>& chunks);
    util::Result<void> finish();

private:
    void end_block();
    util::Result<void> flush();

    int fd_;
    std::vector<Document> documents_;
    SegmentHeader header_;
    std::vector<BlockEntry> blocks_;
    std::string block_;
    Key last_ = 0;
    std::uint64_t written_ = 0;
    std::string pending_;
};

}  // namespace search
