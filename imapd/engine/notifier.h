// What a client that has said NOTIFY SET is told of mailboxes that it has not selected, and of their list
// (RFC 5465).  Of the selected mailbox the View tells.
//
// Nothing is queued: of each mailbox it is kept what the client knows, and what differs is told, once it is
// safe on the disk.
#pragma once

#include "imapd/engine/mailbox_status.h"
#include "imapd/engine/notify_arguments.h"
#include "libipc/protocol_session.h"
#include "libstore/codec.h"
#include "libstore/store.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace imapd::engine {

class Notifier {
public:
    // Mailboxes that are watched at a time; for more NOTIFY is refused, or ends.
    static constexpr std::size_t max_watched = 1000;

    Notifier(store::Store& store, NotifyArguments arguments);

    const NotifyArguments& arguments() const { return arguments_; }
    // The events of the selected mailbox, or null.
    const NotifyGroup* selected() const;
    // NOTIFY NONE, or what is as that.
    bool is_silent() const { return arguments_.none; }
    void silence();
    bool watches_too_many() const { return known_.size() > max_watched; }

    // Of which mailboxes' annotations is the client told?  An empty name is the server.
    bool wants_annotations() const;
    bool wants_annotations_of(std::string_view name) const;

    // The selected one is left out; 0 is none.
    void tell_status(std::string& out, const StatusFacts& facts, store::MailboxId selected) const;

    // The store says so (0: the list).
    void changed(store::MailboxId mailbox);
    bool has_news() const { return list_changed_ || !changed_.empty(); }
    // Says what is new and safe.
    void tell(std::string& out, const StatusFacts& facts, store::MailboxId selected, bool condstore);

    // The client knows all of this mailbox (it was selected), up to `position`.
    void left(store::MailboxId mailbox, store::Lsn position);
    // Around what the session itself does: its client is not told of it.
    void before_own(store::MailboxId mailbox);
    void after_own(store::MailboxId mailbox);

    // For a session that is parked, and one that is not any more (RFC 5465 knows nothing of it).  Only while there
    // are no news.
    void write(std::string& out) const;
    void read(store::Reader& reader);
    void add_watches(std::vector<ipc::Resting::Watch>& watches, store::MailboxId selected) const;
    // What has happened meanwhile is looked for.
    void suspect_all();

private:
    struct Known {
        std::uint32_t uid_next = 1;
        std::uint32_t messages = 0;
        std::uint32_t unseen = 0;
        store::Lsn modseq = 0;
    };
    // What the groups together say, so that asking for one name takes as many steps as it has levels: a client may name
    // hundreds of mailboxes in a list of thousands.
    struct Filters {
        Events personal = 0;
        Events subscribed = 0;
        std::map<std::string, Events, std::less<>> subtrees;
        std::map<std::string, Events, std::less<>> mailboxes;
    };
    static Filters filters_of(const NotifyArguments& arguments);
    Events events_of(std::string_view name) const;
    bool wants_list() const;
    static Known known_of(const store::MailboxFacts& mailbox);
    bool differs(store::MailboxId mailbox);
    void watch_matching();
    void remember_list();
    bool list_differs() const;
    void tell_mailbox(std::string& out, const StatusFacts& facts, const store::MailboxFacts& mailbox, bool condstore);
    void tell_list(std::string& out, const StatusFacts& facts);
    void append_list(std::string& out, const StatusFacts& facts, std::string_view name, std::string_view old_name) const;

    store::Store& store_;
    NotifyArguments arguments_;
    Filters filters_;
    std::map<store::MailboxId, Known> known_;       // those that are watched
    std::map<store::MailboxId, std::string> names_; // the list as the client knows it, if it wants to
    std::vector<std::string> subscriptions_;
    std::set<store::MailboxId> changed_;
    bool list_changed_ = false;
    bool own_ = false;                              // between before_own() and after_own()
    store::Lsn list_position_ = 0;                  // when that is durable it may be told
};

}  // namespace imapd::engine
