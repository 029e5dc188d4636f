// Lookup tables: "type:name" in a parameter's value, one answer for a key.
//
//   hash:/path btree:/path   Berkeley DB, /path.db           lmdb:/path   LMDB, /path.lmdb
//   texthash:/path           the text that indexes are made from, read as it is
//   inline:{key=value ...}   static:value   fail:reason
//   cidr:/path regexp:/path pcre:/path                        patterns, in their order; also
//   cidr:{{pattern result} ...}                               in the parameter itself
//   unionmap:{table ...}     all answers, with commas        pipemap:{table ...}  one after another
//   proxy:table              another program looks into it: tables(8)
//   unix:passwd.byname       users, group.byname groups, as NSS has them
//   accounts:/path           the public accounts file: uid:gid:home:flags
//
// Opening never reads: a table whose file is not there yet answers Temporary until it is.  Files
// that were replaced are noticed within a second; a text table whose new text has errors keeps the
// old one and warns.  Keys of all but patterns are compared in lower case.
#pragma once

#include "libutil/result.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace conf {

constexpr std::size_t max_table_key = 4096;        // bytes; a longer one is not found
constexpr std::size_t max_table_value = 1'000'000;  // bytes of one answer
constexpr std::size_t max_text_table = 100'000'000;  // bytes of a text table's file
constexpr int max_table_depth = 10;                 // unionmap in pipemap in unionmap ...

using Answer = std::optional<std::string>;

class Table {
public:
    explicit Table(std::string name) : name_(std::move(name)) {}
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    virtual ~Table();

    // "hash:/etc/tern/access"
    const std::string& name() const { return name_; }

    // Nothing when the table has no such key.  Temporary: the table cannot be read now.
    virtual util::Result<Answer> lookup(std::string_view key) = 0;
    // The same for a domain as a key, for tables of which domains are ours.
    virtual util::Result<Answer> lookup_domain(std::string_view domain) { return lookup(domain); }
    // Looks at the next lookup whether its file was replaced, though a second has not passed.
    virtual void refresh() {}
    // Can it be read now?  The error tells all that is wrong with it.
    virtual util::Result<void> check() { return {}; }
    // Whose its file is; nothing when it has none.  NotFound and others: the file cannot be looked at.
    virtual util::Result<std::optional<uid_t>> owner() const { return std::optional<uid_t>(); }
    // Patterns see whole keys only, not the parts of an address.
    virtual bool is_pattern() const { return false; }

private:
    std::string name_;
};

// What looks into proxy: tables: the table's name without that word, the key, and whether that is a
// domain.  Of the whole process, for tables are opened in many places: set once, at the start.
using RemoteLookup = std::function<util::Result<Answer>(std::string_view table, std::string_view key, bool domain)>;
void set_remote_lookup(RemoteLookup lookup);

// Invalid: an unknown type, bad syntax.
util::Result<std::unique_ptr<Table>> open_table(std::string_view name);
// The types there are.
std::span<const std::string_view> table_types();
// Is the word a table, not a plain value or path: a known or unknown type and a colon?
bool looks_like_table(std::string_view word);

// Keys to try, in their order.
struct Key {
    std::string text;
    bool partial = false;     // a part of the address: not for patterns
    bool unextended = false;  // lacks the extension that the address has
};

// What answered.
struct Found {
    std::string value;
    std::size_t key = 0;  // the index of the key
    std::string table;    // its name
};

// Several tables, asked in turn.
class Tables {
public:
    Tables() = default;
    // Invalid: one of them is; the text names it.
    static util::Result<Tables> open(const std::vector<std::string>& names);

    bool empty() const { return tables_.empty(); }
    // The first answer.  A table that cannot be read ends the search: Temporary.
    util::Result<Answer> lookup(std::string_view key);
    // The first key that any table has.
    util::Result<std::optional<Found>> lookup(const std::vector<Key>& keys);
    util::Result<Answer> lookup_domain(std::string_view domain);
    void refresh();
    util::Result<void> check();

    const std::vector<std::unique_ptr<Table>>& all() const { return tables_; }

private:
    std::vector<std::unique_ptr<Table>> tables_;
};

}  // namespace conf
