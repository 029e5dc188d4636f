// $bounce_template_file as programs use it: read, with the names in it replaced by their values.
#pragma once

#include "libipc/notices.h"
#include "libmail/notice_template.h"

namespace ipc {

// Names in templates are those of main.cf(5) that are set there or known to the caller; those of
// QueueTimes also with a unit, rounded up: $delay_warning_time_hours, and _seconds, _minutes, _days,
// _weeks.
//
// `file` empty: the built-in templates.  A template with a problem has its built-in words; so have all
// when the file cannot be read.
mail::NoticeTemplates load_notice_templates(const std::string& file, conf::Problems& problems);
// `settings` has been filled with a section of QueueTimes.
void expand_notice_templates(mail::NoticeTemplates& templates, const std::string& file, const QueueTimes& times,
                             const conf::MainCf& settings, conf::Problems& problems);

}  // namespace ipc
