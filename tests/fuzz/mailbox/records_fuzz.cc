// What a mailbox hears: of usher, and of local.
#include "libipc/fork_server.h"
#include "libipc/mailbox.h"
#include "libipc/parking.h"
#include "libipc/quota.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::MailboxSettings>(bytes);
    fuzz::round_trip<ipc::ForkServer>(bytes);
    fuzz::round_trip<ipc::ForkMailbox>(bytes);
    fuzz::round_trip<ipc::NewDeliveries>(bytes);
    fuzz::round_trip<ipc::NewSession>(bytes);
    fuzz::round_trip<ipc::UserGroups>(bytes);
    fuzz::round_trip<ipc::FillingGranted>(bytes);
    fuzz::round_trip<ipc::ExpireMail>(bytes);
    fuzz::round_trip<ipc::SessionParked>(bytes);
    fuzz::round_trip<ipc::WatchMailboxes>(bytes);
    fuzz::round_trip<ipc::Deliver>(bytes);
    fuzz::round_trip<ipc::QuotaOrder>(bytes);
    fuzz::round_trip<ipc::RoomAnswer>(bytes);
    fuzz::round_trip<ipc::UsageAsked>(bytes);
    return 0;
}
