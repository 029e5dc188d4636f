// libconf/master_cf.h, logical_lines.h
#include "libconf/logical_lines.h"
#include "libconf/master_cf.h"
#include "libutil/text.h"

#include "tests/unit/suite.h"

namespace {

struct Parsed {
    explicit Parsed(std::string_view text) : master(conf::MasterCf::parse(text, "master.cf", problems)) {}
    conf::Problems problems;
    conf::MasterCf master;
};

TEST(reads_eight_columns_with_their_defaults)
{
    Parsed p("# comment\n"
             "smtp      inet  n  -  n  -  -   smtpd\n"
             "  -o smtpd_tls_security_level=may\n"
             "# in between\n"
             "  -o { mynetworks = 127.0.0.0/8, [::1]/128 } -v {an argument}\n"
             "\n"
             "qmgr      unix  n  -  -  300  1  qmgr\n"
             "flush     unix  -  n  n  1000?  0 flush\n"
             "log       unix-dgram n - n - 1 log -D\n"
             "web       pass - - - - - web\n");
    EQ(p.problems.to_text(), "");
    EQ(p.master.services().size(), 5u);
    const auto& smtp = p.master.services()[0];
    EQ(smtp.id(), "smtp/inet");
    THAT(!smtp.is_private);
    THAT(smtp.unprivileged);
    THAT(!smtp.process_limit.has_value());
    EQ(smtp.first_line, 2);
    EQ(smtp.last_line, 5);
    EQ(smtp.overrides.size(), 2u);
    EQ(smtp.overrides[1].first, "mynetworks");
    EQ(smtp.overrides[1].second, "127.0.0.0/8, [::1]/128");
    EQ(smtp.arguments.size(), 6u);
    EQ(smtp.arguments[3], "mynetworks=127.0.0.0/8, [::1]/128");
    EQ(smtp.arguments[5], "an argument");
    const auto* qmgr = p.master.find("qmgr", conf::ServiceType::Unix);
    EQ(qmgr->wakeup, 300u);
    THAT(!qmgr->wakeup_once_used);
    EQ(qmgr->socket_path(), "public/qmgr");
    EQ(qmgr->process_limit.value(), 1u);
    const auto* flush = p.master.find_local("flush");
    THAT(flush->wakeup_once_used);
    THAT(!flush->unprivileged);
    EQ(flush->process_limit.value(), 0u);
    EQ(flush->socket_path(), "private/flush");
    THAT(!p.master.find("smtp", conf::ServiceType::Unix));
    THAT(!p.master.find_local("smtp"));
}
END_TEST

TEST(options_end_at_the_first_word_of_the_programs_own)
{
    Parsed p("x unix - n n - - pipe -v -o a=b user=x argv=cmd -o c=d -o e {two words}\n");
    EQ(p.problems.to_text(), "");
    const conf::Service& service = p.master.services()[0];
    EQ(service.overrides.size(), 1u);
    std::string words;
    for (const std::string& word : service.arguments)
        words += "[" + word + "]";
    EQ(words, "[-v][-o][a=b][user=x][argv=cmd][-o][c=d][-o][e][two words]");
}
END_TEST

TEST(inet_names_have_hosts_and_ports)
{
    Parsed p("127.0.0.1:2525 inet n - n - - smtpd\n[::1]:smtp inet n - n - - smtpd\n587 inet n - n - - smtpd\n");
    EQ(p.problems.to_text(), "");
    EQ(p.master.services()[0].host_and_port().first, "127.0.0.1");
    EQ(p.master.services()[0].host_and_port().second, "2525");
    EQ(p.master.services()[1].host_and_port().first, "::1");
    EQ(p.master.services()[1].host_and_port().second, "smtp");
    EQ(p.master.services()[2].host_and_port().first, "");
}
END_TEST

TEST(names_all_that_is_wrong_with_its_line)
{
    Parsed p("a unix - - - - -\n"
             "b fifo - - - - - x\n"
             "c tcp - - - - - x\n"
             "d unix q - - - - x\n"
             "e unix - - - soon - x\n"
             "f unix - - - - 100001 x\n"
             "../g unix - - - - - x\n"
             "h unix - - - - - ../x\n"
             "0 inet n - - - - x\n"
             "i unix - - - - - x -o\n"
             "j unix - - - - - x -o =5\n"
             "k unix - - - - - x {a\n"
             "l inet y - - - - x\n"
             "a:b:c/ inet n - - - - x\n"
             "m unix - - - - - x\n"
             "m pass - - - - - x\n"
             "good unix - - - - 100000 x\n");
    EQ(p.problems.all().size(), 15u);
    int line = 0;
    for (const auto& problem : p.problems.all()) {
        ++line;
        ck_assert_int_eq(problem.line, line == 15 ? 16 : line);
    }
    EQ(p.problems.all()[1].text, "services of type fifo are not supported; unix takes their place");
    EQ(p.problems.all()[14].text, "m/pass and m/unix in line 15 have the same socket");
    EQ(p.master.services().size(), 3u);
}
END_TEST

TEST(the_last_of_two_entries_counts)
{
    Parsed p("a unix - - - - 1 x\nb unix - - - - - y\na unix - - - - 2 z\n");
    THAT(!p.problems.any());
    EQ(p.master.services().size(), 2u);
    EQ(p.master.services()[0].command, "z");
    EQ(p.master.services()[0].first_line, 3);
    EQ(p.problems.to_text(), "master.cf:3: warning: a/unix stands in line 1 already; this one counts\n");
}
END_TEST

TEST(too_many_services_are_refused)
{
    std::string text;
    for (std::size_t i = 0; i <= conf::MasterCf::max_services; ++i)
        util::append(text, 's', i, " unix - - - - - x\n");
    Parsed p(text);
    EQ(p.master.services().size(), conf::MasterCf::max_services);
    EQ(p.problems.to_text(), "master.cf:1001: more than 1000 services\n");
}
END_TEST

TEST(lines_continue_over_comments_and_empty_lines)
{
    conf::Problems problems;
    auto lines = conf::logical_lines("  stray\n more stray\na\n#x\n\n   \n\tb  \n  # y\n c\nd\r\n", "f", problems);
    EQ(problems.all().size(), 1u);
    EQ(problems.all()[0].line, 1);
    EQ(lines.size(), 2u);
    EQ(lines[0].text, "a b c");
    EQ(lines[0].number, 3);
    EQ(lines[0].last, 9);
    EQ(lines[1].text, "d");
}
END_TEST

TEST(bad_lines_are_left_out_whole)
{
    conf::Problems problems;
    std::string text = "a\n b\n c";
    text += '\0';
    text += "\n d\ne\n" + std::string(conf::max_logical_line - 1, 'x') + "\n" +
            std::string(conf::max_logical_line, 'y') + "\n z\nf";
    auto lines = conf::logical_lines(text, "f", problems);
    EQ(problems.to_text(), "f:1: the line has a NUL byte\nf:7: the line with its continuations is too long\n");
    EQ(lines.size(), 3u);
    EQ(lines[0].text, "e");
    EQ(lines[2].text, "f");
}
END_TEST

}  // namespace

SUITE(master_cf, reads_eight_columns_with_their_defaults, options_end_at_the_first_word_of_the_programs_own,
      inet_names_have_hosts_and_ports, names_all_that_is_wrong_with_its_line, the_last_of_two_entries_counts,
      too_many_services_are_refused, lines_continue_over_comments_and_empty_lines, bad_lines_are_left_out_whole)
