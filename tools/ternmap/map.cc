// Building, asking, changing and listing index files.
#include "tools/ternmap/map.h"

#include "libconf/table.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

namespace ternmap {

using util::concat;
using util::Result;

namespace {

struct Target {
    conf::IndexType type = conf::IndexType::Hash;
    std::string source;  // the text
    std::string index;   // the file made from it
};

Result<Target> target_of(std::string_view table)
{
    auto [type_name, path] = util::split_first(table, ':');
    auto type = conf::index_type(type_name);
    if (!type)
        return util::invalid(concat(util::printable(table, 100), ": hash:path, btree:path or lmdb:path is wanted"));
    if (path.empty())
        return util::invalid(concat(util::printable(table, 100), ": a path is wanted after the type"));
    return Target{*type, std::string(path), conf::index_path(*type, path)};
}

// One writer at a time: the second would lose what the first wrote.
Result<util::UniqueFd> lock_directory(const Target& target)
{
    std::size_t slash = target.index.rfind('/');
    std::string directory = slash == std::string::npos ? "." : target.index.substr(0, slash + 1);
    util::UniqueFd fd = TRY(util::sys::open(directory, O_RDONLY | O_DIRECTORY));
    TRY(util::sys::lock_exclusive(fd.get()));
    return fd;
}

std::string key_of(const Options& options, std::string_view key)
{
    return options.keep_case ? std::string(key) : util::lower(key);
}

std::vector<std::string> keys_of(const Options& options, std::string_view input)
{
    if (options.key != "-")
        return {options.key};
    std::vector<std::string> keys;
    for (std::string_view line : util::split(input, '\n')) {
        if (!util::trim(line).empty())
            keys.emplace_back(util::trim(line));
    }
    return keys;
}

Result<void> add_entries(const Options& options, std::string_view text, std::string_view name,
                         conf::IndexWriter& writer, Outcome& outcome)
{
    conf::Problems problems;
    Result<void> written;
    conf::read_text_table(text, name, options.aliases ? conf::TextForm::Alias : conf::TextForm::Map,
                          [&](conf::TextEntry entry) {
        auto put = writer.put(key_of(options, entry.key), entry.value, options.replace);
        if (!put)
            problems.add(name, entry.line, put.error().text);
        else if (*put == conf::IndexWriter::Put::Kept && !options.quiet)
            outcome.warnings.push_back(concat(name, ':', entry.line, ": warning: \"", util::printable(entry.key, 100),
                                              "\" is there already; the first one counts"));
    }, problems);
    if (problems.any())
        return util::invalid(problems.to_text().substr(0, problems.to_text().size() - 1));
    return written;
}

}  // namespace

Result<Outcome> build(const Options& options, std::string_view table, std::string_view input)
{
    Target target = TRY(target_of(table));
    bool incremental = options.what == Options::What::Add;
    util::UniqueFd lock = TRY(lock_directory(target));
    std::string text(input), name = "standard input";
    conf::IndexOptions index;
    auto present = util::sys::stat(target.index);
    if (incremental) {
        index.keep_entries = present.ok();
        index.mode = present ? present->st_mode & 0777 : 0644;
    } else {
        struct stat status = TRY(util::sys::stat(target.source));
        index.mode = status.st_mode & 0777;
        text = TRY(util::sys::read_file(target.source, conf::max_text_table));
        name = target.source;
    }
    index.expected_size = text.size();
    auto writer = TRY(conf::create_index(target.type, target.index, index));
    Outcome outcome;
    TRY(add_entries(options, text, name, *writer, outcome));
    TRY(writer->commit());
    return outcome;
}

Result<Outcome> query(const Options& options, std::string_view input)
{
    auto tables = TRY(conf::Tables::open(options.tables));
    Outcome outcome;
    outcome.found = false;
    for (const std::string& key : keys_of(options, input)) {
        conf::Answer answer = TRY(tables.lookup(key));
        if (!answer)
            continue;
        outcome.found = true;
        if (options.key == "-")
            util::append(outcome.out, key, '\t');
        util::append(outcome.out, *answer, '\n');
    }
    return outcome;
}

Result<Outcome> remove(const Options& options, std::string_view table, std::string_view input)
{
    Target target = TRY(target_of(table));
    util::UniqueFd lock = TRY(lock_directory(target));
    struct stat status = TRY(util::sys::stat(target.index));
    auto writer = TRY(conf::create_index(target.type, target.index,
                                         {.keep_entries = true, .expected_size = 0, .mode = status.st_mode & 0777}));
    Outcome outcome;
    outcome.found = false;
    for (const std::string& key : keys_of(options, input)) {
        bool removed = TRY(writer->remove(key_of(options, key)));
        outcome.found = outcome.found || removed;
    }
    if (outcome.found)
        TRY(writer->commit());
    return outcome;
}

Result<Outcome> list(std::string_view table)
{
    Target target = TRY(target_of(table));
    auto index = TRY(conf::open_index(target.type, target.index));
    Outcome outcome;
    TRY(index->each([&](std::string_view key, std::string_view value) {
        bool quoted = key.find_first_of(" \t\"\\") != std::string_view::npos || key.starts_with('#');
        if (!quoted) {
            util::append(outcome.out, key, '\t', value, '\n');
            return true;
        }
        outcome.out += '"';
        for (char c : key)
            util::append(outcome.out, c == '"' || c == '\\' ? "\\" : "", c);
        util::append(outcome.out, "\"\t", value, '\n');
        return true;
    }));
    return outcome;
}

}  // namespace ternmap
