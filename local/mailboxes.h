// Connections to the mailbox processes of users, made by usher(8), with many deliveries in flight.
//
// A message may be what ends a mailbox process.  Those that it had not answered are suspects: of one
// alone that is told; several go out again one at a time, with nothing beside them, until it is known.
//
// One connection for each user, kept while it is of use; when there are more than the limit, the
// one that has been idle longest is closed.  A connection that is lost gives back what it had not
// yet made durable: the caller may order it again, the store answers "stored" without a second
// copy.
#pragma once

#include "libipc/channel.h"
#include "libipc/mailbox.h"
#include "libutil/event.h"

#include <deque>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace local {

// What is delivered, for whom it was ordered: a number that the caller chooses.
using DeliveryId = std::uint64_t;

class MailboxEvents {
public:
    virtual ~MailboxEvents() = default;
    // The connection stands: fill in the order, it is sent now.  `shared` is a descriptor that goes
    // along, or -1; it stays the caller's.
    virtual void fill(DeliveryId id, ipc::Deliver& order) = 0;
    // The order was sent; what fill() moved into it can be moved back.
    virtual void sent(DeliveryId id, ipc::Deliver& order) = 0;
    virtual void stored(DeliveryId id) = 0;
    // Of these four, one ends each delivery.
    virtual void durable(DeliveryId id) = 0;
    virtual void refused(DeliveryId id, const ipc::DeliveryRefused& refusal) = 0;
    // No mailbox can be had: usher said why.
    virtual void unavailable(DeliveryId id, bool permanent, std::string_view why) = 0;
    // The connection was lost before the message was durable.
    enum class Blame : std::uint8_t {
        None,    // the process was not up, or had stored this message
        Shared,  // others were in its hands, too: this one is delivered again when its turn comes
        Alone,
    };
    // For Shared no new order is to be given.
    virtual void lost(DeliveryId id, Blame blame) = 0;
};

class Mailboxes {
public:
    // A mailbox that owes answers and gives none for `timeout` is given up; so is usher.
    Mailboxes(util::EventLoop& loop, std::string usher_socket, std::size_t connection_limit,
              util::Duration timeout, MailboxEvents& events);

    // Delivers to the account's mailbox; the answers come by events, some perhaps from within.
    void deliver(const std::string& account, DeliveryId id);

    std::size_t connections() const { return connections_.size(); }
    std::size_t in_flight() const { return in_flight_; }

private:
    struct Flight {
        DeliveryId id = 0;
        std::uint64_t lsn = 0;
        bool stored = false;
        bool unsent = false;   // it found that the process has gone
    };
    struct Connection {
        std::string account;
        bool is_up = false;                     // the process has said so
        std::uint64_t request = 0;              // while usher is asked
        std::unique_ptr<ipc::Channel> channel;  // null until then
        std::vector<DeliveryId> waiting;
        std::vector<Flight> flights;            // in the order of sending
        util::Instant progress;                 // when it last answered, or began to owe an answer
        std::list<Connection*>::iterator idle;  // valid when is_idle
        bool is_idle = false;
    };

    // Of an account whose mailbox ended with several messages in hand.
    struct Trial {
        DeliveryId current = 0;                 // 0: none
        std::deque<DeliveryId> suspects;
        std::vector<DeliveryId> waiting;        // others; they go out when it is over
    };

    void order(const std::string& account, DeliveryId id);
    void continue_trial(const std::string& account, DeliveryId done);
    Connection& connect(const std::string& account);
    bool reach_usher();
    void usher_said(ipc::Packet& packet);
    void usher_lost(const util::Error& error);
    void opened(ipc::MailboxOpened& answer);
    void failed(std::uint64_t request, bool permanent, std::string_view why);
    void give_up(const std::string& account, std::vector<DeliveryId> ids, bool permanent, std::string_view why);
    void send(Connection& connection, DeliveryId id);
    void mailbox_said(Connection& connection, ipc::Packet& packet);
    void made_durable(Connection& connection, std::uint64_t lsn);
    void mailbox_lost(Connection& connection, const util::Error& error);
    void settle(Connection& connection);
    void unlist(Connection& connection);
    void remove(Connection& connection);
    void watch_time();
    void sweep();

    util::EventLoop& loop_;
    std::string usher_socket_;
    std::size_t connection_limit_;
    util::Duration timeout_;
    MailboxEvents& events_;
    std::unique_ptr<ipc::Channel> usher_;
    std::uint64_t next_request_ = 1;
    std::size_t in_flight_ = 0;
    std::unordered_map<std::string, std::unique_ptr<Connection>> connections_;   // by account
    std::unordered_map<std::uint64_t, Connection*> requests_;
    std::unordered_map<std::string, Trial> trials_;   // by account
    std::list<Connection*> idle_;   // the one idle longest first
    util::Timer sweep_timer_;
};

}  // namespace local
