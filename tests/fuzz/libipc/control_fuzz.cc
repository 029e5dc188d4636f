// What master(8), its children and tern(1) tell each other.
#include "libipc/child.h"
#include "libipc/control.h"

#include "libutil/check.h"

namespace {

template <typename Message>
void decode_and_back(std::string_view bytes)
{
    ipc::Packet packet;
    packet.bytes = bytes;
    auto message = ipc::decode<Message>(packet);
    if (!message.ok())
        return;
    std::vector<int> descriptors;
    ipc::Packet again;
    again.bytes = ipc::encode(*message, descriptors);
    CHECK(ipc::decode<Message>(again).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    decode_and_back<server::Ready>(bytes);
    decode_and_back<server::AllBusy>(bytes);
    decode_and_back<server::Stop>(bytes);
    decode_and_back<server::NewCertificates>(bytes);
    decode_and_back<server::ControlRequest>(bytes);
    decode_and_back<server::ControlAnswer>(bytes);
    decode_and_back<server::WhoServed>(bytes);
    if (auto facts = server::Facts::decode(bytes))
        CHECK(server::Facts::decode(facts->encode())->slot == facts->slot);
    return 0;
}
