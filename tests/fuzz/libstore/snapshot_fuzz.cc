// Any file is opened as a snapshot without harm, also with its checksums made right.
#include "libstore/snapshot.h"
#include "libutil/crc32c.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <cstring>

namespace {

constexpr std::uint64_t tag = 0x1122334455667788;
constexpr std::size_t directory_part = 8 + 8 + 11 * 8 + 2 * 24;  // of the header

template <typename Integer>
Integer get(const std::string& bytes, std::size_t at)
{
    Integer value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

void put(std::string& bytes, std::size_t at, auto value)
{
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

void mend(std::string& bytes)
{
    if (bytes.size() < store::snapshot_header_size)
        return;
    std::memcpy(bytes.data(), "TERNSNP\1", 8);
    put(bytes, 8, std::uint32_t(1));
    put(bytes, 12, std::uint32_t(store::snapshot_header_size));
    put(bytes, 16, tag);
    auto offset = get<std::uint64_t>(bytes, directory_part);
    auto count = get<std::uint64_t>(bytes, directory_part + 8);
    // Each outline's checksum, where a section of places seems to be.
    constexpr std::string_view number("\4\0\0\0", 4);
    for (std::size_t at = bytes.find(number, store::snapshot_header_size); at != bytes.npos; at = bytes.find(number, at + 1))
        for (std::size_t place = at + 16; place + 24 <= bytes.size(); place += 32) {
            auto from = get<std::uint64_t>(bytes, place);
            auto length = get<std::uint64_t>(bytes, place + 8);
            if (from > bytes.size() || length > bytes.size() - from)
                break;
            put(bytes, place + 16, util::crc32c(std::string_view(bytes).substr(from, length)));
        }
    if (offset <= bytes.size() && count <= bytes.size() - offset)
        put(bytes, directory_part + 16, util::crc32c(std::string_view(bytes).substr(offset, count)));
    put(bytes, store::snapshot_header_size - 4,
        util::crc32c(std::string_view(bytes).substr(0, store::snapshot_header_size - 4)));
}

void try_open(const std::string& bytes)
{
    auto file = util::sys::memfd("snapshot");
    if (!file.ok() || !util::sys::write_all(file->get(), bytes).ok())
        return;
    store::State state(tag);
    auto snapshot = store::Snapshot::open(util::concat("/proc/self/fd/", file->get()), tag, state);
    if (!snapshot.ok())
        return;
    for (auto& [id, folder] : state.folders) {
        (void)snapshot->read_outline(*folder);
        (void)snapshot->load(*folder);
    }
    (void)snapshot->load_contents(state);
    (void)snapshot->load_kept(state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string bytes(reinterpret_cast<const char*>(data), size);
    try_open(bytes);
    mend(bytes);
    try_open(bytes);
    return 0;
}
