// Check, with suites that announce themselves and comparisons for our types.
//
//   TEST(rejects_bare_lf) { EQ(parse("a\n").error().kind, util::Kind::Invalid); } END_TEST
//   SUITE(line, rejects_bare_lf, accepts_crlf)
//
// Test names are sentences.  A loop of many inputs belongs in one TEST with a table.
#pragma once

#include <check.h>
#undef fail  // check.h makes a macro of this word

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace test {

struct SuiteEntry {
    SuiteEntry(const char* suite_name, void (*fill)(TCase*));
    const char* name;
    void (*fill_case)(TCase*);
    SuiteEntry* next;
};

inline std::string show(std::string_view value) { return std::string(value); }
inline std::string show(bool value) { return value ? "true" : "false"; }
template <typename T>
constexpr bool is_number = std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;

template <typename T>
std::string show(const T& value)
{
    if constexpr (std::is_enum_v<T>)
        return std::to_string(static_cast<long long>(value));
    else if constexpr (std::is_arithmetic_v<T>)
        return std::to_string(value);
    else if constexpr (std::is_convertible_v<const T&, std::string_view>)
        return std::string(std::string_view(value));
    else
        return "(value)";
}

// A function, so that temporaries in the arguments live until it returns: EQ(*parse("x"), 1).
// Integers compare by value, whatever their signs.
template <typename Actual, typename Expected>
void equal(const Actual& actual, const Expected& expected, const char* text, const char* file, int line)
{
    bool same;
    if constexpr (is_number<Actual> && is_number<Expected>)
        same = std::cmp_equal(actual, expected);
    else
        same = actual == expected;
    if (same)
        _mark_point(file, line);
    else
        _ck_assert_failed(file, line, "Assertion failed", "%s is\n%s\nnot\n%s", text,
                          show(actual).c_str(), show(expected).c_str());
}

}  // namespace test

#define TEST(name) START_TEST(name)
#define EQ(actual, expected) test::equal((actual), (expected), #actual, __FILE__, __LINE__)
#define OK(result)                                                                            \
    do {                                                                                      \
        const auto& result_ = (result);                                                       \
        ck_assert_msg(result_.ok(), "%s: %s", #result, result_.ok() ? "" : result_.error().text.c_str()); \
    } while (false)
#define THAT(condition) ck_assert_msg((condition), "%s", #condition)

#define SUITE(name, ...)                                                                      \
    static void fill_##name(TCase* cases)                                                     \
    {                                                                                         \
        for (const TTest* test_ : {__VA_ARGS__})                                              \
            tcase_add_test(cases, test_);                                                     \
    }                                                                                         \
    static test::SuiteEntry entry_##name(#name, fill_##name);
