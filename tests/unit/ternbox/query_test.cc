// Words of a command line as a search program; responses of the mailbox process.
#include "tools/ternbox/query.h"
#include "tools/ternbox/response.h"
#include "tools/ternbox/times.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdlib>
#include <ctime>

namespace {

using namespace ternbox;

constexpr std::int64_t now = 1'764'500'000;   // 2025-11-30 10:53:20 UTC

std::string made(std::vector<std::string> words)
{
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    auto query = parse_query(words, now);
    if (!query.ok())
        return "!" + query.error().text;
    std::string out;
    for (const auto& mailbox : query->mailboxes)
        util::append(out, "[", mailbox, "] ");
    return out + query->program;
}

}  // namespace

TEST(words_become_keys)
{
    EQ(made({"all"}), "ALL");
    EQ(made({"mailbox", "INBOX", "from", "a \"b\"", "unseen"}), "[INBOX] FROM \"a \\\"b\\\"\" UNSEEN");
    EQ(made({"mailbox", "A", "mailbox", "B"}), "[A] [B] ALL");
    EQ(made({"or", "(", "seen", "not", "flagged", ")", "header", "X-A", ""}), "OR (SEEN NOT FLAGGED) HEADER \"X-A\" \"\"");
    EQ(made({"uid", "1:5,9", "larger", "10M", "smaller", "3"}), "UID 1:5,9 LARGER 10485760 SMALLER 3");
    EQ(made({"subject", "gr\xc3\xbc\xc3\x9f"}), "SUBJECT \"gr\xc3\xbc\xc3\x9f\"");
    EQ(made({"keyword", "$Forwarded", "2:4"}), "KEYWORD $Forwarded 2:4");
}
END_TEST

TEST(times_are_dates_or_ages)
{
    EQ(made({"before", "30d"}), "OLDER 2592000");
    EQ(made({"since", "2weeks"}), "YOUNGER 1209600");
    EQ(made({"sentbefore", "1d"}), "SENTBEFORE 29-Nov-2025");
    EQ(made({"savedbefore", "1w"}), "SAVEDBEFORE 23-Nov-2025");
    EQ(made({"on", "2025-11-02"}), "ON 2-Nov-2025");
    EQ(made({"since", "1-Feb-2024"}), "SINCE 1-Feb-2024");
    EQ(made({"since", "@0"}), "SINCE 1-Jan-1970");
    EQ(made({"older", "1h"}), "OLDER 3600");
    THAT(!parse_age("1y") && !parse_age("") && !parse_age("d") && !parse_age("99999999999") && !parse_age("4294967295d"));
    EQ(*parse_age("4294967295"), UINT32_MAX);
}
END_TEST

TEST(what_makes_no_sense_is_told)
{
    EQ(made({}), "!which messages?  \"all\" are all of them");
    EQ(made({"frob"}), "!frob is no search key");
    EQ(made({"from"}), "!FROM has no argument");
    EQ(made({"("}), "!a parenthesis is open");
    EQ(made({"(", ")"}), "!nothing stands in the parentheses");
    EQ(made({"not"}), "!NOT has no argument");
    EQ(made({"not", "mailbox", "A"}), "!mailbox NAME does not stand in NOT, OR or parentheses");
    EQ(made({"before", "soon"}), "!BEFORE: soon is no date");
    EQ(made({"larger", "big"}), "!LARGER: big is no size");
    EQ(made({"larger", "9999999999999G"}), "!LARGER: 9999999999999G is no size");
    EQ(made({"uid", "x"}), "!UID: x is no set of numbers");
    EQ(made({"keyword", "a b"}), "!KEYWORD: a b is no keyword");
    EQ(made({"from", "a\r\nb"}), "!FROM: a\\015\\012b is no line of UTF-8");
    EQ(made({"from", "\xff"}).substr(0, 7), "!FROM: ");
    EQ(made(std::vector<std::string>(max_query_words, "seen")).substr(0, 9), "SEEN SEEN");
    EQ(made(std::vector<std::string>(max_query_words + 1, "seen")), "!the query is too long");
    EQ(made({"from", std::string(max_query_size, 'x')}), "!the query is too long");
}
END_TEST

TEST(responses_are_taken_apart)
{
    auto response = parse_response("* 12 FETCH (UID 7 BODY[HEADER.FIELDS (TO)] {4}\r\na: b FLAGS (\\Seen \"x\\\"y\") X NIL)");
    OK(response);
    EQ(response->tag, "*");
    EQ(response->values.size(), 3U);
    const auto& items = response->values[2].items;
    EQ(value_after(items, "uid")->text, "7");
    EQ(value_after(items, "BODY[header.fields (TO)]")->text, "a: b");
    EQ(value_after(items, "FLAGS")->items[1].text, "x\"y");
    THAT(value_after(items, "X")->kind == Value::Kind::Nil);
    THAT(!value_after(items, "NIL"));
    response = parse_response("t1 NO [NONEXISTENT] There is none");
    EQ(response->status, "NO");
    EQ(response->code, "NONEXISTENT");
    EQ(response->text, "There is none");
    response = parse_response("* ESEARCH (TAG \"t2\") UID COUNT 3 ALL 1:2,9");
    EQ(response->after("ALL")->text, "1:2,9");
    response = parse_response("* LIST (\\HasNoChildren) \"/\" \"a b\"");
    EQ(response->values[3].text, "a b");
    for (auto wrong :
         {"", "* 1 FETCH (", "* 1 FETCH )", "* X \"a", "* X {5}\r\nab", "* X {99999999999999999999}\r\n", "* X a\rb", "* X  y"})
        THAT(!parse_response(wrong).ok());
    THAT(parse_response("* X " + std::string(max_value_depth, '(') + std::string(max_value_depth, ')')).ok());
    THAT(!parse_response("* X " + std::string(max_value_depth + 2, '(') + std::string(max_value_depth + 2, ')')).ok());
}
END_TEST

SUITE(ternbox_query, words_become_keys, times_are_dates_or_ages, what_makes_no_sense_is_told, responses_are_taken_apart)
