// $bounce_template_file: from the file to the words of a notice.
#include "libipc/notice_templates.h"

#include "libutil/sys.h"

namespace ipc {

namespace {

// The values with a unit, as names of their own.
conf::MainCf with_units(const QueueTimes& times, const conf::MainCf& settings)
{
    struct Unit {
        std::string_view name;
        util::Duration length;
    };
    constexpr Unit units[] = {{"_seconds", 1s}, {"_minutes", 1min}, {"_hours", 1h}, {"_days", 24h}, {"_weeks", 24h * 7}};
    conf::MainCf result = settings;
    for (const conf::Duration* time : {&times.delay_warning_time, &times.maximal_queue_lifetime, &times.bounce_queue_lifetime})
        for (const Unit& unit : units)
            result.override_with(util::concat(time->name(), unit.name),
                                 util::concat(((**time + unit.length - util::Duration(1)) / unit.length)));
    return result;
}

// Line by line, so that a mistake has its line.
bool expand_body(mail::NoticeTemplate& notice, const std::string& file, const conf::MainCf& settings,
                 conf::Problems& problems)
{
    std::string out;
    bool good = true;
    int number = notice.body_line;
    for (std::string_view rest = notice.body; !rest.empty(); ++number) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        auto expanded = settings.expand(line);
        if (!expanded) {
            problems.add(file, number, expanded.error().text);
            good = false;
        } else if (expanded->size() > mail::max_notice_line) {
            problems.add(file, number,
                         util::concat("the line is longer than ", mail::max_notice_line, " bytes with its values"));
            good = false;
        } else {
            util::append(out, *expanded, '\n');
        }
    }
    if (good)
        notice.body = std::move(out);
    return good;
}

}  // namespace

mail::NoticeTemplates load_notice_templates(const std::string& file, conf::Problems& problems)
{
    if (file.empty())
        return mail::built_in_notices();
    auto text = util::sys::read_file(file, mail::max_notice_file);
    if (!text) {
        problems.add(file, 0, text.error().text);
        return mail::built_in_notices();
    }
    std::vector<mail::NoticeProblem> found;
    mail::NoticeTemplates templates = mail::parse_notice_templates(*text, found);
    for (mail::NoticeProblem& problem : found)
        problems.add(file, problem.line, std::move(problem.text));
    return templates;
}

void expand_notice_templates(mail::NoticeTemplates& templates, const std::string& file, const QueueTimes& times,
                             const conf::MainCf& settings, conf::Problems& problems)
{
    conf::MainCf values = with_units(times, settings);
    mail::NoticeTemplates built_in = mail::built_in_notices();
    for (const auto& known : mail::notice_template_names) {
        mail::NoticeTemplate& notice = templates.*known.member;
        if (expand_body(notice, file, values, problems))
            continue;
        notice = built_in.*known.member;
        expand_body(notice, file, values, problems);
    }
}

}  // namespace ipc
