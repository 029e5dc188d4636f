// What is wrong with a configuration: all of it at once, each with its file and line.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace conf {

struct Problem {
    std::string file;  // empty: not from a file
    int line = 0;      // 1 is the first; 0 where there is none
    std::string text;
    bool warning = false;  // the configuration works, but hardly as it was meant

    // "/etc/tern/main.cf:12: text", with "warning: " before the text of a warning.
    std::string to_text() const;
};

class Problems {
public:
    // How many are kept; more are only counted.
    static constexpr std::size_t max_kept = 1000;

    void add(std::string_view file, int line, std::string text);
    void warn(std::string_view file, int line, std::string text);

    // Does anything stand in the way of a start?  Warnings do not.
    bool any() const { return errors_ > 0; }
    const std::vector<Problem>& all() const { return kept_; }
    // One line each, and how many more there are.
    std::string to_text() const;
    // Invalid with all errors in one text, "; " between them; nothing when there are only warnings.
    util::Result<void> result() const;

private:
    void keep(Problem problem);

    std::vector<Problem> kept_;
    std::size_t errors_ = 0;
    std::size_t dropped_ = 0;
};

}  // namespace conf
