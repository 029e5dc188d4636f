// Every parameter there is.
#include "tools/ternconf/sections.h"

#include <algorithm>

namespace ternconf {

const conf::Section* AllSections::find(std::string_view name) const
{
    for (const Named& named : named_) {
        if (named.name == name)
            return named.section;
    }
    return nullptr;
}

const conf::Parameter* AllSections::find_parameter(std::string_view name) const
{
    const conf::Parameter* family = nullptr;
    for (const Named& named : named_) {
        for (const conf::Parameter* parameter : named.section->parameters()) {
            if (parameter->name() == name)
                return parameter;
            if (parameter->covers(name))
                family = parameter;
        }
    }
    return family;
}

std::vector<const conf::Parameter*> AllSections::parameters() const
{
    std::vector<const conf::Parameter*> all;
    for (const Named& named : named_)
        all.insert(all.end(), named.section->parameters().begin(), named.section->parameters().end());
    std::sort(all.begin(), all.end(), [](const conf::Parameter* a, const conf::Parameter* b) {
        return a->name() < b->name();
    });
    auto same = [](const conf::Parameter* a, const conf::Parameter* b) { return a->name() == b->name(); };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
}

void AllSections::fill(conf::MainCf& settings, conf::Problems& problems)
{
    std::vector<conf::Section*> sections;
    for (const Named& named : named_)
        sections.push_back(named.section);
    settings.fill(sections, problems);
}

}  // namespace ternconf
