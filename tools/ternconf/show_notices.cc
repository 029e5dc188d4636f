// ternconf -b and -t: the templates of notices.
#include "libipc/notice_templates.h"
#include "tools/ternconf/show.h"

namespace ternconf {

bool show_notices(const Options& options, std::string& out, conf::Problems& problems)
{
    auto settings = conf::MainCf::load(options.config_directory, problems);
    for (const std::string& assignment : options.overrides)
        settings.override_with(assignment, problems);
    AllSections sections;
    sections.fill(settings, problems);
    const bounce::Config& config = sections.notices();
    std::string file = options.words.empty() ? *config.template_file : options.words[0];
    mail::NoticeTemplates templates = ipc::load_notice_templates(file, problems);
    if (options.expand)
        ipc::expand_notice_templates(templates, file, config, settings, problems);
    for (const auto& known : mail::notice_template_names) {
        const mail::NoticeTemplate& notice = templates.*known.member;
        std::string_view name = known.name.substr(0, known.name.find('_'));
        out += options.expand ? util::concat("expanded_", name, "_text = <<EOF\n", notice.body, "EOF\n")
                              : mail::to_text(known.name, notice);
    }
    return !problems.any();
}

}  // namespace ternconf
