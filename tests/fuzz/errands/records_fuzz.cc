// What local and errands say to each other, and what an errand's own process says.
#include "errands/worker.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::ReadList>(bytes);
    fuzz::round_trip<ipc::ListPart>(bytes);
    fuzz::round_trip<ipc::RunEntry>(bytes);
    fuzz::round_trip<ipc::ErrandDone>(bytes);
    fuzz::round_trip<ipc::ForgetErrand>(bytes);
    fuzz::round_trip<errands::Running>(bytes);
    return 0;
}
