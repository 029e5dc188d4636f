// An entry of address_verify_map: what can be read is written the same again.
#include "libutil/check.h"
#include "verify/cache.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    auto entry = verify::parse_entry({reinterpret_cast<const char*>(data), size});
    if (!entry)
        return 0;
    CHECK(entry->result != ipc::Verification::Unknown && entry->updated >= 0 && entry->probed >= 0);
    auto again = verify::parse_entry(verify::to_text(*entry));
    CHECK(again && again->text == entry->text && again->updated == entry->updated && again->result == entry->result);
    return 0;
}
