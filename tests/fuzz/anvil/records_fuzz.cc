// What anvil hears of smtpd and auth, and they of it.
#include "libipc/unblock.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::CountEvent>(bytes);
    fuzz::round_trip<ipc::Counted>(bytes);
    fuzz::round_trip<ipc::Disconnect>(bytes);
    fuzz::round_trip<ipc::LoginAsked>(bytes);
    fuzz::round_trip<ipc::LoginHistory>(bytes);
    fuzz::round_trip<ipc::LoginEnded>(bytes);
    fuzz::round_trip<ipc::ForgetFailures>(bytes);
    fuzz::round_trip<ipc::FailuresForgotten>(bytes);
    return 0;
}
