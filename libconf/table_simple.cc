// static:, fail:, inline:, texthash:, accounts: and senders: tables.
#include "libconf/accounts_file.h"
#include "libconf/table_text_file.h"
#include "libconf/table_types.h"
#include "libconf/text_table.h"
#include "libconf/words.h"
#include "libutil/text.h"

#include <unordered_map>

namespace conf {

using util::concat;
using util::Result;

namespace {

using Entries = std::unordered_map<std::string, std::string, util::HashText, std::equal_to<>>;

Answer find_in(const Entries& entries, std::string_view key)
{
    if (key.empty() || key.size() > max_table_key)
        return std::nullopt;
    auto found = entries.find(util::lower(key));
    return found == entries.end() ? Answer() : Answer(found->second);
}

class StaticTable final : public Table {
public:
    StaticTable(std::string_view name, std::string_view value) : Table(std::string(name)), value_(value) {}
    Result<Answer> lookup(std::string_view) override { return Answer(value_); }

private:
    std::string value_;
};

class FailTable final : public Table {
public:
    using Table::Table;
    Result<Answer> lookup(std::string_view) override { return util::temporary(concat("table ", name())); }
};

class InlineTable final : public Table {
public:
    InlineTable(std::string_view name, Entries entries) : Table(std::string(name)), entries_(std::move(entries)) {}
    Result<Answer> lookup(std::string_view key) override { return find_in(entries_, key); }

private:
    Entries entries_;
};

class TextHashTable final : public TextFileTable {
public:
    using TextFileTable::TextFileTable;

    Result<Answer> lookup(std::string_view key) override
    {
        TRY(update());
        return find_in(entries_, key);
    }

private:
    void load(std::string_view text, std::string_view file, Problems& problems) override
    {
        Entries entries;
        read_text_table(text, file, TextForm::Map, [&](TextEntry entry) {
            if (!entries.try_emplace(util::lower(entry.key), std::move(entry.value)).second)
                problems.warn(file, entry.line, concat("\"", util::printable(entry.key, 60),
                                                       "\" is there already; the first one counts"));
        }, problems);
        if (!problems.any())
            entries_ = std::move(entries);
    }

    Entries entries_;
};

class OfAccounts : public Table {
public:
    OfAccounts(std::string_view name, std::string path) : Table(std::string(name)), reader_(std::move(path)) {}

    void refresh() override { reader_.refresh(); }
    Result<void> check() override
    {
        reader_.refresh();
        TRY(reader_.has_domain("x"));
        return {};
    }

protected:
    AccountsReader reader_;
};

class AccountsTable final : public OfAccounts {
public:
    using OfAccounts::OfAccounts;

    Result<Answer> lookup(std::string_view key) override
    {
        auto account = TRY(reader_.find(key));
        if (!account)
            return Answer();
        std::string line = TRY(format_account_line(*account));
        return Answer(line.substr(account->address.size() + 1));
    }

    Result<Answer> lookup_domain(std::string_view domain) override
    {
        bool found = TRY(reader_.has_domain(domain));
        return found ? Answer("domain") : Answer();
    }
};

// senders: whose an address of the accounts file is, for smtpd_sender_login_maps.
class SendersTable final : public OfAccounts {
public:
    using OfAccounts::OfAccounts;

    Result<Answer> lookup(std::string_view key) override
    {
        auto entry = TRY(reader_.find_entry(key));
        if (!entry)
            return Answer();
        if (!entry->is_alias())
            return Answer(entry->address);
        // An alias that nobody may send as is nobody's, which is another thing than unknown.
        return Answer(entry->has_flag(send_flag) ? entry->target : "-");
    }
};

}  // namespace

OpenedTable open_static(std::string_view name, std::string_view what)
{
    std::string_view value = util::trim(what);
    if (value.size() >= 2 && value.front() == '{' && value.back() == '}')
        value = util::trim(value.substr(1, value.size() - 2));
    return OpenedTable(std::make_unique<StaticTable>(name, value));
}

OpenedTable open_fail(std::string_view name, std::string_view)
{
    return OpenedTable(std::make_unique<FailTable>(std::string(name)));
}

OpenedTable open_inline(std::string_view name, std::string_view what)
{
    std::string_view text = util::trim(what);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        return util::invalid(concat("table ", util::printable(name, 100), ": inline:{key=value ...} is wanted"));
    auto words = parse_words(text.substr(1, text.size() - 2), list_separators, true);
    if (!words)
        return words.take_error().in(concat("table ", util::printable(name, 100)));
    Entries entries;
    for (const std::string& word : *words) {
        auto [left, right] = util::split_first(word, '=');
        std::string_view key = util::trim(left);
        if (key.empty() || word.find('=') == std::string::npos)
            return util::invalid(concat("table ", util::printable(name, 100), ": key=value is wanted, not \"",
                                        util::printable(word, 60), '"'));
        entries.try_emplace(util::lower(key), std::string(util::trim(right)));
    }
    return OpenedTable(std::make_unique<InlineTable>(name, std::move(entries)));
}

OpenedTable open_texthash(std::string_view name, std::string_view what)
{
    std::string path = TRY(table_path(name, what));
    return OpenedTable(std::make_unique<TextHashTable>(std::string(name), std::move(path)));
}

OpenedTable open_accounts(std::string_view name, std::string_view what)
{
    std::string path = TRY(table_path(name, what));
    return OpenedTable(std::make_unique<AccountsTable>(name, std::move(path)));
}

OpenedTable open_senders(std::string_view name, std::string_view what)
{
    std::string path = TRY(table_path(name, what));
    return OpenedTable(std::make_unique<SendersTable>(name, std::move(path)));
}

}  // namespace conf
