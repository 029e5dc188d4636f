// libconf/expand.h, words.h
#include "libconf/expand.h"
#include "libconf/words.h"
#include "libutil/text.h"

#include "tests/unit/suite.h"

namespace {

std::optional<std::string_view> names(std::string_view name)
{
    static const std::pair<std::string_view, std::string_view> values[] = {
        {"a", "alpha"}, {"b", "$a beta"}, {"empty", ""}, {"also_empty", "$empty"}, {"loop", "x$loop"},
        {"ping", "$pong"}, {"pong", "$ping"}, {"five", "5"}, {"price", "$$5"}, {"bad", "${a"},
        {"d1", "$b$b$b$b$b$b$b$b$b$b"}, {"d2", "$d1$d1$d1$d1$d1$d1$d1$d1$d1$d1"},
        {"d3", "$d2$d2$d2$d2$d2$d2$d2$d2$d2$d2"}, {"d4", "$d3$d3$d3$d3$d3$d3$d3$d3$d3$d3"},
        {"d5", "$d4$d4$d4$d4$d4$d4$d4$d4$d4$d4"}, {"d6", "$d5$d5$d5$d5$d5$d5$d5$d5$d5$d5"},
    };
    for (const auto& [key, value] : values) {
        if (key == name)
            return value;
    }
    return std::nullopt;
}

std::string run(std::string_view text)
{
    auto result = conf::expand(text, names);
    return result ? *result : "!" + result.error().text;
}

TEST(expands_as_postfix_does)
{
    static const std::pair<const char*, const char*> cases[] = {
        {"", ""}, {"plain", "plain"}, {"$a", "alpha"}, {"${a}", "alpha"}, {"$(a)", "alpha"},
        {"<$b>", "<alpha beta>"}, {"$a.$a", "alpha.alpha"}, {"$$a", "$a"}, {"$price", "$5"},
        {"${a?yes}", "yes"}, {"${a?{yes}}", "yes"}, {"${empty?yes}", ""}, {"${nobody?yes}", ""},
        {"${empty:no}", "no"}, {"${nobody:{no}}", "no"}, {"${a:no}", ""},
        {"${a?{yes}:{no}}", "yes"}, {"${also_empty?{yes}:{no}}", "no"}, {"${nobody ? {yes} : {no}}", "no"},
        {"${empty?{10}:{300}}s", "300s"}, {"$(a?(x))", "(x)"},
        {"${a?$b and ${empty:$five}}", "alpha beta and 5"}, {"${a?x:y}", "x:y"}, {"${a? {x}}", "x"},
        {"${{$five} == {5}?{eq}:{ne}}", "eq"}, {"${{$five}=={05}?{eq}:{ne}}", "eq"},
        {"${{5} != {6}?eq}", "eq"}, {"${{10} < {9}?{lt}:{ge}}", "ge"}, {"${{10} < {9x}?{lt}:{ge}}", "lt"},
        {"${{a} <= {a}?{le}:{gt}}", "le"}, {"${{b} > {a}?{gt}:{le}}", "gt"}, {"${{3}>={4}?{ge}:{lt}}", "lt"},
        {"${{3} < {4}:no}", ""}, {"${{1} == {1}}", "bool:true"}, {"${{1} == {2}}", ""},
        {"${ {$a} == {alpha} ? {${empty?{1}:{2}}} : {3}}", "2"},
    };
    for (auto [text, expected] : cases)
        ck_assert_msg(run(text) == expected, "%s: %s not %s", text, run(text).c_str(), expected);
}
END_TEST

TEST(says_what_is_wrong)
{
    static const std::pair<const char*, const char*> cases[] = {
        {"$nobody", "!unknown name in $nobody"}, {"${nobody}", "!unknown name in $nobody"},
        {"a$", "!a name is wanted after '$' before \"\" (one $ is $$)"},
        {"${a", "!missing '}' in \"{a\""}, {"$(a", "!missing ')' in \"(a\""},
        {"${}", "!a name is wanted at the start of \"${}\""},
        {"${a!x}", "!'?' or ':' is wanted before \"!x\""},
        {"${a?{x}y}", "!unexpected text \"y\""}, {"${a?{x}:y}", "!'{' is wanted after ':' before \"y\""},
        {"${{1} = {2}?x}", "!one of == != < <= >= > is wanted before \"= {2}?x\""},
        {"${{1} == 2?x}", "!'{' is wanted before \"2?x\""}, {"$bad", "!$bad: missing '}' in \"{a\""},
    };
    for (auto [text, expected] : cases)
        ck_assert_msg(run(text) == expected, "%s: %s not %s", text, run(text).c_str(), expected);
}
END_TEST

TEST(ends_on_loops_depth_and_growth)
{
    THAT(run("$loop").find("does a value contain itself?") != std::string::npos);
    THAT(run("$ping").find("nested more than 100") != std::string::npos);
    THAT(run("$d6").find("too many macros") != std::string::npos);
    EQ(run(std::string(conf::max_expanded_length, 'x')).size(), conf::max_expanded_length);
    THAT(run(std::string(conf::max_expanded_length + 1, 'x')).find("longer than 1000000") != std::string::npos);
    std::string deep = "x";
    for (int i = 0; i < conf::max_expansion_depth - 1; ++i)
        deep = "${a?{" + deep + "}}";
    EQ(run(deep), "x");
    THAT(run("${a?{" + deep + "}}").find("nested more than 100") != std::string::npos);
    std::string many;
    for (int i = 0; i < 200'000; ++i)
        many += "${empty?x}";
    THAT(run(many).find("too many") != std::string::npos);
}
END_TEST

TEST(finds_the_names_that_a_text_mentions)
{
    auto found = conf::mentioned_names("$a ${b?{$c}:{$(d)}} $$e ${{$f} == {x}?$g}");
    std::string all;
    for (auto name : found)
        util::append(all, name, ' ');
    EQ(all, "a b c d f g ");
}
END_TEST

std::string words(std::string_view text, bool strip = false)
{
    auto list = conf::parse_words(text, conf::list_separators, strip);
    if (!list)
        return "!" + list.error().text;
    std::string out;
    for (const auto& word : *list)
        util::append(out, '[', word, ']');
    return out;
}

TEST(braces_keep_words_together)
{
    EQ(words(" a,b ,, c\td"), "[a][b][c][d]");
    EQ(words("inline:{a=b, c = d} x"), "[inline:{a=b, c = d}][x]");
    EQ(words("{ a, b } c", true), "[a, b][c]");
    EQ(words("{ a, b } c"), "[{ a, b }][c]");
    EQ(words("{}", true), "[]");
    EQ(words(""), "");
    EQ(words("a}"), "!'}' without '{' in \"a}\"");
    EQ(words("{a"), "!'{' without '}' in \"{a\"");
    EQ(words("{a}b"), "!white space is wanted after '}' in \"{a}b\"");
    EQ(words("x{a}b"), "[x{a}b]");
}
END_TEST

}  // namespace

SUITE(expand, expands_as_postfix_does, says_what_is_wrong, ends_on_loops_depth_and_growth,
      finds_the_names_that_a_text_mentions, braces_keep_words_together)
