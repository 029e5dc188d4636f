// What is wrong with a configuration.
#include "libconf/problems.h"

#include "libutil/text.h"

namespace conf {

std::string Problem::to_text() const
{
    std::string out;
    if (!file.empty()) {
        out = file;
        if (line > 0)
            util::append(out, ':', line);
        out += ": ";
    }
    util::append(out, warning ? "warning: " : "", text);
    return out;
}

void Problems::add(std::string_view file, int line, std::string text)
{
    ++errors_;
    keep({std::string(file), line, std::move(text), false});
}

void Problems::warn(std::string_view file, int line, std::string text)
{
    keep({std::string(file), line, std::move(text), true});
}

void Problems::keep(Problem problem)
{
    if (kept_.size() < max_kept)
        kept_.push_back(std::move(problem));
    else
        ++dropped_;
}

std::string Problems::to_text() const
{
    std::string out;
    for (const Problem& problem : kept_)
        util::append(out, problem.to_text(), '\n');
    if (dropped_ > 0)
        util::append(out, "and ", dropped_, " more\n");
    return out;
}

util::Result<void> Problems::result() const
{
    if (!any())
        return {};
    std::string text;
    for (const Problem& problem : kept_) {
        if (!problem.warning)
            util::append(text, text.empty() ? "" : "; ", problem.to_text());
    }
    if (dropped_ > 0)
        util::append(text, "; and ", dropped_, " more");
    return util::invalid(std::move(text));
}

}  // namespace conf
