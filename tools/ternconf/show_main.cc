// ternconf: parameters and their values.
#include "libconf/main_cf.h"
#include "libconf/master_cf.h"
#include "libconf/table.h"
#include "libutil/text.h"
#include "tools/ternconf/show.h"
#include "tools/ternconf/unused.h"

#include <algorithm>
#include <set>

namespace ternconf {

using util::concat;

namespace {

constexpr std::size_t fold_column = 75;

struct Shown {
    std::string name;
    std::string value;
    std::string default_text;
    bool known = true;                     // a parameter, not a name of the administrator's own
    const conf::Setting* set = nullptr;    // null: by default
};

class Viewer {
public:
    Viewer(const Options& options, std::string& out, conf::Problems& problems) :
        options_(options), out_(out), problems_(problems)
    {
    }

    bool run()
    {
        load();
        std::vector<std::string> names = options_.words;
        bool complete = true;
        if (names.empty())
            names = all_names();
        for (const std::string& name : names) {
            auto shown = find(name);
            if (shown)
                print(*shown);
            else {
                complete = false;
                problems_.add("", 0, concat(util::printable(name, 100), ": there is no such parameter"));
            }
        }
        return complete;
    }

private:
    void load()
    {
        conf::Problems ignored;
        settings_ = conf::MainCf::load(options_.config_directory, options_.defaults ? ignored : problems_);
        if (options_.defaults)
            settings_ = conf::MainCf::parse("", "", settings_.directory(), ignored);
        for (const std::string& assignment : options_.overrides)
            settings_.override_with(assignment, problems_);
        // What is wrong with values is for tern check; but it must not hide behind a listing.
        conf::Problems values;
        sections_.fill(settings_, values);
        for (const conf::Problem& problem : values.all())
            problems_.warn(problem.file, problem.line, problem.text);
        if (!options_.defaults && options_.words.empty()) {
            auto master = conf::MasterCf::load(settings_.directory(), ignored);
            find_unused(sections_, settings_, master, problems_);
        }
    }

    std::vector<std::string> all_names() const
    {
        std::set<std::string> names;
        for (const auto& entry : settings_.settings())
            names.insert(entry.first);
        if (!options_.set_only) {
            for (const conf::Parameter* parameter : sections_.parameters()) {
                names.insert(parameter->name());
                for (const auto& member : parameter->member_defaults())
                    names.insert(member.first);
            }
        }
        return {names.begin(), names.end()};
    }

    std::optional<Shown> find(const std::string& name) const
    {
        Shown shown;
        shown.name = name;
        shown.set = settings_.find(name);
        const conf::Parameter* parameter = sections_.find_parameter(name);
        shown.known = parameter != nullptr;
        if (!parameter && !shown.set)
            return std::nullopt;
        if (parameter) {
            shown.default_text = parameter->name() == name ? parameter->default_text() : concat('$', parameter->name());
            for (const auto& member : parameter->member_defaults()) {
                if (member.first == name)
                    shown.default_text = member.second;
            }
        }
        shown.value = shown.set ? shown.set->value : shown.default_text;
        if (name == "config_directory")
            shown.value = settings_.directory();
        return shown;
    }

    void print(Shown shown)
    {
        if (options_.expand) {
            auto expanded = settings_.expand(shown.value);
            if (expanded)
                shown.value = expanded.take();
        }
        if (options_.json) {
            util::append(out_, "{\"name\": ", util::json_quote(shown.name), ", \"value\": ",
                         util::json_quote(shown.value));
            if (shown.known)
                util::append(out_, ", \"default\": ", util::json_quote(shown.default_text));
            if (shown.set)
                util::append(out_, ", \"file\": ", util::json_quote(shown.set->file), ", \"line\": ", shown.set->line);
            out_ += "}\n";
            return;
        }
        std::string line;
        if (options_.values_only)
            line = shown.value;
        else if (options_.names_only)
            line = shown.name;
        else
            line = concat(shown.name, " =", shown.value.empty() ? "" : " ", shown.value);
        util::append(out_, options_.fold ? fold_setting(line) : line, '\n');
    }

    const Options& options_;
    std::string& out_;
    conf::Problems& problems_;
    AllSections sections_;
    conf::MainCf settings_;
};

}  // namespace

bool show_parameters(const Options& options, std::string& out, conf::Problems& problems)
{
    return Viewer(options, out, problems).run();
}

void show_table_types(std::string& out)
{
    for (std::string_view type : conf::table_types())
        util::append(out, type, '\n');
}

std::string fold_setting(std::string_view text)
{
    std::string out;
    std::size_t column = 0;
    for (std::string_view word : util::split_words(text, " ")) {
        if (column > 0 && column + 1 + word.size() > fold_column) {
            out += "\n    ";
            column = 4;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

}  // namespace ternconf
