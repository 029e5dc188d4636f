// libconf/table.h: every type
#include "libconf/accounts_file.h"
#include "libconf/index.h"
#include "libconf/table.h"
#include "libconf/table_text_file.h"

#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <sys/file.h>
#include <sys/stat.h>

// Berkeley DB does not free all of a handle that met a damaged page; see table_index.cc.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libdb\n"; }

namespace {

using util::concat;

std::string ask(conf::Table& table, std::string_view key)
{
    auto answer = table.lookup(key);
    if (!answer)
        return concat(name_of(answer.error().kind), "! ", answer.error().text);
    return answer->has_value() ? **answer : "-";
}

std::string ask(std::string_view name, std::string_view key)
{
    auto table = conf::open_table(name);
    return table ? ask(**table, key) : "!" + table.error().text;
}

TEST(simple_types_answer)
{
    EQ(ask("static:OK", "x"), "OK");
    EQ(ask("static:{ two words }", ""), "two words");
    EQ(ask("inline:{a=1, {B = no}, { c = x, y }}", "A"), "1");
    EQ(ask("inline:{a=1, {c = x, y}}", "c"), "x, y");
    EQ(ask("inline:{a=1}", "b"), "-");
    EQ(ask("inline:{a=}", "a"), "");
    EQ(ask("fail:no", "b"), "temporary! table fail:no");
    EQ(ask("unionmap:{static:a, inline:{k=b}, static:c}", "k"), "a,b,c");
    EQ(ask("unionmap:{inline:{x=b}, inline:{}}", "k"), "-");
    EQ(ask("pipemap:{inline:{a=b}, inline:{b=c}}", "a"), "c");
    EQ(ask("pipemap:{inline:{a=b}, inline:{}}", "a"), "-");
}
END_TEST

TEST(bad_names_say_what_is_wrong)
{
    THAT(ask("nosuch:x", "").find("there is no type \"nosuch\" (there are accounts btree") != std::string::npos);
    EQ(ask("plain", ""), "!table \"plain\": type:name is wanted");
    EQ(ask("hash:relative", ""), "!table hash:relative: a path that begins with / is wanted after the type");
    EQ(ask("inline:{a", ""), "!table inline:{a: inline:{key=value ...} is wanted");
    EQ(ask("inline:{a}", ""), "!table inline:{a}: key=value is wanted, not \"a\"");
    EQ(ask("unionmap:{}", ""), "!table unionmap:{}: there is no table in it");
    std::string deep = "static:x";
    for (int i = 0; i < conf::max_table_depth; ++i)
        deep = concat("unionmap:{", deep, '}');
    EQ(ask(deep, ""), "x");
    EQ(ask(concat("unionmap:{", deep, '}'), ""), "!tables within tables, more than 10 deep");
    THAT(conf::looks_like_table("hash:/x") && conf::looks_like_table("nosuch:x"));
    THAT(!conf::looks_like_table("2001:db8::1") && !conf::looks_like_table("a.b") && !conf::looks_like_table("::1"));
}
END_TEST

TEST(text_tables_read_quotes_continuations_and_first_of_two)
{
    test::TempDir dir;
    dir.write("t", "# comment\nKey  value with blanks \n\"two words\"\tx\nlong a\n  b\n# c\n  d\nkey other\n");
    auto table = conf::open_table(concat("texthash:", dir / "t"));
    OK(table);
    EQ(ask(**table, "KEY"), "value with blanks");
    EQ(ask(**table, "two words"), "x");
    EQ(ask(**table, "long"), "a b d");
    EQ(ask(**table, ""), "-");
    EQ(ask(**table, std::string(5000, 'x')), "-");
    OK((*table)->check());
}
END_TEST

TEST(what_is_no_plain_file_is_not_waited_for)
{
    test::TempDir dir;
    std::string path = dir / "t";
    EQ(::mkfifo(path.c_str(), 0600), 0);
    for (std::string_view type : {"texthash:", "regexp:", "cidr:"}) {
        auto table = conf::open_table(concat(type, path));
        OK(table);
        THAT(ask(**table, "a").ends_with("/t: not a plain file"));
        THAT(!(*table)->check().ok());
    }
    OK(util::sys::unlink(path));
    OK(util::sys::mkdir(path, 0700));
    THAT(ask(**conf::open_table(concat("texthash:", path)), "a").ends_with("/t: not a plain file"));
    OK(util::sys::rmdir(path));
    EQ(ask(**conf::open_table("texthash:/dev/null"), "a"), "-");
}
END_TEST

TEST(files_tell_whose_they_are)
{
    test::TempDir dir;
    dir.write("t", "a 1\n");
    auto owner = (*conf::open_table(concat("texthash:", dir / "t")))->owner();
    OK(owner);
    EQ(owner->value_or(uid_t(-1)), ::geteuid());
    EQ((*conf::open_table(concat("hash:", dir / "t")))->owner().ok(), false);   // t.db
    EQ((*conf::open_table("inline:{a=1}"))->owner()->has_value(), false);
}
END_TEST

TEST(a_text_has_a_limit_of_lines)
{
    test::TempDir dir;
    std::string text;
    for (std::size_t i = 0; i + 1 < conf::max_text_lines; ++i)
        text += "#\n";
    dir.write("t", text + "a 1\n");
    EQ(ask(**conf::open_table(concat("texthash:", dir / "t")), "a"), "1");
    dir.write("t", text + "a 1\n#\n");
    THAT(ask(**conf::open_table(concat("texthash:", dir / "t")), "a").find("more than 1000000 lines") != std::string::npos);
}
END_TEST

TEST(a_replaced_text_is_read_and_a_bad_one_is_not)
{
    test::TempDir dir;
    auto table = conf::open_table(concat("texthash:", dir / "t"));
    OK(table);
    THAT(ask(**table, "a").starts_with("temporary! table texthash:"));
    dir.write("t", "a 1\nnovalue\n\"x\n");
    std::string bad = ask(**table, "a");
    THAT(bad.find("/t:2: \"key value\" is wanted, not \"novalue\"; ") != std::string::npos);
    THAT(bad.find("/t:3: a quoted key without its second quote") != std::string::npos);
    dir.write("t", "a 1\n");
    (*table)->refresh();
    EQ(ask(**table, "a"), "1");
    dir.write("t", "nothing\n");
    (*table)->refresh();
    EQ(ask(**table, "a"), "1");
    EQ((*table)->check().error().kind, util::Kind::Invalid);
    OK(util::sys::unlink(dir / "t"));
    (*table)->refresh();
    THAT(ask(**table, "a").starts_with("temporary! "));
}
END_TEST

TEST(regexp_and_pcre_rules_go_in_their_order)
{
    test::TempDir dir;
    dir.write("p", "/^(.*)@(example)\\.ORG$/  user=$1 dom=${2} $$ $(0)\n"
                   "!/@/ bare\n"
                   "if /example/\n"
                   "/^x\\/y/ slash\n"
                   "if !/net$/\n"
                   "/./ other\n"
                   "endif\n"
                   "endif\n"
                   "|pipe|i Case\n"
                   "/last/ last\n");
    for (std::string type : {"regexp:", "pcre:"}) {
        auto table = conf::open_table(type + (dir / "p"));
        OK(table);
        THAT((*table)->is_pattern());
        EQ(ask(**table, "Bob@Example.org"), "user=Bob dom=Example $ Bob@Example.org");
        EQ(ask(**table, "bare"), "bare");
        EQ(ask(**table, "x/y@example.net"), "slash");
        EQ(ask(**table, "q@example.com"), "other");
        EQ(ask(**table, "q@example.net"), "-");
        EQ(ask(**table, "@pipe"), "Case");
        EQ(ask(**table, "@PIPE last"), "last");
    }
    EQ(ask("pcre:{{/a.c/s x}, {/b$/ y}}", "a\nc"), "-");
    EQ(ask("pcre:{{/a.c/ x}, {/b$/ y}}", "a\nc"), "x");
    EQ(ask("pcre:{{/(a)|(b)/ [$1][$2]}}", "b"), "[][b]");
}
END_TEST

TEST(pattern_files_name_all_bad_lines)
{
    test::TempDir dir;
    dir.write("p", "/(/ x\n/a/ \nnope x\n/a/q x\n/a/ $1\n!/(a)/ $1\nendif\nif /a/\n/a x\nif /b/ y\n/a/ $x\n");
    auto table = conf::open_table(concat("pcre:", dir / "p"));
    OK(table);
    std::string text = (*table)->check().error().text;
    for (const char* fault :
         {":1: pattern: missing closing parenthesis (at byte 2)", ":2: the result is missing",
          ":3: /pattern/flags is wanted", ":4: unknown flag 'q'", ":5: the result has $1, the pattern 0 groups",
          ":6: $number in the result of a negated pattern", ":7: endif without if",
          ":8: if without endif", ":9: no closing '/' after the pattern",
          ":10: unexpected text after if pattern", ":11: a number is wanted after '$'"})
        ck_assert_msg(text.find(fault) != std::string::npos, "%s in %s", fault, text.c_str());
}
END_TEST

TEST(a_pattern_that_takes_too_long_is_temporary)
{
    std::string answer = ask("pcre:{{/^(a+)+$/ x}}", std::string(40, 'a') + "b");
    THAT(answer.starts_with("temporary! table pcre:"));
    THAT(answer.find("match limit exceeded") != std::string::npos);
}
END_TEST

TEST(cidr_rules_match_addresses)
{
    test::TempDir dir;
    dir.write("c", "192.0.2.1 one\nif 192.0.2.0/24\n!192.0.2.128/25 low half\n192.0.2.0/24 rest\nendif\n"
                   "2001:db8::/32 six $1\n0.0.0.0/0 four\n");
    auto table = conf::open_table(concat("cidr:", dir / "c"));
    OK(table);
    EQ(ask(**table, "192.0.2.1"), "one");
    EQ(ask(**table, "192.0.2.2"), "low half");
    EQ(ask(**table, "192.0.2.200"), "rest");
    EQ(ask(**table, "::ffff:192.0.2.200"), "rest");
    EQ(ask(**table, "2001:DB8:0:1::9"), "six $1");
    EQ(ask(**table, "2001:db9::"), "-");
    EQ(ask(**table, "10.0.0.1"), "four");
    EQ(ask(**table, "name.example"), "-");
    EQ(ask("cidr:{{10.0.0.0/8 ten}}", "10.1.2.3"), "ten");
    THAT(ask("cidr:{{10.0.0.1/8 ten}}", "10.1.2.3").find("has bits set beyond its mask") != std::string::npos);
}
END_TEST

TEST(indexes_of_all_formats_are_written_read_and_replaced)
{
    for (const char* format : {"hash", "btree", "lmdb"}) {
        test::TempDir dir;
        auto type = *conf::index_type(format);
        std::string path = conf::index_path(type, dir / "t");
        auto table = conf::open_table(concat(format, ':', dir / "t"));
        OK(table);
        THAT(ask(**table, "a").starts_with("temporary! "));

        auto writer = conf::create_index(type, path, {});
        OK(writer);
        for (int i = 0; i < 2000; ++i)
            EQ(*(*writer)->put(concat("key", i), concat("value", i), false), conf::IndexWriter::Put::Added);
        EQ(*(*writer)->put("key7", "x", false), conf::IndexWriter::Put::Kept);
        EQ(*(*writer)->put("key8", "eight", true), conf::IndexWriter::Put::Replaced);
        EQ(*(*writer)->remove("key9"), true);
        EQ(*(*writer)->remove("key9"), false);
        THAT(ask(**table, "key7").starts_with("temporary! "));  // nothing before commit
        OK((*writer)->commit());
        writer->reset();
        EQ(ask(**table, "KEY7"), "value7");
        EQ(ask(**table, "key8"), "eight");
        EQ(ask(**table, "key9"), "-");
        EQ(ask(**table, "nokey"), "-");
        OK((*table)->check());

        writer = conf::create_index(type, path, {.keep_entries = true});
        OK(writer);
        EQ(*(*writer)->put("added", "yes", true), conf::IndexWriter::Put::Added);
        OK((*writer)->commit());
        (*table)->refresh();
        EQ(ask(**table, "added"), "yes");
        EQ(ask(**table, "key1999"), "value1999");
        int count = 0;
        auto index = conf::open_index(type, path);
        OK(index);
        OK((*index)->each([&](std::string_view, std::string_view) { return ++count > 0; }));
        EQ(count, 2000);

        // Not committed: nothing stays behind.
        { auto unused = conf::create_index(type, path, {}); OK(unused); }
        auto directory = util::sys::open(dir.path(), O_RDONLY | O_DIRECTORY);
        EQ(util::sys::list_directory(directory->get())->size(), 1u);
    }
}
END_TEST

TEST(damaged_and_foreign_indexes_are_temporary)
{
    test::TempDir dir;
    auto writer = conf::create_index(conf::IndexType::Btree, dir / "t.db", {});
    OK((*writer)->put("a", "b", true));
    OK((*writer)->commit());
    THAT(ask(concat("hash:", dir / "t"), "a").find("of another type than hash") != std::string::npos);
    EQ(ask(concat("btree:", dir / "t"), "a"), "b");
    dir.write("t.db", "this is no database at all, but it is long enough to be looked at as one.....");
    THAT(ask(concat("hash:", dir / "t"), "a").starts_with("temporary! "));
    dir.write("t.db", "");
    THAT(ask(concat("hash:", dir / "t"), "a").starts_with("temporary! "));
    dir.write("t.lmdb", std::string(10'000, 'x'));
    THAT(ask(concat("lmdb:", dir / "t"), "a").starts_with("temporary! "));
    dir.write("t.lmdb", "");
    THAT(ask(concat("lmdb:", dir / "t"), "a").starts_with("temporary! "));

    writer = conf::create_index(conf::IndexType::Lmdb, dir / "u.lmdb", {});
    for (int i = 0; i < 1000; ++i)
        OK((*writer)->put(concat("key", i), std::string(100, 'x'), true));
    OK((*writer)->commit());
    auto whole = util::sys::read_file(dir / "u.lmdb", 10'000'000);
    OK(whole);
    dir.write("u.lmdb", std::string_view(*whole).substr(0, whole->size() / 2));
    THAT(ask(concat("lmdb:", dir / "u"), "key5").find("cut short") != std::string::npos);
}
END_TEST

TEST(a_damaged_index_never_gives_another_answer)
{
    for (const char* format : {"hash", "btree", "lmdb"}) {
        test::TempDir dir;
        auto type = *conf::index_type(format);
        std::string path = conf::index_path(type, dir / "t");
        auto writer = conf::create_index(type, path, {});
        for (int i = 0; i < 500; ++i)
            OK((*writer)->put(concat("key", i), concat("value", i), false));
        OK((*writer)->commit());
        auto whole = util::sys::read_file(path, 10'000'000);
        OK(whole);
        std::uint64_t seed = 1;
        for (int round = 0; round < 150; ++round) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            std::string damaged = *whole;
            damaged[(seed >> 20) % (round % 2 ? damaged.size() : 512)] ^= char(1 + (seed >> 60));
            dir.write(path.substr(path.rfind('/') + 1), damaged);
            auto table = conf::open_table(concat(format, ':', dir / "t"));
            for (int i = 0; i < 500; i += 41) {
                auto answer = (*table)->lookup(concat("key", i));
                if (answer)
                    EQ(answer->value_or("-"), concat("value", i));
                else
                    EQ(answer.error().kind, util::Kind::Temporary);
            }
            (void)(*table)->check();
        }
    }
}
END_TEST

TEST(a_locked_index_is_temporary)
{
    test::TempDir dir;
    auto writer = conf::create_index(conf::IndexType::Hash, dir / "t.db", {});
    OK((*writer)->put("a", "b", true));
    OK((*writer)->commit());
    auto holder = util::sys::open(dir / "t.db", O_RDONLY);
    EQ(::flock(holder->get(), LOCK_EX), 0);
    auto table = conf::open_table(concat("hash:", dir / "t"));
    THAT(ask(**table, "a").find("locked by a writer") != std::string::npos);
    EQ(::flock(holder->get(), LOCK_UN), 0);
    EQ(ask(**table, "a"), "b");
}
END_TEST

TEST(lmdb_refuses_long_keys)
{
    test::TempDir dir;
    auto writer = conf::create_index(conf::IndexType::Lmdb, dir / "t.lmdb", {});
    OK((*writer)->put(std::string(conf::max_lmdb_key, 'x'), "b", true));
    EQ((*writer)->put(std::string(conf::max_lmdb_key + 1, 'x'), "b", true).error().kind, util::Kind::Invalid);
    OK((*writer)->commit());
    EQ(ask(concat("lmdb:", dir / "t"), std::string(conf::max_lmdb_key, 'x')), "b");
    EQ(ask(concat("lmdb:", dir / "t"), std::string(conf::max_lmdb_key + 1, 'x')), "-");
}
END_TEST

TEST(accounts_answer_for_users_and_domains)
{
    test::TempDir dir;
    OK(conf::write_accounts(dir / "accounts", {{"alice@example.org", 5, 6, "/m/a", {"disabled"}}}));
    auto table = conf::open_table(concat("accounts:", dir / "accounts"));
    OK(table);
    EQ(ask(**table, "Alice@example.org"), "5:6:/m/a:disabled");
    EQ(ask(**table, "bob@example.org"), "-");
    EQ(ask(**table, "@Example.ORG"), "-");  // the domain's line is no catch-all
    EQ(ask(**table, "example.org"), "-");
    EQ((*table)->lookup_domain("example.org")->value(), "domain");
    THAT(!(*table)->lookup_domain("example.net")->has_value());
    OK((*table)->check());
}
END_TEST

TEST(several_tables_answer_in_turn)
{
    auto tables = conf::Tables::open({"inline:{a=1}", "pcre:{{/^b/ 2}}", "inline:{b=3}"});
    OK(tables);
    EQ(tables->lookup("a")->value(), "1");
    EQ(tables->lookup("b")->value(), "2");
    auto found = tables->lookup({{"x"}, {"b", true}, {"a"}});
    OK(found);
    EQ((*found)->value, "3");
    EQ((*found)->key, 1u);
    EQ((*found)->table, "inline:{b=3}");
    THAT(!tables->lookup("c")->has_value());
    auto broken = conf::Tables::open({"inline:{a=1}", "fail:x", "static:z"});
    EQ(broken->lookup("a")->value(), "1");
    EQ(broken->lookup("b").error().kind, util::Kind::Temporary);
    THAT(!conf::Tables::open({"inline:{a=1}", "what:x"}).ok());
}
END_TEST

}  // namespace

SUITE(table, simple_types_answer, files_tell_whose_they_are, bad_names_say_what_is_wrong,
      text_tables_read_quotes_continuations_and_first_of_two, what_is_no_plain_file_is_not_waited_for,
      a_text_has_a_limit_of_lines, a_replaced_text_is_read_and_a_bad_one_is_not, regexp_and_pcre_rules_go_in_their_order,
      pattern_files_name_all_bad_lines, a_pattern_that_takes_too_long_is_temporary, cidr_rules_match_addresses,
      indexes_of_all_formats_are_written_read_and_replaced, damaged_and_foreign_indexes_are_temporary,
      a_damaged_index_never_gives_another_answer, a_locked_index_is_temporary, lmdb_refuses_long_keys,
      accounts_answer_for_users_and_domains, several_tables_answer_in_turn)
