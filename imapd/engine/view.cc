// What one session has been told of its selected mailbox.
#include "imapd/engine/view.h"

#include "libstore/visibility.h"
#include "libutil/log.h"

#include <algorithm>

namespace imapd::engine {

using store::Change;

View::View(store::Store& store, std::shared_ptr<const store::Mailbox> mailbox, std::vector<std::uint32_t> uids, bool read_only)
    : store_(store), mailbox_(std::move(mailbox)), id_(mailbox_->id), read_only_(read_only), position_(store.visible()),
      uids_(std::move(uids))
{
    claim_recent();
}

View::View(store::Store& store, std::shared_ptr<const store::Mailbox> mailbox, ViewState state)
    : store_(store), mailbox_(std::move(mailbox)), id_(mailbox_->id), read_only_(state.read_only), position_(state.position),
      uids_(std::move(state.uids)), gone_(std::move(state.gone)), own_(std::move(state.own)),
      recent_(std::move(state.recent)), keywords_told_(state.keywords_told)
{
}

ViewState View::state() const
{
    return {.read_only = read_only_, .position = position_, .uids = uids_, .gone = gone_, .own = own_,
            .recent = recent_, .keywords_told = keywords_told_};
}

bool View::refresh()
{
    mailbox_ = store_.share(id_).value_or(nullptr);
    return mailbox_ != nullptr;
}

util::Result<const store::Mailbox*> View::load() const
{
    if (mailbox_ && mailbox_->loaded)
        return mailbox_.get();
    auto found = store_.mailbox(id_);
    if (!found.ok())
        util::log::error("the messages of a mailbox cannot be read: ", found.error().text);
    return found;
}

// \Recent goes to the first session that is told of a message and may say so (RFC 3501 §2.3.2).
// The claim covers what has arrived and is not visible yet: this session will be told of it.
void View::claim_recent()
{
    std::uint32_t first = mailbox_->first_recent_uid;
    if (!recent_.empty())
        first = std::max(first, recent_.back().last + 1);
    if (first >= mailbox_->uid_next)
        return;
    std::uint32_t last = mailbox_->uid_next - 1;
    if (!recent_.empty() && recent_.back().last + 1 == first)
        recent_.back().last = last;
    else
        recent_.push_back({first, last});
    if (!read_only_)
        store_.claim_recent(id_);
}

bool View::is_recent(std::uint32_t uid) const
{
    for (std::size_t i = recent_.size(); i-- > 0;)
        if (uid >= recent_[i].first)
            return uid <= recent_[i].last;
    return false;
}

std::size_t View::recent_count() const
{
    std::size_t count = 0;
    for (const auto& range : recent_) {
        auto from = std::lower_bound(uids_.begin(), uids_.end(), range.first);
        auto to = std::upper_bound(from, uids_.end(), range.last);
        count += std::size_t(to - from);
    }
    return count;
}

std::uint32_t View::sequence_of(std::uint32_t uid) const
{
    auto found = std::lower_bound(uids_.begin(), uids_.end(), uid);
    return found != uids_.end() && *found == uid ? std::uint32_t(found - uids_.begin() + 1) : 0;
}

const store::Entry* View::entry_at(std::size_t index, std::size_t& hint) const
{
    const auto* all = mailbox();
    if (!all)
        return nullptr;
    const auto& entries = all->entries;
    auto uid = uids_[index];
    if (hint >= entries.size() || entries[hint].uid != uid)
        hint = all->lower_bound(uid);
    if (hint >= entries.size() || entries[hint].uid != uid)
        return nullptr;
    return &entries[hint++];
}

util::Result<std::vector<IndexRange>> View::select_sequence(const syntax::SequenceSet& set) const
{
    auto count_now = std::uint32_t(uids_.size());
    if (set.largest_named() > count_now || (set.has_star() && count_now == 0))
        return util::invalid("Message sequence number beyond the mailbox");
    std::vector<IndexRange> out;
    for (const auto& range : set.resolve(count_now)) {
        // n:* beyond the end is the last message (RFC 3501 §9, seq-range).
        std::size_t last = std::min(range.last, count_now);
        out.push_back({std::min<std::size_t>(range.first, last) - 1, last});
    }
    return out;
}

std::vector<IndexRange> View::select_uids(const syntax::SequenceSet& set) const
{
    std::vector<IndexRange> out;
    for (const auto& range : set.resolve(largest_uid())) {
        auto named = uids_between(range.first, range.last);
        if (named.begin != named.end)
            out.push_back(named);
    }
    return out;
}

IndexRange View::uids_between(std::uint32_t first, std::uint32_t last) const
{
    auto from = std::lower_bound(uids_.begin(), uids_.end(), first);
    auto to = std::upper_bound(from, uids_.end(), last);
    return {std::size_t(from - uids_.begin()), std::size_t(to - uids_.begin())};
}

std::vector<IndexRange> View::select_listed(const std::vector<std::uint32_t>& uids) const
{
    std::vector<IndexRange> out;
    auto from = uids_.begin();
    for (auto uid : uids) {
        from = std::lower_bound(from, uids_.end(), uid);
        if (from == uids_.end())
            break;
        if (*from != uid)
            continue;
        auto index = std::size_t(from - uids_.begin());
        if (!out.empty() && out.back().end == index)
            ++out.back().end;
        else
            out.push_back({index, index + 1});
    }
    return out;
}

void View::told(store::Lsn after, store::Lsn up_to)
{
    if (up_to <= after)
        return;
    if (!own_.empty() && own_.back().up_to == after)
        own_.back().up_to = up_to;
    else
        own_.push_back({after, up_to});
}

bool View::is_own(store::Lsn lsn) const
{
    for (const auto& span : own_)
        if (lsn > span.after && lsn <= span.up_to)
            return true;
    return false;
}

void View::read_changes(store::Lsn horizon, News& news)
{
    const auto& changes = mailbox_->changes;
    auto at = std::upper_bound(changes.begin(), changes.end(), position_,
                               [](store::Lsn lsn, const Change& change) { return lsn < change.lsn; });
    for (; at != changes.end() && at->lsn <= horizon; ++at) {
        switch (at->kind) {
        case Change::Kind::Arrived:
            if (const auto* all = mailbox(); at->uid > largest_uid() && all && all->find(at->uid)) {
                uids_.push_back(at->uid);
                news.arrived = true;
            }
            break;
        case Change::Kind::FlagsChanged:
            if (!is_own(at->lsn))
                news.changed.push_back(at->uid);
            break;
        case Change::Kind::Expunged:
            if (sequence_of(at->uid) != 0)
                gone_.push_back(at->uid);
            break;
        case Change::Kind::KeywordsAdded:
            break;
        }
    }
}

// The history was cut: what is there against what the client knows.  A change of the session's own may hide another's that
// is not told yet, unless it was the first since position_: so such a message is told of, visible or not.
void View::compare_all(const store::Mailbox& mailbox, store::Lsn horizon, News& news)
{
    auto told = own_.empty() || own_.front().after > position_ ? position_ : own_.front().up_to;
    auto end = store::visible_end(mailbox, horizon);
    const auto& entries = mailbox.entries;
    std::size_t known = uids_.size();
    std::size_t at = 0;
    for (std::size_t i = 0; i < known; ++i) {
        while (at < end && entries[at].uid < uids_[i])
            ++at;
        if (at >= end || entries[at].uid != uids_[i])
            gone_.push_back(uids_[i]);
        else if (auto modseq = entries[at].modseq; modseq > told && (modseq <= horizon || is_own(modseq)))
            news.changed.push_back(uids_[i]);
    }
    for (auto next = mailbox.lower_bound(largest_uid() + 1); next < end; ++next) {
        uids_.push_back(entries[next].uid);
        news.arrived = true;
    }
}

void View::remove_expunged(News& news)
{
    std::sort(gone_.begin(), gone_.end());
    gone_.erase(std::unique(gone_.begin(), gone_.end()), gone_.end());
    std::size_t kept = 0;
    auto gone = gone_.begin();
    for (std::size_t i = 0; i < uids_.size(); ++i) {
        while (gone != gone_.end() && *gone < uids_[i])
            ++gone;
        if (gone != gone_.end() && *gone == uids_[i]) {
            news.expunged.push_back(std::uint32_t(kept + 1));
            news.expunged_uids.push_back(uids_[i]);
        } else {
            uids_[kept++] = uids_[i];
        }
    }
    uids_.resize(kept);
    gone_.clear();
}

News View::take_news(bool with_expunges)
{
    News news;
    if (!mailbox_)
        return news;
    auto horizon = store_.visible();
    if (horizon > position_) {
        bool cut = mailbox_->changes_from > position_;
        const auto* all = cut ? mailbox() : nullptr;
        if (cut && !all)
            return news;
        if (cut)
            compare_all(*all, horizon, news);
        else
            read_changes(horizon, news);
        position_ = horizon;
        std::erase_if(own_, [&](const Span& span) { return span.up_to <= position_; });
    }
    std::sort(news.changed.begin(), news.changed.end());
    news.changed.erase(std::unique(news.changed.begin(), news.changed.end()), news.changed.end());
    if (with_expunges && !gone_.empty())
        remove_expunged(news);
    if (news.arrived)
        claim_recent();
    return news;
}

}  // namespace imapd::engine
