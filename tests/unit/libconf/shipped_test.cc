// conf/main.cf and conf/master.cf, as they are installed
#include "libconf/common.h"
#include "libconf/master_cf.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include "tests/unit/suite.h"

namespace {

TEST(shipped_files_have_no_problems)
{
    conf::Problems problems;
    auto settings = conf::MainCf::load("conf", problems);
    conf::Common common;
    settings.fill({&common}, problems);
    auto master = conf::MasterCf::load("conf", problems);
    EQ(problems.to_text(), "");
    EQ(*common.recipient_delimiter, "+");
    for (const char* name : {"pickup", "cleanup", "qmgr", "auth", "anvil", "usher", "local", "smtp", "relay", "lmtp", "bounce"})
        ck_assert_msg(master.find_local(name) != nullptr, "%s", name);
    THAT(!master.find_local("usher")->unprivileged);
    for (const auto& service : master.services())
        THAT(!service.chroot);
}
END_TEST

TEST(what_is_commented_out_is_right_too)
{
    conf::Problems problems;
    auto text = util::sys::read_file("conf/master.cf", 100'000);
    OK(text);
    // "#imaps ..." and "#  -o ..." are entries; "# text" is not.
    std::string uncommented;
    bool entry = false;
    for (std::string_view line : util::split(*text, '\n')) {
        bool starts = line.size() > 1 && line[0] == '#' && util::is_alpha(line[1]);
        entry = starts || (entry && line.starts_with("#  -o"));
        util::append(uncommented, entry ? line.substr(1) : line, '\n');
    }
    auto master = conf::MasterCf::parse(uncommented, "master.cf", problems);
    EQ(problems.to_text(), "");
    THAT(master.find("submissions", conf::ServiceType::Inet) != nullptr);
    EQ(master.find("imaps", conf::ServiceType::Inet)->overrides.size(), 2u);
}
END_TEST

}  // namespace

SUITE(shipped, shipped_files_have_no_problems, what_is_commented_out_is_right_too)
