// What usher hears: of local, of the doors, of mailboxes, of auth.
#include "libipc/authentication.h"
#include "libipc/mailbox.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::OpenMailbox>(bytes);
    fuzz::round_trip<ipc::OpenSession>(bytes);
    fuzz::round_trip<ipc::SessionCount>(bytes);
    fuzz::round_trip<ipc::Leaving>(bytes);
    fuzz::round_trip<ipc::NotStarted>(bytes);
    fuzz::round_trip<ipc::TicketRedeemed>(bytes);
    return 0;
}
