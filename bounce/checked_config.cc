// The templates of notices, as the parameters are read.
#include "bounce/checked_config.h"

namespace bounce {

void CheckedConfig::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    Config::verify(settings, problems);
    words_.problems = {};
    words_.templates = ipc::load_notice_templates(*template_file, words_.problems);
    ipc::expand_notice_templates(words_.templates, *template_file, *this, settings, words_.problems);
}

void CheckedConfig::check(const conf::MainCf&, conf::Problems& problems) const
{
    for (const conf::Problem& problem : words_.problems.all())
        problems.add(problem.file, problem.line, problem.text);
}

}  // namespace bounce
