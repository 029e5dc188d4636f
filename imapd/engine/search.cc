// SEARCH: RFC 3501 §6.4.4, ESEARCH: RFC 4731.
#include "imapd/engine/search_keys.h"

#include "imapd/engine/fetch_task.h"
#include "imapd/engine/message_content.h"
#include "imapd/engine/search_text.h"
#include "imapd/syntax/mailbox_name.h"
#include "libmail/date.h"
#include "libmail/header.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::append_number;
using syntax::Scanner;
using Kind = SearchKey::Kind;

namespace {

constexpr unsigned clock_interval = 64;
constexpr std::int64_t day_seconds = 86'400;

bool contains(const std::vector<syntax::SequenceSet::Range>& ranges, std::uint32_t number)
{
    auto after = std::upper_bound(ranges.begin(), ranges.end(), number,
                                  [](std::uint32_t n, const auto& range) { return n < range.first; });
    return after != ranges.begin() && number <= std::prev(after)->last;
}

// RFC 3501 §6.4.4: dates are compared disregarding time and zone.
std::int64_t internal_day(const store::Date& date)
{
    auto local = date.seconds + std::int64_t(date.zone_minutes) * 60;
    return local >= 0 ? local / day_seconds : -((-local + day_seconds - 1) / day_seconds);
}

bool compare_day(std::int64_t day, Kind before, Kind on, Kind kind, std::int64_t wanted)
{
    if (kind == before)
        return day < wanted;
    return kind == on ? day == wanted : day >= wanted;
}

// One key against one message.
class Matcher {
public:
    Matcher(Session& session, SearchKey& root)
        : session_(session), message_(session.store())
    {
        resolve(root);
    }

    void open(const store::Entry& entry, std::size_t index)
    {
        message_.open(entry);
        index_ = index;
    }
    void close() { message_.close(); }
    util::Result<bool> matches(const SearchKey& key);

private:
    // Sets are resolved once: `*` is what it is when the search begins.
    void resolve(SearchKey& key)
    {
        const auto& view = *session_.view();
        if (key.kind == Kind::Sequence || key.kind == Kind::Uid) {
            key.number = std::int64_t(sets_.size());
            sets_.push_back(key.set.resolve(key.kind == Kind::Uid ? view.largest_uid()
                                                                  : std::uint32_t(view.count())));
        }
        for (auto& child : key.children)
            resolve(child);
    }
    bool keyword(const SearchKey& key) const;
    util::Result<bool> sent(const SearchKey& key);
    util::Result<bool> header(const SearchKey& key);

    Session& session_;
    MessageContent message_;
    std::size_t index_ = 0;
    std::vector<std::vector<syntax::SequenceSet::Range>> sets_;
};

bool Matcher::keyword(const SearchKey& key) const
{
    const auto& names = session_.view()->mailbox()->keywords;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (util::equal_nocase(names[i], key.text))
            return (message_.entry().keywords >> i) & 1;
    return false;
}

util::Result<bool> Matcher::sent(const SearchKey& key)
{
    const auto* rendered = TRY(message_.rendered());
    std::string_view fields = rendered->header_cache;
    if (fields.empty())
        fields = TRY(message_.header());
    auto value = mail::find_field(fields, "Date");
    auto date = value ? mail::parse_date(*value) : std::nullopt;
    if (!date)
        return false;
    return compare_day(mail::days_from_day(mail::day_of(*date)), Kind::SentBefore, Kind::SentOn,
                       key.kind, key.number);
}

// An empty text matches every message that has the field (RFC 3501 §6.4.4).
util::Result<bool> Matcher::header(const SearchKey& key)
{
    const auto* rendered = TRY(message_.rendered());
    std::string_view fields = rendered->header_cache;
    if (fields.empty() || !mail::is_cached_field(key.header))
        fields = TRY(message_.header());
    mail::HeaderReader reader(fields);
    for (mail::FieldView field; reader.next(field);)
        if (field.is(key.header) && (key.text.empty() || header_value_contains(field.value, key.text)))
            return true;
    return false;
}

util::Result<bool> Matcher::matches(const SearchKey& key)
{
    const auto& entry = message_.entry();
    switch (key.kind) {
    case Kind::All:
        return true;
    case Kind::And:
        for (const auto& child : key.children)
            if (!TRY(matches(child)))
                return false;
        return true;
    case Kind::Or:
        for (const auto& child : key.children)
            if (TRY(matches(child)))
                return true;
        return false;
    case Kind::Not:
        return !TRY(matches(key.children.front()));
    case Kind::FlagSet:
        return (entry.flags & key.flags) == key.flags;
    case Kind::FlagUnset:
        return (entry.flags & key.flags) == 0;
    case Kind::Recent:
        return session_.view()->is_recent(entry.uid);
    case Kind::Keyword:
        return keyword(key);
    case Kind::Sequence:
        return contains(sets_[std::size_t(key.number)], std::uint32_t(index_ + 1));
    case Kind::Uid:
        return contains(sets_[std::size_t(key.number)], entry.uid);
    case Kind::Before:
    case Kind::On:
    case Kind::Since:
        return compare_day(internal_day(entry.internal_date), Kind::Before, Kind::On, key.kind,
                           key.number);
    case Kind::SentBefore:
    case Kind::SentOn:
    case Kind::SentSince:
        return sent(key);
    case Kind::Larger:
        return entry.size > std::uint64_t(key.number);
    case Kind::Smaller:
        return entry.size < std::uint64_t(key.number);
    case Kind::Header:
        return header(key);
    case Kind::Body:
    case Kind::Text: {
        const auto* tree = TRY(message_.tree());
        return message_contains(message_.whole(), *tree, key.text, key.kind == Kind::Text);
    }
    }
    return false;
}

class SearchTask final : public Task {
public:
    SearchTask(Session& session, SearchArguments search)
        : session_(session), search_(std::move(search)), matcher_(session, search_.key)
    {
    }

    bool step(util::Instant until) override;

private:
    void answer();
    void answer_extended();

    Session& session_;
    SearchArguments search_;
    Matcher matcher_;
    std::size_t index_ = 0;
    std::size_t hint_ = 0;
    std::vector<std::uint32_t> found_;
    bool unreadable_ = false;
};

bool SearchTask::step(util::Instant until)
{
    auto& view = *session_.view();
    bool cheap = search_.key.cost() == 0;
    for (unsigned looked = 0; index_ < view.count(); ++index_) {
        const auto* entry = view.entry_at(index_, hint_);
        if (!entry)
            continue;
        matcher_.open(*entry, index_);
        auto hit = matcher_.matches(search_.key);
        if (!hit.ok()) {
            util::log::error("uid=", entry->uid, ": ", hit.error().text);
            unreadable_ = true;
        } else if (*hit) {
            found_.push_back(session_.uid_form() ? entry->uid : std::uint32_t(index_ + 1));
        }
        if ((!cheap || ++looked % clock_interval == 0) && util::now() >= until) {
            ++index_;
            return false;
        }
    }
    matcher_.close();
    if (search_.extended)
        answer_extended();
    else
        answer();
    end_fetch(session_, "SEARCH", unreadable_ ? End::Unreadable : End::Normal);
    return true;
}

void SearchTask::answer()
{
    auto& out = session_.output();
    out += "* SEARCH";
    for (auto number : found_) {
        out += ' ';
        append_number(out, number);
    }
    out += "\r\n";
}

void SearchTask::answer_extended()
{
    auto& out = session_.output();
    out += "* ESEARCH (TAG ";
    syntax::append_string(out, session_.tag());
    out += session_.uid_form() ? ") UID" : ")";
    auto number = [&](std::string_view name, std::uint64_t value) {
        util::append(out, " ", name, " ", value);
    };
    if (search_.min && !found_.empty())
        number("MIN", found_.front());
    if (search_.max && !found_.empty())
        number("MAX", found_.back());
    if (search_.count)
        number("COUNT", found_.size());
    if (search_.all && !found_.empty()) {
        out += " ALL ";
        syntax::SetWriter set(out);
        for (auto hit : found_)
            set.add(hit);
        set.finish();
    }
    out += "\r\n";
}

}  // namespace

Session::Answer Session::search(Scanner& arguments)
{
    TRY(arguments.space());
    auto search = parse_search(arguments);
    if (!search.ok() && search.error().kind == util::Kind::Permanent) {
        no(search.error().text);
        return {};
    }
    auto parsed = TRY(std::move(search));
    start(std::make_unique<SearchTask>(*this, std::move(parsed)));
    return {};
}

}  // namespace imapd::engine
