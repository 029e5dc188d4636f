// What messages are sorted by.
#include "imapd/engine/sort_keys.h"

#include "libmail/address_list.h"
#include "libmail/casefold.h"
#include "libmail/date.h"
#include "libmail/encoded_word.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libutil/text.h"

#include <algorithm>
#include <array>

namespace imapd::engine {

using SortKind = SortCriterion::Kind;

namespace {

struct Name {
    std::string_view name;
    SortKind kind;
};

constexpr std::array<Name, 10> names = {{
    {"ARRIVAL", SortKind::Arrival},
    {"CC", SortKind::Cc},
    {"DATE", SortKind::Date},
    {"DISPLAYFROM", SortKind::DisplayFrom},
    {"DISPLAYTO", SortKind::DisplayTo},
    {"FROM", SortKind::From},
    {"RELEVANCY", SortKind::Relevancy},
    {"SIZE", SortKind::Size},
    {"SUBJECT", SortKind::Subject},
    {"TO", SortKind::To},
}};

// RFC 5256 §3: addr-mailbox of the first address, which of a group is its name.
std::string first_mailbox(std::string_view value)
{
    auto list = mail::parse_address_list(value, 1);
    return list.empty() ? std::string() : mail::collation_key(mail::decode_header_text(list.front().local_part));
}

// RFC 5957 §3: the name that is shown, or the address where there is none.
std::string first_display(std::string_view value)
{
    auto list = mail::parse_address_list(value, 1);
    if (list.empty())
        return {};
    const auto& entry = list.front();
    if (entry.has_name && !entry.name.empty())
        return mail::collation_key(mail::decode_header_text(entry.name));
    if (entry.kind != mail::ListEntry::Kind::Address || entry.domain.empty())
        return mail::collation_key(mail::decode_header_text(entry.local_part));
    return mail::collation_key(util::concat(entry.local_part, "@", entry.domain));
}

std::string_view field_of(SortKind kind)
{
    switch (kind) {
    case SortKind::Cc:
        return "Cc";
    case SortKind::From:
    case SortKind::DisplayFrom:
        return "From";
    case SortKind::To:
    case SortKind::DisplayTo:
        return "To";
    default:
        return "Subject";
    }
}

bool is_text(SortKind kind)
{
    return kind != SortKind::Arrival && kind != SortKind::Date && kind != SortKind::Size && kind != SortKind::Relevancy;
}

}  // namespace

int compare_sort_values(const std::vector<SortCriterion>& criteria, const std::vector<SortValue>& a,
                        const std::vector<SortValue>& b)
{
    for (std::size_t i = 0; i < criteria.size(); ++i) {
        const auto& one = criteria[i].reverse ? b[i] : a[i];
        const auto& two = criteria[i].reverse ? a[i] : b[i];
        if (one.number != two.number)
            return one.number < two.number ? -1 : 1;
        if (int order = one.text.compare(two.text); order != 0)
            return order;
    }
    return 0;
}

SortPrefix sort_prefix(const SortCriterion& criterion, const SortValue& value)
{
    SortPrefix prefix{};
    if (is_text(criterion.kind)) {
        for (std::size_t i = 0; i < std::min(value.text.size(), sizeof prefix); ++i)
            prefix[i / 8] |= std::uint64_t(std::uint8_t(value.text[i])) << (56 - i % 8 * 8);
    } else {
        prefix[0] = std::uint64_t(value.number) ^ (std::uint64_t(1) << 63);
    }
    if (criterion.reverse)
        prefix = {~prefix[0], ~prefix[1]};
    return prefix;
}

util::Result<std::vector<SortCriterion>> parse_sort_criteria(syntax::Scanner& arguments)
{
    std::vector<SortCriterion> criteria;
    TRY(arguments.expect('('));
    do {
        if (criteria.size() >= max_sort_criteria)
            return util::invalid("Too many sort criteria");
        SortCriterion criterion;
        criterion.reverse = arguments.skip_word("REVERSE ");
        auto word = TRY(arguments.atom());
        auto found = std::find_if(names.begin(), names.end(), [&](const Name& name) {
            return util::equal_nocase(name.name, word);
        });
        if (found == names.end())
            return util::invalid("Unknown sort criterion");
        criterion.kind = found->kind;
        criteria.push_back(criterion);
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    return criteria;
}

util::Result<std::string> field_value(MessageContent& message, std::string_view name)
{
    const auto* rendered = TRY(message.rendered());
    std::string_view fields = rendered->header_cache;
    if (fields.empty() || !mail::is_cached_field(name))
        fields = TRY(message.header());
    return std::string(mail::find_field(fields, name).value_or(std::string_view()));
}

util::Result<std::int64_t> sent_seconds(MessageContent& message)
{
    auto value = TRY(field_value(message, "Date"));
    auto date = mail::parse_date(value);
    return date ? date->seconds : message.entry().internal_date.seconds;
}

util::Result<SortValue> sort_value(MessageContent& message, int relevancy, SortKind kind)
{
    const auto& entry = message.entry();
    switch (kind) {
    case SortKind::Arrival:
        return SortValue{entry.internal_date.seconds, {}};
    case SortKind::Size:
        return SortValue{std::int64_t(entry.size), {}};
    case SortKind::Relevancy:   // RFC 6203 §6: the highest first
        return SortValue{-std::int64_t(relevancy), {}};
    case SortKind::Date: {
        auto seconds = TRY(sent_seconds(message));
        return SortValue{seconds, {}};
    }
    default:
        break;
    }
    auto value = TRY(field_value(message, field_of(kind)));
    if (kind == SortKind::Subject)
        return SortValue{0, mail::collation_key(mail::base_subject(value).text)};
    if (kind == SortKind::DisplayFrom || kind == SortKind::DisplayTo)
        return SortValue{0, first_display(value)};
    return SortValue{0, first_mailbox(value)};
}

}  // namespace imapd::engine
