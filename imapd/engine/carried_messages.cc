// COPY and MOVE from one user's mailbox to another's (relay.h): the messages go through the session of the user who asks.
#include "imapd/engine/relay.h"

#include "imapd/engine/format.h"
#include "imapd/engine/message_limit.h"
#include "imapd/engine/session.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

// A message on its way to another user's mailbox.
struct CarriedMessage {
    std::uint32_t uid = 0;
    std::string flags;        // without \Recent and parentheses
    std::string date;         // with quotes
    std::string content;
};

struct Carriage {
    bool moving = false;
    bool from_remote = false;
    std::string target;
    std::vector<CarriedMessage> messages;
    std::uint64_t bytes = 0;
    std::string problem;      // why it cannot be
    std::string limited;      // message_limit_code(): these are not all
};

namespace {

// "* 5 FETCH (UID 7 FLAGS (..) INTERNALDATE ".." BODY[] {n}..)".  Nothing: it is another response.
std::optional<CarriedMessage> carried_message(std::string_view response)
{
    Scanner scanner(response);
    CarriedMessage message;
    bool whole = false;
    if (!scanner.skip_word("* ") || !scanner.number().ok() || !scanner.skip(' '))
        return std::nullopt;
    if (!scanner.skip_word("FETCH (") && !scanner.skip_word("UIDFETCH ("))
        return std::nullopt;
    for (bool first = true; !scanner.skip(')'); first = false) {
        if (!first && !scanner.skip(' '))
            return std::nullopt;
        if (scanner.skip_word("UID ")) {
            auto uid = scanner.nz_number();
            if (!uid.ok())
                return std::nullopt;
            message.uid = std::uint32_t(*uid);
        } else if (scanner.skip_word("FLAGS (")) {
            auto end = scanner.rest().find(')');
            if (end == std::string_view::npos)
                return std::nullopt;
            for (auto flag : util::split(scanner.rest().substr(0, end), ' '))
                if (!flag.empty() && !util::equal_nocase(flag, "\\Recent"))
                    util::append(message.flags, message.flags.empty() ? "" : " ", flag);
            scanner = Scanner(scanner.rest().substr(end + 1));
        } else if (scanner.skip_word("INTERNALDATE \"")) {
            auto end = scanner.rest().find('"');
            if (end == std::string_view::npos)
                return std::nullopt;
            message.date = util::concat("\"", scanner.rest().substr(0, end), "\"");
            scanner = Scanner(scanner.rest().substr(end + 1));
        } else if (scanner.skip_word("MODSEQ (")) {
            if (!scanner.number(INT64_MAX).ok() || !scanner.skip(')'))
                return std::nullopt;
        } else if (scanner.skip_word("BODY[] ")) {
            if (scanner.peek() == '{') {
                auto literal = scanner.literal();
                if (!literal.ok())
                    return std::nullopt;
                message.content = std::string(literal->bytes);
            } else {
                auto text = scanner.string();
                if (!text.ok())
                    return std::nullopt;
                message.content = std::string(*text);
            }
            whole = true;
        } else {
            return std::nullopt;
        }
    }
    if (!whole || message.uid == 0)
        return std::nullopt;
    // They go into a command for a third user, whose process trusts that it is this user's.
    auto plain = [](std::string_view text) {
        return std::none_of(text.begin(), text.end(), [](char c) {
            auto byte = static_cast<unsigned char>(c);
            return byte < ' ' || byte == 0x7f || c == '{' || c == '(';
        });
    };
    if (!plain(message.flags) || !plain(message.date))
        return std::nullopt;
    return message;
}

// The APPEND that stores them all, or none (RFC 3502).
std::string append_text(std::string_view name, const std::vector<CarriedMessage>& messages, bool non_sync)
{
    auto text = util::concat("APPEND ", name);
    for (const auto& message : messages)
        util::append(text, " (", message.flags, ") ", message.date, " {", message.content.size(), non_sync ? "+" : "", "}\r\n",
                     message.content);
    return text;
}

// The code in an answer like "OK [MESSAGELIMIT 1000 23221] .."; empty: there is none.
std::string limit_in(std::string_view status)
{
    auto code = status.substr(std::min(status.size(), status.find(' ') + 1));
    if (!util::starts_with_nocase(code, "[MESSAGELIMIT "))
        return {};
    auto text = code.substr(0, code.find(']'));
    bool plain = std::all_of(text.begin() + 14, text.end(), [](char c) { return util::is_digit(c) || c == ' '; });
    return plain ? util::concat(text, "]") : std::string();
}

std::string moved_text(const Carriage& carriage)
{
    if (carriage.limited.empty())
        return "OK MOVE completed";
    return util::concat("OK ", carriage.limited, " MOVE completed for the highest of these messages");
}

std::string uid_set(const std::vector<CarriedMessage>& messages)
{
    std::string text;
    syntax::SetWriter set(text);
    for (const auto& message : messages)
        set.add(message.uid);
    set.finish();
    return text;
}

}  // namespace

bool Session::route_copy(bool uid, bool moving, std::string_view text, Scanner arguments)
{
    arguments.skip(' ');
    auto set_at = arguments.rest();
    auto set = arguments.sequence_set();
    if (!set.ok() || !arguments.skip(' '))
        return false;
    auto set_text = std::string(set_at.substr(0, set_at.size() - arguments.rest().size() - 1));
    auto name = arguments.mailbox();
    if (!name.ok() || !arguments.at_end())
        return false;
    auto to = other_owner(*name);
    std::optional<std::string> from;
    if (relay_->selected())
        from = relay_->selected_owner();
    if (from == to) {
        if (from)
            forward(*from, text);
        return from.has_value();
    }
    auto carriage = std::make_shared<Carriage>();
    carriage->moving = moving;
    carriage->from_remote = from.has_value();
    carriage->target = *name;
    verb_ = moving ? "MOVE" : "COPY";
    if (!from) {
        uid_form_ = uid;
        may_expunge_ = true;   // as the commands have it
        load_local(*set, *carriage);
        if (!carriage->problem.empty())
            no(carriage->problem);
        else
            deliver_carried(carriage);
        return true;
    }
    wait_for_remote();
    auto fetch = [this, from = *from, carriage,
                  command = util::concat(uid ? "UID FETCH " : "FETCH ", set_text, " (UID FLAGS INTERNALDATE BODY.PEEK[])")] {
        relay_->command(
            from, command,
            [this, carriage](std::string_view status) {
                if (!util::starts_with_nocase(status, "OK"))
                    return remote_answered(status);
                if (carriage->limited.empty())
                    carriage->limited = limit_in(status);
                // RFC 9738 §3.1: COPY is of all or none; and what is limited comes from the highest down.
                if (!carriage->limited.empty() && !carriage->moving)
                    carriage->problem = util::concat(carriage->limited, " These are too many messages for one command");
                if (!carriage->problem.empty())
                    return remote_answered("NO " + carriage->problem);
                std::ranges::sort(carriage->messages, {}, &CarriedMessage::uid);
                deliver_carried(carriage);
            },
            [this, carriage](std::string_view response) { take_carried(*carriage, response); });
    };
    if (!moving) {
        fetch();
        return true;
    }
    // RFC 6851 §4.4: before anything is copied.
    std::string quoted;
    append_name(quoted, remote_name_);
    auto allowed = std::make_shared<bool>(false);
    relay_->command(
        *from, util::concat("MYRIGHTS ", quoted),
        [this, fetch, allowed](std::string_view) {
            if (*allowed)
                fetch();
            else
                remote_answered("NO [NOPERM] You have no right to remove messages here");
        },
        [allowed](std::string_view response) {
            auto rights = response.substr(std::min(response.size(), response.rfind(' ') + 1));
            if (util::starts_with_nocase(response, "* MYRIGHTS "))
                *allowed = rights.find('t') != rights.npos && rights.find('e') != rights.npos;
        });
    return true;
}

void Session::take_carried(Carriage& carriage, std::string_view response)
{
    auto message = carried_message(response.substr(0, response.size() - 2));
    if (!message && response.starts_with("* NO ") && !limit_in(response.substr(2)).empty()) {
        carriage.limited = limit_in(response.substr(2));
        return;
    }
    if (!message) {
        output_ += response;   // news that has nothing to do with it
        return;
    }
    carriage.bytes += sizeof *message + message->content.size() + message->flags.size();
    if (carriage.bytes > max_carried_bytes)
        carriage.problem = "[LIMIT] These messages are too large to be carried to another user at once";
    if (carriage.problem.empty())
        carriage.messages.push_back(std::move(*message));
}

void Session::load_local(const syntax::SequenceSet& set, Carriage& carriage)
{
    auto ranges = select(set);
    if (!ranges.ok()) {
        carriage.problem = ranges.error().text;
        return;
    }
    bool missing = false;
    auto uids = present_uids(*ranges, missing);
    if (auto limit = append_limit(); keep_highest(uids, limit))   // they will be in one APPEND
        carriage.limited = message_limit_code(limit, uids.front());
    if (!carriage.limited.empty() && !carriage.moving)
        carriage.problem = util::concat(carriage.limited, " These are too many messages for one command");
    else if (missing && !uid_form_)
        carriage.problem = "[EXPUNGEISSUED] Some of these messages no longer exist";
    else if (carriage.moving && view_->read_only())
        carriage.problem = "[READ-ONLY] The mailbox is open for reading only";
    else if (constexpr auto needed = right::DeleteMessages | right::Expunge;
             carriage.moving && (selected_rights() & needed) != needed)
        carriage.problem = "[NOPERM] You have no right to do that";
    const auto* all = view_->mailbox();
    for (auto uid : uids) {
        const auto* entry = all ? all->find(uid) : nullptr;
        if (!carriage.problem.empty() || !entry)
            continue;
        carriage.bytes += entry->size;
        if (carriage.bytes > max_carried_bytes) {
            carriage.problem = "[LIMIT] These messages are too large to be carried to another user at once";
            return;
        }
        CarriedMessage message;
        message.uid = uid;
        append_flags(message.flags, entry->flags, entry->keywords, *view_->facts(), false);
        message.flags = message.flags.substr(1, message.flags.size() - 2);
        append_internal_date(message.date, entry->internal_date);
        auto content = store_.read_content(*entry);
        if (!content.ok())
            carriage.problem = "[CORRUPTION] Some of these messages cannot be read";
        else
            message.content = content.take();
        carriage.messages.push_back(std::move(message));
    }
}

void Session::deliver_carried(const std::shared_ptr<Carriage>& carriage)
{
    if (carriage->messages.empty()) {
        auto text = util::concat(verb_, " completed; there was nothing to do");
        return waits_for_remote() ? remote_answered("OK " + text) : ok(text);
    }
    std::string name;
    append_name(name, carriage->target);
    auto owner = other_owner(carriage->target);
    if (owner) {
        wait_for_remote();
        return relay_->command(*owner, append_text(name, carriage->messages, true), [this, carriage](std::string_view status) {
            Scanner scanner(status);
            bool good = scanner.skip_word("OK [APPENDUID ");
            auto validity = scanner.nz_number();
            good = good && validity.ok() && scanner.skip(' ');
            auto end = scanner.rest().find(']');
            if (good && end != std::string_view::npos)
                return carried(
                    carriage, util::concat(*validity, " ", uid_set(carriage->messages), " ", scanner.rest().substr(0, end)), 0);
            remote_answered(util::starts_with_nocase(status, "NO ") ? status
                                                                    : "NO [UNAVAILABLE] The messages could not be stored");
        });
    }
    auto text = append_text(name, carriage->messages, false);
    Scanner scanner(std::string_view(text).substr(6), form());
    auto append = parse_append(scanner, false, SIZE_MAX);
    if (!append.ok())
        return remote_answered("NO [CANNOT] These messages cannot be stored here");
    then_ = nullptr;
    const auto* mailbox = open_mailbox(append->mailbox, "TRYCREATE", right::Insert);
    if (!mailbox)
        return advance();
    auto stored = append_messages(*mailbox, *append);
    if (!stored.ok())
        return remote_answered("NO " + stored.error().text);
    auto code = append_code(*stored);   // "[APPENDUID validity uids]"
    auto [validity, uids] = util::split_first(std::string_view(code).substr(11, code.size() - 12), ' ');
    carried(carriage, util::concat(validity, " ", uid_set(carriage->messages), " ", uids), stored->back().lsn);
}

// They are there; what moves goes from where it was.
void Session::carried(const std::shared_ptr<Carriage>& carriage, std::string copyuid, store::Lsn lsn)
{
    then_ = nullptr;
    if (!carriage->moving)
        return await(lsn, [this, copyuid] { remote_answered(util::concat("OK [COPYUID ", copyuid, "] COPY completed")); });
    if (carriage->from_remote) {
        return await(lsn, [this, carriage, copyuid] {
            untagged(util::concat("OK [COPYUID ", copyuid, "] Moved"));
            wait_for_remote();
            const std::string from = relay_->selected_owner();
            auto set = uid_set(carriage->messages);
            relay_->command(
                from, util::concat("UID STORE ", set, " +FLAGS.SILENT (\\Deleted)"),
                [this, from, set, moved = moved_text(*carriage)](std::string_view status) {
                    if (!util::starts_with_nocase(status, "OK"))
                        return remote_answered(status);
                    relay_->command(from, util::concat("UID EXPUNGE ", set), [this, moved](std::string_view last) {
                        remote_answered(util::starts_with_nocase(last, "OK") ? std::string_view(moved) : last);
                    });
                },
                [](std::string_view) {});
        });
    }
    std::vector<std::uint32_t> uids;
    for (const auto& message : carriage->messages)
        uids.push_back(message.uid);
    auto gone = store_.expunge(view_->id(), uids);
    if (!gone.ok())
        return remote_answered("NO " + refusal_text(gone.error()));
    expunged_ += uids.size();
    await(*gone, [this, copyuid, moved = moved_text(*carriage)] {
        untagged(util::concat("OK [COPYUID ", copyuid, "] Moved"));
        tell_news(true);
        remote_answered(moved);
    });
}

}  // namespace imapd::engine
