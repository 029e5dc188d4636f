// What Tern does with each of Postfix's parameters: doc/postfix-parameters.tsv, and ternconf --from-postfix.
//
// Whether a parameter is there is seen from the Sections; notes say where it means something else, and why one
// is not there.
#pragma once

#include "tools/ternconf/sections.h"

#include <span>
#include <string>
#include <string_view>

namespace ternconf {

enum class Likeness : unsigned char { Same,
                                      Different,
                                      Missing };

struct PostfixParameter {
    Likeness likeness = Likeness::Missing;
    std::string_view why;  // of what is different or missing
};

std::span<const std::string_view> postfix_names();
bool is_postfix_parameter(std::string_view name);
PostfixParameter compare_with_postfix(const AllSections& sections, std::string_view name);

// "name TAB yes|differently|no TAB why", a line for each, under a line of headings.
std::string postfix_table(const AllSections& sections);

// For the test of the notes: names, or prefixes that end with *.
std::span<const std::pair<std::string_view, std::string_view>> postfix_differences();
std::span<const std::pair<std::string_view, std::string_view>> postfix_reasons();

}  // namespace ternconf
