// Names of tables to tables, several tables in turn.
#include "libconf/table.h"

#include "libconf/table_types.h"
#include "libutil/text.h"

#include <array>

namespace conf {

using util::concat;
using util::Result;

namespace {

struct Type {
    std::string_view name;
    OpenedTable (*open)(std::string_view name, std::string_view what);
    OpenedTable (*open_nested)(std::string_view name, std::string_view what, int depth);
};

constexpr Type types[] = {
    {"accounts", open_accounts, nullptr}, {"btree", open_btree, nullptr},
    {"cidr", open_cidr, nullptr},         {"fail", open_fail, nullptr},
    {"hash", open_hash, nullptr},         {"inline", open_inline, nullptr},
    {"lmdb", open_lmdb, nullptr},         {"pcre", open_pcre, nullptr},
    {"pipemap", nullptr, open_pipe},      {"proxy", nullptr, open_proxy},
    {"regexp", open_regexp, nullptr},     {"senders", open_senders, nullptr},
    {"static", open_static, nullptr},
    {"texthash", open_texthash, nullptr}, {"unionmap", nullptr, open_union},
    {"unix", open_unix, nullptr},
};

constexpr auto type_names = [] {
    std::array<std::string_view, std::size(types)> names;
    for (std::size_t i = 0; i < std::size(types); ++i)
        names[i] = types[i].name;
    return names;
}();

}  // namespace

Table::~Table() = default;

std::span<const std::string_view> table_types() { return type_names; }

bool looks_like_table(std::string_view word)
{
    std::size_t colon = word.find(':');
    if (colon == std::string_view::npos || colon == 0)
        return false;
    for (char c : word.substr(0, colon)) {
        if (!util::is_alnum(c) && c != '_' && c != '-')
            return false;
    }
    // "2001:db8::1" and "ab:cd::1" are addresses, not tables.
    std::string_view rest = word.substr(colon + 1);
    return rest.starts_with('/') || rest.starts_with('{') || word.starts_with("static:") || word.starts_with("proxy:") ||
           word.starts_with("fail:") || rest.find(':') == std::string_view::npos;
}

Result<std::string> table_path(std::string_view name, std::string_view what)
{
    if (!what.starts_with('/') || what.find('\0') != std::string_view::npos || what.size() > 4000)
        return util::invalid(concat("table ", util::printable(name, 100),
                                    ": a path that begins with / is wanted after the type"));
    return std::string(what);
}

OpenedTable open_table_at(std::string_view name, int depth)
{
    if (depth > max_table_depth)
        return util::invalid(concat("tables within tables, more than ", max_table_depth, " deep"));
    std::size_t colon = name.find(':');
    if (colon == std::string_view::npos)
        return util::invalid(concat("table \"", util::printable(name, 100), "\": type:name is wanted"));
    std::string_view word = name.substr(0, colon), what = name.substr(colon + 1);
    for (const Type& type : types) {
        if (word == type.name)
            return type.open ? type.open(name, what) : type.open_nested(name, what, depth);
    }
    std::string known;
    for (std::string_view type : type_names)
        util::append(known, known.empty() ? "" : " ", type);
    return util::invalid(concat("table ", util::printable(name, 100), ": there is no type \"",
                                util::printable(word, 60), "\" (there are ", known, ")"));
}

OpenedTable open_table(std::string_view name) { return open_table_at(name, 0); }

Result<Tables> Tables::open(const std::vector<std::string>& names)
{
    Tables tables;
    for (const std::string& name : names)
        tables.tables_.push_back(TRY(open_table(name)));
    return tables;
}

Result<Answer> Tables::lookup(std::string_view key)
{
    for (const auto& table : tables_) {
        Answer answer = TRY(table->lookup(key));
        if (answer)
            return answer;
    }
    return Answer();
}

Result<std::optional<Found>> Tables::lookup(const std::vector<Key>& keys)
{
    for (std::size_t i = 0; i < keys.size(); ++i) {
        for (const auto& table : tables_) {
            if (keys[i].partial && table->is_pattern())
                continue;
            Answer answer = TRY(table->lookup(keys[i].text));
            if (answer)
                return std::optional(Found {std::move(*answer), i, table->name()});
        }
    }
    return std::optional<Found>();
}

Result<Answer> Tables::lookup_domain(std::string_view domain)
{
    for (const auto& table : tables_) {
        Answer answer = TRY(table->lookup_domain(domain));
        if (answer)
            return answer;
    }
    return Answer();
}

void Tables::refresh()
{
    for (const auto& table : tables_)
        table->refresh();
}

Result<void> Tables::check()
{
    std::string text;
    for (const auto& table : tables_) {
        auto good = table->check();
        if (!good)
            util::append(text, text.empty() ? "" : "; ", good.error().text);
    }
    if (!text.empty())
        return util::temporary(std::move(text));
    return {};
}

}  // namespace conf
