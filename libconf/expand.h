// The macro language of main.cf values.
//
//   $name ${name} $(name)           the value of a parameter, itself expanded
//   ${name?text} ${name?{text}}     text, if the value of name is not empty
//   ${name:text} ${name:{text}}     text, if it is empty or there is no such name
//   ${name?{text}:{other}}          one or the other
//   ${{a} op {b}?{text}:{other}}    op is == != < <= >= >; the parts after the comparison as above
//   $$                              one $
//
// Names are letters, digits and underscores.  Two operands of digits only compare as numbers, all
// others byte by byte; a comparison without ?text is "bool:true" or empty.  Text may hold macros.
#pragma once

#include "libutil/result.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

constexpr int max_expansion_depth = 100;               // values within values, braces within braces
constexpr std::size_t max_expanded_length = 1'000'000;  // bytes of one expanded value

// The text behind a name, not yet expanded; nothing when there is no such name.
using NameLookup = std::function<std::optional<std::string_view>(std::string_view name)>;

// Invalid: bad syntax, an unknown name that no condition guards, a value that contains itself, a
// result over the limits.
util::Result<std::string> expand(std::string_view text, const NameLookup& lookup);

// All names that `text` mentions, in conditions and in branches not taken, too.
std::vector<std::string_view> mentioned_names(std::string_view text);

}  // namespace conf
