// ternconf(1): shows and edits the configuration.
#include "libutil/handle.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternconf/apply.h"
#include "tools/ternconf/from_postfix.h"
#include "tools/ternconf/postfix.h"
#include "tools/ternconf/show.h"

#include <unistd.h>

#include <cstdlib>
#include <sysexits.h>

namespace ternconf {

namespace {

using util::concat;

void complain(std::string_view text)
{
    (void)util::sys::write_all(STDERR_FILENO, concat("ternconf: ", text, '\n'));
}

int run(const Options& options)
{
    if (options.edit) {
        auto edited = apply_edit(options);
        if (edited)
            return EX_OK;
        complain(edited.error().text);
        return EXIT_FAILURE;
    }
    std::string out;
    conf::Problems problems;
    bool complete = true;
    switch (options.what) {
    case Options::What::Main: complete = show_parameters(options, out, problems); break;
    case Options::What::Notices: complete = show_notices(options, out, problems); break;
    case Options::What::TableTypes: show_table_types(out); break;
    case Options::What::PostfixTable: out = postfix_table(AllSections()); break;
    case Options::What::Postfix: {
        // Absolute: $config_directory in values becomes this name.
        util::Handle<char, ::free> absolute{::realpath(options.postfix_directory.c_str(), nullptr)};
        auto carried = carry_over(absolute ? absolute.get() : options.postfix_directory, options.config_directory,
                                  options.dry_run, options.json, out);
        if (!carried)
            problems.add("", 0, carried.error().text);
        break;
    }
    case Options::What::Mdoc: {
        AllSections sections;
        auto text = mdoc_of(sections, options.words[0]);
        if (!text)
            problems.add("", 0, concat("there is no section \"", options.words[0], '"'));
        out = text.value_or("");
        break;
    }
    default: complete = show_services(options, out, problems); break;
    }
    util::print_out(out);
    for (const conf::Problem& problem : problems.all())
        complain(problem.to_text());
    return complete && !problems.any() ? EX_OK : EXIT_FAILURE;
}

}  // namespace

}  // namespace ternconf

int main(int count, char** words)
{
    util::open_standard_fds();
    auto options = ternconf::parse_options(count, words);
    if (!options) {
        (void)util::sys::write_all(STDERR_FILENO, util::concat("ternconf: ", options.error().text, '\n', ternconf::usage()));
        return EX_USAGE;
    }
    return util::end_output("ternconf", ternconf::run(*options));
}
