// The shape of the queue.
#include "tools/ternqueue/shape.h"

#include <algorithm>

namespace ternqueue {

namespace {

constexpr std::int64_t first_bound = 5 * 60;  // seconds; each column's is twice the one before
constexpr std::size_t name_limit = 60;

std::uint64_t bound_minutes(std::size_t column) { return 5U << column; }

std::size_t column_of(std::int64_t seconds)
{
    std::size_t column = 0;
    for (std::int64_t bound = first_bound; column + 1 < Shape::columns && seconds >= bound; bound *= 2)
        ++column;
    return column;
}

}  // namespace

void Shape::add(const ipc::QueueItem& item)
{
    if (!item.continued) {
        column_ = column_of((now_ - item.arrival) / 1'000'000);
        if (by_sender_)
            count(item.sender.empty() ? "MAILER-DAEMON" : item.sender, column_);
    }
    if (!by_sender_)
        for (const ipc::QueueItemRecipient& recipient : item.recipients)
            count(recipient.address, column_);
}

void Shape::count(std::string_view address, std::size_t column)
{
    std::string domain = util::lower(address.substr(address.rfind('@') + 1));
    auto found = domains_.find(domain);
    if (found == domains_.end())
        found = domains_.emplace(domains_.size() < max_domains ? std::move(domain) : "(others)", Row()).first;
    for (Row* row : {&found->second, &sum_}) {
        ++row->total;
        ++row->ages[column];
    }
}

Shape::Rows Shape::sorted() const
{
    Rows rows;
    for (const auto& item : domains_)
        rows.emplace_back(item.first, &item.second);
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
        return a.second->total != b.second->total ? a.second->total > b.second->total : a.first < b.first;
    });
    return rows;
}

std::string Shape::to_text() const
{
    Rows rows = sorted();
    rows.insert(rows.begin(), {"TOTAL", &sum_});
    std::vector<std::pair<std::string, std::vector<std::string>>> lines;
    lines.push_back({"", {"T"}});
    for (std::size_t i = 0; i + 1 < columns; ++i)
        lines.back().second.push_back(util::concat(bound_minutes(i)));
    lines.back().second.push_back(util::concat(bound_minutes(columns - 2), '+'));
    for (const auto& row : rows) {
        lines.push_back({util::printable(row.first, name_limit), {util::concat(row.second->total)}});
        for (std::uint64_t age : row.second->ages)
            lines.back().second.push_back(util::concat(age));
    }
    std::size_t name_width = 0;
    std::vector<std::size_t> widths(columns + 1);
    for (const auto& line : lines) {
        name_width = std::max(name_width, line.first.size());
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], line.second[i].size());
    }
    std::string out;
    for (const auto& line : lines) {
        util::append(out, std::string(name_width - line.first.size(), ' '), line.first);
        for (std::size_t i = 0; i < widths.size(); ++i)
            util::append(out, std::string(widths[i] - line.second[i].size() + 1, ' '), line.second[i]);
        out += '\n';
    }
    return out;
}

std::string Shape::to_json() const
{
    std::string out = "{\"bounds_minutes\": [";
    for (std::size_t i = 0; i + 1 < columns; ++i)
        util::append(out, i == 0 ? "" : ", ", bound_minutes(i));
    auto append_row = [&out](const Row& row) {
        util::append(out, "\"total\": ", row.total, ", \"ages\": [");
        for (std::size_t i = 0; i < columns; ++i)
            util::append(out, i == 0 ? "" : ", ", row.ages[i]);
        out += "]}";
    };
    out += "], \"sum\": {";
    append_row(sum_);
    out += ", \"domains\": [";
    bool first = true;
    for (const auto& row : sorted()) {
        util::append(out, first ? "" : ", ", "{\"domain\": ", util::json_quote(row.first), ", ");
        append_row(*row.second);
        first = false;
    }
    return out + "]}\n";
}

}  // namespace ternqueue
