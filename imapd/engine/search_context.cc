// Searches whose results a client follows.
#include "imapd/engine/search_context.h"

#include "imapd/engine/fetch_task.h"
#include "imapd/engine/search_walk.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <numeric>

namespace imapd::engine {

namespace {

SearchKey key_of_uids(const std::vector<std::uint32_t>& uids)
{
    SearchKey key;
    if (uids.empty()) {
        key.kind = SearchKey::Kind::Not;   // ALL
        key.children.emplace_back();
        return key;
    }
    std::string text;
    syntax::SetWriter writer(text);
    for (auto uid : uids)
        writer.add(uid);
    writer.finish();
    std::string_view rest = text;
    key.kind = SearchKey::Kind::Uid;
    if (auto set = syntax::SequenceSet::take(rest); set.ok())
        key.set = set.take();
    return key;
}

// RFC 5267 §4.3: message numbers are those of the time of the command.
SearchKey frozen(const Session& session, const View& view, const SearchKey& key)
{
    if (key.set.is_saved())
        return key_of_uids(session.saved());
    if (key.kind == SearchKey::Kind::Sequence) {
        std::vector<std::uint32_t> uids;
        for (const auto& range : key.set.resolve(std::uint32_t(view.count())))
            for (auto number = range.first; number <= range.last && number <= view.count(); ++number)
                uids.push_back(view.uid_at(number - 1));
        return key_of_uids(uids);
    }
    SearchKey out = key;
    for (auto& child : out.children)
        child = frozen(session, view, child);
    return out;
}

}  // namespace

SearchContext::SearchContext(const Session& session, const SearchArguments& search, std::vector<SortCriterion> criteria)
    : tag_(session.tag()), uid_form_(session.uid_form()),
      key_(frozen(session, *const_cast<Session&>(session).view(), search.key)), criteria_(std::move(criteria)),
      items_(search.update_items)
{
}

std::size_t SearchContext::place_of(std::uint32_t uid) const
{
    auto found =
        sorted() ? std::find_if(messages_.begin(), messages_.end(), [uid](const auto& message) { return message.uid == uid; })
                 : std::lower_bound(messages_.begin(), messages_.end(), uid,
                                    [](const auto& message, std::uint32_t other) { return message.uid < other; });
    return found != messages_.end() && found->uid == uid ? std::size_t(found - messages_.begin()) : messages_.size();
}

bool SearchContext::holds(std::uint32_t uid) const
{
    return place_of(uid) < messages_.size();
}

void SearchContext::begin_response(std::string& out) const
{
    out += "* ESEARCH (TAG ";
    syntax::append_string(out, tag_);
    out += uid_form_ ? ") UID" : ")";
}

// RFC 5267 §4.3.4: by mailbox order it is position 0; by another each has its place.
void SearchContext::append_removals(std::string& out, const std::vector<Removal>& gone)
{
    out += " REMOVEFROM (";
    if (!sorted()) {
        out += "0 ";
        syntax::SetWriter set(out);
        for (const auto& removal : gone)
            set.add(uid_form_ ? removal.uid : removal.number);
        set.finish();
        auto is_gone = [&](const ContextMessage& message) {
            return std::binary_search(gone.begin(), gone.end(), Removal{message.uid, 0},
                                      [](const Removal& a, const Removal& b) { return a.uid < b.uid; });
        };
        std::erase_if(messages_, is_gone);
    } else {
        std::string_view before;
        for (const auto& removal : gone) {
            auto place = place_of(removal.uid);
            util::append(out, before, place + 1, " ", uid_form_ ? removal.uid : removal.number);
            messages_.erase(messages_.begin() + std::ptrdiff_t(place));
            before = " ";
        }
    }
    out += ')';
}

void SearchContext::append_additions(std::string& out, const View& view, std::vector<ContextMessage> added)
{
    auto number = [&](std::uint32_t uid) { return uid_form_ ? uid : view.sequence_of(uid); };
    out += " ADDTO (";
    if (!sorted()) {
        out += "0 ";
        syntax::SetWriter set(out);
        for (const auto& message : added)
            set.add(number(message.uid));
        set.finish();
        auto middle = messages_.insert(messages_.end(), added.begin(), added.end());
        std::inplace_merge(messages_.begin(), middle, messages_.end(),
                           [](const auto& a, const auto& b) { return a.uid < b.uid; });
    } else {
        std::string_view before;
        for (auto& message : added) {
            auto place = std::upper_bound(messages_.begin(), messages_.end(), message, [this](const auto& a, const auto& b) {
                int order = compare_sort_values(criteria_, a.values, b.values);
                return order != 0 ? order < 0 : a.uid < b.uid;
            });
            util::append(out, before, place - messages_.begin() + 1, " ", number(message.uid));
            messages_.insert(place, std::move(message));
            before = " ";
        }
    }
    out += ')';
}

void SearchContext::remove(std::string& out, const std::vector<Removal>& gone)
{
    std::vector<Removal> held;
    for (const auto& removal : gone)
        if (holds(removal.uid))
            held.push_back(removal);
    if (held.empty())
        return;
    begin_response(out);
    append_removals(out, held);
    out += "\r\n";
}

void SearchContext::update(std::string& out, const View& view, const std::vector<std::uint32_t>& gone,
                           std::vector<ContextMessage> added)
{
    if (gone.empty() && added.empty())
        return;
    begin_response(out);
    std::vector<Removal> removals;
    for (auto uid : gone)
        removals.push_back({uid, view.sequence_of(uid)});
    if (!removals.empty())
        append_removals(out, removals);
    if (!added.empty())
        append_additions(out, view, std::move(added));
    out += "\r\n";
}

namespace {

class UpdateTask final : public Task {
public:
    UpdateTask(Session& session, std::vector<std::uint32_t> uids, std::vector<std::uint32_t> arrived)
        : session_(session), uids_(std::move(uids)), arrived_(std::move(arrived))
    {
        for (auto& context : session.contexts())
            looks_.push_back({.matcher = std::make_unique<Matcher>(session, context.key())});
    }

    bool step(util::Instant until) override;
    bool in_literal() const override { return fetch_ && fetch_->in_literal(); }

private:
    struct Look {
        std::unique_ptr<Matcher> matcher;
        std::vector<std::uint32_t> gone = {};
        std::vector<ContextMessage> added = {};
    };
    void look(SearchContext& context, Look& look, std::size_t index, const store::Entry& entry);
    void begin_fetch();
    void tell();

    Session& session_;
    std::vector<std::uint32_t> uids_;
    std::vector<std::uint32_t> arrived_;
    std::vector<Look> looks_;
    std::size_t next_ = 0;
    std::unique_ptr<Task> fetch_;
    bool fetched_ = false;
};

void UpdateTask::look(SearchContext& context, Look& look, std::size_t index, const store::Entry& entry)
{
    look.matcher->open(entry, index);
    auto matches = look.matcher->matches(context.key());
    ContextMessage message{.uid = entry.uid, .values = {}};
    for (const auto& criterion : context.criteria()) {
        auto value = matches.ok() && *matches ? sort_value(look.matcher->message(), look.matcher->relevancy(), criterion.kind)
                                              : SortValue();
        message.values.push_back(value.ok() ? value.take() : SortValue());
    }
    look.matcher->close();
    if (!matches.ok())
        return util::log::error("uid=", entry.uid, ": ", matches.error().text);
    bool held = context.holds(entry.uid);
    if (held && !*matches)
        look.gone.push_back(entry.uid);
    else if (!held && *matches)
        look.added.push_back(std::move(message));
}

// RFC 5465 §7: what came is fetched, if the client has said so, before it is told that it is among the results.
void UpdateTask::begin_fetch()
{
    fetched_ = true;
    FetchOrder order;
    order.end = End::Silent;
    std::vector<std::uint32_t> wanted;
    for (std::size_t i = 0; i < looks_.size(); ++i) {
        auto& context = session_.contexts()[i];
        for (const auto& message : looks_[i].added)
            if (!context.items().items.empty() && std::binary_search(arrived_.begin(), arrived_.end(), message.uid)) {
                wanted.push_back(message.uid);
                if (order.items.items.empty())
                    order.items = context.items();
            }
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    order.ranges = session_.view()->select_listed(wanted);
    if (!wanted.empty())
        fetch_ = make_fetch_task(session_, std::move(order));
}

void UpdateTask::tell()
{
    for (std::size_t i = 0; i < looks_.size(); ++i)
        session_.contexts()[i].update(session_.output(), *session_.view(), looks_[i].gone, std::move(looks_[i].added));
    session_.bound_contexts();
}

bool UpdateTask::step(util::Instant until)
{
    auto& view = *session_.view();
    for (std::size_t hint = 0; next_ < uids_.size(); ++next_) {
        auto sequence = view.sequence_of(uids_[next_]);
        const auto* entry = sequence > 0 ? view.entry_at(sequence - 1, hint) : nullptr;
        for (std::size_t i = 0; entry && i < looks_.size(); ++i)
            look(session_.contexts()[i], looks_[i], sequence - 1, *entry);
        if (util::now() >= until && next_ + 1 < uids_.size()) {
            ++next_;
            return false;
        }
    }
    if (!fetched_)
        begin_fetch();
    if (fetch_ && !fetch_->step(until))
        return false;
    if (!session_.finished())
        tell();
    return true;
}

}  // namespace

std::unique_ptr<Task> make_update_task(Session& session, std::vector<std::uint32_t> uids, std::vector<std::uint32_t> arrived)
{
    return std::make_unique<UpdateTask>(session, std::move(uids), std::move(arrived));
}

}  // namespace imapd::engine
