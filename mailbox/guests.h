// Connections to other users' mailbox processes, for sessions of this user: asked of usher(8), which makes them.
#pragma once

#include "imapd/engine/remotes.h"
#include "libipc/channel.h"
#include "libipc/mailbox.h"
#include "libutil/event.h"
#include "libutil/unique_fd.h"

#include <map>
#include <memory>
#include <string>

namespace mailbox {

// What waits to be sent to another process beyond this ends the connection.
constexpr std::size_t max_guest_output = 96U << 20;

class Guests final : public imapd::engine::Remotes {
public:
    // `ask` sends to usher.
    struct Usher {
        std::function<void(const ipc::OpenGuest&)> open;
        std::function<void(const ipc::AskSharers&)> sharers;
    };
    Guests(util::EventLoop& loop, Usher usher) : loop_(loop), usher_(std::move(usher)) {}

    std::unique_ptr<imapd::engine::RemoteLink> open(const std::string& owner, imapd::engine::RemoteEvents events) override;
    std::unique_ptr<imapd::engine::RemoteLink> ask_owners(std::function<void(std::vector<std::string>)> then) override;

    // Is this usher's answer to something asked here?  Then it is taken.
    bool answered(ipc::Packet& packet);
    // Once in each turn of the loop: what is to be sent is sent, and as much received as there is room for.
    void settle();

private:
    struct Wire;       // a connection
    struct Question;
    class WireLink;
    class QuestionLink;

    util::EventLoop& loop_;
    Usher usher_;
    std::uint64_t next_request_ = 1;
    std::map<std::uint64_t, std::shared_ptr<Wire>> wires_;           // by request; those that are over are not here
    std::map<std::uint64_t, std::shared_ptr<Question>> questions_;
};

}  // namespace mailbox
