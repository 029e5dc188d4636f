// FETCH: RFC 3501 §6.4.5.
//
// A task that walks the messages and appends to the session's output until enough waits there, so
// that memory stays bounded whatever is asked for.  It pauses between messages, or inside a large
// body: that one is read from the store piece by piece.
#include "imapd/engine/fetch_task.h"

#include "imapd/engine/format.h"
#include "imapd/engine/message_content.h"
#include "imapd/syntax/sequence_set.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <optional>

namespace imapd::engine {

using syntax::append_number;
using syntax::Scanner;
using Kind = FetchItem::Kind;

namespace {

// A body of at most this size is appended whole; a larger one in pieces of it.
constexpr std::uint64_t piece_size = 256U << 10;
// The clock is looked at after so many messages.
constexpr unsigned clock_interval = 32;

class FetchTask final : public Task {
public:
    FetchTask(Session& session, std::vector<IndexRange> ranges, FetchItems items,
              std::string_view verb, End end)
        : session_(session), ranges_(std::move(ranges)), items_(std::move(items)), verb_(verb),
          end_(end), message_(session.store())
    {
        marks_seen_ = items_.marks_seen && !session.view()->read_only();
        if (!ranges_.empty())
            index_ = ranges_.front().begin;
    }

    bool step(util::Instant until) override;
    bool in_literal() const override { return stream_left_ > 0; }

private:
    bool walk(util::Instant until);
    void begin_message(const store::Entry& entry);
    void end_message();
    // False when the item goes on as a stream.
    bool write_item(const FetchItem& item);
    bool write_section(const FetchItem& item);
    bool write_bytes(std::string_view bytes, const FetchItem& item);
    bool write_content(mail::Range range, const FetchItem& item);
    void write_rendered(std::string_view label, std::string_view store::RenderedView::*part);
    bool stream();
    bool nil_section(const FetchItem& item);
    void unreadable(const util::Error& error);
    void mark_seen();
    bool finish();

    Session& session_;
    std::vector<IndexRange> ranges_;
    FetchItems items_;
    std::string verb_;
    End end_;
    bool marks_seen_ = false;

    std::size_t range_ = 0;              // where the walk is
    std::size_t index_ = 0;
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
};

bool FetchTask::step(util::Instant until)
{
    if (open_ && !session_.view()->mailbox()) {
        session_.drop();  // the mailbox was removed while a large body was on its way
        return true;
    }
    message_.pause();  // other sessions have used the store
    bool done = walk(until);
    // The flags are told with the message (RFC 3501 §6.4.5) and stored here, once for the step.
    mark_seen();
    return done && finish();
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
        if (++since_clock_ >= clock_interval) {
            since_clock_ = 0;
            if (util::now() >= until)
                return false;
        }
        while (range_ < ranges_.size() && index_ >= ranges_[range_].end)
            if (++range_ < ranges_.size())
                index_ = ranges_[range_].begin;
        if (range_ >= ranges_.size())
            return true;
        if (const auto* entry = session_.view()->entry_at(index_, hint_)) {
            begin_message(*entry);
        } else {
            ++index_;
            if (end_ == End::Normal && !session_.uid_form())
                end_ = End::Missing;
        }
    }
}

void FetchTask::begin_message(const store::Entry& entry)
{
    auto& out = session_.output();
    message_.open(entry);
    open_ = true;
    item_ = 0;
    first_item_ = true;
    streamed_ = false;
    becomes_seen_ = marks_seen_ && !(entry.flags & store::Seen);
    if (items_.has_flags)
        session_.tell_new_keywords();
    message_start_ = out.size();
    out += "* ";
    append_number(out, index_ + 1);
    out += " FETCH (";
}

void FetchTask::end_message()
{
    auto& out = session_.output();
    if (becomes_seen_ && !items_.has_flags) {
        out += " FLAGS ";
        append_flags(out, message_.entry().flags | store::Seen, message_.entry().keywords,
                     *session_.view()->mailbox(), session_.view()->is_recent(message_.entry().uid));
    }
    out += ")\r\n";
    if (becomes_seen_)
        seen_.push_back(message_.entry().uid);
    open_ = false;
    message_.close();
    ++index_;
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
        append_flags(out, becomes_seen_ ? entry.flags | store::Seen : entry.flags, entry.keywords,
                     *session_.view()->mailbox(), session_.view()->is_recent(entry.uid));
        break;
    case Kind::InternalDate:
        out += "INTERNALDATE ";
        append_internal_date(out, entry.internal_date);
        break;
    case Kind::Size:
        out += "RFC822.SIZE ";
        append_number(out, entry.size);
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
    }
    return open_;
}

void FetchTask::write_rendered(std::string_view label, std::string_view store::RenderedView::*part)
{
    auto rendered = message_.rendered();
    if (!rendered.ok())
        return unreadable(rendered.error());
    session_.output() += label;
    session_.output() += (*rendered)->*part;
}

bool FetchTask::write_section(const FetchItem& item)
{
    using What = mail::Section::What;
    const auto& section = item.section;
    if (section.part.empty() && section.what == What::All)
        return write_content({0, std::size_t(message_.entry().size)}, item);
    if (item.from_cache) {
        auto rendered = message_.rendered();
        if (!rendered.ok()) {
            unreadable(rendered.error());
            return open_;
        }
        // Whether an empty line ends the header of a message without a body, only the message tells.
        if (!(*rendered)->header_cache.empty() && (*rendered)->header_size < message_.entry().size)
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
            return write_content({header, std::size_t(message_.entry().size) - header}, item);
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

// RFC 3501 §6.4.5: a partial fetch beyond the end is an empty string.
bool FetchTask::write_bytes(std::string_view bytes, const FetchItem& item)
{
    if (item.partial) {
        bytes.remove_prefix(std::size_t(std::min<std::uint64_t>(item.offset, bytes.size())));
        bytes = bytes.substr(0, std::size_t(std::min<std::uint64_t>(item.length, bytes.size())));
    }
    auto& out = session_.output();
    out += item.label;
    out += " {";
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
    end_ = End::Unreadable;
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
    ++index_;
}

void FetchTask::mark_seen()
{
    if (seen_.empty() || session_.finished())
        return;
    store::FlagChange change;
    change.flags = store::Seen;
    auto& store = session_.store();
    auto before = store.last();
    auto changed = store.change_flags(session_.view()->id(), seen_, change);
    if (changed.ok())
        session_.view()->told(before, store.last());
    else
        util::log::warning("cannot mark as seen: ", changed.error().text);
    seen_.clear();
}

bool FetchTask::finish()
{
    if (!session_.finished())
        end_fetch(session_, verb_, end_);
    return true;
}

}  // namespace

void end_fetch(Session& session, std::string_view verb, End end)
{
    switch (end) {
    case End::Normal:
        return session.ok(util::concat(verb, " completed"));
    case End::Missing:  // RFC 5530; the client hears which with its next NOOP
        return session.no("[EXPUNGEISSUED] Some of these messages no longer exist");
    case End::Unreadable:
        return session.no("[CORRUPTION] Some of these messages cannot be read");
    }
}

std::unique_ptr<Task> make_fetch_task(Session& session, std::vector<IndexRange> ranges,
                                      FetchItems items)
{
    return std::make_unique<FetchTask>(session, std::move(ranges), std::move(items), "FETCH",
                                       End::Normal);
}

std::unique_ptr<Task> make_flags_task(Session& session, std::vector<IndexRange> ranges,
                                      std::string_view verb, End end)
{
    FetchItems items;
    if (session.uid_form())
        items.items.emplace_back().kind = Kind::Uid;
    items.items.emplace_back().kind = Kind::Flags;
    items.has_flags = true;
    return std::make_unique<FetchTask>(session, std::move(ranges), std::move(items), verb, end);
}

Session::Answer Session::fetch(Scanner& arguments)
{
    TRY(arguments.space());
    auto set = TRY(arguments.sequence_set());
    TRY(arguments.space());
    auto items = TRY(parse_fetch_items(arguments, uid_form_));
    auto ranges = TRY(select(set));
    start(make_fetch_task(*this, std::move(ranges), std::move(items)));
    return {};
}

}  // namespace imapd::engine
