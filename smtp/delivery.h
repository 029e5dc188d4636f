// Delivery: one job, from its nexthop to an outcome for every recipient.
//
// Servers are tried in their order.  A recipient that one refuses for now is tried with the next; who is
// left at the end is deferred.  The connection that is used last may stay open for the next job.
#pragma once

#include "smtp/body_checks.h"
#include "smtp/generic.h"
#include "smtp/site/hosts.h"
#include "smtp/require_tls.h"
#include "smtp/session.h"

#include "libconf/common.h"
#include "libipc/status_filter.h"

#include <set>

namespace queue {
class Reader;
}

namespace smtp {

// A connection that waits for the next job.
struct Kept {
    std::unique_ptr<Session> session;
    std::string nexthop;
    util::Instant until{};       // when it is closed

    bool holds(std::string_view wanted) const { return session && nexthop == wanted; }
    void drop();                 // with QUIT
};

// Servers that offer CHUNKING and do not know BDAT; after so many it is forgotten who.
constexpr std::size_t max_without_bdat = 1000;

// What a process has for all its jobs.
struct Services {
    const Config& config;
    SessionSite session;
    HostRules hosts;
    Lookup& lookup;
    std::function<util::Result<net::Stream>(const Host& host)> connect;
    routing::Router* router = nullptr; // whose addresses are ours; null: senders stay
    // How long one job may take: who is slow at everything must not have this process ended as stuck.
    util::Duration job_time = std::chrono::hours(24);
    Generic* generic = nullptr;        // null: addresses stay
    HeaderChecks* checks = nullptr;    // null: content does
    std::uint64_t max_converted = max_converted_size;   // bytes of a message for a server without 8BITMIME
    ipc::StatusFilter* status_filter = nullptr;   // null: outcomes stay
    RequireTls* require_tls = nullptr; // null: REQUIRETLS and TLS-Required mean nothing
    Kept kept = {};
    std::set<std::string> without_bdat = {};   // as Host::relay()
};

class Delivery {
public:
    using Report = std::function<util::Result<void>(const ipc::Outcome& outcome)>;
    Delivery(Services& services, const ipc::Job& job, Report report);
    ~Delivery();

    // Reports each recipient once.  An error is qmgr's end.
    util::Result<void> run();

private:
    util::Result<void> prepare();
    util::Result<std::string> change_header(std::string_view header);
    ContentChange content_change();
    util::Result<std::string> path_of(std::string_view address, bool& utf8) const;
    util::Result<void> find_forwarded();
    util::Result<void> deliver_all();
    util::Result<void> deliver();
    util::Result<bool> try_kept();
    util::Result<void> try_destinations();
    util::Result<bool> try_destination(const Destination& destination, bool last);
    util::Result<bool> try_host(const Destination& destination, const Host& host, bool last);
    std::unique_ptr<Session> open_session(const Destination& destination, const Host& host);
    std::unique_ptr<Session> begin_session(const Destination& destination, const Host& host, const trust::TlsDecision& decision,
                                           bool& wants_clear);
    bool is_safe_enough(const Session& session);
    util::Result<trust::TlsWish> wish_for(std::string_view destination, const Host& host);
    bool note_bdat(const Session& session);
    void note_protection(const Session& session) const;
    util::Result<void> settle(Session& session, bool last);
    Purpose purpose(const Destination& destination) const;
    bool worth_keeping(const Session& session) const;
    void put_away(std::unique_ptr<Session> session);
    void note_failure(Failure why);
    util::Result<void> finish(Target& target, Failure end);
    util::Result<void> finish_all(const Failure& why);
    void log(const Target& target, const ipc::DeliveryStatus& status) const;
    std::vector<Target*> pending();

    Services& services_;
    const ipc::Job& job_;
    Report report_;
    util::WallTime received_;
    util::Instant began_;
    std::optional<util::Instant> ready_;    // a server was there to take the message
    Letter letter_;
    std::unique_ptr<queue::Reader> reader_;
    std::vector<Target> targets_;
    std::vector<bool> finished_;            // as targets_
    std::optional<mail::Address> srs_sender_;   // for the forwarded ones
    bool forwarded_ = false;                // which of the targets it is the turn of
    bool turn_follows_ = false;             // the others come next: the connection stays open
    std::size_t sessions_ = 0;
    bool keeps_ = false;                    // the connection in use stays open
    std::uint64_t use_ = 0;                 // the number of this message on it
    std::optional<Failure> failure_;        // of the servers so far
    std::optional<Failure> unmet_;          // the first host that lacks what REQUIRETLS asks for
    std::optional<Failure> postponed_;      // the last failure of a host that may be good enough
    std::string pass_to_;
};

}  // namespace smtp
