// tools/ternconf: sections.h, unused.h, show.h
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"
#include "tools/ternconf/apply.h"
#include "tools/ternconf/show.h"
#include "tools/ternconf/unused.h"

#include <glob.h>

#include <map>

using namespace ternconf;

namespace {

TEST(every_config_h_is_in_the_list)
{
    auto list = util::sys::read_file("tools/ternconf/sections.h", 100'000);
    OK(list);
    glob_t found = {};
    EQ(::glob("*/config.h", 0, nullptr, &found), 0);
    EQ(::glob("tools/*/config.h", GLOB_APPEND, nullptr, &found), 0);
    THAT(found.gl_pathc > 5);
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
        ck_assert_msg(list->find(util::concat("#include \"", found.gl_pathv[i], '"')) != std::string::npos,
                      "%s is not in tools/ternconf/sections.h", found.gl_pathv[i]);
    globfree(&found);
}
END_TEST

TEST(all_defaults_are_good_and_agree)
{
    AllSections sections;
    conf::Problems problems;
    auto settings = conf::MainCf::parse("", "main.cf", "/etc/tern", problems);
    sections.fill(settings, problems);
    EQ(problems.to_text(), "");
    std::map<std::string, std::string> defaults;
    for (const auto& named : sections.all()) {
        for (const conf::Parameter* parameter : named.section->parameters()) {
            auto [at, added] = defaults.try_emplace(parameter->name(), parameter->default_text());
            ck_assert_msg(at->second == parameter->default_text(), "%s has two defaults", parameter->name().c_str());
            THAT(conf::is_parameter_name(parameter->name()));
            ck_assert_msg(parameter->description().size() > 10 &&
                              std::string_view(".)").find(parameter->description().back()) != std::string_view::npos,
                          "%s: its sentence has no end", parameter->name().c_str());
        }
    }
}
END_TEST

TEST(the_shipped_configuration_has_no_problems)
{
    AllSections sections;
    conf::Problems problems;
    auto settings = conf::MainCf::load("conf", problems);
    sections.fill(settings, problems);
    find_unused(sections, settings, conf::MasterCf::load("conf", problems), problems);
    EQ(problems.to_text(), "");
}
END_TEST

TEST(settings_that_nobody_reads_are_told)
{
    AllSections sections;
    conf::Problems problems;
    auto settings = conf::MainCf::parse("myhostnam = x\n"
                                        "site = $domain_of_site\n"
                                        "domain_of_site = example.org\n"
                                        "smtpd_banner = $myhostname ${site}\n"
                                        "for_master = 1\n"
                                        "smtpd_restriction_classes = insiders\n"
                                        "insiders = permit\n"
                                        "slow_destination_concurrency_limit = 2\n"
                                        "lonely = $also_lonely\nalso_lonely = 1\n",
                                        "main.cf", "/x", problems);
    auto master = conf::MasterCf::parse("a unix - - - - - b -o smtpd_timeout=$for_master -o smtpd_timeuot=1 "
                                        "-o smtpd_restriction_classes=outsiders -o outsiders=reject\n", "master.cf", problems);
    sections.fill(settings, problems);
    find_unused(sections, settings, master, problems);
    EQ(problems.to_text(), "main.cf:10: warning: nothing reads also_lonely\n"
                           "main.cf:9: warning: nothing reads lonely\n"
                           "main.cf:1: warning: nothing reads myhostnam (is myhostname meant?)\n"
                           "master.cf:1: warning: nothing reads smtpd_timeuot (is smtpd_timeout meant?)\n");
}
END_TEST

std::string show(std::initializer_list<const char*> words, conf::Problems& problems)
{
    std::vector<char*> arguments{const_cast<char*>("ternconf")};
    for (const char* word : words)
        arguments.push_back(const_cast<char*>(word));
    auto options = parse_options(int(arguments.size()), arguments.data());
    if (!options)
        return "!" + options.error().text;
    std::string out;
    if (options->what == Options::What::Main)
        show_parameters(*options, out, problems);
    else
        show_services(*options, out, problems);
    return out;
}

TEST(shows_what_postconf_shows)
{
    test::TempDir dir;
    dir.write("main.cf", "site = example.org\nmyhostname = mail.$site\nlong = $site\nsmtpd_banner = $long\n");
    dir.write("master.cf", "smtp inet n - - - - smtpd -o a=$site\n");
    const char* c = dir.path().c_str();
    conf::Problems problems;
    EQ(show({"-c", c, "-n"}, problems), "long = $site\nmyhostname = mail.$site\nsite = example.org\nsmtpd_banner = $long\n");
    EQ(show({"-xc", c, "myhostname", "mydomain"}, problems), "myhostname = mail.example.org\nmydomain = example.org\n");
    EQ(show({"-hc", c, "myhostname"}, problems), "mail.$site\n");
    EQ(show({"-dc", c, "smtpd_banner"}, problems), "smtpd_banner = $myhostname ESMTP $mail_name\n");
    EQ(show({"-xhc", c, "-o", "site=example.net", "smtpd_banner"}, problems), "example.net\n");
    EQ(show({"-Hc", c, "site"}, problems), "site\n");
    EQ(show({"-hc", c, "x_destination_concurrency_limit"}, problems), "$default_destination_concurrency_limit\n");
    problems = {};
    EQ(show({"-hc", c, "local_destination_concurrency_limit"}, problems), "2\n");
    EQ(show({"-Mc", c}, problems), "smtp       inet  n       -       -       -       -       smtpd -o a=$site\n");
    EQ(show({"-Pxc", c, "smtp/inet/a"}, problems), "smtp/inet/a = example.org\n");
    EQ(show({"-Fhc", c, "smtp/*/type"}, problems), "inet\n");
    EQ(show({"-jc", c, "site"}, problems),
       util::concat("{\"name\": \"site\", \"value\": \"example.org\", \"file\": \"", dir / "main.cf", "\", \"line\": 1}\n"));
    EQ(show({"-Fjc", c, "smtp/inet/type"}, problems),
       "{\"service\": \"smtp\", \"type\": \"inet\", \"name\": \"type\", \"value\": \"inet\"}\n");
    for (const conf::Problem& problem : problems.all())
        ck_assert_msg(problem.text.find("nothing reads a") != std::string::npos, "%s", problem.text.c_str());
    show({"-Mc", c, "nosuch"}, problems);
    THAT(problems.any());
}
END_TEST

TEST(edits_are_written_whole_or_not_at_all)
{
    test::TempDir dir;
    dir.write("main.cf", "# mine\nmax_idle = 5m\n");
    dir.write("master.cf", "smtp inet n - - - - smtpd\n");
    OK(util::sys::chmod(dir / "main.cf", 0640));
    auto apply = [&](std::initializer_list<const char*> words) {
        std::vector<char*> arguments{const_cast<char*>("ternconf"), const_cast<char*>("-c"),
                                     const_cast<char*>(dir.path().c_str())};
        for (const char* word : words)
            arguments.push_back(const_cast<char*>(word));
        auto options = parse_options(int(arguments.size()), arguments.data());
        OK(options);
        auto applied = apply_edit(*options);
        return applied ? std::string("ok") : applied.error().text;
    };
    auto content = [&](const char* name) { return util::sys::read_file(dir / name, 10'000).value_or("!"); };
    EQ(apply({"-e", "max_idle=7m", "mine = x"}), "ok");
    EQ(content("main.cf"), "# mine\nmax_idle = 7m\nmine = x\n");
    EQ(util::sys::stat(dir / "main.cf")->st_mode & 0777, 0640u);
    THAT(apply({"-e", "max_use=8", "max_idle=soon"}).find("max_idle: a time is wanted") != std::string::npos);
    EQ(apply({"-X", "nosuch"}), "nosuch is not set");
    EQ(content("main.cf"), "# mine\nmax_idle = 7m\nmine = x\n");
    EQ(apply({"-#", "mine"}), "ok");
    EQ(content("main.cf"), "# mine\nmax_idle = 7m\n#mine = x\n");
    EQ(apply({"-Pe", "smtp/inet/max_use=5"}), "ok");
    EQ(content("master.cf"), "smtp       inet  n       -       -       -       -       smtpd\n    -o max_use=5\n");
    THAT(apply({"-Fe", "smtp/inet/type=fifo"}).find("fifo") != std::string::npos);
    EQ(apply({"-MX", "smtp/inet"}), "ok");
    EQ(content("master.cf"), "");
    auto directory = util::sys::open(dir.path(), O_RDONLY | O_DIRECTORY);
    EQ(util::sys::list_directory(directory->get())->size(), 2u);
}
END_TEST

TEST(bad_command_lines_are_told)
{
    conf::Problems problems;
    EQ(show({"-e"}, problems), "!-e, -X and -# want to know what to change");
    EQ(show({"-e", "-X", "a"}, problems), "!only one of -e, -X and -# can be given");
    EQ(show({"-dn"}, problems), "!-d and -n do not go together");
    EQ(show({"-Z"}, problems), "!unknown option -Z");
    EQ(show({"-c"}, problems), "!-c wants a word after it");
    EQ(show({"-Mn"}, problems), "!-d and -n are about main.cf");
}
END_TEST

TEST(manual_entries_are_mdoc)
{
    AllSections sections;
    for (const auto& named : sections.all()) {
        auto text = mdoc_of(sections, named.name);
        THAT(text.has_value());
        for (std::string_view line : util::split(*text, '\n'))
            ck_assert_msg(line.size() <= 80, "%.*s", int(line.size()), line.data());
        if (!named.section->parameters().empty())
            THAT(text->find(named.section->parameters()[0]->name()) != std::string::npos);
    }
    THAT(!mdoc_of(sections, "nosuch").has_value());
}
END_TEST

TEST(long_settings_fold)
{
    EQ(fold_setting("a = b"), "a = b");
    std::string folded = fold_setting(util::concat("name = ", std::string(60, 'x'), " yyyyyyyyyyyyy z"));
    EQ(folded, util::concat("name = ", std::string(60, 'x'), "\n    yyyyyyyyyyyyy z"));
}
END_TEST

}  // namespace

SUITE(sections, every_config_h_is_in_the_list, all_defaults_are_good_and_agree,
      the_shipped_configuration_has_no_problems, settings_that_nobody_reads_are_told, shows_what_postconf_shows,
      edits_are_written_whole_or_not_at_all, bad_command_lines_are_told, manual_entries_are_mdoc, long_settings_fold)
