// The words of notices to senders: bounce(5) describes the file in which they can be changed.
//
//   failure_template = <<EOF
//   Charset: us-ascii
//   From: MAILER-DAEMON (Mail Delivery System)
//   Subject: ...
//   Postmaster-Subject: ...
//
//   text with $names of main.cf(5)
//   EOF
//
// Templates may come in any order, and one that is not there keeps its built-in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mail {

constexpr std::size_t max_notice_file = 256 * 1024;   // bytes
constexpr std::size_t max_notice_line = 900;          // bytes of one line in a template

struct NoticeTemplate {
    std::string from;                // the field's text, in ASCII, as it stands in the file
    std::string subject;
    std::string postmaster_subject;  // of copies for the postmaster
    std::string body;                // UTF-8, whatever its Charset: was; lines end in '\n'
    std::string charset;             // as the file says it
    int body_line = 0;               // where the body begins in its file; 0: built in
};

struct NoticeTemplates {
    NoticeTemplate failure;
    NoticeTemplate delay;
    NoticeTemplate success;
    NoticeTemplate verify;           // of reports that sendmail -bv and -v ask for
};

struct NoticeTemplateNames {
    std::string_view name;
    NoticeTemplate NoticeTemplates::*member;
};
constexpr NoticeTemplateNames notice_template_names[] = {
    {"failure_template", &NoticeTemplates::failure},
    {"delay_template", &NoticeTemplates::delay},
    {"success_template", &NoticeTemplates::success},
    {"verify_template", &NoticeTemplates::verify},
};

NoticeTemplates built_in_notices();

struct NoticeProblem {
    int line = 0;
    std::string text;
};

// A template with a problem keeps its built-in words; the others count.
NoticeTemplates parse_notice_templates(std::string_view text, std::vector<NoticeProblem>& problems);

// The file's form of one template.
std::string to_text(std::string_view name, const NoticeTemplate& notice);

}  // namespace mail
