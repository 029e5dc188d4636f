// Settings that nobody reads.
#include "tools/ternconf/unused.h"

#include "libconf/expand.h"
#include "libconf/words.h"
#include "libutil/text.h"

#include <algorithm>
#include <set>

namespace ternconf {

using util::concat;

namespace {

constexpr std::size_t near_enough = 3;  // letters to add, drop, replace or swap

std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1), before_row, next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                next[j] = std::min(next[j], before_row[j - 2] + 1);
        }
        before_row = std::exchange(row, next);
    }
    return row[b.size()];
}

// The names that count as used: those that values mention, and those in their values, and so on.
class Mentioned {
public:
    explicit Mentioned(const conf::MainCf& settings) : settings_(settings) {}

    void add_value(std::string_view value)
    {
        for (std::string_view name : conf::mentioned_names(value))
            add_name(name);
    }
    void add_name(std::string_view name)
    {
        if (!names_.insert(std::string(name)).second)
            return;
        if (const conf::Setting* set = settings_.find(name))
            add_value(set->value);
    }
    bool has(std::string_view name) const { return names_.contains(std::string(name)); }

private:
    const conf::MainCf& settings_;
    std::set<std::string> names_;
};

void warn(const AllSections& sections, std::string_view file, int line, std::string_view name,
          conf::Problems& problems)
{
    std::string near = nearest_name(sections, name);
    problems.warn(file, line, concat("nothing reads ", name, near.empty() ? "" : concat(" (is ", near, " meant?)")));
}

}  // namespace

std::string nearest_name(const AllSections& sections, std::string_view name)
{
    std::string best;
    std::size_t least = std::min(near_enough, name.size() / 3) + 1;
    for (const conf::Parameter* parameter : sections.parameters()) {
        if (parameter->name().size() + near_enough < name.size() || name.size() + near_enough < parameter->name().size())
            continue;
        std::size_t steps = distance(name, parameter->name());
        if (steps < least) {
            least = steps;
            best = parameter->name();
        }
    }
    return best;
}

void find_unused(const AllSections& sections, const conf::MainCf& settings, const conf::MasterCf& master,
                 conf::Problems& problems)
{
    Mentioned mentioned(settings);
    for (const conf::Parameter* parameter : sections.parameters()) {
        const conf::Setting* set = settings.find(parameter->name());
        mentioned.add_value(set ? set->value : parameter->default_text());
    }
    for (const auto& [name, setting] : settings.settings()) {
        if (sections.find_parameter(name))
            mentioned.add_value(setting.value);
    }
    for (const conf::Service& service : master.services()) {
        for (const auto& [name, value] : service.overrides)
            mentioned.add_value(value);
    }
    // Classes of restrictions are parameters that an administrator makes.
    constexpr std::string_view classes = "smtpd_restriction_classes";
    auto add_classes = [&](std::string_view value) {
        auto words = conf::parse_words(value);
        if (words) {
            for (const std::string& word : *words)
                mentioned.add_name(word);
        }
    };
    if (const conf::Setting* set = settings.find(classes))
        add_classes(set->value);
    for (const conf::Service& service : master.services()) {
        for (const auto& [name, value] : service.overrides) {
            if (name == classes)
                add_classes(value);
        }
    }
    for (const auto& [name, setting] : settings.settings()) {
        if (!sections.find_parameter(name) && !mentioned.has(name))
            warn(sections, setting.file, setting.line, name, problems);
    }
    for (const conf::Service& service : master.services()) {
        for (const auto& [name, value] : service.overrides) {
            if (!sections.find_parameter(name) && !mentioned.has(name))
                warn(sections, service.file, service.first_line, name, problems);
        }
    }
}

}  // namespace ternconf
