// Control: the peers at qmgr's public socket.
//
// What a peer's first record says decides what it is: cleanup with an offer, or a tool.  A tool's
// request is served in slices between other events, as fast as the tool reads.
#pragma once

#include "libipc/listener.h"
#include "libipc/queue_control.h"
#include "qmgr/manager.h"

#include <list>
#include <set>

namespace qmgr {

// Who may ask for what, by uid.
struct Permissions {
    uid_t owner = 0;                  // mail_owner, who may do all, as root may
    std::optional<uid_t> cleaner;     // may offer messages; nobody said: whoever may do all
    bool everybody_lists = false;
    bool everybody_flushes = false;
    std::vector<uid_t> listers;
    std::vector<uid_t> flushers;

    bool may_offer(uid_t uid) const { return cleaner ? uid == *cleaner : uid == owner; }
    bool may_change(uid_t uid) const { return uid == 0 || uid == owner; }
    bool may_list(uid_t uid) const;
    bool may_flush(uid_t uid) const;
    std::optional<uid_t> etrn;      // smtpd, which may have one site's mail flushed and not wait for it
};

class Control {
public:
    static constexpr std::size_t max_tools = 50;    // at a time; others are turned away
    static constexpr std::size_t max_sites = 1000;  // that wait to be flushed without anybody waiting

    Control(util::EventLoop& loop, Manager& manager, Permissions permissions)
        : loop_(loop), manager_(manager), permissions_(std::move(permissions)),
          sweep_timer_(loop, [this] { finished_.clear(); }), flush_timer_(loop, [this] { flush_slice(); })
    {
    }

    void add(util::UniqueFd fd, uid_t uid, std::function<void()> gone);
    std::size_t tools() const { return peers_.size(); }

private:
    struct Peer {
        util::UniqueFd fd;              // until it has said what it is
        uid_t uid = 0;
        std::function<void()> gone;
        util::Watch watch;
        util::Timer timer;              // the peer is removed
        util::Timer next_slice;
        std::unique_ptr<ipc::Channel> channel;
        std::vector<std::pair<std::optional<queue::Place>, std::string>> waiting;   // to be listed or looked at
        std::string site;               // with it, flush what is for it
        ipc::QueueChange change;        // with `all`, change what waits
        std::uint64_t count = 0;
        std::list<Peer>::iterator self;
    };

    void first_record(Peer& peer);
    void received(Peer& peer, ipc::Packet& packet);
    void list(Peer& peer, const ipc::QueueList& request);
    void flush(Peer& peer, const ipc::QueueFlush& request);
    void change(Peer& peer, ipc::QueueChange request);
    bool find_files(Peer& peer, ipc::QueueSet queues);
    void slice(Peer& peer);
    void list_one(Peer& peer, const std::optional<queue::Place>& place, const std::string& id);
    void flush_one(Peer& peer, queue::Place place, const std::string& id);
    void end(Peer& peer, std::string error);
    // Sites that are flushed with nobody waiting: one look through the queue for all that are asked for.
    void flush_later(const std::string& site);
    void flush_slice();
    void remove(Peer& peer);

    util::EventLoop& loop_;
    Manager& manager_;
    Permissions permissions_;
    std::list<Peer> peers_;
    std::list<Peer> finished_;      // until the callback that is theirs has returned
    util::Timer sweep_timer_;
    std::set<std::string> sites_asked_;      // from the next look on
    std::set<std::string> sites_;            // of this one
    std::vector<std::string> flush_ids_;     // to be looked at for them
    util::Timer flush_timer_;
};

}  // namespace qmgr
