// What a mailbox hears: of usher, and of local.
#include "libipc/mailbox.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::MailboxSettings>(bytes);
    fuzz::round_trip<ipc::NewDeliveries>(bytes);
    fuzz::round_trip<ipc::NewSession>(bytes);
    fuzz::round_trip<ipc::Deliver>(bytes);
    return 0;
}
