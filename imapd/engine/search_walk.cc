// The messages that search keys meet.
#include "imapd/engine/search_walk.h"

#include "imapd/engine/format.h"
#include "imapd/engine/message_limit.h"
#include "libmail/date.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libsearch/text.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using Kind = SearchKey::Kind;

namespace {

constexpr unsigned clock_interval = 64;
// What the verdicts of another process are told in, and how long it gathers them.
constexpr std::size_t verdicts_at_once = 512;
constexpr util::Duration verdict_interval{200'000};
// What is read of a message that is not read as a whole.
constexpr std::uint64_t rendered_bytes = 1024;
constexpr std::uint64_t header_bytes = 4096;
constexpr std::int64_t day_seconds = 86'400;

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

}  // namespace

Matcher::Matcher(Session& session, SearchKey& root)
    : session_(session), message_(session.store()), now_(util::unix_seconds(util::wall_now()))
{
    resolve(root);
}

void Matcher::resolve(SearchKey& key)
{
    if (key.set.is_saved()) {
        key.kind = Kind::Uid;
        key.number = std::int64_t(sets_.size());
        auto& ranges = sets_.emplace_back();
        for (auto uid : session_.saved())
            ranges.push_back({uid, uid});
    } else if (key.kind == Kind::Sequence || key.kind == Kind::Uid) {
        const auto& view = *session_.view();
        key.number = std::int64_t(sets_.size());
        sets_.push_back(key.set.resolve(key.kind == Kind::Uid ? view.largest_uid()
                                                              : std::uint32_t(view.count())));
    }
    for (auto& child : key.children)
        resolve(child);
}

bool Matcher::keyword(const SearchKey& key) const
{
    const auto* mailbox = session_.view()->facts();
    if (!mailbox)
        return false;
    const auto& names = mailbox->keywords;
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
    int score = 0;
    for (mail::FieldView field; reader.next(field);) {
        if (!field.is(key.header))
            continue;
        if (key.fuzzy && !key.text.empty())
            score = std::max(score, search::fuzzy_header_score(field.value, *key.fuzzy));
        else if (key.text.empty() || search::header_value_contains(field.value, key.text))
            return true;
    }
    return scored(score);
}

util::Result<bool> Matcher::text(const SearchKey& key)
{
    const auto* tree = TRY(message_.tree());
    bool with_header = key.kind == Kind::Text;
    if (key.fuzzy)
        return scored(search::fuzzy_message_score(message_.whole(), *tree, *key.fuzzy, with_header));
    return search::message_contains(message_.whole(), *tree, key.text, with_header);
}

bool Matcher::scored(int score)
{
    if (score == 0)
        return false;
    ++scores_;
    score_sum_ += score;
    return true;
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
        return (session_.flags_of(entry) & key.flags) == key.flags;
    case Kind::FlagUnset:
        return (session_.flags_of(entry) & key.flags) == 0;
    case Kind::Recent:
        return session_.view()->is_recent(entry.uid);
    case Kind::Keyword:
        return keyword(key);
    case Kind::Sequence:
        return syntax::holds(sets_[std::size_t(key.number)], std::uint32_t(index_ + 1));
    case Kind::Uid:
        return syntax::holds(sets_[std::size_t(key.number)], entry.uid);
    case Kind::Older:
        return entry.internal_date.seconds <= now_ - key.number;
    case Kind::Younger:
        return entry.internal_date.seconds >= now_ - key.number;
    case Kind::SavedBefore:
    case Kind::SavedOn:
    case Kind::SavedSince:
        return compare_day(internal_day({.seconds = entry.save_seconds, .zone_minutes = 0}), Kind::SavedBefore,
                           Kind::SavedOn, key.kind, key.number);
    case Kind::EmailId: {
        std::string id;
        append_email_id(id, entry.guid);
        return id == key.text;
    }
    case Kind::ThreadId:
        return false;
    case Kind::Modseq:
        return entry.modseq >= std::uint64_t(key.number);
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
    case Kind::Text:
        return text(key);
    }
    return false;
}

SearchWalk::SearchWalk(Session& session, SearchKey key, std::size_t limit)
    : session_(session), key_(std::move(key)), matcher_(session, key_)
{
    if (limit > 0)
        keep_to(limit);
    index_ = first_;
    if (!session.facts().search_aids || key_.cost() == 0)
        return;
    phase_ = Phase::Ask;
    index_ = 0;   // of the texts
    search_index_ = session.facts().search_aids->index();
    if (search_index_)
        collect(key_);
}

SearchWalk::~SearchWalk() = default;

// The messages that the sets in a key leave, if all of them must fit.
void SearchWalk::narrow(const SearchKey& key, std::vector<IndexRange>& ranges) const
{
    const auto& view = *session_.view();
    if (key.kind == Kind::And) {
        for (const auto& child : key.children)
            narrow(child, ranges);
    } else if (key.kind == Kind::Uid || key.kind == Kind::Sequence) {
        std::vector<IndexRange> named;
        for (const auto& range : matcher_.set_of(key)) {
            if (key.kind == Kind::Sequence)
                named.push_back({std::min<std::size_t>(range.first, view.count() + 1) - 1,
                                 std::min<std::size_t>(range.last, view.count())});
            else
                named.push_back(view.uids_between(range.first, range.last));
        }
        ranges = common_ranges(ranges, named);
    }
}

// RFC 9738 §3.1: what counts is what is looked at, so sets that all messages must be in make it less.
void SearchWalk::keep_to(std::size_t limit)
{
    const auto& view = *session_.view();
    std::vector<IndexRange> ranges{{0, view.count()}};
    narrow(key_, ranges);
    if (!keep_highest(ranges, limit))
        return;
    first_ = ranges.front().begin;
    limited_ = message_limit_code(limit, view.uid_at(first_));
}

void SearchWalk::collect(SearchKey& key)
{
    if ((key.kind == Kind::Header || key.kind == Kind::Body || key.kind == Kind::Text) && !key.text.empty())
        texts_.push_back(&key);
    for (auto& child : key.children)
        collect(child);
}

// One text or word at a time: there may be many, and each is some hundred reads.
bool SearchWalk::ask_index(util::Instant until)
{
    while (index_ < texts_.size()) {
        if (util::now() >= until)
            return false;
        SearchKey& key = *texts_[index_];
        bool header = key.kind != Kind::Body;
        bool body = key.kind != Kind::Header;
        bool words = key.fuzzy && !key.fuzzy->words().empty();
        auto found = words ? search_index_->candidates(key.fuzzy->words()[word_], header, body)
                           : search_index_->candidates(std::string_view(key.text), header, body);
        if (found && key.number > 0) {
            candidates_.back() &= *found;   // all words must be there
        } else if (found) {
            candidates_.push_back(std::move(*found));
            key.number = std::int64_t(candidates_.size());
        }
        if (!words || ++word_ == key.fuzzy->words().size()) {
            ++index_;
            word_ = 0;
        }
    }
    index_ = first_;
    verdicts_.assign(session_.view()->count(), no);
    return true;
}

// What can be said without reading the message.
SearchWalk::Verdict SearchWalk::sift(const SearchKey& key, const store::Entry& entry)
{
    Verdict all = best;
    switch (key.kind) {
    case Kind::And:
        for (const auto& child : key.children) {
            Verdict one = sift(child, entry);
            if (one == no)
                return no;
            if (one == unknown)
                all = unknown;
        }
        return all;
    case Kind::Or:
        all = no;
        for (const auto& child : key.children) {
            Verdict one = sift(child, entry);
            if (one == best)
                return best;
            if (one == unknown)
                all = unknown;
        }
        return all;
    case Kind::Not: {
        Verdict one = sift(key.children.front(), entry);
        return one == unknown ? unknown : one == no ? best : no;
    }
    case Kind::Header:
    case Kind::Body:
    case Kind::Text:
        return key.number > 0 && place_ && !candidates_[std::size_t(key.number) - 1].has(*place_) ? no : unknown;
    default: {
        if (key.cost() > 0)
            return unknown;
        auto matched = matcher_.matches(key);   // reads nothing
        return matched.ok() && *matched ? best : no;
    }
    }
}

bool SearchWalk::sift(util::Instant until)
{
    auto& view = *session_.view();
    int cost = key_.cost();
    for (unsigned looked = 0; index_ < verdicts_.size(); ++index_) {
        if (++looked % clock_interval == 0 && util::now() >= until)
            return false;
        const auto* entry = view.entry_at(index_, hint_);
        if (!entry)
            continue;
        if (search_index_)
            place_ = search_index_->find(entry->content, entry->guid, place_hint_);
        matcher_.open(*entry, index_);
        verdicts_[index_] = sift(key_, *entry);
        if (verdicts_[index_] != unknown)
            continue;
        unknown_bytes_ += cost == 1 ? rendered_bytes : cost == 2 ? header_bytes : entry->size + header_bytes;
        sent_out_.push_back(std::uint32_t(index_));
    }
    index_ = first_;
    hint_ = 0;
    return true;
}

// In the other process: one verdict after the other.
void SearchWalk::send_out()
{
    if (unknown_bytes_ <= own_work)
        return;
    errand_ = session_.facts().search_aids->begin([this](const SearchAids::Say& say) {
        std::string verdicts;
        util::Instant said = util::now();
        for (std::uint32_t index : sent_out_) {
            const auto* entry = session_.view()->entry_at(index, hint_);
            verdicts += char(entry ? look(*entry, index) : no);
            if (verdicts.size() < verdicts_at_once && util::now() < said + verdict_interval)
                continue;
            say(verdicts);
            verdicts.clear();
            said = util::now();
        }
        say(verdicts);
    });
}

bool SearchWalk::listen()
{
    if (!errand_)
        return true;
    bool over = errand_->is_over();
    for (char verdict : errand_->take())
        if (heard_ < sent_out_.size())
            verdicts_[sent_out_[heard_++]] = Verdict(verdict);
    if (!over && heard_ < sent_out_.size()) {
        session_.tell_progress(heard_, sent_out_.size());
        return false;
    }
    errand_.reset();
    // It died, perhaps of what the next message holds, perhaps of its limits.
    gave_up_ = heard_ < sent_out_.size();
    for (; heard_ < sent_out_.size(); ++heard_)
        verdicts_[sent_out_[heard_]] = unreadable_message;
    return true;
}

bool SearchWalk::waits() const
{
    return errand_ && !errand_->has_news() && !errand_->is_over();
}

SearchWalk::Verdict SearchWalk::look(const store::Entry& entry, std::size_t index)
{
    matcher_.open(entry, index);
    auto matched = matcher_.matches(key_);
    if (matched.ok())
        return *matched ? Verdict(matcher_.relevancy()) : no;
    util::log::error("uid=", entry.uid, ": ", matched.error().text);
    return unreadable_message;
}

void SearchWalk::take(const store::Entry& entry, Verdict verdict)
{
    if (verdict == no)
        return;
    if (verdict > best) {
        unreadable_ = true;
        return;
    }
    Hit hit{std::uint32_t(index_ + 1), entry.uid, entry.modseq, verdict};
    if (visit_) {
        if (!verdicts_.empty())
            matcher_.open(entry, index_);
        if (auto visited = visit_(matcher_.message(), hit); !visited.ok()) {
            util::log::error("uid=", entry.uid, ": ", visited.error().text);
            unreadable_ = true;
            return;
        }
    }
    highest_modseq_ = std::max(highest_modseq_, hit.modseq);
    if (!visit_)
        hits_.push_back(hit);
}

bool SearchWalk::walk(util::Instant until)
{
    auto& view = *session_.view();
    bool cheap = key_.cost() == 0 && !visit_;
    for (unsigned looked = 0; index_ < view.count();) {
        bool known = index_ < verdicts_.size() && verdicts_[index_] != unknown;
        bool passed = known && verdicts_[index_] == no;
        const auto* entry = passed ? nullptr : view.entry_at(index_, hint_);
        if (entry)
            take(*entry, known ? verdicts_[index_] : look(*entry, index_));
        ++index_;
        bool quick = cheap || passed || (known && !visit_);
        if ((!quick || ++looked % clock_interval == 0) && util::now() >= until) {
            session_.tell_progress(index_, view.count());
            return false;
        }
    }
    matcher_.close();
    return true;
}

bool SearchWalk::step(util::Instant until)
{
    if (phase_ == Phase::Ask) {
        if (!ask_index(until))
            return false;
        phase_ = Phase::Sift;
    }
    if (phase_ == Phase::Sift) {
        if (!sift(until))
            return false;
        send_out();
        phase_ = Phase::Listen;
    }
    if (phase_ == Phase::Listen) {
        if (!listen())
            return false;
        phase_ = Phase::Walk;
    }
    return walk(until);
}

}  // namespace imapd::engine
