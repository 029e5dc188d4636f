// Jobs from qmgr(8) become deliveries to mailboxes, errands and new messages, and their outcomes.
//
// Each recipient of a job is one piece of work: it is expanded (expansion.h), its ends are served, and then
// qmgr is told what became of it: deferred if any of them has to come again, else bounced if any failed.
// Where the one end is a mailbox there are two answers: Stored when the mailbox has the message, Outcome
// when it survives a power cut.  A delivery whose mailbox dies is tried a second time at once; then it is
// deferred.  When two mailbox processes ended over one message, the second time with no other in hand, the
// outcome says so (Outcome::deaths); so it does of one, with no other in hand, when the second try found no
// mailbox that was alive.
#pragma once

#include "libipc/channel.h"
#include "libipc/delivery.h"
#include "libutil/event.h"
#include "local/errands.h"
#include "local/expansion.h"
#include "local/forwarder.h"
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
    std::string errands_socket;
    util::Duration errand_timeout{3600'000'000};
    ForwardSettings forward;
    std::function<void(const std::string& address, ipc::DeliveryStatus& status)> filter;   // null: outcomes stay
    bool delivered_to_forward = true;    // prepend_delivered_header
    ExpansionRules rules;
};

class Agent : private MailboxEvents {
public:
    Agent(util::EventLoop& loop, AgentSettings settings);
    ~Agent() override;

    // A connection of qmgr; `gone` is called when it is over.
    void accept(util::UniqueFd connection, std::function<void()> gone);
    // No new jobs; `done` is called when none is left.
    void stop(std::function<void()> done);
    // Recipients in work.
    std::size_t deliveries() const { return works_.size(); }

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
        ipc::Envelope envelope;
        // Those who send it on hold it, too, until it is sent.
        std::shared_ptr<Message> message = std::make_shared<Message>();
        std::size_t left = 0;       // recipients without an outcome
        util::WallTime received;
    };
    using WorkId = std::uint64_t;
    struct Work {   // a recipient of a job
        // All work of a job shares it; it goes with the last one.
        std::shared_ptr<ActiveJob> job;
        const ipc::JobRecipient* recipient = nullptr;   // in the job
        std::unique_ptr<Expansion> expansion;
        bool walking = false;        // the expansion is at it now
        std::size_t ends = 0;
        std::size_t open = 0;        // ends that have no status yet
        std::vector<End> forwards;   // wait until all else is done
        ipc::DeliveryStatus status;  // the worst yet
        std::size_t statuses = 0;
        bool mailing_list = false;
        std::string pass_to;         // transport:nexthop
        std::string return_to;       // of a mailing list: who hears of a failure
        util::Instant began;
        util::Instant handed_over;   // the message, to a mailbox or an errand
        bool handed = false;
        bool stored = false;         // was told to qmgr
        std::uint32_t deaths = 0;    // that qmgr is told of
    };
    struct Delivery {   // to a mailbox
        WorkId work = 0;
        End end;
        bool retried = false;
        std::uint32_t deaths = 0;    // of mailbox processes that may be this message's doing
        bool alone = false;          // it was the only one in hand at one of them
        bool blamed = false;         // qmgr is told of them
    };

    void received(std::uint64_t manager, ipc::Packet& packet);
    void begin(Manager& manager, ipc::Job job);
    void begin(const std::shared_ptr<ActiveJob>& job, const ipc::JobRecipient& recipient);
    void advance(WorkId id);
    void tell_ends(WorkId id, std::vector<End> ends);
    void serve(WorkId id, End end);
    void run_errand(WorkId id, const End& end);
    void conclude(WorkId id);
    void send_on(WorkId id, std::vector<End> ends);
    ForwardOrder forward_order(const Work& work, const std::vector<End>& ends) const;
    void close(WorkId id, const std::string& address, ipc::DeliveryStatus status);
    void note(Work& work, const std::string& address, ipc::DeliveryStatus status);
    void finish(WorkId id);
    void finish(DeliveryId id, ipc::DeliveryStatus status);
    void fail_all(const std::shared_ptr<ActiveJob>& job, const util::Error& error);
    void log(const Work& work, const std::string& address, const ipc::DeliveryStatus& status) const;
    void report(Work& work);
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
    std::uint64_t next_id_ = 1;
    std::unordered_map<std::uint64_t, Manager> managers_;
    std::unordered_map<WorkId, Work> works_;
    std::unordered_map<DeliveryId, Delivery> deliveries_;
    std::function<void()> done_;
    Mailboxes mailboxes_;
    Errands errands_;
    Forwarder forwarder_;
};

}  // namespace local
