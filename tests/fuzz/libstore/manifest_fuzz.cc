// A manifest is whole or nothing, and encode() gives back what decode() took.
#include "libstore/manifest.h"
#include "libutil/check.h"
#include "libutil/crc32c.h"
#include "libutil/text.h"

namespace {

void try_text(std::string_view text)
{
    auto manifest = store::decode_manifest(text);
    if (!manifest)
        return;
    auto again = store::decode_manifest(store::encode_manifest(*manifest));
    CHECK(again && store::encode_manifest(*again) == store::encode_manifest(*manifest));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    try_text(text);
    std::uint32_t sum = util::crc32c(text);
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes += char(sum >> shift);
    try_text(util::concat(text, "checksum ", util::hex(bytes), "\n"));
    return 0;
}
