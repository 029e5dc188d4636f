// What bounce hears of qmgr, and what it makes of it.
#include "bounce/notification.h"
#include "tests/fuzz/records.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz::round_trip<ipc::Notify>(bytes);
    ipc::Packet packet = fuzz::packet_of(bytes);
    auto order = ipc::decode<ipc::Notify>(packet);
    if (!order.ok())
        return 0;
    bounce::Identity identity{.myhostname = "mail.example.org",
                              .myorigin = "example.org",
                              .double_bounce_sender = "double-bounce",
                              .size_limit = 1000};
    (void)bounce::has_reader(order->envelope, identity);
    bounce::Attachment attached{.content = std::string(bytes), .full = (size & 1) != 0};
    auto text = bounce::compose(*order, attached, identity, "NEW1", util::from_unix_seconds(1'800'000'000));
    if (text.ok()) {
        CHECK(text->ends_with("\r\n"));
        CHECK(text->find("\r\n\r\n") != std::string::npos);
    }
    return 0;
}
