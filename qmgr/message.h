// A message in the active queue.
#pragma once

#include "libqueue/directory.h"
#include "libqueue/reader.h"
#include "qmgr/scheduler.h"

namespace qmgr {

struct MessageRecipient {
    enum class State : std::uint8_t {
        Waiting,     // in the scheduler
        Busy,        // an agent works on it
        Delivered,
        Deferred,
        Bounced,     // failed; whoever is to know is not yet told
        Finished,    // nothing is left to do for it
    };
    queue::RecipientEntry entry;
    State state = State::Waiting;
    bool marked = false;                          // as done, in the file
    bool warned = false;                          // the sender knows that it is late
    bool told = false;                            // the sender knows of its success
    bool alias = false;                           // stands for its members, and has no mark
    std::string return_to;                        // who hears of its failure instead of the sender
    std::string pass_to;                          // transport:nexthop, when its own transport passed it on
    std::unique_ptr<ipc::DeliveryStatus> status;  // of the last attempt
};

struct Message {
    using State = MessageRecipient::State;

    MessageNumber number = 0;
    std::string id;
    util::UniqueFd file;        // read-only; agents get it
    util::UniqueFd writable;    // of the named file, once something is to be written
    queue::Place place = queue::Place::Incoming;
    ipc::Envelope envelope;
    std::vector<MessageRecipient> recipients;
    std::uint64_t size = 0;
    bool expanded = false;
    std::string content_filter; // transport:destination for all its recipients; else each has its own route

    bool ruled = false;         // delivered, refused or keep: decided once
    bool named = false;
    bool active = false;        // its recipients went to the scheduler
    bool abandoned = false;     // nobody was promised anything: forget it when its jobs are over
    bool hold = false;          // to be held, or deleted, when its jobs are over
    bool remove = false;
    bool expire = false;        // what is not delivered in this attempt goes back
    std::string reason;         // for hold and remove
    std::size_t cleaner = 0;    // the connection that offered it, until it is named
    util::Instant offered{};
    std::int64_t activated = 0; // microseconds since 1970

    std::size_t outstanding = 0;   // recipients Waiting or Busy, once it is active
    std::size_t open = 0;          // the same, and before; those that Intake counts
    std::size_t flights = 0;       // jobs at agents
    unsigned deaths = 0;           // agents that ended while they worked on it
    bool warned = false;           // the sender knows that it is late
    bool notifying = false;        // bounce works on a notification
    bool notified = false;         // in this round: failures
    bool success_told = false;     // in this round: NOTIFY=SUCCESS
    bool delay_told = false;       // in this round
    bool report_ordered = false;   // in this round: Envelope::report
    std::uint32_t reported_to = 0; // recipients before this index have been reported on
    bool reported = false;

    // Nothing is delivered: the sender asks what would become of it.
    bool verifies() const { return envelope.report == ipc::Report::Deliverability || is_probe(); }
    // verify(8) asks it: there is no file and there will be none.
    bool is_probe() const { return envelope.report == ipc::Report::Probe; }

    std::size_t count(State state) const
    {
        std::size_t result = 0;
        for (const MessageRecipient& recipient : recipients)
            result += recipient.state == state;
        return result;
    }
};

// A job at an agent.
struct Flight {
    MessageNumber message = 0;
    std::string transport;
    std::vector<std::uint32_t> pending;   // recipients without an outcome
    std::size_t unstored = 0;
    bool delivered = false;
    bool destination_failed = false;
    std::string reason;
};

// A notification at the bounce agent, or on its way there.
struct Notice {
    MessageNumber message = 0;
    ipc::Notify::Kind kind = ipc::Notify::Kind::Failure;
    std::vector<std::uint32_t> recipients;
    bool more = false;             // not all fit: when this one is written another one follows
};

}  // namespace qmgr
