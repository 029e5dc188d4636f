// Sessions that only wait, as bytes, and sessions made of these (libipc/parking.h).
//
// What is written is what the client knows and has switched on; all else is found in the store.  What is read
// may come from anywhere: it is checked against the store, and a session that cannot go on exactly where it
// was says BYE, so that the client begins anew.
#include "imapd/engine/session.h"

#include "imapd/engine/relay.h"
#include "imapd/engine/uid_runs.h"
#include "imapd/syntax/bye.h"
#include "libipc/parking.h"
#include "libstore/codec.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

constexpr std::uint8_t state_version = 1;
constexpr std::size_t max_parked_tag = 4096;

// Who adds to what a client can switch on, adds it to both functions.
static_assert(sizeof(Enabled) == 6);

std::uint8_t bits_of(const Enabled& enabled)
{
    return std::uint8_t(enabled.rev2 | enabled.condstore << 1 | enabled.qresync << 2 | enabled.uid_only << 3 |
                        enabled.metadata << 4 | enabled.utf8 << 5);
}

Enabled enabled_of(std::uint8_t bits)
{
    Enabled enabled;
    enabled.rev2 = bits & 1;
    enabled.condstore = bits & 2;
    enabled.qresync = bits & 4;
    enabled.uid_only = bits & 8;
    enabled.metadata = bits & 16;
    enabled.utf8 = bits & 32;
    return enabled;
}

void write_view(std::string& out, const View& view)
{
    store::Writer writer(out);
    auto state = view.state();
    writer.u64(view.id());
    writer.u32(view.facts()->uid_validity);   // its messages may not be loaded
    writer.u8(state.read_only);
    writer.u64(state.position);
    writer.u32(std::uint32_t(state.keywords_told));
    append_runs(out, state.uids);
    std::sort(state.gone.begin(), state.gone.end());
    state.gone.erase(std::unique(state.gone.begin(), state.gone.end()), state.gone.end());
    append_runs(out, state.gone);
    writer.u32(std::uint32_t(state.own.size()));
    for (const auto& span : state.own) {
        writer.u64(span.after);
        writer.u64(span.up_to);
    }
    writer.u32(std::uint32_t(state.recent.size()));
    for (const auto& range : state.recent) {
        writer.u32(range.first);
        writer.u32(range.last);
    }
}

ViewState read_view(store::Reader& reader)
{
    ViewState state;
    state.read_only = reader.u8() != 0;
    state.position = reader.u64();
    state.keywords_told = reader.u32();
    state.uids = read_runs(reader);
    state.gone = read_runs(reader);
    for (auto count = reader.count(16); count > 0; --count) {
        auto& span = state.own.emplace_back();
        span.after = reader.u64();
        span.up_to = reader.u64();
        if (span.up_to <= span.after)
            reader.fail();
    }
    for (auto count = reader.count(8); count > 0; --count) {
        std::uint32_t before = state.recent.empty() ? 0 : state.recent.back().last;
        auto& range = state.recent.emplace_back();
        range.first = reader.u32();
        range.last = reader.u32();
        if (range.first <= before || range.last < range.first)
            reader.fail();
    }
    return state;
}

// Can this be what a client was told of this mailbox?
bool fits(const ViewState& state, const store::MailboxFacts& mailbox, store::Lsn last)
{
    auto known = [&](const std::vector<std::uint32_t>& uids) { return uids.empty() || uids.back() < mailbox.uid_next; };
    return state.position <= last && known(state.uids) && known(state.gone) && state.keywords_told <= mailbox.keywords.size() &&
           (state.recent.empty() || state.recent.back().last < mailbox.uid_next) &&
           std::all_of(state.own.begin(), state.own.end(), [&](const auto& span) { return span.up_to <= last; });
}

}  // namespace

ipc::ProtocolSession::Waits Session::waits() const
{
    // A guest's rights, what happens at another user's, and annotations anywhere are watched by nobody meanwhile.
    if (is_guest() || (relay_ && (relay_->selected() || relay_->in_response())) || enabled_.metadata ||
        (notifier_ && notifier_->wants_annotations()))
        return Waits::No;
    if (finished_ || then_ || task_ || !untold_flags_.empty() || !input_exhausted_ || input_ended_ || view_gone_ ||
        !output_.empty() || !framer_.between_commands() || !arrivals_.empty() || !looks_.empty() || !contexts_.empty() ||
        !own_arrivals_.empty() || (notifier_ && notifier_->has_news()) || tag_.size() > max_parked_tag ||
        (view_ && !view_->facts()))
        return Waits::No;
    if (!listens())
        return Waits::ForClient;
    // What has happened already and may not be told yet is waited for here.
    return !is_told_of_view() || view_->facts()->highest_modseq <= view_->position() ? Waits::ForNews : Waits::No;
}

// By IDLE, or as NOTIFY has it.
bool Session::is_told_of_view() const
{
    return view_ && (!notifier_ || notifier_->selected());
}

std::optional<ipc::Resting> Session::rest() const
{
    auto waiting = waits();
    if (waiting == Waits::No)
        return std::nullopt;
    ipc::Resting resting;
    auto& out = resting.state;
    store::Writer writer(out);
    writer.u8(state_version);
    writer.u8(bits_of(enabled_));
    writer.u8(std::uint8_t(idling_ | quota_told_ << 1));
    writer.u8(std::uint8_t(bad_in_a_row_));
    writer.i64(last_input_.time_since_epoch().count());
    for (auto counter : {bytes_in_, bytes_out_, expunged_, appended_})
        writer.u64(counter);
    writer.text(idling_ ? std::string_view(tag_) : std::string_view());
    append_runs(out, saved_);
    writer.u8(view_ != nullptr);
    if (view_)
        write_view(out, *view_);
    writer.u8(notifier_ != nullptr);
    if (notifier_) {
        writer.u8(notifier_->arguments().form == syntax::Form::Utf8);
        writer.text(notifier_->arguments().text);
        notifier_->write(out);
    }
    writer.text(facts_.client);   // by ID: what it shall not hear of depends on it
    if (url_key_told_ != 0)
        writer.u64(url_key_told_);
    if (out.size() > ipc::max_parked_state)
        return std::nullopt;
    if (waiting == Waits::ForNews && is_told_of_view())
        resting.watches.push_back({view_->id(), view_->position()});
    if (waiting == Waits::ForNews && notifier_)
        notifier_->add_watches(resting.watches, view_ ? view_->id() : 0);
    resting.late = syntax::bye(autologout_text);
    resting.farewell = syntax::bye("The server has ended the session");
    return resting;
}

util::Result<void> Session::restore(std::string_view bytes, bool compressed)
{
    compressed_ = compressed;
    auto unusable = [] { return util::invalid("what was kept of the session is not as it should be"); };
    store::Reader reader(bytes);
    if (reader.u8() != state_version)
        return unusable();
    enabled_ = enabled_of(reader.u8());
    tell_enabled();
    auto told = reader.u8();
    idling_ = (told & 1) != 0;
    quota_told_ = (told & 2) != 0;
    bad_in_a_row_ = std::min<int>(reader.u8(), max_bad_commands - 1);
    // Never in the future: it would put the autologout off.
    last_input_ = std::min(last_input_, util::Instant(util::Duration(reader.i64())));
    for (auto* counter : {&bytes_in_, &bytes_out_, &expunged_, &appended_})
        *counter = reader.u64();
    tag_ = reader.text();
    if (tag_.size() > max_parked_tag || !std::all_of(tag_.begin(), tag_.end(), syntax::is_tag_char) || tag_.empty() == idling_)
        return unusable();
    saved_ = read_runs(reader);
    may_expunge_ = true;   // as IDLE has it
    bool has_view = reader.u8() != 0;
    auto id = has_view ? reader.u64() : 0;
    auto uid_validity = has_view ? reader.u32() : 0;
    auto state = has_view ? read_view(reader) : ViewState();
    if (reader.u8() != 0 && !restore_notifier(reader))
        return unusable();
    auto client = reader.text();
    url_key_told_ = has_view && !reader.left().empty() ? reader.u64() : 0;
    if (!reader.ok() || !reader.left().empty() || client.size() > max_id_value)
        return unusable();
    facts_.client = client;
    if (!has_view)
        return {};
    auto mailbox = store_.share(id);
    if (!mailbox.ok() && mailbox.error().kind == util::Kind::NotFound) {
        bye(removed_text);
        return {};
    }
    if (!mailbox.ok())
        return mailbox.take_error();
    if ((*mailbox)->uid_validity != uid_validity || !fits(state, **mailbox, store_.last()))
        return unusable();
    view_ = std::make_unique<View>(store_, mailbox.take(), std::move(state));
    check_access(false);   // it may be that it is not to be read any more
    return {};
}

bool Session::restore_notifier(store::Reader& reader)
{
    auto form = reader.u8() != 0 ? syntax::Form::Utf8 : syntax::Form::Ascii;
    auto text = reader.text();
    syntax::Scanner scanner(text, form);
    auto arguments = parse_notify(scanner, enabled_.qresync || enabled_.uid_only);
    if (!arguments.ok())
        return false;
    arguments->form = form;
    notifier_ = std::make_unique<Notifier>(store_, arguments.take());
    notifier_->read(reader);
    return reader.ok() && !notifier_->watches_too_many();
}

void Session::catch_up()
{
    if (finished_)
        return;
    auto before = output_.size();
    if (view_ && !view_->refresh())
        view_gone_ = true;
    if (notifier_)
        notifier_->suspect_all();
    if (view_gone_ && listens())
        bye(removed_text);
    else if (listens())
        tell_unasked();
    count_output(before);
}

}  // namespace imapd::engine
