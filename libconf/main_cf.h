// main.cf: the settings of an instance, as they stand in the file, with overrides from a command
// line; and how sections of parameters get their values from them.
//
//   conf::Problems problems;
//   auto settings = conf::MainCf::load(config_directory, problems);
//   settings.override_with("smtpd_timeout=10s", problems);       // -o
//   settings.fill({&common, &config}, problems);
//   if (problems.any()) ...                                       // all that is wrong, at once
//
// The file: "name = value" lines; a line that begins with white space continues the one before;
// empty lines and lines whose first visible byte is # do not count, not even between a line and its
// continuation.  The last of two settings of one name counts (a warning says so).
#pragma once

#include "libconf/problems.h"

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

class Section;

constexpr std::size_t max_configuration_size = 4'000'000;  // bytes of one configuration file
constexpr std::size_t max_value_length = 100'000;          // bytes of one setting, before expansion

// A setting as written: the value with its continuation lines joined by one space, not expanded.
struct Setting {
    std::string value;
    std::string file;  // empty: given on a command line
    int line = 0;
};

class MainCf {
public:
    // DIRECTORY/main.cf; a relative DIRECTORY is made absolute.  The directory is the value of $config_directory,
    // whatever the file says.  What is readable is there even when there are problems.
    static MainCf load(const std::string& directory, Problems& problems);
    // The same from text, for tests; `file` names it in problems.
    static MainCf parse(std::string_view text, std::string_view file, std::string directory,
                        Problems& problems);

    // "name=value" or "{ name = value }", as after -o in master.cf; wins over the file.
    void override_with(std::string_view assignment, Problems& problems);
    void override_with(std::string name, std::string value);

    // Gives every parameter of these sections its value.  Macros see the file, the overrides and the
    // defaults of these sections; so all sections of a program are filled in one call.  A parameter
    // whose value is bad keeps the one it had.
    void fill(std::initializer_list<Section*> sections, Problems& problems);
    void fill(const std::vector<Section*>& sections, Problems& problems);

    const std::string& directory() const { return directory_; }
    // From the file and overrides, not from defaults; null when the name is not set.
    const Setting* find(std::string_view name) const;
    const std::map<std::string, Setting, std::less<>>& settings() const { return settings_; }

    // The value of text whose macros see what fill() saw last.
    util::Result<std::string> expand(std::string_view text) const;

private:
    std::string directory_;
    std::map<std::string, Setting, std::less<>> settings_;
    std::map<std::string, std::string, std::less<>> defaults_;  // of the sections filled
};

// Letters, digits, and _ - . + after the first: a name that may stand left of an equals sign.
bool is_parameter_name(std::string_view name);

}  // namespace conf
