// main.cf: lines to settings, settings to parameters.
#include "libconf/main_cf.h"

#include "libconf/expand.h"
#include "libconf/logical_lines.h"
#include "libconf/parameter.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <unistd.h>

namespace conf {

using util::concat;

bool is_parameter_name(std::string_view name)
{
    auto is_word = [](char c) { return util::is_alpha(c) || util::is_digit(c) || c == '_'; };
    if (name.empty() || name.size() > 200 || !is_word(name[0]))
        return false;
    for (char c : name) {
        if (!is_word(c) && c != '-' && c != '.' && c != '+')
            return false;
    }
    return true;
}

namespace {

// Daemons change their directory; what is relative to the caller's would then mean another place.
std::string absolute(const std::string& path)
{
    char here[4096];
    if (path.starts_with('/') || !::getcwd(here, sizeof here))
        return path;
    return concat(here, '/', path);
}

}  // namespace

MainCf MainCf::load(const std::string& given, Problems& problems)
{
    std::string directory = absolute(given);
    std::string path = concat(directory, "/main.cf");
    auto text = util::sys::read_file(path, max_configuration_size);
    if (!text) {
        problems.add(path, 0, text.error().text);
        return parse("", path, directory, problems);
    }
    return parse(*text, path, directory, problems);
}

MainCf MainCf::parse(std::string_view text, std::string_view file, std::string directory,
                     Problems& problems)
{
    MainCf settings;
    settings.directory_ = std::move(directory);
    for (LogicalLine& line : logical_lines(text, file, problems)) {
        auto [left, right] = util::split_first(line.text, '=');
        std::string name(util::trim(left));
        if (line.text.find('=') == std::string::npos) {
            problems.add(file, line.number, concat("\"name = value\" is wanted, not \"",
                                                   util::printable(line.text, 60), '"'));
        } else if (!is_parameter_name(name)) {
            problems.add(file, line.number, concat('"', util::printable(name, 60),
                                                   "\" is not a parameter name"));
        } else if (name == "config_directory") {
            problems.add(file, line.number, "config_directory is where main.cf is; it cannot be set there");
        } else {
            const Setting* earlier = settings.find(name);
            if (earlier)
                problems.warn(file, line.number, concat(name, " was set in line ", earlier->line,
                                                        " already; this one counts"));
            settings.settings_[name] = {std::string(util::trim(right)), std::string(file), line.number};
        }
    }
    return settings;
}

void MainCf::override_with(std::string name, std::string value)
{
    settings_[std::move(name)] = {std::move(value), "", 0};
}

void MainCf::override_with(std::string_view assignment, Problems& problems)
{
    std::string_view text = util::trim(assignment);
    bool braced = text.size() >= 2 && text.front() == '{' && text.back() == '}';
    if (braced)
        text = util::trim(text.substr(1, text.size() - 2));
    auto [left, right] = util::split_first(text, '=');
    std::string_view name = util::trim(left);
    if (text.find('=') == std::string_view::npos || !is_parameter_name(name))
        problems.add("", 0, concat("-o ", util::printable(assignment, 60), ": \"name=value\" is wanted"));
    else
        override_with(std::string(name), std::string(util::trim(right)));
}

const Setting* MainCf::find(std::string_view name) const
{
    auto found = settings_.find(name);
    return found == settings_.end() ? nullptr : &found->second;
}

util::Result<std::string> MainCf::expand(std::string_view text) const
{
    return conf::expand(text, [this](std::string_view name) -> std::optional<std::string_view> {
        if (name == "config_directory")
            return directory_;
        if (auto set = settings_.find(name); set != settings_.end())
            return set->second.value;
        if (auto known = defaults_.find(name); known != defaults_.end())
            return known->second;
        return std::nullopt;
    });
}

void MainCf::fill(std::initializer_list<Section*> sections, Problems& problems)
{
    fill(std::vector<Section*>(sections), problems);
}

void MainCf::fill(const std::vector<Section*>& sections, Problems& problems)
{
    defaults_.clear();
    for (Section* section : sections)
        section->prepare(*this);
    for (Section* section : sections) {
        for (const Parameter* parameter : section->parameters()) {
            defaults_[parameter->name()] = parameter->default_text();
            for (auto& [name, text] : parameter->member_defaults())
                defaults_[name] = text;
        }
    }

    auto read = [&](const std::string& name, const std::string& default_text, bool whole, auto take) {
        const Setting* set = name == "config_directory" ? nullptr : find(name);
        std::string_view text = name == "config_directory" ? std::string_view(directory_)
                                : set                      ? std::string_view(set->value)
                                                           : std::string_view(default_text);
        auto value = whole ? util::Result<std::string>(std::string(text)) : expand(text);
        util::Result<void> taken = value ? take(std::string_view(*value)) : value.take_error();
        if (!taken)
            problems.add(set ? set->file : concat(directory_, "/main.cf"), set ? set->line : 0,
                         concat(name, set ? "" : " (by default)", ": ", taken.error().text));
    };
    for (Section* section : sections) {
        for (Parameter* parameter : section->parameters()) {
            read(parameter->name(), parameter->default_text(), parameter->is_template(),
                 [&](std::string_view text) { return parameter->read(text); });
            std::map<std::string, std::string> members;
            for (auto& [name, text] : parameter->member_defaults())
                members[name] = text;
            for (const auto& entry : settings_) {
                if (entry.first != parameter->name() && parameter->covers(entry.first))
                    members.try_emplace(entry.first);
            }
            for (const auto& member : members)
                read(member.first, member.second, false,
                     [&](std::string_view text) { return parameter->read_member(member.first, text); });
        }
    }
    for (Section* section : sections)
        section->verify(*this, problems);
}

}  // namespace conf
