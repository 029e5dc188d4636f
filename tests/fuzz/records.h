// For fuzzers of messages: what can be read is written the same way again.
#pragma once

#include "libipc/wire.h"
#include "libutil/check.h"

#include <fcntl.h>
#include <unistd.h>

namespace fuzz {

// A record with two descriptors, as a hostile peer might send it.
inline ipc::Packet packet_of(std::string_view bytes)
{
    ipc::Packet packet;
    packet.bytes = bytes;
    for (int i = 0; i < 2; ++i)
        packet.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return packet;
}

template <typename Message>
void round_trip(std::string_view bytes)
{
    ipc::Packet packet = packet_of(bytes);
    auto message = ipc::decode<Message>(packet);
    if (!message.ok())
        return;
    std::vector<int> descriptors;
    std::string once = ipc::encode(*message, descriptors);
    (void)ipc::describe(*message);
    ipc::Packet again;
    again.bytes = once;
    for (int fd : descriptors)
        again.descriptors.emplace_back(::dup(fd));
    auto second = ipc::decode<Message>(again);
    // Fields that came in pieces may be more than a record holds when they are written out.
    if (!second.ok())
        return;
    descriptors.clear();
    CHECK(ipc::encode(*second, descriptors) == once);
}

}  // namespace fuzz
