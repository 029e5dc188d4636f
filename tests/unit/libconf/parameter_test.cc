// libconf/parameter.h, main_cf.h
#include "libconf/common.h"

#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

using namespace std::chrono_literals;

namespace {

enum class Level { None, May, Encrypt };

struct Config : conf::Section {
    conf::Text banner{this, "banner", "$myhostname ESMTP", {.max = 40}, "x"};
    conf::Duration timeout{this, "timeout", "${stress?{10}:{300}}s", {.min = 1s, .max = 1h}, "x"};
    conf::Duration lifetime{this, "lifetime", "5d", "x"};
    conf::Count limit{this, "limit", "1000", {.min = 100, .max = 1'000'000}, "x"};
    conf::RawText raw{this, "raw", "$home/.x${extension}", "x"};
    conf::Flag soft{this, "soft", "no", "x"};
    conf::Words list{this, "list", "a, b c", "x"};
    conf::Path path{this, "path", "$config_directory/x/", "x"};
    conf::Choice<Level> level{this, "level", "may",
        {{"none", Level::None}, {"may", Level::May}, {"encrypt", Level::Encrypt}}, "x"};
    conf::PerTransport<conf::Count> concurrency{this, "default_destination_concurrency_limit", "20",
        {{"local", "2"}}, "x"};
};

struct Loaded {
    explicit Loaded(std::string_view text, std::initializer_list<std::string_view> overrides = {})
    {
        auto settings = conf::MainCf::parse(text, "main.cf", "/etc/test", problems);
        for (auto assignment : overrides)
            settings.override_with(assignment, problems);
        settings.fill({&common, &config}, problems);
    }
    conf::Problems problems;
    conf::Common common;
    Config config;
};

TEST(defaults_are_main_cf_text)
{
    Loaded l("myhostname = mail.example.org\n");
    EQ(l.problems.to_text(), "");
    EQ(*l.config.banner, "mail.example.org ESMTP");
    EQ(*l.common.mydomain, "example.org");
    EQ(*Loaded("site = example.net\nmyhostname = mail.$site\n").common.mydomain, "example.net");
    EQ(*Loaded("myhostname = mail.$mydomain\n").common.myhostname, "mail.localdomain");
    EQ(*Loaded("myhostname = mail.$mydomain\nmydomain = example.com\n").common.myhostname, "mail.example.com");
    THAT(*l.config.timeout == 300s);
    THAT(*l.config.lifetime == 120h);
    EQ(*l.config.path, "/etc/test/x");
    EQ(l.config.list->size(), 3u);
    THAT(*l.config.level == Level::May);
    EQ(l.config.banner.default_text(), "$myhostname ESMTP");
}
END_TEST

TEST(the_unit_of_a_default_counts_where_none_is_written)
{
    Loaded l("timeout = 7\nlifetime = 2\n");
    THAT(*l.config.timeout == 7s);
    THAT(*l.config.lifetime == 48h);
    Loaded stress("", {"stress=yes"});
    THAT(*stress.config.timeout == 10s);
    Loaded milli("timeout = 1500ms");
    THAT(*milli.config.timeout == 1500ms);
}
END_TEST

TEST(overrides_win_over_the_file)
{
    Loaded l("limit = 200\nsoft = yes\n", {"limit=300", "{ banner = a b }"});
    EQ(*l.config.limit, 300u);
    EQ(*l.config.banner, "a b");
    THAT(l.config.soft);
    Loaded bad("", {"limit"});
    EQ(bad.problems.to_text(), "-o limit: \"name=value\" is wanted\n");
}
END_TEST

TEST(all_errors_come_at_once_with_their_lines)
{
    Loaded l("# comment\nlimit = 99\ntimeout = soon\nnonsense\n\nlevel =\n  high\nsoft = maybe\npath = x\nbanner = $nobody\n");
    EQ(l.problems.to_text(),
       "main.cf:4: \"name = value\" is wanted, not \"nonsense\"\n"
       "main.cf:10: banner: unknown name in $nobody\n"
       "main.cf:3: timeout: a time is wanted (a number, then ms, s, m, h, d or w), not \"soon\"\n"
       "main.cf:2: limit: 99 is outside of 100 to 1000000\n"
       "main.cf:8: soft: yes or no is wanted, not \"maybe\"\n"
       "main.cf:9: path: a path that begins with / is wanted, not \"x\"\n"
       "main.cf:6: level: one of none, may and encrypt is wanted, not \"high\"\n");
    // And the values stay what they were.
    EQ(*l.config.limit, 0u);
}
END_TEST

TEST(numbers_hold_at_the_edges_of_their_limits)
{
    for (auto [text, good] : std::initializer_list<std::pair<const char*, bool>>{
             {"limit=100", true}, {"limit=99", false}, {"limit=1000000", true}, {"limit=1000001", false},
             {"timeout=1s", true}, {"timeout=0s", false}, {"timeout=60m", true}, {"timeout=3601", false},
             {"timeout=99999999999999999999w", false}, {"timeout=9223372036854775807w", false},
             {"limit=-1", false}, {"limit=", false}, {"timeout=", false}, {"limit=1e3", false},
             {"banner=0123456789012345678901234567890123456789", true},
             {"banner=01234567890123456789012345678901234567890", false}}) {
        Loaded l("", {text});
        ck_assert_msg(l.problems.any() != good, "%s", text);
    }
}
END_TEST

TEST(transports_have_values_of_their_own)
{
    Loaded l("slow_destination_concurrency_limit = $limit\nlimit = 101\n");
    EQ(l.problems.to_text(), "");
    EQ(l.config.concurrency.of("smtp"), 20u);
    EQ(l.config.concurrency.of("local"), 2u);
    EQ(l.config.concurrency.of("slow"), 101u);
    Loaded other("local_destination_concurrency_limit = 5\ndefault_destination_concurrency_limit = 7\n");
    EQ(other.config.concurrency.of("local"), 5u);
    EQ(other.config.concurrency.of("x"), 7u);
    Loaded bad("x_destination_concurrency_limit = many\n");
    EQ(bad.problems.to_text(),
       "main.cf:1: x_destination_concurrency_limit: a number is wanted, not \"many\"\n");
}
END_TEST

TEST(the_config_directory_is_not_a_setting)
{
    Loaded l("config_directory = /x\n");
    THAT(l.problems.any());
    EQ(*l.common.config_directory, "/etc/test");
}
END_TEST

TEST(a_missing_file_is_one_problem)
{
    conf::Problems problems;
    auto settings = conf::MainCf::load("/nonexistent", problems);
    THAT(problems.any());
    EQ(problems.all().size(), 1u);
    EQ(problems.all()[0].file, "/nonexistent/main.cf");
}
END_TEST

TEST(settings_of_users_own_names_serve_others)
{
    Loaded l("site = example.net\nbanner = $site ESMTP\n");
    EQ(l.problems.to_text(), "");
    EQ(*l.config.banner, "example.net ESMTP");
}
END_TEST

TEST(raw_text_keeps_its_names_for_later)
{
    Loaded l("");
    EQ(l.problems.to_text(), "");
    EQ(*l.config.raw, "$home/.x${extension}");
    EQ(*Loaded("raw = cat > \"$HOME\" ${\n").config.raw, "cat > \"$HOME\" ${");
}
END_TEST

TEST(the_last_of_two_settings_counts_with_a_warning)
{
    Loaded l("limit = 200\nlimit = 300\n");
    THAT(!l.problems.any());
    EQ(*l.config.limit, 300u);
    EQ(l.problems.to_text(), "main.cf:2: warning: limit was set in line 1 already; this one counts\n");
}
END_TEST

TEST(durations_print_as_they_are_read)
{
    for (const char* text : {"0s", "1ms", "90s", "5m", "3h", "6d", "2w"})
        EQ(conf::format_duration(*conf::parse_duration(text, "s")), text);
}
END_TEST

TEST(a_command_loads_the_shared_ones_or_hears_all_that_is_wrong)
{
    test::TempDir directory;
    directory.write("main.cf", "queue_directory = $config_directory/queue\n");
    conf::Common common;
    OK(conf::load_common(common, directory.path()));
    EQ(*common.queue_directory, directory / "queue");
    directory.write("main.cf", "queue_directory = queue\nno sign\n");
    conf::Common other;
    auto loaded = conf::load_common(other, directory.path());
    THAT(!loaded.ok());
    THAT(loaded.error().text.find("main.cf:1: ") != std::string::npos);
    THAT(loaded.error().text.find("main.cf:2: ") != std::string::npos);
    conf::Common absent;
    THAT(!conf::load_common(absent, directory / "absent").ok());
}
END_TEST

}  // namespace

SUITE(parameter, defaults_are_main_cf_text, the_unit_of_a_default_counts_where_none_is_written, overrides_win_over_the_file,
      all_errors_come_at_once_with_their_lines, numbers_hold_at_the_edges_of_their_limits, transports_have_values_of_their_own,
      the_config_directory_is_not_a_setting, a_missing_file_is_one_problem, settings_of_users_own_names_serve_others,
      raw_text_keeps_its_names_for_later, the_last_of_two_settings_counts_with_a_warning, durations_print_as_they_are_read,
      a_command_loads_the_shared_ones_or_hears_all_that_is_wrong)
