// One IMAP session after log-in: input, the command table, answers.
#include "imapd/engine/session.h"

#include "imapd/engine/format.h"
#include "imapd/engine/guest.h"
#include "imapd/engine/relay.h"
#include "imapd/engine/search_context.h"
#include "imapd/engine/slices.h"
#include "imapd/syntax/bye.h"
#include "imapd/syntax/mailbox_name.h"
#include "libmail/normal_form.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// Input beyond this waits in the socket while a command runs.
constexpr std::size_t input_high = 64U << 10;

constexpr unsigned char Authenticated = 1;
constexpr unsigned char Selected = 2;
constexpr unsigned char Both = Authenticated | Selected;
constexpr unsigned char Messages = 4;   // those of the selected mailbox are loaded before
constexpr unsigned char OnMessages = Selected | Messages;

}  // namespace

// RFC 3501 §6: which command may come when.  "Expunges": RFC 3501 §7.4.1 forbids untagged EXPUNGE
// in answer to FETCH, STORE and SEARCH; their UID forms permit it.
const Session::Command Session::commands[] = {
    {"FETCH", &Session::fetch, OnMessages, false, true},
    {"UID", &Session::uid, Selected, true},
    {"STORE", &Session::store_flags, OnMessages, false, true},
    {"SEARCH", &Session::search, OnMessages, false, true},
    {"SORT", &Session::sort, OnMessages, false, true},
    {"THREAD", &Session::thread, OnMessages, false, true},
    {"CANCELUPDATE", &Session::cancel_update, Selected, true},
    {"NOOP", &Session::noop, Both, true},
    {"IDLE", &Session::idle, Both, true},
    {"NOTIFY", &Session::notify, Both, true},
    {"SELECT", &Session::select_mailbox, Both, false},
    {"EXAMINE", &Session::examine, Both, false},
    {"STATUS", &Session::status, Both, true},
    {"LIST", &Session::list, Both, true},
    {"LSUB", &Session::lsub, Both, true},
    {"APPEND", &Session::append, Both, true},
    {"REPLACE", &Session::replace, OnMessages, true, true},
    {"COPY", &Session::copy, OnMessages, true, true},
    {"MOVE", &Session::move, OnMessages, true, true},
    {"EXPUNGE", &Session::expunge, OnMessages, true},
    {"CLOSE", &Session::close, Selected, false},
    {"UNSELECT", &Session::unselect, Selected, false},
    {"CHECK", &Session::check, Selected, true},
    {"CREATE", &Session::create, Both, true},
    {"DELETE", &Session::remove, Both, true},
    {"RENAME", &Session::rename, Both, true},
    {"SUBSCRIBE", &Session::subscribe, Both, true},
    {"UNSUBSCRIBE", &Session::unsubscribe, Both, true},
    {"NAMESPACE", &Session::name_space, Both, true},
    {"GETQUOTA", &Session::get_quota, Both, true},
    {"GETQUOTAROOT", &Session::get_quota_root, Both, true},
    {"SETQUOTA", &Session::set_quota, Both, true},
    {"GETACL", &Session::get_acl, Both, true},
    {"SETACL", &Session::set_acl, Both, true},
    {"DELETEACL", &Session::delete_acl, Both, true},
    {"LISTRIGHTS", &Session::list_rights, Both, true},
    {"MYRIGHTS", &Session::my_rights, Both, true},
    {"GETMETADATA", &Session::get_metadata, Both, true},
    {"SETMETADATA", &Session::set_metadata, Both, true},
    {"GENURLAUTH", &Session::generate_urls, Both, true},
    {"URLFETCH", &Session::fetch_urls, Both, true},
    {"RESETKEY", &Session::reset_key, Both, true},
    {"CAPABILITY", &Session::capability, Both, true},
    {"ID", &Session::id, Both, true},
    {"ENABLE", &Session::enable, Both, true},
    {"COMPRESS", &Session::compress, Both, false},
    {"UNAUTHENTICATE", &Session::unauthenticate, Both, false},
    {"LOGOUT", &Session::logout, Both, false},
    {"LOGIN", &Session::already_in, Both, false},
    {"AUTHENTICATE", &Session::already_in, Both, false},
    {"STARTTLS", &Session::already_in, Both, false},
};

const Session::Command Session::uid_commands[] = {
    {"FETCH", &Session::fetch, OnMessages, true},
    {"STORE", &Session::store_flags, OnMessages, true},
    {"SEARCH", &Session::search, OnMessages, true},
    {"SORT", &Session::sort, OnMessages, true},
    {"THREAD", &Session::thread, OnMessages, true},
    {"COPY", &Session::copy, OnMessages, true},
    {"MOVE", &Session::move, OnMessages, true},
    {"REPLACE", &Session::replace, OnMessages, true},
    {"EXPUNGE", &Session::uid_expunge, OnMessages, true},
};

Session::Session(store::Store& store, SessionFacts facts)
    : store_(store), facts_(std::move(facts)), framer_({.line = facts_.limits.line}),
      last_input_(util::now())
{
    set_up_relay();
}

Session::~Session() = default;

// --- input ---------------------------------------------------------------------------------------

void Session::feed(std::string_view bytes)
{
    if (unauthenticated_)
        framer_.feed(bytes);   // they are for who comes next
    if (finished_)
        return;
    auto before = output_.size();
    bytes_in_ += bytes.size();
    last_input_ = util::now();
    framer_.feed(bytes);
    input_exhausted_ = false;
    advance();
    count_output(before);
}

bool Session::wants_input() const
{
    return !finished_ && !input_ended_ && (input_exhausted_ || framer_.waiting() < input_high);
}

void Session::end_of_input()
{
    auto before = output_.size();
    input_ended_ = true;
    input_exhausted_ = false;  // what is there still runs; then NeedInput ends the session
    advance();
    count_output(before);
}

bool Session::has_work() const
{
    if (finished_ || then_)
        return false;
    if (!untold_flags_.empty())
        return true;
    return task_ ? !task_->waits() : !input_exhausted_ || !arrivals_.empty() || !looks_.empty() || (untold_ && listens());
}

void Session::work()
{
    auto before = output_.size();
    advance();
    count_output(before);
}

void Session::count_output(std::size_t before)
{
    bytes_out_ += output_.size() - before;
}

void Session::advance()
{
    // What is answered from within a command or a task does not begin the next one: the loop below goes on.
    if (std::exchange(advancing_, true))
        return;
    auto until = util::now() + facts_.limits.slice;
    while (!finished_ && !then_ && !output_full()) {
        if (!untold_flags_.empty()) {
            tell_some_flags(until);
        } else if (task_) {
            if (task_->step(until))
                task_.reset();
            else if (task_->waits() || task_->yields())
                break;
        } else if (view_gone_) {
            bye(removed_text);
        } else if (start_looks() || start_arrivals()) {
            continue;
        } else if (!next_command()) {
            break;
        }
        if (util::now() >= until)
            break;
    }
    advancing_ = false;
    if (listens()) {
        untold_ = false;
        tell_unasked();
    }
}

bool Session::next_command()
{
    using Event = syntax::Framer::Event;
    switch (idling_ ? framer_.next_line() : framer_.next()) {
    case Event::NeedInput:
        input_exhausted_ = true;
        if (input_ended_)
            finished_ = true;
        return false;
    case Event::TooLong:
        answer_broken("[TOOBIG] The command line is too long");
        framer_.release();
        return true;
    case Event::BadLiteral:
        answer_broken("Invalid literal");
        framer_.release();
        return true;
    case Event::Fatal:
        bye("[TOOBIG] The literal is too large to be skipped");
        return true;
    case Event::Literal:
        literal_announced();
        return true;
    case Event::Command:
        if (idling_)
            end_idle(framer_.command());
        else
            execute(framer_.command());
        framer_.release();
        return true;
    }
    return false;
}

// Tagged BAD for a command that could not even be framed.
void Session::answer_broken(std::string_view text)
{
    Scanner scanner(framer_.command());
    auto tag = scanner.tag();
    tag_ = tag.ok() && scanner.peek() == ' ' ? std::string(*tag) : "*";
    bad(text);
}

void Session::literal_announced()
{
    Scanner scanner(framer_.command(), form());
    auto literal = framer_.literal();
    auto tag = scanner.tag();
    auto space = scanner.space();
    auto verb = scanner.atom();
    tag_ = tag.ok() && space.ok() ? std::string(*tag) : "*";
    bool accepted = false;
    uid_form_ = verb.ok() && util::equal_nocase(*verb, "UID") && scanner.skip_word(" REPLACE");
    bool replace = uid_form_ || (verb.ok() && util::equal_nocase(*verb, "REPLACE"));
    if (replace || (verb.ok() && util::equal_nocase(*verb, "APPEND"))) {
        accepted = append_may_begin(scanner, replace, literal.size);
    } else if (verb.ok() && !value_may_begin(*verb, literal.size)) {
        // It is answered.
    } else if (literal.size > facts_.limits.literal ||
               framer_.literal_bytes() + literal.size > max_command_literals) {
        bad("[TOOBIG] The literal is too large");
    } else {
        accepted = true;
    }
    if (accepted) {
        framer_.accept_literal();
        if (literal.synchronizing)
            output_ += "+ OK\r\n";
    } else if (!framer_.refuse_literal()) {
        bye("[TOOBIG] The literal is too large to be skipped");
    }
}

void Session::execute(std::string_view line)
{
    Scanner scanner(line, form());
    tag_ = "*";
    auto tag = scanner.tag();
    if (!tag.ok() || !scanner.skip(' '))
        return bad(line.empty() ? "Empty command" : "Invalid tag");
    tag_ = *tag;
    auto verb = scanner.atom();
    if (!verb.ok())
        return bad("Command expected");
    uid_form_ = false;
    command_text_ = line.substr(tag_.size() + 1);
    if (!route(*verb, command_text_, scanner))
        run(std::begin(commands), std::end(commands), *verb, scanner);
}

void Session::run(const Command* begin, const Command* end, std::string_view verb,
                  Scanner& arguments)
{
    const Command* command = begin;
    while (command != end && !util::equal_nocase(command->verb, verb))
        ++command;
    if (command == end)
        return bad(util::concat("Unknown command ", util::printable(verb, 40)));
    if (!(command->states & (view_ ? Selected : Authenticated)))
        return bad("No mailbox is selected");
    if (is_guest() && !permitted_for_guest(command->verb))
        return bad(util::concat("Unknown command ", command->verb));
    check_access(true);
    if (finished_)
        return;
    if (command->numbers && enabled_.uid_only)  // RFC 9586 §3
        return bad("[UIDREQUIRED] Messages are named by their UIDs here");
    if ((command->states & Messages) && view_->facts())
        if (auto loaded = view_->load(); !loaded.ok())
            return refuse(loaded.error());
    verb_ = command->verb;
    may_expunge_ = command->expunges;
    progress_told_ = util::now();
    auto answer = (this->*command->handler)(arguments);
    if (!answer.ok())
        bad(answer.error().text);
}

Session::Answer Session::uid(Scanner& arguments)
{
    TRY(arguments.space());
    auto verb = TRY(arguments.atom());
    uid_form_ = true;
    run(std::begin(uid_commands), std::end(uid_commands), verb, arguments);
    return {};
}

// --- answers -------------------------------------------------------------------------------------

void Session::ok(std::string_view text)
{
    bad_in_a_row_ = 0;
    tell_over_quota();
    // A client that has sent more already counts messages as they are now (RFC 3501 §5.5): it
    // hears of expunges when it waits for us.
    tell_news(may_expunge_ && framer_.waiting() == 0);
    tell_elsewhere();
    util::append(untold_flags_.empty() ? output_ : answer_behind_flags_, tag_, " OK ", text, "\r\n");
}

void Session::ok_limited(const std::string& limited, std::string_view code, std::string_view text)
{
    if (limited.empty())
        return ok(util::concat(code, text));
    if (code.empty())
        return ok(util::concat(limited, " ", text, " for the highest of these messages"));
    untagged(util::concat("NO ", limited, " There are more of these messages"));
    ok(util::concat(code, text));
}

void Session::no(std::string_view text)
{
    bad_in_a_row_ = 0;
    util::append(untold_flags_.empty() ? output_ : answer_behind_flags_, tag_, " NO ", text, "\r\n");
}

void Session::bad(std::string_view text)
{
    util::append(output_, tag_, " BAD ", text, "\r\n");
    if (++bad_in_a_row_ >= max_bad_commands)
        bye("Too many commands that are not understood");
}

void Session::untagged(std::string_view text)
{
    util::append(output_, "* ", text, "\r\n");
}

namespace {

// What the user can do something about.  Where a system call failed it is the administrator who can.
bool concerns_the_user(const util::Error& error)
{
    return error.code == 0 || error.code == EDQUOT || error.code == EEXIST || error.code == E2BIG || error.code == EFBIG ||
           error.code == ENOSPC;
}

}  // namespace

std::string refusal_text(const util::Error& error)
{
    if (!concerns_the_user(error)) {
        util::log::error("a command failed: ", error.text);
        return "[UNAVAILABLE] The mail store cannot do this at present";
    }
    std::string_view code = "[CANNOT] ";
    if (error.code == EDQUOT)
        code = "[OVERQUOTA] ";
    else if (error.code == EEXIST)
        code = "[ALREADYEXISTS] ";
    else if (error.code == E2BIG)
        code = "[LIMIT] ";   // RFC 5530 §3
    else if (error.kind == util::Kind::NotFound)
        code = "[NONEXISTENT] ";
    else if (error.kind == util::Kind::Temporary)
        code = "[UNAVAILABLE] ";
    return util::concat(code, util::printable(error.text, 200));
}

void Session::refuse(const util::Error& error)
{
    if (is_guest() && error.kind == util::Kind::NotFound)
        return no("[NONEXISTENT] There is no such mailbox");   // as of one that he may not look up
    no(refusal_text(error));
}

void Session::await(store::Lsn lsn, std::function<void()> then)
{
    awaited_ = lsn;
    awaits_visible_ = false;
    if (reached())
        return then();
    then_ = std::move(then);
}

void Session::await_visible(store::Lsn lsn, std::function<void()> then)
{
    awaited_ = lsn;
    awaits_visible_ = true;
    if (reached())
        return then();
    then_ = std::move(then);
}

bool Session::reached() const
{
    return (awaits_visible_ ? store_.visible() : store_.durable()) >= awaited_;
}

void Session::bye(std::string_view text)
{
    output_ += syntax::bye(text);
    drop();
}

void Session::drop()
{
    finished_ = true;
    idling_ = false;
    then_ = nullptr;
}

// --- what happens outside ------------------------------------------------------------------------

void Session::store_changed(std::uint64_t mailbox)
{
    if (finished_)
        return;
    auto before = output_.size();
    untold_ = untold_ || output_full();   // a client that does not read hears of it when it has
    if (view_ && mailbox == 0)
        view_gone_ = !view_->refresh();
    else if (view_ && mailbox == view_->id())
        check_access(listens());
    if (notifier_)
        notifier_->changed(mailbox);
    else if (!enabled_.metadata && (!view_ || (mailbox != 0 && mailbox != view_->id())))
        return count_output(before);
    if (listens() && view_gone_)
        bye(removed_text);
    else if (listens()) {
        tell_over_quota();
        tell_unasked();
    }
    count_output(before);
}

void Session::durable_grew()
{
    if (finished_)
        return;
    auto before = output_.size();
    untold_ = untold_ || output_full();
    if (then_ && reached()) {
        auto then = std::move(then_);
        then_ = nullptr;
        then();
        advance();
    } else if (listens()) {
        tell_unasked();
    }
    count_output(before);
}

std::optional<util::Instant> Session::deadline() const
{
    if (finished_)
        return std::nullopt;
    auto autologout = last_input_ + facts_.limits.autologout;
    return std::min(autologout, remote_deadline().value_or(autologout));
}

void Session::deadline_passed(util::Instant now)
{
    if (auto remote = remote_deadline(); !finished_ && remote && *remote <= now) {
        auto before = output_.size();
        remote_since_ = now;
        relay_->give_up();
        count_output(before);
    }
    if (finished_ || now < last_input_ + facts_.limits.autologout)
        return;
    // A command that still runs, or output that the client does not read, is not idleness of ours.
    if ((task_ && task_->in_literal()) || (relay_ && relay_->in_response()))
        return drop();
    bye(autologout_text);
}

void Session::terminate(std::string_view reason)
{
    if (finished_)
        return;
    if ((task_ && task_->in_literal()) || (relay_ && relay_->in_response()))
        return drop();
    bye(reason);
}

std::string Session::summary() const
{
    return util::concat("in=", bytes_in_, ", out=", bytes_out_, ", appended=", appended_,
                        ", expunged=", expunged_);
}

// --- news ----------------------------------------------------------------------------------------

void Session::tell_flags(std::size_t index, const store::Entry& entry)
{
    begin_fetch(index, entry.uid);
    // RFC 9051 §7.5.2, RFC 7162 §3.2.4: with the UID.
    if (uid_form_ || enabled_.rev2 || enabled_.condstore || notifier_)  // RFC 5465 §5.1
        util::append(output_, "UID ", entry.uid, " ");
    output_ += "FLAGS ";
    append_flags(output_, flags_of(entry), entry.keywords, *view_->facts(), is_recent(entry.uid));
    if (enabled_.condstore)
        util::append(output_, " MODSEQ (", entry.modseq, ")");
    output_ += ")\r\n";
}

void Session::begin_fetch(std::size_t index, std::uint32_t uid)
{
    output_ += "* ";
    syntax::append_number(output_, enabled_.uid_only ? uid : index + 1);
    output_ += enabled_.uid_only ? " UIDFETCH (" : " FETCH (";
}

void Session::tell_progress(std::uint64_t done, std::uint64_t total)
{
    auto now = util::now();
    if (now < progress_told_ + facts_.limits.progress)
        return;
    progress_told_ = now;
    output_ += "* OK [INPROGRESS (";
    syntax::append_string(output_, tag_);
    util::append(output_, " ", done, " ", total, ")] Still at it\r\n");
}

store::Lsn Session::highest_modseq(const store::MailboxFacts& mailbox) const
{
    return std::min(mailbox.highest_modseq, store_.visible());
}

void Session::use_condstore()
{
    if (enabled_.condstore)
        return;
    enabled_.condstore = true;
    if (view_ && view_->facts())
        untagged(util::concat("OK [HIGHESTMODSEQ ", highest_modseq(*view_->facts()), "] Highest"));
}

void Session::append_name(std::string& out, std::string_view mailbox) const
{
    if (is_guest())
        syntax::append_mailbox_name(out, facts_.guest_prefix + std::string(mailbox), form());
    else
        syntax::append_mailbox_name(out, mailbox, form());
}

void Session::tell_new_keywords()
{
    const auto* mailbox = view_->facts();
    if (!mailbox || mailbox->keywords.size() == view_->keywords_told())
        return;
    tell_flags_of(*mailbox);
}

void Session::tell_news(bool with_expunges, bool asked)
{
    if (!view_ || !view_->facts())
        return;
    const auto* wanted = notifier_ ? notifier_->selected() : nullptr;
    if (notifier_ && !wanted && !asked)
        return;
    auto largest = view_->largest_uid();
    auto news = view_->take_news(with_expunges);
    tell_leaving(news);
    look_again(news.changed);
    if (notifier_ && !(wanted && (wanted->events & FlagChange)))
        news.changed.clear();
    tell_expunged(news);
    if (news.arrived) {
        untagged(util::concat(view_->count(), " EXISTS"));
        if (!enabled_.rev2)
            untagged(util::concat(view_->recent_count(), " RECENT"));
        for (auto sequence = std::uint32_t(view_->count());
             !contexts_.empty() && sequence > 0 && view_->uid_at(sequence - 1) > largest; --sequence)
            looks_new_.push_back(view_->uid_at(sequence - 1));
        look_again(looks_new_);
        if (wanted && !wanted->items.items.empty())
            queue_arrivals(largest);
    }
    if (news.changed.empty())
        return;
    tell_flags_again(news.changed);
    if (untold_flags_.size() <= max_at_once)
        tell_some_flags(util::Instant::max());
}

void Session::tell_flags_again(const std::vector<std::uint32_t>& uids)
{
    if (uids.empty())
        return;
    tell_new_keywords();
    untold_flags_.insert(untold_flags_.end(), uids.begin(), uids.end());
    std::sort(untold_flags_.begin(), untold_flags_.end());
    untold_flags_.erase(std::unique(untold_flags_.begin(), untold_flags_.end()), untold_flags_.end());
}

// Of very many messages the flags are told in slices, and then the answer that waits for them.  Nothing else is told meanwhile.
void Session::tell_some_flags(util::Instant until)
{
    Pace pace(until);
    auto& told = untold_flags_told_;
    std::size_t hint = 0;
    while (told < untold_flags_.size()) {
        auto sequence = view_ ? view_->sequence_of(untold_flags_[told++]) : 0;
        const auto* entry = sequence != 0 ? view_->entry_at(sequence - 1, hint) : nullptr;
        // One whose modseq may not be shown yet has changed once more, and is told of then.
        if (entry && (!enabled_.condstore || entry->modseq <= store_.visible()))
            tell_flags(sequence - 1, *entry);
        if (until != util::Instant::max() && (pace.over() || output_full()))
            return;
    }
    untold_flags_.clear();
    told = 0;
    output_ += std::exchange(answer_behind_flags_, {});
}

void Session::tell_expunged(const News& news)
{
    if ((enabled_.qresync || enabled_.uid_only) && !news.expunged_uids.empty()) {
        output_ += "* VANISHED ";
        syntax::SetWriter set(output_);
        for (auto uid : news.expunged_uids)
            set.add(uid);
        set.finish();
        output_ += "\r\n";
        return;
    }
    for (auto sequence : news.expunged) {
        output_ += "* ";
        syntax::append_number(output_, sequence);
        output_ += " EXPUNGE\r\n";
    }
}

util::Result<std::vector<IndexRange>> Session::select(const syntax::SequenceSet& set) const
{
    if (set.is_saved())
        return view_->select_listed(saved_);
    if (uid_form_)
        return view_->select_uids(set);
    return view_->select_sequence(set);
}

std::vector<std::uint32_t> Session::present_uids(const std::vector<IndexRange>& ranges, bool& missing) const
{
    std::vector<std::uint32_t> uids;
    std::size_t hint = 0;
    for (const auto& range : ranges) {
        for (std::size_t i = range.begin; i < range.end; ++i) {
            if (view_->entry_at(i, hint))
                uids.push_back(view_->uid_at(i));
            else
                missing = true;
        }
    }
    return uids;
}

void Session::leave_mailbox()
{
    if (notifier_ && view_)
        notifier_->left(view_->id(), view_->position());
    view_.reset();
    contexts_.clear();
    looks_.clear();
    looks_new_.clear();
    arrivals_.clear();
    own_arrivals_.clear();
    saved_.clear();  // RFC 5182 §2.1
    url_key_told_ = 0;
    view_gone_ = false;
    untold_flags_.clear();
    untold_flags_told_ = 0;
}

const store::MailboxFacts* Session::open_mailbox(std::string_view name, std::string_view code, Rights needed)
{
    auto mailbox = store_.facts(known_name(std::string(name)));
    if (mailbox.ok()) {
        if ((rights_on(**mailbox) & needed) == needed)
            return *mailbox;
        if (rights_on(**mailbox) & right::Lookup)
            no("[NOPERM] You have no right to do that");
        else   // RFC 4314 §6: as if it were not there
            no(util::concat("[", is_guest() ? "NONEXISTENT" : code, "] There is no such mailbox"));
        return nullptr;
    }
    if (is_guest() && mailbox.error().kind == util::Kind::NotFound)
        no("[NONEXISTENT] There is no such mailbox");
    else if (mailbox.error().kind == util::Kind::NotFound)
        no(util::concat("[", code, "] There is no such mailbox"));
    else
        refuse(mailbox.error());
    return nullptr;
}

// RFC 9051 §5.1: names are Net-Unicode (RFC 5198), whose form is C.
std::string Session::known_name(std::string name) const
{
    name = inner_name(std::move(name));
    return store_.mailboxes().contains(name) ? name : mail::normal_form(name);
}

std::string Session::new_name(std::string name, std::string& told) const
{
    name = inner_name(std::move(name));
    auto normal = mail::normal_form(name);
    if (normal != name)
        told = std::move(name);
    return normal;
}

// RFC 9051 §6.3.9.7.
void Session::tell_renamed(std::string_view name, std::string_view old_name)
{
    if (!enabled_.rev2 || old_name.empty())
        return;
    output_ += "* LIST () \"/\" ";
    append_name(output_, name);
    output_ += " (\"OLDNAME\" (";
    append_name(output_, old_name);
    output_ += "))\r\n";
}

StatusFacts Session::status_facts()
{
    return {.store = store_, .form = form(), .append_limit = facts_.limits.message, .reader = facts_.guest,
            .prefix = facts_.guest_prefix};
}

bool Session::writable()
{
    if (!view_->read_only())
        return true;
    no("[READ-ONLY] The mailbox is open for reading only");
    return false;
}

}  // namespace imapd::engine
