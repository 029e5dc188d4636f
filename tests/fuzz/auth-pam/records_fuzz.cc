// What auth-pam hears of auth, and auth of it.
#include "libipc/pam.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::CheckUser>(bytes);
    fuzz::round_trip<ipc::UserChecked>(bytes);
    return 0;
}
