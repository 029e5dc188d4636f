// A segment of the search index holds anything: its reader answers what makes sense or an error, and what it reads
// comes out of the writer again.  The input is taken as a file, and as the parts of one whose checksums are right.
#include "libsearch/segment.h"
#include "libstore/codec.h"
#include "libutil/check.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"

#include <algorithm>
#include <map>

namespace {

using namespace search;

util::UniqueFd file_of(std::string_view bytes)
{
    auto fd = util::sys::memfd("segment");
    CHECK(fd.ok());
    CHECK(util::sys::pwrite_all(fd->get(), bytes, 0).ok());
    return fd.take();
}

std::map<Key, std::vector<std::uint32_t>> all_of(Segment& segment, bool& whole)
{
    std::map<Key, std::vector<std::uint32_t>> all;
    Segment::Walk walk(segment);
    for (;;) {
        auto next = walk.next();
        whole = next.ok();
        if (!whole || !*next)
            return all;
        std::vector<std::uint32_t> chunks;
        whole = walk.chunks(chunks).ok();
        if (!whole)
            return all;
        CHECK(std::ranges::is_sorted(chunks) && std::ranges::adjacent_find(chunks) == chunks.end());
        CHECK(!chunks.empty() && chunks.back() < segment.chunks());
        CHECK(walk.key() >> key_bits == 0);
        // Keys ascend within a block; the table says that blocks do.
        all[walk.key()] = std::move(chunks);
    }
}

void try_file(std::string_view bytes)
{
    auto opened = Segment::open(file_of(bytes));
    if (!opened.ok())
        return;
    for (const Document& document : opened->documents())
        CHECK(document.first_chunk <= opened->chunks());
    for (Key key : {Key(0), Key(0x616263), Key(1) << 24, (Key(1) << key_bits) - 1}) {
        Postings postings;
        (void)opened->find(key, postings);
    }
    bool whole = false;
    auto all = all_of(*opened, whole);
    if (!whole)
        return;
    auto copy = file_of({});
    SegmentWriter writer(copy.get(), opened->documents(), opened->chunks());
    for (const auto& [key, chunks] : all)
        CHECK(writer.add(key, chunks).ok());
    CHECK(writer.finish().ok());
    auto again = Segment::open(std::move(copy));
    CHECK(again.ok());
    for (const auto& [key, chunks] : all) {
        Postings postings;
        std::vector<std::uint32_t> found;
        CHECK(again->find(key, postings).ok() && postings.chunks(again->chunks(), found) && found == chunks);
        // Every second one, and some that are not there.
        std::vector<std::uint32_t> some;
        std::vector<std::uint32_t> wanted;
        for (std::uint32_t chunk = 0; chunk < again->chunks(); chunk += 2) {
            some.push_back(chunk);
            if (std::ranges::binary_search(chunks, chunk))
                wanted.push_back(chunk);
        }
        CHECK(postings.filter(again->chunks(), some) && some == wanted);
    }
}

// The input as header, documents, table and blocks.
std::string with_checksums(std::string_view input)
{
    store::Reader reader(input);
    SegmentHeader header;
    header.documents = reader.u8() % 5;
    header.chunks = reader.u8() + (reader.u8() % 8 == 0 ? 70'000u : 0);
    header.blocks = reader.u8() % 5;
    std::vector<Document> documents;
    std::uint32_t chunk = 0;
    for (std::uint32_t i = 0; i < header.documents; ++i) {
        documents.push_back({i * 3 + 1, reader.u8(), chunk, reader.u8() % 2 == 0});
        chunk = std::min(header.chunks, chunk + reader.u8() % 4);
    }
    std::vector<BlockEntry> blocks;
    std::uint64_t at = header_bytes;
    for (std::uint32_t i = 0; i < header.blocks; ++i) {
        blocks.push_back({reader.u32() & 0x01ffffff, 0, at});
        at += 1 + reader.u8();
    }
    std::ranges::sort(blocks, {}, &BlockEntry::first);
    for (std::size_t i = 0, offset = header_bytes; i < blocks.size(); ++i, offset += 7)
        blocks[i].offset = offset;
    std::string data(reader.left());
    if (data.size() < blocks.size() * 7 + 1)
        data.resize(blocks.size() * 7 + 1);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        blocks[i].checksum = util::crc32c(std::string_view(data).substr(i * 7, i + 1 < blocks.size() ? 7 : data.npos));
    header.documents_at = header_bytes + data.size();
    std::string table_of_documents = encode_documents(documents);
    header.documents_checksum = util::crc32c(table_of_documents);
    header.blocks_at = header.documents_at + table_of_documents.size();
    std::string table = encode_blocks(blocks);
    header.blocks_checksum = util::crc32c(table);
    return header.encode() + data + table_of_documents + table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size > 100'000)
        return 0;
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try_file(bytes);
    try_file(with_checksums(bytes));
    BlockReader reader(bytes, 0, 1000);
    std::vector<std::uint32_t> chunks;
    while (reader.next()) {
        chunks.clear();
        Postings postings;
        reader.postings(postings);
        if (postings.chunks(1000, chunks))
            CHECK(chunks.size() == postings.count && chunks.back() < 1000);
    }
    return 0;
}
