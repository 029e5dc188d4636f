// Commands over an IMAP session.
#include "tools/ternbox/messages.h"

#include "libmail/date.h"
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libutil/standard_fds.h"
#include "libutil/text.h"
#include "tools/ternbox/acl.h"
#include "tools/ternbox/mailbox_names.h"
#include "tools/ternbox/query.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <sysexits.h>

namespace ternbox {

namespace {

constexpr std::string_view session_commands[] = {"search", "fetch", "move", "copy", "delete", "expunge", "flags", "mailbox",
                                                 "acl"};

std::string json_list(const std::vector<std::string>& words)
{
    std::string out = "[";
    for (const auto& word : words)
        util::append(out, out.size() > 1 ? "," : "", util::json_quote(word));
    return out + "]";
}

// Each mailbox in which messages are found: they are `$` there, and the mailbox is selected.
using Visit = std::function<util::Result<void>(const Listed& mailbox, std::uint64_t count, const std::string& uids)>;
util::Result<void> for_each_found(ImapSession& session, const Query& query, bool changes, const Visit& visit)
{
    for (const auto& mailbox : TRY(mailboxes_of(session, query.mailboxes))) {
        auto selected = session.command(util::concat(changes ? "SELECT " : "EXAMINE ", quoted(mailbox.name)));
        if (!selected.ok() && selected.error().kind == util::Kind::NotFound)
            continue;   // removed meanwhile
        TRY(std::move(selected));
        std::uint64_t count = 0;
        std::string uids;
        TRY(session.command(util::concat("UID SEARCH RETURN (SAVE COUNT ALL) ", query.program),
                            [&](const Response& response) -> util::Result<void> {
                                if (const auto* number = response.after("COUNT"))
                                    count = util::parse_unsigned(number->text).value_or(0);
                                if (const auto* all = response.after("ALL"))
                                    uids = all->text;
                                return {};
                            }));
        if (count > 0)
            TRY(visit(mailbox, count, uids));
    }
    return {};
}

void tell_done(const Order& order, std::string_view mailbox, std::uint64_t count)
{
    util::print_out(order.json ? util::concat("{\"mailbox\":", util::json_quote(mailbox), ",\"messages\":", count, "}\n")
                               : util::concat(shown(mailbox), ": ", count, count == 1 ? " message\n" : " messages\n"));
}

// "1:3,7" one by one.
void print_uids(const Order& order, std::string_view mailbox, std::string_view uids)
{
    std::string out;
    for (auto range : util::split(uids, ',')) {
        auto [first, last] = util::split_first(range, ':');
        auto begin = util::parse_unsigned(first, UINT32_MAX).value_or(1);
        auto end = last.empty() ? begin : util::parse_unsigned(last, UINT32_MAX).value_or(0);
        for (auto uid = std::min(begin, end); uid <= std::max(begin, end) && end > 0; ++uid) {
            if (order.json)
                util::append(out, "{\"mailbox\":", util::json_quote(mailbox), ",\"uid\":", uid, "}\n");
            else
                util::append(out, shown(mailbox), " ", uid, "\n");
        }
        util::print_out(out);
        out.clear();
    }
}

util::Result<int> search(ImapSession& session, const Order& order)
{
    auto query = TRY(parse_query(order.words, order.now));
    Visit visit = [&](const Listed& mailbox, std::uint64_t, const std::string& uids) -> util::Result<void> {
        print_uids(order, mailbox.name, uids);
        return {};
    };
    TRY(for_each_found(session, query, false, visit));
    return 0;
}

// --- fetch -------------------------------------------------------------------------------------------

struct Field {
    std::string name;    // as the user says it
    std::string item;    // what is asked for
    std::string answer;  // the atom before the value
};

std::optional<Field> field_of(std::string name)
{
    constexpr struct {
        std::string_view name, item, answer;
    } known[] = {
        {"body", "BODY.PEEK[TEXT]", "BODY[TEXT]"},
        {"date.received", "INTERNALDATE", "INTERNALDATE"},
        {"date.saved", "SAVEDATE", "SAVEDATE"},
        {"date.sent", "BODY.PEEK[HEADER.FIELDS (DATE)]", "BODY[HEADER.FIELDS (DATE)]"},
        {"flags", "FLAGS", "FLAGS"},
        {"guid", "EMAILID", "EMAILID"},
        {"hdr", "BODY.PEEK[HEADER]", "BODY[HEADER]"},
        {"mailbox", "", ""},
        {"modseq", "MODSEQ", "MODSEQ"},
        {"preview", "PREVIEW", "PREVIEW"},
        {"size", "RFC822.SIZE", "RFC822.SIZE"},
        {"text", "BODY.PEEK[]", "BODY[]"},
        {"uid", "", "UID"},
    };
    for (const auto& one : known)
        if (one.name == name)
            return Field{name, std::string(one.item), std::string(one.answer)};
    if (!name.starts_with("hdr.") || name.size() == 4)
        return std::nullopt;
    auto header = util::upper(name.substr(4));
    if (!std::ranges::all_of(header,
                             [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }))
        return std::nullopt;
    return Field{std::move(name), util::concat("BODY.PEEK[HEADER.FIELDS (", header, ")]"),
                 util::concat("BODY[HEADER.FIELDS (", header, ")]")};
}

util::Result<std::vector<Field>> fields_of(std::string_view words)
{
    std::vector<Field> fields;
    for (auto word : util::split_words(words)) {
        auto field = field_of(std::string(word));
        if (!field)
            return util::invalid(util::concat(util::printable(word, 100), " is no field of a message"));
        fields.push_back(std::move(*field));
    }
    if (fields.empty())
        return util::invalid("which fields?");
    return fields;
}

// The values of the fields of a header, as people read them, each on a line.
std::string header_values(std::string_view header)
{
    std::string out;
    mail::HeaderReader reader(header);
    mail::FieldView field;
    while (reader.next(field))
        util::append(out, out.empty() ? "" : "\n", mail::decode_header_text(field.value));
    return out;
}

bool is_number(const Field& field)
{
    return field.name == "uid" || field.name == "size" || field.name == "modseq";
}

// "2026-11-23T10:11:12+01:00"; what is no date stays as it is.
std::string iso_time(const std::string& text)
{
    auto date = mail::parse_internal_date(text);
    if (!date)
        return text;
    std::time_t local = date->seconds + date->zone_minutes * 60;
    std::tm parts{};
    char out[40];
    if (!::gmtime_r(&local, &parts) || std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return text;
    int minutes = std::abs(date->zone_minutes);
    auto two = [](int number) { return util::concat(number < 10 ? "0" : "", number); };
    return util::concat(out, date->zone_minutes < 0 ? "-" : "+", two(minutes / 60), ":", two(minutes % 60));
}

std::string text_of(const Field& field, const Value* value, std::string_view mailbox)
{
    if (field.name == "mailbox")
        return std::string(mailbox);
    if (!value || value->kind == Value::Kind::Nil)
        return {};
    if (field.name == "flags") {
        std::string out;
        for (const auto& flag : value->items)
            util::append(out, out.empty() ? "" : " ", flag.text);
        return out;
    }
    if (value->kind == Value::Kind::List)
        return value->items.empty() ? std::string() : value->items.front().text;
    if (field.answer == "INTERNALDATE" || field.answer == "SAVEDATE")
        return iso_time(value->text);
    return field.answer.starts_with("BODY[HEADER.FIELDS") ? header_values(value->text) : value->text;
}

std::string json_of(const Field& field, const Value* value, std::string_view mailbox)
{
    if (field.name == "flags") {
        std::vector<std::string> flags;
        for (const auto& flag : value ? value->items : std::vector<Value>())
            flags.push_back(flag.text);
        return json_list(flags);
    }
    auto text = text_of(field, value, mailbox);
    if (!is_number(field))
        return util::json_quote(text);
    auto number = util::parse_unsigned(text);
    return number.ok() ? util::concat(*number) : "null";
}

void print_message(const Order& order, const std::vector<Field>& fields, std::string_view mailbox,
                   const std::vector<Value>& values)
{
    std::string out = order.json ? "{" : "";
    for (const auto& field : fields) {
        const auto* value = field.answer.empty() ? nullptr : value_after(values, field.answer);
        if (order.json) {
            util::append(out, out.size() > 1 ? "," : "", util::json_quote(field.name), ":", json_of(field, value, mailbox));
            continue;
        }
        auto text = text_of(field, value, mailbox);
        bool lines = text.find('\n') != std::string::npos;
        util::append(out, field.name, lines ? ":\n" : ": ", text, text.ends_with('\n') ? "" : "\n");
    }
    util::print_out(out += order.json ? "}\n" : "\f\n");
}

util::Result<int> fetch(ImapSession& session, const Order& order)
{
    if (order.words.empty())
        return EX_USAGE;
    auto fields = TRY(fields_of(order.words.front()));
    auto query = TRY(parse_query({order.words.begin() + 1, order.words.end()}, order.now));
    std::string items = "UID";
    for (const auto& field : fields)
        if (!field.item.empty())
            util::append(items, " ", field.item);
    Visit visit = [&](const Listed& mailbox, std::uint64_t, const std::string&) -> util::Result<void> {
        TRY(session.command(util::concat("UID FETCH $ (", items, ")"), [&](const Response& response) -> util::Result<void> {
            const auto& values = response.values;
            // Others' changes are told, too: they have none of what was asked for.
            if (values.size() == 3 && values[1].is("FETCH") && values[2].kind == Value::Kind::List &&
                std::ranges::all_of(fields, [&](const Field& field) {
                    return field.answer.empty() || value_after(values[2].items, field.answer);
                }))
                print_message(order, fields, order.json ? mailbox.name : shown(mailbox.name), values[2].items);
            return {};
        }));
        return {};
    };
    TRY(for_each_found(session, query, false, visit));
    return 0;
}

// --- changes -----------------------------------------------------------------------------------------

util::Result<int> transfer(ImapSession& session, const Order& order)
{
    if (order.words.empty())
        return EX_USAGE;
    auto query = TRY(parse_query({order.words.begin() + 1, order.words.end()}, order.now));
    bool moves = order.command == "move";
    const auto& wanted = order.words.front();
    auto found = TRY(list_mailboxes(session, {wanted}));
    if (found.empty() || wanted.find_first_of("*%") != std::string::npos)
        return util::not_found(util::concat("there is no mailbox ", util::printable(wanted, 200)));
    const std::string target = found.front().name;   // as the server calls it: INBOX is found in any case
    Visit visit = [&](const Listed& mailbox, std::uint64_t count, const std::string&) -> util::Result<void> {
        if (mailbox.name == target)
            return {};
        TRY(session.command(util::concat(moves ? "UID MOVE $ " : "UID COPY $ ", quoted(target))));
        tell_done(order, mailbox.name, count);
        return {};
    };
    TRY(for_each_found(session, query, true, visit));
    return 0;
}

util::Result<void> expunge_found(ImapSession& session)
{
    TRY(session.command("UID STORE $ +FLAGS.SILENT (\\Deleted)"));
    TRY(session.command("UID EXPUNGE $"));
    return {};
}

// As mail programs do: into the Trash, and for good what is there.
util::Result<int> remove(ImapSession& session, const Order& order)
{
    auto query = TRY(parse_query(order.words, order.now));
    std::string trash;
    if (order.command == "delete")
        for (const auto& mailbox : TRY(list_mailboxes(session, {"*"})))
            if (mailbox.has("\\Trash"))
                trash = mailbox.name;
    Visit visit = [&](const Listed& mailbox, std::uint64_t count, const std::string&) -> util::Result<void> {
        bool for_good = trash.empty() || mailbox.name == trash || mailbox.name.starts_with(trash + "/");
        if (for_good)
            TRY(expunge_found(session));
        else
            TRY(session.command(util::concat("UID MOVE $ ", quoted(trash))));
        tell_done(order, mailbox.name, count);
        return {};
    };
    TRY(for_each_found(session, query, true, visit));
    return 0;
}

util::Result<int> flags(ImapSession& session, const Order& order)
{
    if (order.words.size() < 3)
        return EX_USAGE;
    const auto& how = order.words[0];
    std::string_view sign = how == "add" ? "+" : how == "remove" ? "-" : "";
    if (sign.empty() && how != "replace")
        return EX_USAGE;
    std::string list;
    for (auto flag : util::split_words(order.words[1])) {
        if (!std::ranges::all_of(flag.substr(flag.starts_with('\\') ? 1 : 0), [](char c) {
                return util::is_printable(c) && std::string_view(" (){%*\"\\]").find(c) == std::string_view::npos;
            }))
            return util::invalid(util::concat(util::printable(flag, 100), " is no flag"));
        util::append(list, list.empty() ? "" : " ", flag);
    }
    auto query = TRY(parse_query({order.words.begin() + 2, order.words.end()}, order.now));
    Visit visit = [&](const Listed& mailbox, std::uint64_t count, const std::string&) -> util::Result<void> {
        TRY(session.command(util::concat("UID STORE $ ", sign, "FLAGS.SILENT (", list, ")")));
        tell_done(order, mailbox.name, count);
        return {};
    };
    TRY(for_each_found(session, query, true, visit));
    return 0;
}

// --- mailboxes ---------------------------------------------------------------------------------------

util::Result<int> list_names(ImapSession& session, const Order& order, std::vector<std::string> patterns)
{
    if (patterns.empty())
        patterns = {"*"};
    for (const auto& mailbox : TRY(list_mailboxes(session, patterns)))
        util::print_out(order.json ? util::concat("{\"mailbox\":", util::json_quote(mailbox.name),
                                                  ",\"attributes\":", json_list(mailbox.attributes), "}\n")
                                   : shown(mailbox.name) + "\n");
    return 0;
}

util::Result<int> tell_status(ImapSession& session, const Order& order, std::vector<std::string> patterns)
{
    for (const auto& mailbox : TRY(mailboxes_of(session, patterns))) {
        TRY(session.command(
            util::concat("STATUS ", quoted(mailbox.name), " (MESSAGES UNSEEN DELETED SIZE UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"),
            [&](const Response& response) -> util::Result<void> {
                const auto& values = response.values;
                if (values.size() != 3 || !values[0].is("STATUS"))
                    return {};
                std::string out =
                    order.json ? util::concat("{\"mailbox\":", util::json_quote(mailbox.name)) : shown(mailbox.name);
                for (std::size_t i = 0; i + 1 < values[2].items.size(); i += 2) {
                    auto name = util::lower(values[2].items[i].text);
                    auto number = util::parse_unsigned(values[2].items[i + 1].text).value_or(0);
                    if (order.json)
                        util::append(out, ",", util::json_quote(name), ":", number);
                    else
                        util::append(out, " ", name, "=", number);
                }
                util::print_out(out + (order.json ? "}\n" : "\n"));
                return {};
            }));
    }
    return 0;
}

util::Result<int> mailbox(ImapSession& session, const Order& order)
{
    if (order.words.empty())
        return EX_USAGE;
    const auto& what = order.words.front();
    std::vector<std::string> names(order.words.begin() + 1, order.words.end());
    for (const auto& name : names)
        if (!is_line(name))
            return util::invalid("a mailbox's name is a line of UTF-8");
    if (what == "list")
        return list_names(session, order, std::move(names));
    if (what == "status")
        return tell_status(session, order, std::move(names));
    if (what == "rename" && names.size() == 2) {
        TRY(session.command(util::concat("RENAME ", quoted(names[0]), " ", quoted(names[1]))));
        return 0;
    }
    constexpr std::string_view verbs[] = {"create", "delete", "subscribe", "unsubscribe"};
    if (std::ranges::find(verbs, what) == std::end(verbs) || names.empty())
        return EX_USAGE;
    for (const auto& name : names)
        TRY(session.command(util::concat(util::upper(what), " ", quoted(name))));
    return 0;
}

}  // namespace

bool is_session_command(std::string_view command)
{
    return std::ranges::find(session_commands, command) != std::end(session_commands);
}

util::Result<int> run_session_command(ImapSession& session, const Order& order)
{
    TRY(session.begin());
    if (order.command == "search")
        return search(session, order);
    if (order.command == "fetch")
        return fetch(session, order);
    if (order.command == "move" || order.command == "copy")
        return transfer(session, order);
    if (order.command == "delete" || order.command == "expunge")
        return remove(session, order);
    if (order.command == "flags")
        return flags(session, order);
    if (order.command == "acl")
        return acl(session, order);
    return mailbox(session, order);
}

}  // namespace ternbox
