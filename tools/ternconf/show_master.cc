// ternconf: services, their fields and -o settings.
#include "libconf/main_cf.h"
#include "libconf/master_cf.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternconf/show.h"

namespace ternconf {

using util::concat;

namespace {

// "service[/type[/name]]" of the command line; no words ask for everything.
class Wanted {
public:
    explicit Wanted(const std::vector<std::string>& words) : words_(words), found_(words.size(), words.empty()) {}

    bool matches(const ServiceWords& service, std::string_view name)
    {
        bool any = words_.empty();
        for (std::size_t i = 0; i < words_.size(); ++i) {
            auto parts = util::split(words_[i], '/');
            auto is = [&](std::size_t part, std::string_view text) {
                return part >= parts.size() || parts[part] == "*" || parts[part] == text;
            };
            if (is(0, service.words[0]) && is(1, service.words[1]) && (name.empty() || is(2, name))) {
                found_[i] = true;
                any = true;
            }
        }
        return any;
    }

    bool report(conf::Problems& problems) const
    {
        bool complete = true;
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (found_[i])
                continue;
            complete = false;
            problems.add("", 0, concat(util::printable(words_[i], 100), ": nothing in master.cf is that"));
        }
        return complete;
    }

private:
    const std::vector<std::string>& words_;
    std::vector<bool> found_;
};

void print_pair(const Options& options, std::string& out, const ServiceWords& service, std::string_view name,
                std::string_view value)
{
    if (options.json)
        util::append(out, "{\"service\": ", util::json_quote(service.words[0]), ", \"type\": ",
                     util::json_quote(service.words[1]), ", \"name\": ", util::json_quote(name), ", \"value\": ",
                     util::json_quote(value), "}\n");
    else if (options.values_only)
        util::append(out, value, '\n');
    else if (options.names_only)
        util::append(out, service.id(), '/', name, '\n');
    else
        util::append(out, service.id(), '/', name, " =", value.empty() ? "" : " ", value, '\n');
}

void print_service(const Options& options, std::string& out, const ServiceWords& service)
{
    if (!options.json) {
        out += render_service(service, options.fold);
        return;
    }
    std::string line = "{";
    auto names = field_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        util::append(line, i ? ", " : "", util::json_quote(names[i]), ": ",
                     util::json_quote(i + 1 < names.size() ? service.words[i] : field_of(service, i)));
    util::append(out, line, "}\n");
}

}  // namespace

bool show_services(const Options& options, std::string& out, conf::Problems& problems)
{
    AllSections sections;
    auto settings = conf::MainCf::load(options.config_directory, problems);
    conf::Problems ignored;
    sections.fill(settings, ignored);
    std::string path = concat(settings.directory(), "/master.cf");
    auto text = util::sys::read_file(path, conf::max_configuration_size);
    if (!text) {
        problems.add(path, 0, text.error().text);
        return false;
    }
    (void)conf::MasterCf::parse(*text, path, problems);
    Wanted wanted(options.words);
    FileText file(*text);
    for (const Entry& entry : file.entries()) {
        auto service = split_service(entry.text);
        if (!service)
            continue;  // among the problems
        if (options.what == Options::What::Services) {
            if (wanted.matches(*service, ""))
                print_service(options, out, *service);
        } else if (options.what == Options::What::Fields) {
            for (std::size_t i = 0; i < field_names().size(); ++i) {
                if (wanted.matches(*service, field_names()[i]))
                    print_pair(options, out, *service, field_names()[i], field_of(*service, i));
            }
        } else {
            for (const Override& setting : overrides_of(*service)) {
                if (!wanted.matches(*service, setting.name))
                    continue;
                auto expanded = options.expand ? settings.expand(setting.value) : util::Result<std::string>(setting.value);
                print_pair(options, out, *service, setting.name, expanded ? *expanded : setting.value);
            }
        }
    }
    return wanted.report(problems);
}

}  // namespace ternconf
