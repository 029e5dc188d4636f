// What an answer means for its question.
#include "libnet/dns_outcome.h"

#include "libutil/text.h"

#include <algorithm>

namespace net::dns {

namespace {

constexpr unsigned nxdomain = 3;

void malformed(Outcome& outcome, std::string why)
{
    outcome.status = Status::Malformed;
    outcome.why = std::move(why);
    outcome.records.clear();
    outcome.ttl = 0;
    outcome.incomplete = false;
}

// By preference, the best of them; a null MX is alone or is none (RFC 7505 §3).
void arrange(Outcome& outcome, Type type)
{
    auto& records = outcome.records;
    if (type == Type::Mx || type == Type::Srv)
        std::ranges::stable_sort(records, {}, [](const Record& record) { return record.numbers[0]; });
    if (type == Type::Mx && records.size() > 1)
        std::erase_if(records, [](const Record& record) { return record.text.empty(); });
    if (records.size() > max_records) {
        outcome.left_out = records.size() - max_records;
        records.resize(max_records);
    }
}

// Takes the records that the name has.  False: it has none, not even broken ones.
bool take_records(Outcome& outcome, const Question& question, const Message& message)
{
    bool any = false;
    for (const Record& record : message.answer) {
        if (record.type != question.type || record.owner != outcome.name)
            continue;
        any = true;
        if (record.broken)
            continue;
        outcome.records.push_back(record);
        outcome.ttl = std::min(outcome.ttl, record.ttl);
    }
    if (!outcome.records.empty()) {
        outcome.status = Status::Found;
        arrange(outcome, question.type);
        if (outcome.records.empty())
            malformed(outcome, "two null MX records");
    } else if (any) {
        malformed(outcome, "broken records");
    }
    return any;
}

// The alias of a name in the answer, broken or not.
const Record* alias_of(std::string_view name, const Message& message)
{
    auto found = std::ranges::find_if(message.answer, [&](const Record& record) {
        return record.type == Type::Cname && record.owner == name;
    });
    return found != message.answer.end() ? &*found : nullptr;
}

// There are no records at the last name: what does that say?
void conclude_without(Outcome& outcome, const Message& message)
{
    if (message.code == nxdomain) {
        outcome.status = Status::NoSuchName;
    } else {
        outcome.status = Status::NoData;
        outcome.incomplete = outcome.aliases > 0 && !message.negative_ttl;
        bool unrelated = message.other_records || !message.answer.empty();
        if (outcome.aliases == 0 && unrelated && !message.negative_ttl)
            return malformed(outcome, "an answer for other names");
    }
    // Without SOA a negative answer is not kept (RFC 2308 §5).
    if (!outcome.incomplete)
        outcome.ttl = std::min(outcome.ttl, message.negative_ttl.value_or(0));
}

}  // namespace

Outcome outcome_of(const Question& question, const Message& message)
{
    Outcome outcome;
    outcome.name = question.name;
    outcome.ttl = INT32_MAX;
    while (!take_records(outcome, question, message)) {
        const Record* alias = question.type == Type::Cname ? nullptr : alias_of(outcome.name, message);
        if (alias == nullptr) {
            conclude_without(outcome, message);
            break;
        }
        // A loop is one that is too long, too.
        if (alias->broken || ++outcome.aliases > max_aliases) {
            malformed(outcome, alias->broken ? "a broken CNAME" : "a loop or too long a chain of CNAMEs");
            break;
        }
        outcome.name = alias->text;
        outcome.ttl = std::min(outcome.ttl, alias->ttl);
    }
    return outcome;
}

Outcome join(Outcome first, Outcome second)
{
    second.aliases += first.aliases;
    second.ttl = std::min(first.ttl, second.ttl);
    second.secure = first.secure && second.secure;
    second.secure_name = first.secure_name && second.secure_name;
    if (second.aliases > max_aliases)
        malformed(second, "a loop or too long a chain of CNAMEs");
    return second;
}

std::string explain(const Question& question, const Outcome& outcome)
{
    std::string subject = util::concat("name=", question.name, " type=", name_of(question.type), ": ");
    std::string where = util::concat("Name service error for ", subject);
    std::string why = outcome.why.empty() ? "" : util::concat(" (", outcome.why, ')');
    switch (outcome.status) {
    case Status::Found:
        return "";
    case Status::NoData:
        return util::concat("Host or domain name not found. ", where, "Host found but no data record of requested type");
    case Status::NoSuchName:
        return util::concat("Host or domain name not found. ", where, "Host not found");
    case Status::TryAgain:
        if (outcome.unfiltered)
            return util::concat("Error looking up ", subject, outcome.why);
        return util::concat("Host or domain name not found. ", where, "Host not found, try again", why);
    case Status::Malformed:
        return util::concat(where, "Malformed or unexpected name server reply", why);
    case Status::Bogus:
        return util::concat(where, "DNSSEC validation failed", why);
    case Status::Filtered:
        return util::concat("Error looking up ", subject, "DNS reply filter drops all results");
    }
    return "";
}

}  // namespace net::dns
