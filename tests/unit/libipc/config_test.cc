// libipc/config.h
#include "libipc/config.h"

#include "libconf/common.h"
#include "libconf/main_cf.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

// What main.cf with this line complains about.
std::string problems_with(std::string_view value, server::Config& config)
{
    conf::Problems problems;
    conf::Common common;
    auto settings = conf::MainCf::parse(util::concat("daemon_data_limit = ", value, "\n"), "main.cf", "/etc/test", problems);
    settings.fill({&common, &config}, problems);
    return problems.to_text();
}

TEST(a_daemon_has_from_64_megabytes_to_a_terabyte)
{
    server::Config config;
    EQ(problems_with("67108864", config), "");
    EQ(*config.data_limit, 67'108'864u);
    EQ(problems_with("1099511627776", config), "");
    EQ(*config.data_limit, 1'099'511'627'776u);
    for (std::string_view bad : {"67108863", "1099511627777", "0", "-1", ""})
        ck_assert_msg(problems_with(bad, config).find("daemon_data_limit") != std::string::npos, "%s",
                      std::string(bad).c_str());
}
END_TEST

SUITE(config, a_daemon_has_from_64_megabytes_to_a_terabyte)

}  // namespace
