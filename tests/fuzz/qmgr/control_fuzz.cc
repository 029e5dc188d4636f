// What tools, cleanup and agents may send to qmgr.
#include "libipc/delivery.h"
#include "libipc/offer.h"
#include "libipc/queue_control.h"

namespace {

template <typename Message>
void decode(std::string_view bytes)
{
    ipc::Packet packet{std::string(bytes), {}};
    auto message = ipc::decode<Message>(packet);
    if (!message.ok())
        return;
    // What was understood is written and read again.
    std::vector<int> descriptors;
    ipc::Packet again{ipc::encode(*message, descriptors), {}};
    if (descriptors.empty() && !ipc::decode<Message>(again).ok())
        __builtin_trap();
    (void)ipc::describe(*message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    decode<ipc::QueueList>(bytes);
    decode<ipc::QueueItem>(bytes);
    decode<ipc::QueueFlush>(bytes);
    decode<ipc::QueueChange>(bytes);
    decode<ipc::QueueEnd>(bytes);
    decode<ipc::Offer>(bytes);
    decode<ipc::Named>(bytes);
    decode<ipc::NotNamed>(bytes);
    decode<ipc::Ruling>(bytes);
    decode<ipc::Outcome>(bytes);
    decode<ipc::StoredNotice>(bytes);
    decode<ipc::AgentGreeting>(bytes);
    return 0;
}
