// Ascending uids as bytes.
#include "imapd/engine/uid_runs.h"

namespace imapd::engine {

namespace {

void append_varint(std::string& out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        out += char(value | 0x80);
    out += char(value);
}

// At most 32 bits, in the shortest form.
std::uint32_t read_varint(store::Reader& reader)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        std::uint8_t byte = reader.u8();
        value |= std::uint64_t(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (value > UINT32_MAX || (byte == 0 && shift > 0))
            break;
        return std::uint32_t(value);
    }
    reader.fail();
    return 0;
}

}  // namespace

void append_runs(std::string& out, std::span<const std::uint32_t> uids)
{
    std::string runs;
    std::uint32_t count = 0;
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < uids.size(); ++count) {
        std::size_t end = i + 1;
        while (end < uids.size() && uids[end] == uids[end - 1] + 1)
            ++end;
        append_varint(runs, uids[i] - last);
        append_varint(runs, end - i - 1);
        last = uids[end - 1];
        i = end;
    }
    store::Writer(out).u32(count);
    out += runs;
}

std::vector<std::uint32_t> read_runs(store::Reader& reader)
{
    std::vector<std::uint32_t> uids;
    std::uint32_t last = 0;
    for (auto count = reader.count(2); count > 0 && reader.ok(); --count) {
        std::uint32_t distance = read_varint(reader);
        std::uint64_t more = read_varint(reader);
        std::uint64_t first = std::uint64_t(last) + distance;
        if (distance == 0 || first + more > UINT32_MAX || uids.size() + more >= max_uids_in_runs) {
            reader.fail();
            break;
        }
        for (std::uint64_t uid = first; uid <= first + more; ++uid)
            uids.push_back(std::uint32_t(uid));
        last = std::uint32_t(first + more);
    }
    if (!reader.ok())
        uids.clear();
    return uids;
}

}  // namespace imapd::engine
