// NOTIFY: RFC 5465.
#include "imapd/engine/fetch_task.h"
#include "imapd/engine/session.h"

#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// New messages that wait to be fetched unasked; with more, the client is told that it has to ask.
constexpr std::size_t max_arrivals = 10'000;

}  // namespace

Session::Answer Session::notify(Scanner& arguments)
{
    TRY(arguments.space());
    if (is_guest()) {
        no("[CANNOT] Another user's mailboxes are told of while they are selected only");
        return {};
    }
    auto parsed = parse_notify(arguments, enabled_.qresync || enabled_.uid_only);
    if (!parsed.ok() && parsed.error().kind != util::Kind::Permanent)
        return parsed.take_error();
    if (!parsed.ok()) {
        no(parsed.error().text);
        return {};
    }
    parsed->form = form();
    // What is told of other mailboxes is what may be shown now, and nothing is lost between.
    await_visible(store_.last(), [this, wanted = *parsed] { set_notify(wanted); });
    return {};
}

void Session::set_notify(NotifyArguments arguments)
{
    // RFC 5465 §3.1: as NOOP does, and by what held until now.
    if (!arguments.none)
        tell_news(framer_.waiting() == 0, true);
    bool modseq = std::any_of(arguments.groups.begin(), arguments.groups.end(),
                              [](const NotifyGroup& group) { return group.items.has_modseq; });
    if (modseq)
        use_condstore();
    auto notifier = std::make_unique<Notifier>(store_, std::move(arguments));
    if (notifier->watches_too_many())
        return no("[NOTIFICATIONOVERFLOW] These are too many mailboxes");
    if (notifier->wants_annotations() && !enabled_.metadata && !(notifier_ && notifier_->wants_annotations()))
        annotations_told_ = store_.visible();
    notifier_ = std::move(notifier);
    arrivals_.clear();
    if (notifier_->arguments().status)
        notifier_->tell_status(output_, status_facts(), view_ ? view_->id() : 0);
    ok("NOTIFY completed");
}

// May something be said although no command asks for it?
bool Session::listens() const
{
    return !finished_ && !task_ && !then_ && untold_flags_.empty() && !output_full() &&
           (idling_ || (notifier_ && !notifier_->is_silent()));
}

void Session::tell_unasked()
{
    const auto* wanted = notifier_ ? notifier_->selected() : nullptr;
    // RFC 5465 §6.1.
    tell_news(idling_ || (wanted && wanted->filter == NotifyGroup::Filter::Selected));
    tell_elsewhere();
}

void Session::tell_elsewhere()
{
    tell_changed_annotations();
    tell_changed_key();
    if (!notifier_ || !notifier_->has_news())
        return;
    notifier_->tell(output_, status_facts(), view_ ? view_->id() : 0, enabled_.condstore);
    if (!notifier_->watches_too_many())
        return;
    // RFC 5465 §5.8.
    notifier_->silence();
    untagged("OK [NOTIFICATIONOVERFLOW] There are too many mailboxes; nothing more is told");
}

void Session::made_here(store::MailboxId mailbox, const std::vector<std::uint32_t>& uids)
{
    const auto* wanted = notifier_ && view_ && view_->id() == mailbox ? notifier_->selected() : nullptr;
    if (wanted && !wanted->items.items.empty())
        own_arrivals_.insert(own_arrivals_.end(), uids.begin(), uids.end());
}

// RFC 5465 §5.2: those that others have brought, behind what the client knew.
void Session::queue_arrivals(std::uint32_t after)
{
    for (auto sequence = std::uint32_t(view_->count()); sequence > 0 && view_->uid_at(sequence - 1) > after; --sequence) {
        auto uid = view_->uid_at(sequence - 1);
        if (std::erase(own_arrivals_, uid) == 0)
            arrivals_.push_back(uid);
    }
    std::sort(arrivals_.begin(), arrivals_.end());
    if (arrivals_.size() <= max_arrivals)
        return;
    arrivals_.clear();
    notifier_->silence();
    untagged("OK [NOTIFICATIONOVERFLOW] Too much is new at once; nothing more is told");
}

bool Session::start_arrivals()
{
    if (arrivals_.empty())
        return false;
    const auto* wanted = notifier_ && view_ ? notifier_->selected() : nullptr;
    auto uids = std::exchange(arrivals_, {});
    if (!wanted)
        return false;
    FetchOrder order;
    order.items = wanted->items;
    order.ranges = view_->select_listed(uids);
    order.end = End::Silent;
    start(make_fetch_task(*this, std::move(order)));
    return true;
}

}  // namespace imapd::engine
