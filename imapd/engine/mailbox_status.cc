// The items of STATUS.
#include "imapd/engine/mailbox_status.h"

#include "imapd/engine/format.h"
#include "imapd/syntax/mailbox_name.h"
#include "libstore/visibility.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace imapd::engine {

namespace {

// What can be shown of a mailbox now: arrivals beyond visible() do not count.
struct Counted {
    store::Store& store;
    const store::MailboxFacts& facts;
    const store::Mailbox* mailbox;   // null: its messages are not loaded, and all of them may be shown
    std::size_t visible;
    store::Lsn horizon;
    std::uint64_t append_limit;
    std::string_view reader;
};

std::uint64_t hidden(const Counted& counted, auto of)
{
    std::uint64_t sum = 0;
    for (std::size_t i = counted.visible; counted.mailbox && i < counted.mailbox->entries.size(); ++i)
        sum += of(counted.mailbox->entries[i]);
    return sum;
}

// Of those that may be shown.
std::vector<std::uint32_t> uids(const Counted& counted)
{
    auto outline = counted.store.outline(counted.facts.id);
    return outline.ok() ? std::move(outline->uids) : std::vector<std::uint32_t>();
}

std::uint64_t recent(const Counted& counted)
{
    std::uint32_t first = counted.facts.first_recent_uid;
    if (first >= counted.facts.uid_next)
        return 0;
    auto all = uids(counted);
    return std::uint64_t(all.end() - std::lower_bound(all.begin(), all.end(), first));
}

std::uint64_t unseen(const Counted& counted)
{
    if (!counted.reader.empty()) {
        auto all = uids(counted);
        return std::uint64_t(std::count_if(all.begin(), all.end(), [&](std::uint32_t uid) {
            return !counted.facts.seen_by(counted.reader, uid);
        }));
    }
    return counted.facts.unseen -
           hidden(counted, [](const auto& entry) { return entry.flags & store::Seen ? 0U : 1U; });
}

std::uint64_t deleted(const Counted& counted)
{
    return counted.facts.deleted -
           hidden(counted, [](const auto& entry) { return entry.flags & store::Deleted ? 1U : 0U; });
}

std::uint64_t bytes(const Counted& counted)
{
    return counted.facts.bytes - hidden(counted, [](const auto& entry) { return entry.size; });
}

// RFC 9208 §4.1.4: the octets that EXPUNGE would give back.
std::uint64_t deleted_bytes(const Counted& counted)
{
    auto mailbox = counted.facts.deleted > 0 ? counted.store.mailbox(counted.facts.id) : util::not_found("none");
    std::uint64_t sum = 0;
    for (std::size_t i = 0; mailbox.ok() && i < counted.visible; ++i)
        if ((*mailbox)->entries[i].flags & store::Deleted)
            sum += (*mailbox)->entries[i].size;
    return sum;
}

struct Item {
    std::string_view name;
    std::uint64_t (*value)(const Counted&);
    bool is_id = false;
};

constexpr std::array<Item, 11> items_by_bit = {{
    {"MESSAGES", [](const Counted& counted) { return std::uint64_t(counted.visible); }},
    {"RECENT", recent},
    {"UIDNEXT",
     [](const Counted& counted) {
         return std::uint64_t(counted.mailbox ? store::visible_uid_next(*counted.mailbox, counted.visible)
                                              : counted.facts.uid_next);
     }},
    {"UIDVALIDITY", [](const Counted& counted) { return std::uint64_t(counted.facts.uid_validity); }},
    {"UNSEEN", unseen},
    {"DELETED", deleted},
    {"DELETED-STORAGE", deleted_bytes},
    {"SIZE", bytes},
    {"APPENDLIMIT", [](const Counted& counted) { return counted.append_limit; }},
    {"HIGHESTMODSEQ",
     [](const Counted& counted) { return std::min(counted.facts.highest_modseq, counted.horizon); }},
    {"MAILBOXID", [](const Counted& counted) { return counted.facts.id; }, true},
}};

const Item* find_item(std::string_view name)
{
    return std::find_if(items_by_bit.begin(), items_by_bit.end(),
                        [&](const Item& item) { return util::equal_nocase(item.name, name); });
}

}  // namespace

util::Result<StatusItems> parse_status_items(syntax::Scanner& arguments)
{
    TRY(arguments.expect('('));
    StatusItems items = 0;
    do {
        auto name = TRY(arguments.atom());
        const auto* found = find_item(name);
        if (found == items_by_bit.end())
            return util::invalid("Unknown STATUS item");
        items |= 1U << (found - items_by_bit.begin());
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    return items;
}

StatusItems status_items(std::initializer_list<std::string_view> names)
{
    StatusItems items = 0;
    for (auto name : names)
        items |= 1U << (find_item(name) - items_by_bit.begin());
    return items;
}

bool asks_modseq(StatusItems items)
{
    return items & (1U << (find_item("HIGHESTMODSEQ") - items_by_bit.begin()));
}

void append_status(std::string& out, const StatusFacts& facts, const store::MailboxFacts& mailbox,
                   StatusItems items)
{
    auto horizon = facts.store.visible();
    auto loaded = mailbox.loaded ? facts.store.mailbox(mailbox.id) : util::not_found("messages");
    const store::Mailbox* messages = loaded.ok() ? *loaded : nullptr;
    std::size_t visible = messages ? store::visible_end(*messages, horizon) : mailbox.message_count();
    Counted counted{facts.store, mailbox, messages, visible, horizon, facts.append_limit, facts.reader};
    out += "* STATUS ";
    syntax::append_mailbox_name(out, util::concat(facts.prefix, mailbox.name), facts.form);
    char before = '(';
    out += ' ';
    for (std::size_t i = 0; i < items_by_bit.size(); ++i) {
        if (!(items & (1U << i)))
            continue;
        out += before;
        out += items_by_bit[i].name;
        out += ' ';
        if (items_by_bit[i].is_id) {
            out += '(';
            append_mailbox_id(out, items_by_bit[i].value(counted));
            out += ')';
        } else {
            syntax::append_number(out, items_by_bit[i].value(counted));
        }
        before = ' ';
    }
    out += ")\r\n";
}

}  // namespace imapd::engine
