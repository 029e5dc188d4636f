#include "libmail/notice_template.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string problems_of(std::string_view text)
{
    std::vector<mail::NoticeProblem> problems;
    (void)mail::parse_notice_templates(text, problems);
    std::string out;
    for (const auto& problem : problems)
        util::append(out, problem.line, ": ", problem.text, "\n");
    return out;
}

}  // namespace

TEST(reads_templates_in_any_order)
{
    std::vector<mail::NoticeProblem> problems;
    auto read = mail::parse_notice_templates(
        "# words\n\n   # more\ndelay_template = <<EOF\nCharset: iso-8859-1\nFrom: a@b\nSubject: late\n"
        "Postmaster-Subject: copy\n\nGr\374\337e\n# not a comment\n\n EOF\nEOF\n"
        "failure_template=<< THE END\r\n\r\nshort\r\nTHE END\r\n",
        problems);
    EQ(problems.size(), 0u);
    EQ(read.delay.from, "a@b");
    EQ(read.delay.subject, "late");
    EQ(read.delay.postmaster_subject, "copy");
    EQ(read.delay.body, "Gr\303\274\303\237e\n# not a comment\n\n EOF\n");
    EQ(read.delay.body_line, 10);
    EQ(read.failure.body, "short\n");
    EQ(read.failure.subject, mail::built_in_notices().failure.subject);
    EQ(read.success.body, mail::built_in_notices().success.body);
}
END_TEST

TEST(what_is_written_is_read_again)
{
    std::string text;
    auto built_in = mail::built_in_notices();
    for (const auto& known : mail::notice_template_names)
        text += mail::to_text(known.name, built_in.*known.member);
    std::vector<mail::NoticeProblem> problems;
    auto read = mail::parse_notice_templates(text, problems);
    EQ(problems.size(), 0u);
    for (const auto& known : mail::notice_template_names)
        EQ((read.*known.member).body, (built_in.*known.member).body);
}
END_TEST

TEST(says_what_is_wrong_and_where)
{
    const std::string long_line(mail::max_notice_line + 1, 'x');
    struct {
        std::string text;
        std::string_view problem;
    } const cases[] = {
        {"failure_template = <<EOF\n\ntext\n", "1: the end of this template, a line \"EOF\", is missing"},
        {"\nfailure_templat = <<EOF\n\ntext\nEOF\n", "2: there is no \"failure_templat\""},
        {"failure_template = text\n", "1: \"NAME_template = <<EOF\" is wanted"},
        {"failure_template = <<\n", "1: \"NAME_template = <<EOF\" is wanted"},
        {"failure_template = <<EOF\ntext\nEOF\n", "2: \"Charset:\", \"From:\""},
        {"failure_template = <<EOF\nSubject:\n\nEOF\n", "2: Subject: has no value"},
        {"failure_template = <<EOF\nSubject: \303\274\n\nEOF\n", "2: Subject: is not ASCII"},
        {"failure_template = <<EOF\n\n\303\274\nEOF\n", "3: the text is not ASCII"},
        {"failure_template = <<EOF\nCharset: utf-8\n\n\374\nEOF\n", "4: the text is not UTF-8"},
        {"failure_template = <<EOF\nCharset: klingon\n\nx\nEOF\n", "4: unknown character set klingon"},
        {"failure_template = <<EOF\n\n" + long_line + "\nEOF\n", "3: the line is longer than 900 bytes"},
        {"failure_template = <<EOF\n\n" + long_line.substr(1) + "\nEOF\n", ""},
    };
    for (const auto& item : cases) {
        std::string found = problems_of(item.text);
        ck_assert_msg(item.problem.empty() ? found.empty() : found.starts_with(item.problem), "%s gives %s",
                      item.text.substr(0, 80).c_str(), found.c_str());
    }
    // One wrong template leaves the others.
    std::vector<mail::NoticeProblem> problems;
    auto read = mail::parse_notice_templates("failure_template = <<A\nx\nA\ndelay_template = <<A\n\nmine\nA\n", problems);
    EQ(problems.size(), 1u);
    EQ(read.delay.body, "mine\n");
    EQ(read.failure.body, mail::built_in_notices().failure.body);
}
END_TEST

SUITE(notice_template, reads_templates_in_any_order, what_is_written_is_read_again, says_what_is_wrong_and_where)
