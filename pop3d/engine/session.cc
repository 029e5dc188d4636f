// One POP3 session after log-in: input, the command table, the end.
#include "pop3d/engine/session.h"

#include "libstore/visibility.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace pop3d::engine {

namespace {

constexpr std::size_t output_high = 128U << 10;   // more output than this waits for the client
constexpr std::size_t input_high = 16U << 10;
constexpr std::size_t max_at_once = 1000;         // with more messages QUIT works in slices
constexpr std::size_t prepared_at_once = 256;     // of these, before the clock is looked at

}  // namespace

const Session::Command Session::commands[] = {
    {"RETR", &Session::retr},       {"DELE", &Session::dele},       {"LIST", &Session::list},
    {"UIDL", &Session::uidl},       {"TOP", &Session::top},         {"STAT", &Session::stat},
    {"QUIT", &Session::quit},       {"NOOP", &Session::noop},       {"RSET", &Session::rset},
    {"CAPA", &Session::capa},       {"LANG", &Session::lang},       {"USER", &Session::already_in},
    {"PASS", &Session::already_in}, {"APOP", &Session::already_in}, {"AUTH", &Session::already_in},
    {"STLS", &Session::already_in},
};

Session::Session(store::Store& store, SessionFacts facts)
    : store_(store), facts_(std::move(facts)), last_input_(util::now())
{
    open_maildrop();
}

Session::~Session() = default;

void Session::open_maildrop()
{
    auto inbox = store_.mailbox("INBOX");
    if (!inbox.ok()) {
        util::log::error("cannot open INBOX: ", inbox.error().text);
        output_ += "-ERR [SYS/TEMP] The maildrop cannot be opened\r\n";
        finished_ = true;
        return;
    }
    const auto& mailbox = **inbox;
    mailbox_ = mailbox.id;
    uid_validity_ = mailbox.uid_validity;
    auto count = std::min(store::visible_end(mailbox, store_.visible()), facts_.limits.messages);
    messages_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        messages_[i].uid = mailbox.entries[i].uid;
        messages_[i].size = mailbox.entries[i].size;
    }
}

void Session::feed(std::string_view bytes)
{
    if (finished_)
        return;
    last_input_ = util::now();
    input_.append(bytes);
    input_exhausted_ = false;
    advance();
}

bool Session::wants_input() const
{
    return !finished_ && !input_ended_ && !leaving() &&
           (input_exhausted_ || input_.size() - position_ < input_high);
}

void Session::end_of_input()
{
    input_ended_ = true;
    input_exhausted_ = false;
    advance();
}

bool Session::has_work() const
{
    return !finished_ && !quitting_ && (running_ != Running::Nothing || !input_exhausted_);
}

void Session::work()
{
    advance();
}

void Session::advance()
{
    auto until = util::now() + facts_.limits.slice;
    while (!finished_ && !quitting_ && output_.size() < output_high) {
        switch (running_) {
        case Running::Nothing:
            if (!next_command())
                return;
            break;
        case Running::List:
        case Running::Uidl:
            run_listing();
            break;
        case Running::Text:
            run_text();
            break;
        case Running::Preparing:
            if (!store_.prepare_expunge(going_.size(), prepared_at_once))
                break;
            running_ = Running::Expunging;
            return;   // in a slice of its own
        case Running::Expunging:
            expunge();
            break;
        }
        if (util::now() >= until)
            break;
    }
}

bool Session::next_command()
{
    auto rest = std::string_view(input_).substr(position_);
    auto end = rest.find('\n');
    if (end == std::string_view::npos) {
        if (rest.size() > max_command_length || skipping_) {
            skipping_ = true;
            rest = {};
        }
        input_ = std::string(rest);
        position_ = 0;
        input_exhausted_ = true;
        // RFC 1939 §6: a session that ends without QUIT removes nothing.
        if (input_ended_) {
            mark_seen();
            drop();
        }
        return false;
    }
    position_ += end + 1;
    if (skipping_ || end + 1 > max_command_length) {
        skipping_ = false;
        error("The command line is too long");
        return true;
    }
    auto line = rest.substr(0, end);
    if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    execute(std::string(line));
    return true;
}

void Session::execute(std::string_view line)
{
    auto [verb, argument] = util::split_first(line, ' ');
    for (const auto& command : commands)
        if (util::equal_nocase(command.verb, verb))
            return (this->*command.handler)(util::trim(argument));
    error("Unknown command");
}

void Session::ok(std::string_view text)
{
    bad_in_a_row_ = 0;
    util::append(output_, "+OK ", text, "\r\n");
}

void Session::error(std::string_view text)
{
    util::append(output_, "-ERR ", text, "\r\n");
    if (++bad_in_a_row_ >= max_bad_commands)
        drop();
}

void Session::drop()
{
    finished_ = true;
    running_ = Running::Nothing;
}

// RFC 1939 §6: the UPDATE state.
void Session::quit(std::string_view argument)
{
    if (!no_argument(argument))
        return;
    mark_seen();
    for (const auto& message : messages_)
        if (message.deleted)
            going_.push_back(message.uid);
    if (going_.empty())
        return farewell();
    if (going_.size() > max_at_once)
        running_ = Running::Preparing;
    else
        expunge();
}

// After QUIT the client has nothing more to say.
bool Session::leaving() const
{
    return quitting_ || running_ == Running::Preparing || running_ == Running::Expunging;
}

// All or none, of those that no other session has expunged.
void Session::expunge()
{
    running_ = Running::Nothing;
    auto lsn = store_.expunge(mailbox_, going_);
    if (!lsn.ok()) {
        util::log::warning("cannot expunge: ", lsn.error().text);
        error("[SYS/TEMP] Some deleted messages are not removed");
        return drop();
    }
    expunged_ = going_.size();
    awaited_ = *lsn;
    quitting_ = true;
    durable_grew();
}

void Session::farewell()
{
    ok("Goodbye");
    drop();
}

void Session::durable_grew()
{
    if (!finished_ && quitting_ && store_.durable() >= awaited_)
        farewell();
}

void Session::mark_seen()
{
    std::vector<std::uint32_t> uids;
    for (auto& message : messages_) {
        if (message.retrieved && !message.deleted)
            uids.push_back(message.uid);
        message.retrieved = false;
    }
    if (uids.empty())
        return;
    store::FlagChange change;
    change.flags = store::Seen;
    auto changed = store_.change_flags(mailbox_, uids, change);
    if (!changed.ok())
        util::log::warning("cannot mark as seen: ", changed.error().text);
}

std::optional<util::Instant> Session::deadline() const
{
    if (finished_)
        return std::nullopt;
    return last_input_ + facts_.limits.autologout;
}

// RFC 1939 §3: without the UPDATE state.
void Session::deadline_passed(util::Instant now)
{
    if (finished_ || now < last_input_ + facts_.limits.autologout)
        return;
    terminate("[SYS/TEMP] Nothing was said for too long");
}

void Session::terminate(std::string_view reason)
{
    if (finished_)
        return;
    mark_seen();
    // In the middle of a multi-line answer an -ERR would be taken for text.
    if (running_ == Running::Nothing || leaving())
        util::append(output_, "-ERR ", reason, "\r\n");
    drop();
}

std::string Session::summary() const
{
    return util::concat("retr=", retrieved_, "/", retrieved_bytes_, ", del=", expunged_, "/",
                        messages_.size());
}

}  // namespace pop3d::engine
