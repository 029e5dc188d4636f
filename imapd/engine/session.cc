// One IMAP session after log-in: input, the command table, answers.
#include "imapd/engine/session.h"

#include "imapd/engine/format.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <cerrno>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// Input beyond this waits in the socket while a command runs.
constexpr std::size_t input_high = 64U << 10;

constexpr unsigned char Authenticated = 1;
constexpr unsigned char Selected = 2;
constexpr unsigned char Both = Authenticated | Selected;

}  // namespace

// RFC 3501 §6: which command may come when.  "Expunges": RFC 3501 §7.4.1 forbids untagged EXPUNGE
// in answer to FETCH, STORE and SEARCH; their UID forms permit it.
const Session::Command Session::commands[] = {
    {"FETCH", &Session::fetch, Selected, false},
    {"UID", &Session::uid, Selected, true},
    {"STORE", &Session::store_flags, Selected, false},
    {"SEARCH", &Session::search, Selected, false},
    {"NOOP", &Session::noop, Both, true},
    {"IDLE", &Session::idle, Both, true},
    {"SELECT", &Session::select_mailbox, Both, false},
    {"EXAMINE", &Session::examine, Both, false},
    {"STATUS", &Session::status, Both, true},
    {"LIST", &Session::list, Both, true},
    {"LSUB", &Session::lsub, Both, true},
    {"APPEND", &Session::append, Both, true},
    {"COPY", &Session::copy, Selected, true},
    {"MOVE", &Session::move, Selected, true},
    {"EXPUNGE", &Session::expunge, Selected, true},
    {"CLOSE", &Session::close, Selected, false},
    {"UNSELECT", &Session::unselect, Selected, false},
    {"CHECK", &Session::check, Selected, true},
    {"CREATE", &Session::create, Both, true},
    {"DELETE", &Session::remove, Both, true},
    {"RENAME", &Session::rename, Both, true},
    {"SUBSCRIBE", &Session::subscribe, Both, true},
    {"UNSUBSCRIBE", &Session::unsubscribe, Both, true},
    {"NAMESPACE", &Session::name_space, Both, true},
    {"CAPABILITY", &Session::capability, Both, true},
    {"ID", &Session::id, Both, true},
    {"ENABLE", &Session::enable, Both, true},
    {"LOGOUT", &Session::logout, Both, false},
    {"LOGIN", &Session::already_in, Both, false},
    {"AUTHENTICATE", &Session::already_in, Both, false},
    {"STARTTLS", &Session::already_in, Both, false},
};

const Session::Command Session::uid_commands[] = {
    {"FETCH", &Session::fetch, Selected, true},
    {"STORE", &Session::store_flags, Selected, true},
    {"SEARCH", &Session::search, Selected, true},
    {"COPY", &Session::copy, Selected, true},
    {"MOVE", &Session::move, Selected, true},
    {"EXPUNGE", &Session::uid_expunge, Selected, true},
};

Session::Session(store::Store& store, SessionFacts facts)
    : store_(store), facts_(std::move(facts)), framer_({.line = facts_.limits.line}),
      last_input_(util::now())
{
}

Session::~Session() = default;

// --- input ---------------------------------------------------------------------------------------

void Session::feed(std::string_view bytes)
{
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
    return !finished_ && !then_ && (task_ || !input_exhausted_);
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
    auto until = util::now() + slice_time;
    while (!finished_ && !then_ && !output_full()) {
        if (task_) {
            if (task_->step(until))
                task_.reset();
        } else if (view_gone_) {
            bye("The selected mailbox was deleted");
        } else if (!next_command()) {
            break;
        }
        if (util::now() >= until)
            break;
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
    Scanner scanner(framer_.command());
    auto literal = framer_.literal();
    auto tag = scanner.tag();
    auto space = scanner.space();
    auto verb = scanner.atom();
    tag_ = tag.ok() && space.ok() ? std::string(*tag) : "*";
    bool accepted = false;
    if (verb.ok() && util::equal_nocase(*verb, "APPEND")) {
        accepted = append_may_begin(scanner, literal.size, literal.binary);
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
    Scanner scanner(line);
    tag_ = "*";
    auto tag = scanner.tag();
    if (!tag.ok() || !scanner.skip(' '))
        return bad(line.empty() ? "Empty command" : "Invalid tag");
    tag_ = *tag;
    auto verb = scanner.atom();
    if (!verb.ok())
        return bad("Command expected");
    uid_form_ = false;
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
    verb_ = command->verb;
    may_expunge_ = command->expunges;
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
    // A client that has sent more already counts messages as they are now (RFC 3501 §5.5): it
    // hears of expunges when it waits for us.
    tell_news(may_expunge_ && framer_.waiting() == 0);
    util::append(output_, tag_, " OK ", text, "\r\n");
}

void Session::no(std::string_view text)
{
    bad_in_a_row_ = 0;
    util::append(output_, tag_, " NO ", text, "\r\n");
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

std::string refusal_text(const util::Error& error)
{
    std::string_view code = "[CANNOT] ";
    if (error.code == EDQUOT)
        code = "[OVERQUOTA] ";
    else if (error.code == EEXIST)
        code = "[ALREADYEXISTS] ";
    else if (error.kind == util::Kind::NotFound)
        code = "[NONEXISTENT] ";
    else if (error.kind == util::Kind::Temporary)
        code = "[UNAVAILABLE] ";
    return util::concat(code, util::printable(error.text, 200));
}

void Session::refuse(const util::Error& error)
{
    no(refusal_text(error));
}

void Session::await(store::Lsn lsn, std::function<void()> then)
{
    if (store_.durable() >= lsn)
        return then();
    awaited_ = lsn;
    then_ = std::move(then);
}

void Session::bye(std::string_view text)
{
    untagged(util::concat("BYE ", text));
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
    if (!view_ || finished_)
        return;
    if (mailbox == 0)
        view_gone_ = !view_->refresh();
    else if (mailbox != view_->id())
        return;
    if (!idling_)
        return;
    auto before = output_.size();
    if (view_gone_)
        bye("The selected mailbox was deleted");
    else
        tell_news(true);
    count_output(before);
}

void Session::durable_grew()
{
    if (finished_)
        return;
    auto before = output_.size();
    if (then_ && store_.durable() >= awaited_) {
        auto then = std::move(then_);
        then_ = nullptr;
        then();
        advance();
    } else if (idling_ && view_) {
        tell_news(true);
    }
    count_output(before);
}

std::optional<util::Instant> Session::deadline() const
{
    if (finished_)
        return std::nullopt;
    return last_input_ + facts_.limits.autologout;
}

void Session::deadline_passed(util::Instant now)
{
    if (finished_ || now < last_input_ + facts_.limits.autologout)
        return;
    // A command that still runs, or output that the client does not read, is not idleness of ours.
    if (task_ && task_->in_literal())
        return drop();
    bye("Autologout: nothing was said for too long");
}

void Session::terminate(std::string_view reason)
{
    if (finished_)
        return;
    if (task_ && task_->in_literal())
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
    output_ += "* ";
    syntax::append_number(output_, index + 1);
    output_ += " FETCH (";
    if (uid_form_) {
        output_ += "UID ";
        syntax::append_number(output_, entry.uid);
        output_ += ' ';
    }
    output_ += "FLAGS ";
    append_flags(output_, entry.flags, entry.keywords, *view_->mailbox(),
                 view_->is_recent(entry.uid));
    output_ += ")\r\n";
}

void Session::tell_new_keywords()
{
    const auto* mailbox = view_->mailbox();
    if (!mailbox || mailbox->keywords.size() == view_->keywords_told())
        return;
    std::string flags;
    append_flags(flags, ~store::Flags(0), ~store::Keywords(0), *mailbox, false);
    untagged(util::concat("FLAGS ", flags));
    if (!view_->read_only()) {
        flags.pop_back();
        // RFC 3501 §7.1: \* says that new keywords can be made.
        if (mailbox->keywords.size() < store::max_keywords)
            flags += " \\*";
        untagged(util::concat("OK [PERMANENTFLAGS ", flags, ")] Flags that can be changed"));
    }
    view_->tell_keywords();
}

void Session::tell_news(bool with_expunges)
{
    if (!view_ || !view_->mailbox())
        return;
    auto news = view_->take_news(with_expunges);
    for (auto sequence : news.expunged) {
        output_ += "* ";
        syntax::append_number(output_, sequence);
        output_ += " EXPUNGE\r\n";
    }
    if (news.arrived) {
        untagged(util::concat(view_->count(), " EXISTS"));
        untagged(util::concat(view_->recent_count(), " RECENT"));
    }
    if (news.changed.empty())
        return;
    tell_new_keywords();
    std::size_t hint = 0;
    for (auto uid : news.changed) {
        auto sequence = view_->sequence_of(uid);
        if (sequence == 0)
            continue;
        if (const auto* entry = view_->entry_at(sequence - 1, hint))
            tell_flags(sequence - 1, *entry);
    }
}

util::Result<std::vector<IndexRange>> Session::select(const syntax::SequenceSet& set) const
{
    if (uid_form_)
        return view_->select_uids(set);
    return view_->select_sequence(set);
}

void Session::leave_mailbox()
{
    view_.reset();
    view_gone_ = false;
}

const store::Mailbox* Session::open_mailbox(std::string_view name, std::string_view code)
{
    auto mailbox = store_.mailbox(name);
    if (mailbox.ok())
        return *mailbox;
    if (mailbox.error().kind == util::Kind::NotFound)
        no(util::concat("[", code, "] There is no such mailbox"));
    else
        refuse(mailbox.error());
    return nullptr;
}

bool Session::writable()
{
    if (!view_->read_only())
        return true;
    no("[READ-ONLY] The mailbox is open for reading only");
    return false;
}

}  // namespace imapd::engine
