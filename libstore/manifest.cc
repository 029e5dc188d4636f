// The manifest (see manifest.h).
#include "libstore/manifest.h"

#include "libutil/crc32c.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

namespace store {

namespace {

constexpr std::uint64_t spare_room = 16U << 10;

std::string hex_of(std::uint64_t number, std::size_t width)
{
    std::string digits(width, '0');
    for (std::size_t i = width; i-- > 0; number >>= 4)
        digits[i] = "0123456789abcdef"[number & 15];
    return digits;
}

std::optional<std::uint64_t> parse_hex(std::string_view text, std::size_t width)
{
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (text.size() != width || error != std::errc() || end != text.data() + text.size() ||
        hex_of(number, width) != text)
        return std::nullopt;
    return number;
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    auto number = util::parse_unsigned(text);
    if (!number.ok())
        return std::nullopt;
    return *number;
}

}  // namespace

std::string snapshot_name(std::uint64_t number)
{
    return util::concat("snapshot-", hex_of(number, 16));
}

std::string encode_manifest(const Manifest& manifest)
{
    std::string text = util::concat("tern-store 1\ntag ", hex_of(manifest.tag, 16), "\ngeneration ",
                                    manifest.generation, "\ndurable ", manifest.durable, "\n");
    for (const auto& segment : manifest.segments)
        util::append(text, "segment ", hex_of(segment.id, 16), " ",
                     segment.kind == SegmentKind::Log ? "log" : "compacted", " ", segment.base, "\n");
    if (manifest.snapshot)
        util::append(text, "snapshot ", hex_of(manifest.snapshot, 16), "\n");
    util::append(text, "checksum ", hex_of(util::crc32c(text), 8), "\n");
    return text;
}

std::optional<Manifest> decode_manifest(std::string_view text)
{
    std::size_t start = text.rfind("checksum ");
    if (start == text.npos || !text.ends_with('\n') || !text.starts_with("tern-store 1\n"))
        return std::nullopt;
    std::string_view sum = text.substr(start + 9, text.size() - start - 10);
    text = text.substr(0, start);
    auto checksum = parse_hex(sum, 8);
    if (!checksum || *checksum != util::crc32c(text))
        return std::nullopt;

    Manifest manifest;
    auto lines = util::split(text, '\n');
    lines.pop_back();
    for (std::string_view line : std::span(lines).subspan(1)) {
        auto words = util::split(line, ' ');
        std::optional<std::uint64_t> number;
        if (words[0] == "tag" && words.size() == 2 && (number = parse_hex(words[1], 16))) {
            manifest.tag = *number;
        } else if (words[0] == "generation" && words.size() == 2 && (number = parse_number(words[1]))) {
            manifest.generation = *number;
        } else if (words[0] == "durable" && words.size() == 2 && (number = parse_number(words[1]))) {
            manifest.durable = *number;
        } else if (words[0] == "snapshot" && words.size() == 2 && (number = parse_hex(words[1], 16))) {
            manifest.snapshot = *number;
        } else if (words[0] == "segment" && words.size() == 4 && (number = parse_hex(words[1], 16)) &&
                   (words[2] == "log" || words[2] == "compacted")) {
            auto base = parse_number(words[3]);
            if (!base)
                return std::nullopt;
            manifest.segments.push_back(
                {*number, words[2] == "log" ? SegmentKind::Log : SegmentKind::Compacted, *base});
        } else {
            return std::nullopt;
        }
    }
    if (manifest.tag == 0 || manifest.segments.empty() || manifest.durable >= Lsn(1) << 63)
        return std::nullopt;
    return manifest;
}

util::Result<void> write_manifest(const std::string& directory, const Manifest& manifest)
{
    std::string text = encode_manifest(manifest);
    std::string next = directory + "/manifest.next";
    {
        auto fd = TRY(util::sys::open(next, O_WRONLY | O_CREAT));
        TRY(util::sys::pwrite_all(fd.get(), text, 0));
        TRY(util::sys::ftruncate(fd.get(), text.size()));
        TRY(util::sys::fsync(fd.get()));
    }
    TRY(util::sys::rename(next, directory + "/manifest"));
    TRY(util::sys::sync_directory(directory));
    // Room for the next time; on a full disk there may be none, and then there was need of it now.
    auto spare = util::sys::open(next, O_WRONLY | O_CREAT);
    if (spare.ok())
        (void)util::sys::fallocate_keep_size(spare->get(), 0, spare_room);
    return {};
}

}  // namespace store
