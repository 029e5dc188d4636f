// What usher hears: of local, of the doors, of mailboxes, of auth, of smtpd.
#include "libipc/authentication.h"
#include "libipc/fork_server.h"
#include "libipc/parking.h"
#include "libipc/quota.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::OpenMailbox>(bytes);
    fuzz::round_trip<ipc::OpenSession>(bytes);
    fuzz::round_trip<ipc::OpenUserSession>(bytes);
    fuzz::round_trip<ipc::ExpireMail>(bytes);
    fuzz::round_trip<ipc::MailExpired>(bytes);
    fuzz::round_trip<ipc::SessionCount>(bytes);
    fuzz::round_trip<ipc::Leaving>(bytes);
    fuzz::round_trip<ipc::ParkSession>(bytes);
    fuzz::round_trip<ipc::ReturnSession>(bytes);
    fuzz::round_trip<ipc::WakeSessions>(bytes);
    fuzz::round_trip<ipc::NotStarted>(bytes);
    fuzz::round_trip<ipc::FillingWanted>(bytes);
    fuzz::round_trip<ipc::FillingOver>(bytes);
    fuzz::round_trip<ipc::MailboxForked>(bytes);
    fuzz::round_trip<ipc::TicketRedeemed>(bytes);
    fuzz::round_trip<ipc::UsageTold>(bytes);
    fuzz::round_trip<ipc::RoomWanted>(bytes);
    fuzz::round_trip<ipc::QuotaAsked>(bytes);
    fuzz::round_trip<ipc::UsageWanted>(bytes);
    return 0;
}
