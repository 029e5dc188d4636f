// What messages are sorted by: RFC 5256 §3, RFC 5957 (DISPLAYFROM, DISPLAYTO), RFC 6203 §6 (RELEVANCY).
#pragma once

#include "imapd/engine/message_content.h"
#include "imapd/engine/search_walk.h"
#include "imapd/syntax/scanner.h"
#include "libmail/base_subject.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_sort_criteria = 20;
// All keys of one SORT or THREAD together; what has more is refused (LIMIT).
constexpr std::size_t max_sort_bytes = 64U << 20;

struct SortCriterion {
    enum class Kind : unsigned char { Arrival, Cc, Date, DisplayFrom, DisplayTo, From, Size, Subject, To, Relevancy };
    Kind kind = Kind::Arrival;
    bool reverse = false;
};

// A message's value for one criterion: a number or a text in the form that compares.
struct SortValue {
    std::int64_t number = 0;
    std::string text;
};

// Below, equal or above 0: the order of two messages with these values, one for each criterion.
int compare_sort_values(const std::vector<SortCriterion>& criteria, const std::vector<SortValue>& a,
                        const std::vector<SortValue>& b);

// Of two messages whose values for their first criterion are these the one with the lower prefix comes before.
using SortPrefix = std::array<std::uint64_t, 2>;
SortPrefix sort_prefix(const SortCriterion& criterion, const SortValue& value);

// "(REVERSE DATE SUBJECT)".
util::Result<std::vector<SortCriterion>> parse_sort_criteria(syntax::Scanner& arguments);

util::Result<SortValue> sort_value(MessageContent& message, int relevancy, SortCriterion::Kind kind);

// The value of a field of the message's header, from what was rendered if that has it; as it stands, or
// empty.
util::Result<std::string> field_value(MessageContent& message, std::string_view name);
// Seconds of the Date field, or of the internal date (RFC 5256 §2.2).
util::Result<std::int64_t> sent_seconds(MessageContent& message);

}  // namespace imapd::engine
