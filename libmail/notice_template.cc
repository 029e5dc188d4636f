// Templates of notices: reading, and the words that are built in.
#include "libmail/notice_template.h"

#include "libmail/charset.h"
#include "libutil/text.h"

#include <optional>

namespace mail {

namespace {

constexpr std::string_view default_from = "MAILER-DAEMON (Mail Delivery System)";

NoticeTemplate built_in(std::string_view subject, std::string_view postmaster_subject, std::string_view body)
{
    NoticeTemplate notice;
    notice.from = default_from;
    notice.subject = subject;
    notice.postmaster_subject = postmaster_subject;
    notice.charset = "us-ascii";
    notice.body = body;
    return notice;
}

class Parser {
public:
    Parser(std::string_view text, std::vector<NoticeProblem>& problems) : rest_(text), problems_(problems) {}

    NoticeTemplates run()
    {
        while (auto line = next()) {
            std::string_view visible = util::trim(*line);
            if (!visible.empty() && visible[0] != '#')
                take_template(*line);
        }
        return std::move(templates_);
    }

private:
    std::optional<std::string_view> next()
    {
        if (rest_.empty())
            return {};
        std::string_view line = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
        ++line_;
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        return line;
    }

    void complain(int line, std::string text)
    {
        problems_.push_back({line, std::move(text)});
        good_ = false;
    }

    static NoticeTemplate NoticeTemplates::*find(std::string_view name)
    {
        for (const auto& known : notice_template_names)
            if (known.name == name)
                return known.member;
        return nullptr;
    }

    void take_template(std::string_view opening)
    {
        good_ = true;
        int first = line_;
        auto [left, right] = util::split_first(opening, '=');
        std::string_view name = util::trim(left);
        std::string_view word = util::trim(right);
        if (!word.starts_with("<<") || word.size() == 2)
            return complain(first, util::concat("\"NAME_template = <<EOF\" is wanted, not \"",
                                                util::printable(opening, 60), '"'));
        word = util::trim(word.substr(2));
        auto member = find(name);
        if (!member)
            complain(first,
                     util::concat("there is no \"", util::printable(name, 60),
                                  "\" (there are failure_template, delay_template, success_template and verify_template)"));
        NoticeTemplate read = member ? templates_.*member : NoticeTemplate();
        if (!take_text(read, word)) {
            complain(first, util::concat("the end of this template, a line \"", util::printable(word, 60), "\", is missing"));
        }
        if (good_)
            templates_.*member = std::move(read);
    }

    // The lines up to `end`; false when it does not come.
    bool take_text(NoticeTemplate& read, std::string_view end)
    {
        bool in_header = true;
        read.body.clear();
        read.charset = "us-ascii";
        read.body_line = line_ + 1;
        while (auto line = next()) {
            if (*line == end) {
                finish(read);
                return true;
            }
            if (line->size() > max_notice_line)
                complain(line_, util::concat("the line is longer than ", max_notice_line, " bytes"));
            if (in_header && line->empty()) {
                in_header = false;
                read.body_line = line_ + 1;
            } else if (in_header) {
                take_field(read, *line);
            } else {
                util::append(read.body, *line, '\n');
            }
        }
        return false;
    }

    void take_field(NoticeTemplate& read, std::string_view line)
    {
        auto [name, value] = util::split_first(line, ':');
        value = util::trim(value);
        std::string* into = util::equal_nocase(name, "Charset")              ? &read.charset
                            : util::equal_nocase(name, "From")               ? &read.from
                            : util::equal_nocase(name, "Subject")            ? &read.subject
                            : util::equal_nocase(name, "Postmaster-Subject") ? &read.postmaster_subject
                                                                             : nullptr;
        if (!into)
            return complain(line_, util::concat("\"Charset:\", \"From:\", \"Subject:\", \"Postmaster-Subject:\" or an empty "
                                                "line is wanted, not \"", util::printable(line, 60), '"'));
        if (value.empty())
            return complain(line_, util::concat(name, ": has no value"));
        if (!util::is_ascii(value))
            return complain(line_, util::concat(name, ": is not ASCII; write it as an encoded word, =?utf-8?..."));
        *into = value;
    }

    void finish(NoticeTemplate& read)
    {
        bool ascii = util::equal_nocase(read.charset, "us-ascii");
        if (ascii && !util::is_ascii(read.body))
            complain(read.body_line, "the text is not ASCII; name its character set with \"Charset: utf-8\"");
        else if (!is_known_charset(read.charset))
            complain(read.body_line, util::concat("unknown character set ", util::printable(read.charset, 60)));
        else if (util::equal_nocase(read.charset, "utf-8") && !util::is_utf8(read.body))
            complain(read.body_line, "the text is not UTF-8");
        else if (!ascii)
            read.body = to_utf8(read.body, read.charset);
    }

    std::string_view rest_;
    int line_ = 0;
    bool good_ = true;   // the template at hand
    NoticeTemplates templates_ = built_in_notices();
    std::vector<NoticeProblem>& problems_;
};

}  // namespace

NoticeTemplates built_in_notices()
{
    NoticeTemplates notices;
    notices.failure = built_in("Undelivered mail returned to sender", "Postmaster copy: undelivered mail",
                               "This is the mail system at $myhostname.\n\n"
                               "Your message could not be delivered to the recipients named below.  It will not\n"
                               "be tried again.  What is known of the reasons stands with each of them; the\n"
                               "message, or its header, is attached.\n\n"
                               "If that does not help you, write to <postmaster@$myorigin> and attach this\n"
                               "notice.\n");
    notices.delay = built_in("Delayed mail (still being retried)", "Postmaster warning: delayed mail",
                             "This is the mail system at $myhostname.\n\n"
                             "Your message has not yet been delivered to the recipients named below.  It is\n"
                             "kept, and it is being tried again; there is no need to send it a second time.\n"
                             "Should it still be here after $maximal_queue_lifetime_days day(s), it will come back to you.\n");
    notices.success = built_in("Successful mail delivery report", "Postmaster copy: delivery report",
                               "This is the mail system at $myhostname.\n\n"
                               "Your message reached the recipients named below, or was handed on to a system\n"
                               "that sends no reports of its own.\n");
    notices.verify = built_in("Mail delivery status report", "Postmaster copy: delivery status report",
                              "This is the mail system at $myhostname.\n\n"
                              "This is the report on delivery to the recipients named below that you asked for.\n");
    return notices;
}

NoticeTemplates parse_notice_templates(std::string_view text, std::vector<NoticeProblem>& problems)
{
    return Parser(text, problems).run();
}

std::string to_text(std::string_view name, const NoticeTemplate& notice)
{
    bool ascii = util::is_ascii(notice.body);
    return util::concat(name, " = <<EOF\nCharset: ", ascii ? "us-ascii" : "utf-8", "\nFrom: ", notice.from, "\nSubject: ",
                        notice.subject, "\nPostmaster-Subject: ", notice.postmaster_subject, "\n\n", notice.body, "EOF\n");
}

}  // namespace mail
