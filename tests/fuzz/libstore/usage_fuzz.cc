// The remark of a closed store: usher reads it as root, and a user can write it.
#include "libstore/usage_file.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto remark = store::decode_usage(bytes);
    if (remark)
        CHECK(store::encode_usage(*remark) == bytes);
    return 0;
}
