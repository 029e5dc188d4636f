// What one session has been told of its selected mailbox: the sequence numbers.
//
// The store changes at any time; the view changes only when the session tells its client (RFC 3501
// §5.2, §5.5, §7.4.1).  Between the two stands the history of the mailbox: take_news() reads it up
// to visible() and says what there is to tell.  A view is fully described by the mailbox and the
// position in the history up to which the client knows it.
//
// To open one the outline of the mailbox is enough; its messages are loaded when they are asked for.
#pragma once

#include "imapd/syntax/sequence_set.h"
#include "libstore/store.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace imapd::engine {

// Half-open range of indices into the view (sequence number minus 1).
struct IndexRange {
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct News {
    std::vector<std::uint32_t> expunged;  // sequence numbers to tell one after the other
    std::vector<std::uint32_t> expunged_uids;
    std::vector<std::uint32_t> changed;   // uids with new flags
    bool arrived = false;
};

// A view as it stands, for a session that is parked.
struct ViewState {
    // Between two positions of the history.
    struct Span {
        store::Lsn after = 0;
        store::Lsn up_to = 0;
    };
    struct UidRange {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };
    bool read_only = false;
    store::Lsn position = 0;
    std::vector<std::uint32_t> uids;      // ascending
    std::vector<std::uint32_t> gone;
    std::vector<Span> own;
    std::vector<UidRange> recent;         // ascending
    std::size_t keywords_told = 0;
};

class View {
public:
    View(store::Store& store, std::shared_ptr<const store::Mailbox> mailbox, std::vector<std::uint32_t> uids, bool read_only);
    // One that was left as state() said; whether that fits the mailbox, the caller has seen to.
    View(store::Store& store, std::shared_ptr<const store::Mailbox> mailbox, ViewState state);

    ViewState state() const;

    store::MailboxId id() const { return id_; }
    bool read_only() const { return read_only_; }
    // Null after the mailbox was removed, and refresh() has seen that; until then it is there, without messages.
    const store::MailboxFacts* facts() const { return mailbox_.get(); }
    // With its messages, which this may have to load.  Null, too, when they cannot be read.
    const store::Mailbox* mailbox() const
    {
        return !mailbox_ || mailbox_->loaded ? mailbox_.get() : load().value_or(nullptr);
    }
    // For who says why.
    util::Result<const store::Mailbox*> load() const;
    // The list of mailboxes changed; false when this one is gone.
    bool refresh();

    std::size_t count() const { return uids_.size(); }
    std::uint32_t uid_at(std::size_t index) const { return uids_[index]; }
    std::uint32_t largest_uid() const { return uids_.empty() ? 0 : uids_.back(); }
    // The sequence number, 0 if the client does not know this uid.
    std::uint32_t sequence_of(std::uint32_t uid) const;
    // The message at an index; null if it was expunged meanwhile.  `hint` makes a walk in order
    // cheap: begin with 0 and hand it on.  The pointer holds until the store changes.
    const store::Entry* entry_at(std::size_t index, std::size_t& hint) const;

    // The messages a set names.  By sequence number: Invalid when a number is beyond the mailbox or
    // `*` names nothing.  By uid: what is not there is passed over.
    util::Result<std::vector<IndexRange>> select_sequence(const syntax::SequenceSet& set) const;
    std::vector<IndexRange> select_uids(const syntax::SequenceSet& set) const;
    // Those from one uid to another; begin == end if there are none.
    IndexRange uids_between(std::uint32_t first, std::uint32_t last) const;
    // By these uids, which ascend.
    std::vector<IndexRange> select_listed(const std::vector<std::uint32_t>& uids) const;

    bool is_recent(std::uint32_t uid) const;
    std::size_t recent_count() const;

    // Flag changes between these two positions are this session's own and told already.
    void told(store::Lsn after, store::Lsn up_to);
    // The history that the client knows.
    store::Lsn position() const { return position_; }
    // What happened up to visible().  Expunges stay in the view unless `with_expunges`.
    News take_news(bool with_expunges);
    // How many keywords the client has been told of (FLAGS response), and that it was.
    std::size_t keywords_told() const { return keywords_told_; }
    void tell_keywords() { keywords_told_ = mailbox_ ? mailbox_->keywords.size() : 0; }

private:
    using Span = ViewState::Span;
    using UidRange = ViewState::UidRange;

    void claim_recent();
    bool is_own(store::Lsn lsn) const;
    void read_changes(store::Lsn horizon, News& news);
    void compare_all(const store::Mailbox& mailbox, store::Lsn horizon, News& news);
    void remove_expunged(News& news);

    store::Store& store_;
    // Shared with the store: other sessions may remove the mailbox at any time, and this one hears of it later.
    std::shared_ptr<const store::Mailbox> mailbox_;
    store::MailboxId id_;
    bool read_only_;
    store::Lsn position_ = 0;                 // history up to here has been taken in
    std::vector<std::uint32_t> uids_;         // by sequence number
    std::vector<std::uint32_t> gone_;         // expunged uids that wait to be told
    std::vector<Span> own_;                   // beyond position_
    std::vector<UidRange> recent_;
    std::size_t keywords_told_ = 0;
};

}  // namespace imapd::engine
