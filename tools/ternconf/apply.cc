// ternconf: from an edit on the command line to the file.
#include "tools/ternconf/apply.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternconf/sections.h"

#include <fcntl.h>

namespace ternconf {

using util::concat;
using util::Result;

namespace {

// A value that its parameter does not take is refused before anything is written.
Result<void> check_main(const std::string& text, const std::string& path, const std::string& directory,
                        const std::vector<std::string>& requests)
{
    AllSections sections;
    conf::Problems problems;
    auto settings = conf::MainCf::parse(text, path, directory, problems);
    sections.fill(settings, problems);
    conf::Problems of_these;
    for (const conf::Problem& problem : problems.all()) {
        for (const std::string& request : requests) {
            std::string_view name = util::trim(std::string_view(request).substr(0, request.find('=')));
            const conf::Setting* set = settings.find(name);
            if (!problem.warning && set && set->line == problem.line)
                of_these.add("", 0, problem.text);
        }
    }
    return of_these.result();
}

}  // namespace

Result<void> apply_edit(const Options& options)
{
    bool main_cf = options.what == Options::What::Main;
    std::string path = concat(options.config_directory, main_cf ? "/main.cf" : "/master.cf");
    // Two editors at once would each lose what the other wrote.
    util::UniqueFd directory = TRY(util::sys::open(options.config_directory, O_RDONLY | O_DIRECTORY));
    TRY(util::sys::lock_exclusive(directory.get()));
    struct stat status = TRY(util::sys::stat(path));
    std::string text = TRY(util::sys::read_file(path, conf::max_configuration_size));
    std::string edited;
    if (main_cf) {
        edited = TRY(edit_main(text, *options.edit, options.words));
        if (*options.edit == Action::Set)
            TRY(check_main(edited, path, options.config_directory, options.words));
    } else {
        Target target = options.what == Options::What::Services ? Target::Service
                        : options.what == Options::What::Fields ? Target::Field
                                                                : Target::Parameter;
        edited = TRY(edit_master(text, target, *options.edit, options.words));
    }
    if (edited == text)
        return {};
    return util::sys::replace_file(path, edited, status.st_mode & 07777);
}

}  // namespace ternconf
