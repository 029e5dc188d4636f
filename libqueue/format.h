// The layout of a queue file; tern-queue(5) describes it for people.
//
//   superblock   64 bytes: magic, versions, where the parts are, CRC-32C
//   envelope     records: one Envelope, then recipients
//   content      as received, never rewritten
//   trailer      records: late recipients, patches, the summary
//   end          32 bytes: CRC-32C of each part, and of itself
//   story        lines, each with its own CRC-32C, appended later
//
// Numbers are little-endian.  A record is a type byte, 24 bits of length, the payload, and zeros up
// to a multiple of four; structs in it are written as between programs (libipc/wire.h), so that a
// field can be added without a new version.  Records of unknown type are passed over.
//
// A recipient's payload begins with a mark of four bytes, "wait" or "done", at a multiple of four:
// it is rewritten in place and cannot be torn.  The checksums count every mark as "wait".
#pragma once

#include "libutil/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace queue::format {

constexpr std::string_view magic = "TernQue\n";
constexpr unsigned version = 1;
// The oldest reader that can make sense of what we write.
constexpr unsigned readable_by = 1;

constexpr std::size_t superblock_size = 64;
constexpr std::size_t end_size = 32;
constexpr std::string_view end_magic = "End\n";
constexpr std::string_view mark_waiting = "wait";
constexpr std::string_view mark_done = "done";
constexpr std::size_t mark_size = 4;
constexpr std::size_t record_header_size = 4;

// Limits, on both sides.
constexpr std::size_t max_record_size = (1U << 24) - 1;
constexpr std::size_t max_envelope_size = 64U << 20;
constexpr std::size_t max_trailer_size = 128U << 20;
constexpr std::size_t max_recipients = 200'000;
constexpr std::size_t max_patches = 100'000;

enum class RecordType : char {
    Envelope = 'E',
    Recipient = 'R',
    Patch = 'P',     // u64 offset, u32 length, replacement
    Summary = 'S',
    Alias = 'A',     // an address that was replaced by several, whose sender is told so
};

struct Superblock {
    std::uint64_t content_offset = 0;   // where the envelope ends
    std::uint64_t content_size = 0;
    std::uint64_t trailer_size = 0;     // with the zeros that align it

    std::uint64_t trailer_offset() const { return content_offset + content_size; }
    std::uint64_t end_offset() const { return trailer_offset() + trailer_size; }
    std::uint64_t story_offset() const { return end_offset() + end_size; }
};

std::string encode_superblock(const Superblock& superblock);
// Invalid: not a queue file, written for newer readers only, or rotten.
util::Result<Superblock> decode_superblock(std::string_view bytes);

struct End {
    std::uint32_t envelope_crc = 0;
    std::uint32_t content_crc = 0;
    std::uint32_t trailer_crc = 0;
};

std::string encode_end(const End& end);
util::Result<End> decode_end(std::string_view bytes);

std::uint32_t get_u32(std::string_view bytes, std::size_t offset);
std::uint64_t get_u64(std::string_view bytes, std::size_t offset);
void put_u32(std::string& out, std::uint32_t value);
void put_u64(std::string& out, std::uint64_t value);

// Appends a record and its padding; the caller has bounded the payload (max_record_size).
void put_record(std::string& out, RecordType type, std::string_view payload);
// Zeros up to a multiple of four of `base + out.size()`.
void put_padding(std::string& out, std::uint64_t base);

struct RecordView {
    char type = 0;
    std::string_view payload;
    std::size_t offset = 0;   // of the payload in the region
};

// Takes records off a region one by one.
class RecordCursor {
public:
    // `start`: where the first record is (the trailer begins with padding).
    explicit RecordCursor(std::string_view region, std::size_t start = 0) : region_(region), at_(start) {}

    bool at_end() const { return at_ >= region_.size(); }
    // Invalid when lengths or padding are wrong.
    util::Result<RecordView> next();

private:
    std::string_view region_;
    std::size_t at_;
};

}  // namespace queue::format
