// The items of STATUS.
#include "imapd/engine/mailbox_status.h"

#include "imapd/syntax/mailbox_name.h"
#include "libstore/visibility.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace imapd::engine {

namespace {

// What can be shown of a mailbox now: arrivals beyond visible() do not count.
struct Counted {
    const store::Mailbox& mailbox;
    std::size_t visible;
};

std::uint64_t hidden(const Counted& counted, auto of)
{
    std::uint64_t sum = 0;
    for (std::size_t i = counted.visible; i < counted.mailbox.entries.size(); ++i)
        sum += of(counted.mailbox.entries[i]);
    return sum;
}

std::uint64_t recent(const Counted& counted)
{
    auto first = counted.mailbox.lower_bound(counted.mailbox.first_recent_uid);
    return counted.visible > first ? counted.visible - first : 0;
}

std::uint64_t unseen(const Counted& counted)
{
    return counted.mailbox.unseen -
           hidden(counted, [](const auto& entry) { return entry.flags & store::Seen ? 0U : 1U; });
}

std::uint64_t deleted(const Counted& counted)
{
    return counted.mailbox.deleted -
           hidden(counted, [](const auto& entry) { return entry.flags & store::Deleted ? 1U : 0U; });
}

std::uint64_t bytes(const Counted& counted)
{
    return counted.mailbox.bytes - hidden(counted, [](const auto& entry) { return entry.size; });
}

struct Item {
    std::string_view name;
    std::uint64_t (*value)(const Counted&);
};

constexpr std::array<Item, 7> items_by_bit = {{
    {"MESSAGES", [](const Counted& counted) { return std::uint64_t(counted.visible); }},
    {"RECENT", recent},
    {"UIDNEXT",
     [](const Counted& counted) {
         return std::uint64_t(store::visible_uid_next(counted.mailbox, counted.visible));
     }},
    {"UIDVALIDITY", [](const Counted& counted) { return std::uint64_t(counted.mailbox.uid_validity); }},
    {"UNSEEN", unseen},
    {"DELETED", deleted},
    {"SIZE", bytes},
}};

}  // namespace

util::Result<StatusItems> parse_status_items(syntax::Scanner& arguments)
{
    TRY(arguments.expect('('));
    StatusItems items = 0;
    do {
        auto name = TRY(arguments.atom());
        auto found = std::find_if(items_by_bit.begin(), items_by_bit.end(), [&](const Item& item) {
            return util::equal_nocase(item.name, name);
        });
        if (found == items_by_bit.end())
            return util::invalid("Unknown STATUS item");
        items |= 1U << (found - items_by_bit.begin());
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    return items;
}

void append_status(std::string& out, store::Store& store, const store::Mailbox& mailbox,
                   StatusItems items)
{
    Counted counted{mailbox, store::visible_end(mailbox, store.visible())};
    out += "* STATUS ";
    syntax::append_mailbox_name(out, mailbox.name);
    char before = '(';
    out += ' ';
    for (std::size_t i = 0; i < items_by_bit.size(); ++i) {
        if (!(items & (1U << i)))
            continue;
        out += before;
        out += items_by_bit[i].name;
        out += ' ';
        syntax::append_number(out, items_by_bit[i].value(counted));
        before = ' ';
    }
    out += ")\r\n";
}

}  // namespace imapd::engine
