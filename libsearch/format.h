// How a segment of the index lies on disk: tern-store(5), "THE SEARCH INDEX".
//
//   header, blocks, documents, table of blocks
//
// A block has a run of keys, ascending, each with the chunks that hold it.  Header, tables and each block have a
// checksum: nothing of this is ever synced, so what a power failure has left is seen when it is read.
#pragma once

#include "libsearch/trigrams.h"
#include "libstore/types.h"

#include <optional>
#include <string>
#include <string_view>

namespace search {

constexpr std::size_t header_bytes = 64;
constexpr std::size_t document_bytes = 24;
constexpr std::size_t block_entry_bytes = 16;
constexpr std::size_t wanted_block = 4096;            // a block ends behind the key with which it has as much
constexpr std::size_t max_block = 16U << 20;
constexpr std::uint32_t max_chunks = 50'000'000;      // of a segment
constexpr std::uint32_t max_documents = 20'000'000;
constexpr std::uint32_t max_blocks = 8'000'000;

// A message's content, by the record that brought it.  The beginning of its guid makes sure that an index that is
// left of another store is not taken for this one's.
struct Document {
    store::Lsn content = 0;
    std::uint64_t guid = 0;
    std::uint32_t first_chunk = 0;   // its chunks go on to the next document's
    bool opaque = false;             // what it holds is not known: it may be anything
};
std::uint64_t short_guid(const store::Guid& guid);

struct SegmentHeader {
    std::uint32_t documents = 0;
    std::uint32_t chunks = 0;
    std::uint32_t blocks = 0;
    std::uint32_t documents_checksum = 0;
    std::uint32_t blocks_checksum = 0;
    std::uint64_t documents_at = 0;
    std::uint64_t blocks_at = 0;

    std::string encode() const;
    // Only one whose parts fit into a file of this size.
    static std::optional<SegmentHeader> decode(std::string_view bytes, std::uint64_t file_size);
};

struct BlockEntry {
    Key first = 0;
    std::uint32_t checksum = 0;
    std::uint64_t offset = 0;
};

std::string encode_documents(const std::vector<Document>& documents);
// Nothing, unless contents and chunks ascend.
std::optional<std::vector<Document>> decode_documents(std::string_view bytes, const SegmentHeader& header);
std::string encode_blocks(const std::vector<BlockEntry>& blocks);
std::optional<std::vector<BlockEntry>> decode_blocks(std::string_view bytes, const SegmentHeader& header);

// The chunks that hold a key, ascending: as differences, or as bits where that is shorter.
void append_postings(std::string& out, const std::vector<std::uint32_t>& chunks, std::uint32_t all_chunks);

// The chunks that hold one key, as they lie in a block.
struct Postings {
    std::string bytes;
    std::uint32_t count = 0;
    bool bits = false;

    // Appends them; false if they make no sense.
    bool chunks(std::uint32_t all_chunks, std::vector<std::uint32_t>& out) const;
    // Leaves those of `chunks`, which ascend, that are among them.
    bool filter(std::uint32_t all_chunks, std::vector<std::uint32_t>& chunks) const;
};

// Reads a block key by key.
class BlockReader {
public:
    BlockReader(std::string_view bytes, Key first, std::uint32_t all_chunks)
        : left_(bytes), key_(first), all_chunks_(all_chunks)
    {
    }

    // False at the end, or where it makes no sense: then broken() says so.
    bool next();
    Key key() const { return key_; }
    void postings(Postings& out) const;
    bool broken() const { return broken_; }

private:
    bool number(std::uint64_t& value);

    std::string_view left_;
    Key key_;
    std::uint32_t all_chunks_;
    std::uint32_t count_ = 0;
    bool bits_ = false;
    bool begun_ = false;
    bool broken_ = false;
    std::string_view postings_;
};

void append_number(std::string& out, std::uint64_t value);
// Moves `left` behind it; false if it is not whole.
bool take_number(std::string_view& left, std::uint64_t& value);

}  // namespace search
