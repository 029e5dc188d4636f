// What local hears: of qmgr, of usher, of mailboxes.
#include "libipc/delivery.h"
#include "libipc/mailbox.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::Job>(bytes);
    fuzz::round_trip<ipc::MailboxOpened>(bytes);
    fuzz::round_trip<ipc::MailboxFailed>(bytes);
    fuzz::round_trip<ipc::DeliveryStored>(bytes);
    fuzz::round_trip<ipc::DeliveryRefused>(bytes);
    fuzz::round_trip<ipc::Durable>(bytes);
    return 0;
}
