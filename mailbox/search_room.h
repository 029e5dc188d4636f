// Search in a mailbox process: the index of its store, what fills it, and the copies of the process that read.
//
// New mail is put into the index some seconds after it came, and so is all that it lacks when the mailbox is first
// quiet; but not before usher(8) gives a turn for it, since many users' mail may come at once.  While a copy reads, the
// store's files must stay where they are: the host does no housekeeping then.
#pragma once

#include "imapd/engine/search_aids.h"
#include "libipc/mailbox.h"
#include "libsearch/files.h"
#include "libstore/store.h"
#include "mailbox/copy_process.h"

#include <set>

namespace mailbox {

// Searches of one user that run beside the mailbox at a time; more than that are done in slices.
constexpr std::size_t max_search_copies = 4;
constexpr util::Duration longest_feed_pause{std::int64_t(3600) * 1'000'000};   // after failures in a row

class SearchRoom final : public imapd::engine::SearchAids {
public:
    // `fences`: see CopyProcess.
    SearchRoom(util::EventLoop& loop, const ipc::MailboxSettings& settings, store::Store& store, util::Sandbox fences);
    ~SearchRoom() override;

    // May a copy be made now?  Asked each time; until it is set, yes.
    void set_gate(std::function<bool()> may_copy) { may_copy_ = std::move(may_copy); }

    // A turn to fill the index: `ask` for one, and turn_given() is called when it has come; `over` gives it back.  Until
    // these are set nobody gives any.
    struct Turns {
        std::function<void()> ask;
        std::function<void()> over;
    };
    void set_turns(Turns turns) { turns_ = std::move(turns); }
    void turn_given();

    // For sessions.
    std::shared_ptr<search::Index> index() override;
    std::unique_ptr<Errand> begin(std::function<void(const Say&)> work) override;

    // Something has changed in a mailbox: is it new mail?
    void mailbox_changed(store::MailboxId id);
    // The mailbox is quiet for the first time.
    void look_whether_complete();
    // Does a copy read the store?
    bool is_reading() const { return searches_ > 0 || feeding_; }
    // Is there something to do that the process should not end before?  A wait for a turn is: it ends, since each turn
    // does, and a process that left would begin at the end of the line the next time, and perhaps never come to its front.
    bool is_busy() const { return feeding_ || (due_ && failures_ == 0); }
    void release_memory();

private:
    class SearchErrand;

    bool may_copy() const { return !may_copy_ || may_copy_(); }
    util::Duration delay() const;
    void feed_in(util::Duration pause);
    void feed();
    util::Result<void> begin_feeding();
    void fed();
    util::Result<void> take_segment();
    void failed(std::string_view why);
    void give_back();

    util::EventLoop& loop_;
    const ipc::MailboxSettings& settings_;
    store::Store& store_;
    util::Sandbox fences_;
    std::function<bool()> may_copy_;
    Turns turns_;
    std::optional<search::Files> files_;
    std::shared_ptr<search::Index> index_;   // shared with searches: see SearchAids
    std::size_t searches_ = 0;

    bool due_ = false;                       // the index lacks something, perhaps
    bool waiting_ = false;                   // for a turn to add it
    bool looked_ = false;
    store::Lsn newest_ = 0;                  // content that was seen to come
    std::unique_ptr<CopyProcess> feeding_;
    std::shared_ptr<search::Index> fed_index_;   // that it began with
    store::Lsn fed_last_ = 0;                // what was durable when it began
    std::set<store::Lsn> opaque_;
    std::atomic<store::Lsn>* reading_;       // memory shared with the copy
    unsigned failures_ = 0;                  // in a row
    util::Timer timer_;
};

}  // namespace mailbox
