// Any record from a local peer: decoding every kind of message must end with a message or an error.
#include "libipc/authentication.h"
#include "libipc/delivery.h"
#include "libipc/offer.h"
#include "libipc/queue_control.h"
#include "libipc/statistics.h"
#include "libipc/submission.h"
#include "libipc/who.h"

namespace {

template <typename Message>
void decode_and_back(std::string_view bytes)
{
    ipc::Packet packet;
    packet.bytes = bytes;
    auto message = ipc::decode<Message>(packet);
    // Had it come without its descriptors: never as a whole message, and for an answer if it is one at all.
    ipc::Packet cut;
    cut.bytes = bytes;
    cut.cut = true;
    CHECK(!ipc::decode<Message>(cut).ok());
    auto rest = ipc::decode_cut<Message>(cut);
    CHECK(rest.ok() || !message.ok());
    if (!message.ok())
        return;
    std::vector<int> descriptors;
    ipc::Packet again;
    again.bytes = ipc::encode(*message, descriptors);
    CHECK(ipc::decode<Message>(again).ok());
    CHECK(ipc::describe(*message).find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    decode_and_back<ipc::Greeting>(bytes);
    decode_and_back<ipc::QueueList>(bytes);
    decode_and_back<ipc::QueueItem>(bytes);
    decode_and_back<ipc::QueueChange>(bytes);
    decode_and_back<ipc::Statistics>(bytes);
    decode_and_back<ipc::WhoAnswer>(bytes);
    decode_and_back<ipc::EndSessions>(bytes);
    decode_and_back<ipc::Renounce>(bytes);
    decode_and_back<ipc::Begin>(bytes);
    decode_and_back<ipc::Verdict>(bytes);
    decode_and_back<ipc::Offer>(bytes);
    decode_and_back<ipc::Ruling>(bytes);
    decode_and_back<ipc::Job>(bytes);
    decode_and_back<ipc::Outcome>(bytes);
    decode_and_back<ipc::Notify>(bytes);
    decode_and_back<ipc::OpenSession>(bytes);
    decode_and_back<ipc::SessionReturned>(bytes);
    decode_and_back<ipc::NewSession>(bytes);
    decode_and_back<ipc::GroupsChanged>(bytes);
    decode_and_back<ipc::UserGroups>(bytes);
    decode_and_back<ipc::Deliver>(bytes);
    decode_and_back<ipc::Authenticate>(bytes);
    decode_and_back<ipc::AuthenticationResult>(bytes);
    return 0;
}
