// New messages for addresses that are not of this delivery: handed to cleanup(8), as submission.h says.
//
// A few standing connections; what comes while all are in use waits.  Nothing here is retried: when a
// message is not taken, its recipient is deferred and the whole comes again.
#pragma once

#include "libipc/channel.h"
#include "libipc/submission.h"
#include "local/message.h"

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace local {

struct ForwardSettings {
    std::string cleanup_socket;
    std::size_t connection_limit = 10;   // local_forward_connection_limit
    util::Duration timeout{300'000'000};
    std::string hostname;                // for the Received: field
    std::string mail_name;
};

struct ForwardOrder {
    ipc::Envelope envelope;              // queue_id and arrival are filled in
    std::vector<ipc::Recipient> recipients;
    std::string delivered_to;            // for the field; empty: none
    std::shared_ptr<const Message> message;
};

class Forwarder {
public:
    // The new message's queue id; Permanent when cleanup refuses it, else Temporary.
    using Done = std::function<void(util::Result<std::string> queue_id)>;

    Forwarder(util::EventLoop& loop, ForwardSettings settings);
    // `done` is called later, never from within.
    void submit(ForwardOrder order, Done done);

    std::size_t connections() const { return links_.size(); }
    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Pending {
        ForwardOrder order;
        Done done;
    };
    struct Link {
        std::unique_ptr<ipc::Channel> channel;
        std::string next_queue_id;         // empty until cleanup has greeted
        std::unique_ptr<Pending> current;
        std::string queue_id;              // of the current one
        std::string prefix;                // what is sent before the content, until it is sent
        std::uint64_t sent = 0;            // bytes of the content
        std::size_t recipients_sent = 0;
        bool begun = false;
        bool all_sent = false;
        util::Instant progress;
    };

    void serve();
    bool open();
    void begin(Link& link);
    void send_more(Link& link);
    util::Result<std::string> next_piece(Link& link, std::size_t room) const;
    void received(Link& link, ipc::Packet& packet);
    void verdict(Link& link, const ipc::Verdict& verdict);
    void lost(Link& link, const util::Error& error);
    void drop(Link& link);
    void watch_time();
    void sweep();

    util::EventLoop& loop_;
    ForwardSettings settings_;
    std::vector<std::unique_ptr<Link>> links_;
    std::deque<std::unique_ptr<Pending>> waiting_;
    util::Timer serve_timer_;
    util::Timer sweep_timer_;
};

}  // namespace local
