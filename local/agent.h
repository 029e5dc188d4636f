// Jobs from qmgr(8) become deliveries to mailboxes, and their outcomes.
//
// Each recipient of a job is one delivery.  It is answered twice: Stored when the user's mailbox
// has it, Outcome when it survives a power cut, or when it cannot be delivered.  A delivery whose
// mailbox dies is tried a second time at once; then it is deferred.  When two mailbox processes ended
// over one message, the second time with no other in hand, the outcome says so (Outcome::deaths); so
// it does of one, with no other in hand, when the second try found no mailbox that was alive.
#pragma once

#include "libipc/channel.h"
#include "libipc/delivery.h"
#include "libutil/event.h"
#include "local/mailboxes.h"
#include "local/message.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace local {

struct AgentSettings {
    std::string usher_socket;
    std::uint32_t job_limit = 200;       // local_job_limit: jobs in flight on each connection
    std::size_t connection_limit = 100;  // local_mailbox_connection_limit
    util::Duration timeout{300'000'000};  // local_delivery_timeout
    bool over_quota_defer = false;       // over_quota_defer
    bool add_original = false;           // enable_original_recipient's X-Original-To
};

// The account whose mailbox an address is, extensions considered: NotFound, or Temporary when the
// tables cannot be read.
using FindAccount = std::function<util::Result<std::string>(std::string_view address)>;

class Agent : private MailboxEvents {
public:
    Agent(util::EventLoop& loop, AgentSettings settings, FindAccount find_account);
    ~Agent() override;

    // A connection of qmgr; `gone` is called when it is over.
    void accept(util::UniqueFd connection, std::function<void()> gone);
    // No new jobs; `done` is called when none is left.
    void stop(std::function<void()> done);
    std::size_t deliveries() const { return deliveries_.size(); }

private:
    struct Manager {   // a connection of qmgr
        std::uint64_t id = 0;
        std::uint32_t jobs = 0;
        std::unique_ptr<ipc::Channel> channel;
        std::function<void()> gone;
    };
    struct ActiveJob {
        std::uint64_t manager = 0;
        ipc::Job job;
        Message message;
        std::size_t left = 0;       // recipients without an outcome
        util::WallTime received;
    };
    struct Delivery {
        // All deliveries of a job share it; it goes with the last one.
        std::shared_ptr<ActiveJob> job;
        const ipc::JobRecipient* recipient = nullptr;   // in the job
        std::string account;
        util::Instant began;
        util::Instant handed_over;   // to the mailbox; 0 until then
        bool handed = false;
        bool stored = false;         // was told to qmgr
        bool retried = false;
        std::uint32_t deaths = 0;    // of mailbox processes that may be this message's doing
        bool alone = false;          // it was the only one in hand at one of them
        bool blamed = false;         // qmgr is told of them
    };

    void received(std::uint64_t manager, ipc::Packet& packet);
    void begin(Manager& manager, ipc::Job job);
    void begin(const std::shared_ptr<ActiveJob>& job, const ipc::JobRecipient& recipient);
    void finish(DeliveryId id, ipc::DeliveryStatus status, bool destination_failed = false);
    void fail_all(const std::shared_ptr<ActiveJob>& job, const util::Error& error);
    void report(const Delivery& delivery, ipc::DeliveryStatus status, bool destination_failed);
    ipc::Channel* channel_of(std::uint64_t manager);

    void fill(DeliveryId id, ipc::Deliver& order) override;
    void sent(DeliveryId id, ipc::Deliver& order) override;
    void stored(DeliveryId id) override;
    void durable(DeliveryId id) override;
    void refused(DeliveryId id, const ipc::DeliveryRefused& refusal) override;
    void unavailable(DeliveryId id, bool permanent, std::string_view why) override;
    void lost(DeliveryId id, Blame blame) override;

    util::EventLoop& loop_;
    AgentSettings settings_;
    FindAccount find_account_;
    std::uint64_t next_id_ = 1;
    std::unordered_map<std::uint64_t, Manager> managers_;
    std::unordered_map<DeliveryId, Delivery> deliveries_;
    std::function<void()> done_;
    Mailboxes mailboxes_;
};

}  // namespace local
