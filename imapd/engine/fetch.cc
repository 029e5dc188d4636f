// FETCH: RFC 9051 §6.4.5, BINARY (RFC 3516), CONDSTORE (RFC 7162 §3.1.4), PARTIAL (RFC 9394 §3.3), surrogates
// (RFC 6858 §3; RFC822.SIZE is that of the message itself).
//
// A task that walks the messages and appends to the session's output until enough waits there, so
// that memory stays bounded whatever is asked for.  It pauses between messages, or inside a large
// body: that one is read from the store piece by piece.
#include "imapd/engine/fetch_task.h"

#include "imapd/engine/format.h"
#include "imapd/engine/message_content.h"
#include "imapd/engine/message_limit.h"
#include "imapd/syntax/mailbox_name.h"
#include "imapd/syntax/sequence_set.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <optional>

namespace imapd::engine {

using syntax::append_number;
using syntax::Scanner;
using Kind = FetchItem::Kind;

namespace {

// A body of at most this size is appended whole; a larger one in pieces of it.
constexpr std::uint64_t piece_size = 256U << 10;
// The clock is looked at after so many messages.
constexpr unsigned fetch_clock_interval = 32;
// So many surrogates are named in an answer.
constexpr std::size_t max_downgraded_told = 1000;

class FetchTask final : public Task {
public:
    FetchTask(Session& session, FetchOrder order)
        : session_(session), order_(std::move(order)), message_(session.store())
    {
        downwards_ = !order_.limited.empty();   // RFC 9738 §3.1
        if (downwards_)
            std::reverse(ranges_.begin(), ranges_.end());
        if (!ranges_.empty())
            enter_range();
    }

    bool step(util::Instant until) override;
    bool in_literal() const override { return stream_left_ > 0; }

private:
    bool walk(util::Instant until);
    void enter_range();
    void next_message();
    bool wanted(const store::Entry& entry) const;
    void begin_message(const store::Entry& entry);
    void end_message();
    // False when the item goes on as a stream.
    bool write_item(const FetchItem& item);
    void write_preview();
    bool write_section(const FetchItem& item);
    bool write_binary(const FetchItem& item);
    bool write_bytes(std::string_view bytes, const FetchItem& item);
    bool write_content(mail::Range range, const FetchItem& item);
    void write_rendered(std::string_view label, std::string_view store::RenderedView::*part);
    // RFC 6855 §8: a client that has not asked for UTF-8 gets the surrogate of the message that is open.
    bool downgrade();
    bool downgrade_if_needed();
    bool stream();
    bool nil_section(const FetchItem& item);
    void unreadable(const util::Error& error);
    void leave_out(End why);
    void mark_seen();
    bool finish();

    Session& session_;
    FetchOrder order_;
    std::vector<IndexRange>& ranges_ = order_.ranges;
    const FetchItems& items_ = order_.items;
    bool marks_seen_ = false;

    bool downwards_ = false;
    std::size_t range_ = 0;              // where the walk is
    std::size_t index_ = 0;
    std::size_t left_ = 0;               // messages of the range, the one at index_ among them
    std::size_t hint_ = 0;
    unsigned since_clock_ = 0;

    MessageContent message_;             // the message at index_, while open_
    bool open_ = false;
    std::size_t item_ = 0;
    bool first_item_ = true;
    bool becomes_seen_ = false;
    std::size_t message_start_ = 0;      // in the output; only good within one step
    bool streamed_ = false;              // a part of this message may have been sent already

    std::uint64_t stream_at_ = 0;        // what is left of a large body
    std::uint64_t stream_left_ = 0;
    std::vector<std::uint32_t> seen_;    // told as \Seen in this step
    std::vector<std::uint32_t> to_tell_; // whose flags are told before the answer
    store::Lsn marked_ = 0;              // and when that may be
    std::vector<std::uint32_t> downgraded_;   // shown as surrogates
};

bool FetchTask::step(util::Instant until)
{
    if (open_ && !session_.view()->facts()) {
        session_.drop();  // the mailbox was removed while a large body was on its way
        return true;
    }
    message_.pause();  // other sessions have used the store, and rights may have changed
    marks_seen_ = items_.marks_seen && session_.may_mark_seen();
    bool done = walk(until);
    // The flags are told with the message (RFC 3501 §6.4.5) and stored here, once for the step.
    mark_seen();
    if (!done)
        return false;
    // RFC 9051 §6.4.5: it hears of these flags with this command, whatever the answer is.
    if (!session_.finished() && marked_ > session_.store().visible()) {
        session_.await_visible(marked_, [] {});
        return false;
    }
    if (!session_.finished())
        session_.tell_flags_again(to_tell_);
    return finish();
}

// True when there is nothing left to walk.
bool FetchTask::walk(util::Instant until)
{
    for (;;) {
        if (stream_left_ > 0 && !stream())
            return true;
        if (session_.output_full())
            return false;
        if (open_) {
            while (item_ < items_.items.size())
                if (!write_item(items_.items[item_++]))
                    break;
            if (stream_left_ > 0 || !open_)
                continue;
            end_message();
        }
        if (++since_clock_ >= fetch_clock_interval) {
            since_clock_ = 0;
            if (util::now() >= until)
                return false;
        }
        while (range_ < ranges_.size() && left_ == 0)
            if (++range_ < ranges_.size())
                enter_range();
        if (range_ >= ranges_.size())
            return true;
        const auto* entry = session_.view()->entry_at(index_, hint_);
        if (!entry) {
            next_message();
            if (order_.end == End::Normal && !session_.uid_form())
                order_.end = End::Missing;
        } else if (!wanted(*entry)) {
            next_message();
        } else if (items_.has_modseq && entry->modseq > session_.store().visible()) {
            // A modseq that was shown must stay true: this one is not safe yet.
            hint_ = 0;
            session_.await_visible(entry->modseq, [] {});
            return false;
        } else {
            begin_message(*entry);
        }
    }
}

void FetchTask::enter_range()
{
    const auto& range = ranges_[range_];
    left_ = range.end - range.begin;
    index_ = downwards_ && left_ > 0 ? range.end - 1 : range.begin;
}

void FetchTask::next_message()
{
    if (--left_ > 0)
        index_ += downwards_ ? std::size_t(-1) : 1;
}

bool FetchTask::wanted(const store::Entry& entry) const
{
    return !order_.changed_since || entry.modseq > *order_.changed_since;
}

void FetchTask::begin_message(const store::Entry& entry)
{
    auto& out = session_.output();
    message_.open(entry);
    open_ = true;
    item_ = 0;
    first_item_ = true;
    streamed_ = false;
    becomes_seen_ = marks_seen_ && !(session_.flags_of(entry) & store::Seen);
    if (items_.has_flags)
        session_.tell_new_keywords();
    message_start_ = out.size();
    session_.begin_fetch(index_, entry.uid);
}

void FetchTask::end_message()
{
    auto& out = session_.output();
    // Who wants to hear of modseqs, too, is told when there is one (mark_seen).
    if (becomes_seen_ && !items_.has_flags && !session_.enabled().condstore) {
        out += " FLAGS ";
        append_flags(out, session_.flags_of(message_.entry()) | store::Seen, message_.entry().keywords,
                     *session_.view()->facts(), session_.is_recent(message_.entry().uid));
    }
    out += ")\r\n";
    if (becomes_seen_)
        seen_.push_back(message_.entry().uid);
    open_ = false;
    message_.close();
    next_message();
}

bool FetchTask::write_item(const FetchItem& item)
{
    auto& out = session_.output();
    const auto& entry = message_.entry();
    if (!first_item_)
        out += ' ';
    first_item_ = false;
    switch (item.kind) {
    case Kind::Uid:
        out += "UID ";
        append_number(out, entry.uid);
        break;
    case Kind::Flags:
        out += "FLAGS ";
        append_flags(out,
                     session_.flags_of(entry) | (becomes_seen_ && !session_.enabled().condstore ? store::Seen : 0),
                     entry.keywords, *session_.view()->facts(), session_.is_recent(entry.uid));
        break;
    case Kind::Modseq:
        util::append(out, "MODSEQ (", entry.modseq, ")");
        break;
    case Kind::InternalDate:
        out += "INTERNALDATE ";
        append_internal_date(out, entry.internal_date);
        break;
    case Kind::Size:
        out += "RFC822.SIZE ";
        append_number(out, entry.size);
        break;
    case Kind::SaveDate:  // RFC 8514 §4.2
        out += "SAVEDATE ";
        append_internal_date(out, {.seconds = entry.save_seconds, .zone_minutes = 0});
        break;
    case Kind::EmailId:
        out += "EMAILID (";
        append_email_id(out, entry.guid);
        out += ')';
        break;
    case Kind::ThreadId:  // RFC 8474 §5.2: there are none here
        out += "THREADID NIL";
        break;
    case Kind::Preview:
        write_preview();
        break;
    case Kind::Envelope:
        write_rendered("ENVELOPE ", &store::RenderedView::envelope);
        break;
    case Kind::Body:
        write_rendered("BODY ", &store::RenderedView::body);
        break;
    case Kind::BodyStructure:
        write_rendered("BODYSTRUCTURE ", &store::RenderedView::body_structure);
        break;
    case Kind::Section:
        return write_section(item);
    case Kind::Binary:
    case Kind::BinarySize:
        return write_binary(item);
    }
    return open_;
}

void FetchTask::write_rendered(std::string_view label, std::string_view store::RenderedView::*part)
{
    auto rendered = message_.rendered();
    if (rendered.ok() && !session_.accepts_utf8() && !util::is_ascii((*rendered)->*part)) {
        if (!downgrade_if_needed())
            return;
        rendered = message_.rendered();
    }
    if (!rendered.ok())
        return unreadable(rendered.error());
    session_.output() += label;
    session_.output() += (*rendered)->*part;
}

// False when the message cannot be read, which is said.
bool FetchTask::downgrade()
{
    auto used = message_.use_surrogate();
    if (!used.ok()) {
        unreadable(used.error());
        return false;
    }
    auto uid = message_.entry().uid;
    if (*used && downgraded_.size() < max_downgraded_told && (downgraded_.empty() || downgraded_.back() != uid))
        downgraded_.push_back(uid);
    return true;
}

bool FetchTask::downgrade_if_needed()
{
    if (session_.accepts_utf8())
        return true;
    auto needed = message_.needs_surrogate();
    if (!needed.ok()) {
        unreadable(needed.error());
        return false;
    }
    return !*needed || downgrade();
}

// RFC 8970 §3.1: empty when the message has no text.
void FetchTask::write_preview()
{
    auto rendered = message_.rendered();
    if (!rendered.ok())
        return unreadable(rendered.error());
    session_.output() += "PREVIEW ";
    syntax::append_string(session_.output(), (*rendered)->preview, session_.form());
}

bool FetchTask::write_section(const FetchItem& item)
{
    using What = mail::Section::What;
    const auto& section = item.section;
    if (!item.from_cache && !downgrade_if_needed())
        return open_;
    if (section.part.empty() && section.what == What::All)
        return write_content({0, std::size_t(message_.size())}, item);
    if (item.from_cache) {
        auto rendered = message_.rendered();
        if (!rendered.ok()) {
            unreadable(rendered.error());
            return open_;
        }
        if (!session_.accepts_utf8() && !util::is_ascii((*rendered)->header_cache)) {
            if (!downgrade_if_needed())
                return open_;
            rendered = message_.rendered();
        }
        // Whether an empty line ends the header of a message without a body, only the message tells.
        if (rendered.ok() && !(*rendered)->header_cache.empty() && (*rendered)->header_size < message_.size())
            return write_bytes(mail::select_fields(util::concat((*rendered)->header_cache, "\r\n"),
                                                   section.fields,
                                                   section.what == What::HeaderFieldsNot),
                               item);
    }
    if (section.part.empty()) {
        auto rendered = message_.rendered();
        if (!rendered.ok()) {
            unreadable(rendered.error());
            return open_;
        }
        std::size_t header = (*rendered)->header_size;
        if (section.what == What::Header)
            return write_content({0, header}, item);
        if (section.what == What::Text)
            return write_content({header, std::size_t(message_.size()) - header}, item);
        auto text = message_.header();
        if (!text.ok()) {
            unreadable(text.error());
            return open_;
        }
        return write_bytes(mail::select_fields(*text, section.fields,
                                               section.what == What::HeaderFieldsNot),
                           item);
    }
    auto tree = message_.tree();
    if (!tree.ok()) {
        unreadable(tree.error());
        return open_;
    }
    auto range = mail::find_section(**tree, section);
    if (!range)
        return nil_section(item);
    auto bytes = message_.whole().substr(range->offset, range->size);
    if (section.what == What::HeaderFields || section.what == What::HeaderFieldsNot)
        return write_bytes(
            mail::select_fields(bytes, section.fields, section.what == What::HeaderFieldsNot), item);
    return write_bytes(bytes, item);
}

// A part with its transfer encoding undone; of the message itself there is nothing to undo.
bool FetchTask::write_binary(const FetchItem& item)
{
    if (!downgrade_if_needed())
        return open_;
    if (item.section.part.empty() && item.kind == Kind::BinarySize) {
        util::append(session_.output(), item.label, " ", message_.size());
        return true;
    }
    auto tree = message_.tree();
    if (!tree.ok()) {
        unreadable(tree.error());
        return open_;
    }
    if (item.section.part.empty())
        return write_bytes(message_.whole(), item);
    const auto* part = mail::find_part(**tree, item.section.part);
    if (!part && item.kind == Kind::Binary)
        return nil_section(item);
    auto content = part ? mail::decoded_content(message_.whole(), *part) : std::string();
    if (!content.ok()) {
        leave_out(End::UnknownCte);
        return open_;
    }
    if (item.kind == Kind::Binary)
        return write_bytes(*content, item);
    util::append(session_.output(), item.label, " ", content->size());
    return true;
}

// RFC 3501 §6.4.5: a partial fetch beyond the end is an empty string.
bool FetchTask::write_bytes(std::string_view bytes, const FetchItem& item)
{
    if (item.partial) {
        bytes.remove_prefix(std::size_t(std::min<std::uint64_t>(item.offset, bytes.size())));
        bytes = bytes.substr(0, std::size_t(std::min<std::uint64_t>(item.length, bytes.size())));
    }
    auto& out = session_.output();
    out += item.label;
    // RFC 3516 §4.2: only a literal8 may hold NUL.
    bool has_nul = item.kind == Kind::Binary && bytes.find('\0') != std::string_view::npos;
    out += has_nul ? " ~{" : " {";
    append_number(out, bytes.size());
    out += "}\r\n";
    out += bytes;
    return true;
}

bool FetchTask::write_content(mail::Range range, const FetchItem& item)
{
    if (item.partial) {
        auto skip = std::size_t(std::min<std::uint64_t>(item.offset, range.size));
        range.offset += skip;
        range.size = std::size_t(std::min<std::uint64_t>(item.length, range.size - skip));
    }
    auto& out = session_.output();
    auto before = out.size();
    out += item.label;
    out += " {";
    append_number(out, range.size);
    out += "}\r\n";
    // What cannot be read at all shows here, where the length is not sent yet.
    auto first = std::min<decltype(range.size)>(range.size, piece_size);
    auto appended = message_.append(range.offset, first, out);
    if (!appended.ok()) {
        out.resize(before);
        unreadable(appended.error());
        return open_;
    }
    if (first == range.size)
        return true;
    stream_at_ = range.offset + first;
    stream_left_ = range.size - first;
    streamed_ = true;
    return false;
}

// One piece of a large body.  A body that cannot be read to its end can only end the connection:
// its length is announced already.
bool FetchTask::stream()
{
    auto size = std::min(stream_left_, piece_size);
    auto appended = message_.append(stream_at_, size, session_.output());
    if (!appended.ok()) {
        util::log::error("uid=", message_.entry().uid, ": ", appended.error().text);
        stream_left_ = 0;
        open_ = false;
        ranges_.clear();
        session_.drop();
        return false;
    }
    stream_at_ += size;
    stream_left_ -= size;
    return true;
}

bool FetchTask::nil_section(const FetchItem& item)
{
    session_.output() += item.label;
    session_.output() += " NIL";
    return true;
}

// A message that cannot be read is left out, and the tagged answer says so.
void FetchTask::unreadable(const util::Error& error)
{
    util::log::error("uid=", message_.entry().uid, ": ", error.text);
    leave_out(End::Unreadable);
}

void FetchTask::leave_out(End why)
{
    if (order_.end != End::Unreadable && order_.end != End::Silent)
        order_.end = why;
    becomes_seen_ = false;
    if (streamed_) {
        // What was begun must be ended.
        session_.output() += "UID ";
        append_number(session_.output(), message_.entry().uid);
        item_ = items_.items.size();
        return;
    }
    session_.output().resize(message_start_);
    open_ = false;
    message_.close();
    next_message();
}

void FetchTask::mark_seen()
{
    if (seen_.empty() || session_.finished())
        return;
    auto& store = session_.store();
    auto before = store.last();
    auto changed = session_.mark_seen(session_.view()->id(), seen_);
    session_.look_again(seen_);
    if (changed.ok())
        session_.view()->told(before, store.last());
    else if (changed.error().code != E2BIG)   // a guest could have that written as often as he likes
        util::log::warning("cannot mark as seen: ", changed.error().text);
    bool told_later = session_.enabled().condstore;   // when there is a modseq; else \Seen was told with the message
    if (changed.ok() && told_later)
        marked_ = store.last();
    // Also those that were told so, and could not be marked.
    if (changed.ok() == told_later)
        to_tell_.insert(to_tell_.end(), seen_.begin(), seen_.end());
    seen_.clear();
}

bool FetchTask::finish()
{
    if (!downgraded_.empty() && order_.end == End::Normal) {  // RFC 6858 §3
        order_.code += "[DOWNGRADED ";
        syntax::SetWriter set(order_.code);
        for (auto uid : downgraded_)
            set.add(uid);
        set.finish();
        order_.code += "] ";
    }
    if (!session_.finished())
        end_fetch(session_, order_);
    return true;
}

}  // namespace

void end_fetch(Session& session, const FetchOrder& order)
{
    // RFC 9738 §3.1: beside another code it is an untagged one.
    if (!order.limited.empty() && order.end != End::Silent && order.end != End::Normal)
        session.untagged(util::concat("NO ", order.limited, " There are more of these messages"));
    switch (order.end) {
    case End::Silent:
        return;
    case End::Normal:
        return session.ok_limited(order.limited, order.code, util::concat(order.verb, " completed"));
    case End::Missing:  // RFC 5530; the client hears which with its next NOOP
        return session.no(util::concat(order.code.empty() ? "[EXPUNGEISSUED] " : order.code,
                                       "Some of these messages no longer exist"));
    case End::Unreadable:
        return session.no("[CORRUPTION] Some of these messages cannot be read");
    case End::UnknownCte:
        return session.no("[UNKNOWN-CTE] The transfer encoding of some of these parts is not known");
    }
}

std::unique_ptr<Task> make_fetch_task(Session& session, FetchOrder order)
{
    return std::make_unique<FetchTask>(session, std::move(order));
}

// Messages that are gone, or have not changed since, are none that the command works on.
void Session::limit_fetch(FetchOrder& order)
{
    auto limit = message_limit();
    if (limit == 0 || message_count(order.ranges) <= limit)
        return;
    if (order.changed_since) {
        std::vector<IndexRange> changed;
        std::size_t hint = 0;
        for (const auto& range : order.ranges) {
            for (auto i = range.begin; i < range.end; ++i) {
                const auto* entry = view_->entry_at(i, hint);
                if (!entry || entry->modseq <= *order.changed_since)
                    continue;
                if (!changed.empty() && changed.back().end == i)
                    ++changed.back().end;
                else
                    changed.push_back({i, i + 1});
            }
        }
        order.ranges = std::move(changed);
    }
    if (keep_highest(order.ranges, limit))
        order.limited = message_limit_code(limit, view_->uid_at(order.ranges.front().begin));
}

Session::Answer Session::fetch(Scanner& arguments)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.space());
    FetchOrder order;
    order.items = TRY(parse_fetch_items(arguments, uid_form_ || enabled_.qresync));
    auto modifiers = TRY(parse_fetch_modifiers(arguments, uid_form_));
    TRY(arguments.end());
    if (modifiers.vanished && !enabled_.qresync)
        return util::invalid("VANISHED needs QRESYNC");
    order.ranges = TRY(select(set));
    if (modifiers.partial)
        order.ranges = part_of(order.ranges, *modifiers.partial);
    order.changed_since = modifiers.changed_since;
    if (modifiers.partial && message_limit() > 0 && message_count(order.ranges) > message_limit()) {
        no(util::concat("[MESSAGELIMIT ", message_limit(), "] The page is larger than the limit"));
        return {};
    }
    limit_fetch(order);
    if (modifiers.changed_since)
        order.items.add_modseq();
    if (order.items.has_modseq)
        use_condstore();
    if (modifiers.vanished)
        tell_vanished(*modifiers.changed_since, named_uids(set), 0);
    start(make_fetch_task(*this, std::move(order)));
    return {};
}

}  // namespace imapd::engine
