// tools/ternmap/map.h
#include "tools/ternmap/map.h"

#include "libutil/sys.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

using namespace ternmap;

namespace {

struct Run {
    std::string out;
    std::string error;
    std::size_t warnings = 0;
    bool found = false;
};

Run run(util::Result<Outcome> outcome)
{
    if (!outcome)
        return {"", outcome.error().text, 0, false};
    return {outcome->out, "", outcome->warnings.size(), outcome->found};
}

std::string ask(const std::string& table, std::string key)
{
    Options options;
    options.what = Options::What::Query;
    options.key = std::move(key);
    options.tables = {table};
    Run answer = run(query(options, ""));
    return answer.error.empty() ? answer.found ? answer.out : "-" : "!" + answer.error;
}

TEST(builds_asks_changes_and_lists)
{
    for (const char* type : {"hash:", "btree:", "lmdb:"}) {
        test::TempDir dir;
        dir.write("t", "Alice 1\nbob two words\n\"a b\" quoted\nALICE again\n");
        OK(util::sys::chmod(dir / "t", 0640));
        std::string table = type + (dir / "t");
        Run built = run(build({}, table, ""));
        EQ(built.error, "");
        EQ(built.warnings, 1u);
        EQ(ask(table, "aLICE"), "1\n");
        EQ(ask(table, "a b"), "quoted\n");
        EQ(ask(table, "carol"), "-");
        bool lmdb = table.starts_with("lmdb");
        EQ(util::sys::stat(dir / (lmdb ? "t.lmdb" : "t.db"))->st_mode & 0777, 0640u);

        Options add;
        add.what = Options::What::Add;
        Run added = run(build(add, table, "carol 3\nbob other\n"));
        EQ(added.error, "");
        EQ(added.warnings, 1u);
        EQ(ask(table, "bob"), "two words\n");
        add.replace = true;
        EQ(run(build(add, table, "bob other\n")).warnings, 0u);
        EQ(ask(table, "bob"), "other\n");
        EQ(ask(table, "carol"), "3\n");

        Options erase;
        erase.what = Options::What::Delete;
        erase.key = "Carol";
        THAT(run(remove(erase, table, "")).found);
        THAT(!run(remove(erase, table, "")).found);
        erase.key = "-";
        THAT(run(remove(erase, table, "alice\nnobody\n")).found);
        Run all = run(list(table));
        THAT(all.out == "bob\tother\n\"a b\"\tquoted\n" || all.out == "\"a b\"\tquoted\nbob\tother\n");
    }
}
END_TEST

TEST(a_bad_text_leaves_the_index_as_it_was)
{
    test::TempDir dir;
    dir.write("t", "a 1\n");
    std::string table = "hash:" + (dir / "t");
    EQ(run(build({}, table, "")).error, "");
    dir.write("t", "a 2\nbad\nb 3\nworse\n");
    EQ(run(build({}, table, "")).error, util::concat(dir / "t", ":2: \"key value\" is wanted, not \"bad\"\n",
                                                     dir / "t", ":4: \"key value\" is wanted, not \"worse\""));
    EQ(ask(table, "a"), "1\n");
    auto directory = util::sys::open(dir.path(), O_RDONLY | O_DIRECTORY);
    EQ(util::sys::list_directory(directory->get())->size(), 2u);
}
END_TEST

TEST(alias_text_has_colons)
{
    test::TempDir dir;
    dir.write("aliases", "root: admin@example.org\n\"a b\": c\npostmaster:root\n");
    Options options;
    options.aliases = true;
    std::string table = "hash:" + (dir / "aliases");
    EQ(run(build(options, table, "")).error, "");
    EQ(ask(table, "root"), "admin@example.org\n");
    EQ(ask(table, "postmaster"), "root\n");
    EQ(ask(table, "a b"), "c\n");
    dir.write("aliases", "root admin\n");
    THAT(run(build(options, table, "")).error.find(":1: \"name: value\" is wanted") != std::string::npos);
}
END_TEST

TEST(keys_come_from_standard_input_too)
{
    Options options;
    options.what = Options::What::Query;
    options.key = "-";
    options.tables = {"inline:{a=1}", "inline:{b=2}"};
    Run answer = run(query(options, "a\n\nc\nb\n"));
    EQ(answer.out, "a\t1\nb\t2\n");
    THAT(answer.found);
    THAT(!run(query(options, "c\n")).found);
}
END_TEST

TEST(what_cannot_be_done_is_told)
{
    EQ(run(build({}, "texthash:/x", "")).error, "texthash:/x: hash:path, btree:path or lmdb:path is wanted");
    EQ(run(build({}, "hash:", "")).error, "hash:: a path is wanted after the type");
    THAT(run(build({}, "hash:/nonexistent/x", "")).error.find("No such file") != std::string::npos);
    THAT(run(list("hash:/nonexistent/x")).error.find("No such file") != std::string::npos);
    test::TempDir dir;
    THAT(run(build({}, "hash:" + (dir / "none"), "")).error.find("No such file") != std::string::npos);
    EQ(ask("hash:/nonexistent/x", "k").substr(0, 7), "!table ");
}
END_TEST

}  // namespace

SUITE(map, builds_asks_changes_and_lists, a_bad_text_leaves_the_index_as_it_was, alias_text_has_colons,
      keys_come_from_standard_input_too, what_cannot_be_done_is_told)
