// Check, with suites that announce themselves and comparisons for our types.
//
//   TEST(rejects_bare_lf) { EQ(parse("a\n").error().kind, util::Kind::Invalid); } END_TEST
//   SUITE(line, rejects_bare_lf, accepts_crlf)
//
// Test names are sentences.  A loop of many inputs belongs in one TEST with a table.
#pragma once

#include <check.h>

#include <string>
#include <string_view>

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
std::string show(const T& value)
{
    if constexpr (std::is_enum_v<T>)
        return std::to_string(static_cast<long long>(value));
    else if constexpr (std::is_arithmetic_v<T>)
        return std::to_string(value);
    else
        return "(value)";
}

}  // namespace test

#define TEST(name) START_TEST(name)
#define EQ(actual, expected)                                                                  \
    do {                                                                                      \
        const auto& actual_ = (actual);                                                       \
        const auto& expected_ = (expected);                                                   \
        ck_assert_msg(actual_ == expected_, "%s is\n%s\nnot\n%s", #actual,                    \
                      test::show(actual_).c_str(), test::show(expected_).c_str());            \
    } while (false)
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
