// unionmap: and pipemap: tables.
#include "libconf/table_types.h"
#include "libconf/words.h"
#include "libutil/text.h"

namespace conf {

using util::concat;
using util::Result;

namespace {

using Members = std::vector<std::unique_ptr<Table>>;

class CombinedTable : public Table {
public:
    CombinedTable(std::string_view name, Members members) :
        Table(std::string(name)), members_(std::move(members))
    {
    }
    Result<void> check() override
    {
        for (const auto& member : members_)
            TRY(member->check());
        return {};
    }
    void refresh() override
    {
        for (const auto& member : members_)
            member->refresh();
    }
    bool is_pattern() const override
    {
        for (const auto& member : members_) {
            if (member->is_pattern())
                return true;
        }
        return false;
    }

protected:
    Members members_;
};

class UnionTable final : public CombinedTable {
public:
    using CombinedTable::CombinedTable;
    Result<Answer> lookup(std::string_view key) override
    {
        Answer all;
        for (const auto& member : members_) {
            Answer answer = TRY(member->lookup(key));
            if (!answer || answer->empty())
                continue;
            if (all)
                util::append(*all, ',', *answer);
            else
                all = std::move(answer);
            if (all->size() > max_table_value)
                return util::temporary(concat("table ", name(), ": more than ", max_table_value, " bytes"));
        }
        return all;
    }
};

class PipeTable final : public CombinedTable {
public:
    using CombinedTable::CombinedTable;
    Result<Answer> lookup(std::string_view key) override
    {
        std::string current(key);
        for (const auto& member : members_) {
            Answer answer = TRY(member->lookup(current));
            if (!answer)
                return Answer();
            current = std::move(*answer);
        }
        return Answer(std::move(current));
    }
};

Result<Members> open_members(std::string_view name, std::string_view what, int depth)
{
    std::string_view text = util::trim(what);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        return util::invalid(concat("table ", util::printable(name, 100), ": {table, table ...} is wanted"));
    auto words = parse_words(text.substr(1, text.size() - 2));
    if (!words)
        return words.take_error().in(concat("table ", util::printable(name, 100)));
    if (words->empty())
        return util::invalid(concat("table ", util::printable(name, 100), ": there is no table in it"));
    Members members;
    for (const std::string& word : *words)
        members.push_back(TRY(open_table_at(word, depth + 1)));
    return members;
}

}  // namespace

OpenedTable open_union(std::string_view name, std::string_view what, int depth)
{
    Members members = TRY(open_members(name, what, depth));
    return OpenedTable(std::make_unique<UnionTable>(name, std::move(members)));
}

OpenedTable open_pipe(std::string_view name, std::string_view what, int depth)
{
    Members members = TRY(open_members(name, what, depth));
    return OpenedTable(std::make_unique<PipeTable>(name, std::move(members)));
}

}  // namespace conf
