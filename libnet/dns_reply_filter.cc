// Tables that pass over records of answers.
#include "libnet/dns_reply_filter.h"

#include "libnet/dns_outcome.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace net::dns {

namespace {

// A line for patterns, as long as the text: what would break it is a blank.
std::string printable_only(std::string text)
{
    std::ranges::replace_if(text, [](char c) { return !util::is_printable(c); }, ' ');
    return text;
}

std::string data_text(const Record& record)
{
    const auto& numbers = record.numbers;
    switch (record.type) {
    case Type::A:
    case Type::Aaaa:
        return record.text;
    case Type::Txt:
        return printable_only(record.text);
    case Type::Mx:
        return util::concat(numbers[0], ' ', record.text, '.');
    case Type::Srv:
        return util::concat(numbers[0], ' ', numbers[1], ' ', numbers[2], ' ', record.text, '.');
    case Type::Tlsa:
        return util::concat(numbers[0], ' ', numbers[1], ' ', numbers[2], ' ', util::hex(record.text));
    case Type::Ns:
    case Type::Cname:
    case Type::Soa:
    case Type::Ptr:
        break;
    }
    return util::concat(record.text, '.');
}

bool is_null(const Outcome& outcome)
{
    const auto& records = outcome.records;
    return records.size() == 1 && records[0].text.empty() && (records[0].type == Type::Mx || records[0].type == Type::Srv);
}

}  // namespace

std::string filter_key(const Record& record)
{
    std::string key = util::concat(record.owner, ". ", record.ttl, " IN ", name_of(record.type), ' ', data_text(record));
    if (key.size() > conf::max_table_key)
        key.resize(conf::max_table_key);
    return key;
}

util::Result<ReplyFilter> ReplyFilter::open(const std::vector<std::string>& names, std::string_view parameter)
{
    auto tables = conf::Tables::open(names);
    if (!tables)
        return tables.take_error().in(parameter);
    return ReplyFilter(tables.take(), parameter);
}

util::Result<bool> ReplyFilter::ignores(const Record& record)
{
    std::string key = filter_key(record);
    auto answer = TRY(tables_.lookup(key));
    if (!answer)
        return false;
    auto words = util::split_words(*answer);
    if (words.empty() || !util::equal_nocase(words.front(), "IGNORE"))
        return util::invalid(util::concat("unknown DNS filter action: \"", util::printable(*answer, 100), '"'));
    util::log::info("ignoring DNS RR: ", util::printable(key, 300));
    return true;
}

void ReplyFilter::apply(const Question& question, Outcome& outcome)
{
    if (!active() || outcome.status != Status::Found || is_null(outcome))
        return;
    std::vector<Record> left;
    for (Record& record : outcome.records) {
        auto ignored = ignores(record);
        if (!ignored) {
            util::log::warning(parameter_, ": ", question.name, ": ", ignored.error().text);
            outcome.status = Status::TryAgain;
            outcome.why = "Invalid DNS reply filter";   // no more, since others read it: in replies, and notifications
            outcome.unfiltered = true;
            left.clear();
            break;
        }
        if (!*ignored)
            left.push_back(std::move(record));
    }
    if (left.empty() && outcome.status == Status::Found)
        outcome.status = Status::Filtered;
    outcome.records = std::move(left);
}

}  // namespace net::dns
