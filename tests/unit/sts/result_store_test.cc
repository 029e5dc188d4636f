#include "sts/result_store.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

constexpr std::int64_t noon = 1'764'417'600;  // 2025-11-29 12:00 UTC
constexpr std::int64_t day = 86'400;

std::string directory_of_results()
{
    char path[] = "/tmp/tern-results-XXXXXX";
    CHECK(::mkdtemp(path));
    return std::string(path) + "/results";
}

ipc::TlsResult result_of(std::string domain)
{
    ipc::TlsResult result;
    result.count = 3;
    result.policy_type = "sts";
    result.policy_domain = std::move(domain);
    result.policy_strings = {"version: STSv1", "mode: \"x\""};
    result.result_type = "certificate-expired";
    result.text = "why\n";
    return result;
}

TEST(appends_a_line_for_each_result)
{
    std::string path = directory_of_results();
    sts::ResultStore store(path);
    OK(store.add(result_of("example.com"), noon));
    OK(store.add(result_of("example.com"), noon + 60));
    auto text = util::sys::read_file(path + "/2025-11-29/example.com", 10'000);
    OK(text);
    std::string line =
        "{\"count\":3,\"policy-type\":\"sts\",\"policy-domain\":\"example.com\",\"policy-string\":[\"version: STSv1\",\"mode: \\\"x\\\"\"],"
        "\"mx-host\":[],\"result-type\":\"certificate-expired\",\"additional-information\":\"why\\n\"}\n";
    EQ(*text, line + line);
    EQ(store.add(result_of("../../x"), noon).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(files_and_days_have_limits)
{
    std::string path = directory_of_results();
    sts::ResultStore store(path);
    auto result = result_of("example.com");
    std::size_t size = sts::to_json(result).size();
    OK(store.add(result, noon));
    std::string file = path + "/2025-11-29/example.com";
    OK(util::sys::replace_file(file, std::string(sts::max_result_file - size, 'x')));
    OK(store.add(result, noon));
    EQ(store.add(result, noon).error().kind, util::Kind::Temporary);
    for (std::size_t i = 1; i < sts::max_result_domains; ++i)
        OK(util::sys::open(util::concat(path, "/2025-11-29/", i, ".example"), 0100 | 01));
    EQ(store.add(result_of("new.example"), noon).error().kind, util::Kind::Temporary);
    OK(store.add(result_of("1.example"), noon));
    OK(store.add(result_of("new.example"), noon + day));
}
END_TEST

TEST(forgets_old_days)
{
    std::string path = directory_of_results();
    sts::ResultStore store(path);
    OK(store.forget(noon));
    for (int back = 0; back <= sts::result_days; ++back)
        OK(store.add(result_of("example.com"), noon - back * day));
    OK(store.forget(noon));
    THAT(util::sys::stat(path + "/" + sts::day_of(noon - (sts::result_days - 1) * day)).ok());
    THAT(!util::sys::stat(path + "/" + sts::day_of(noon - sts::result_days * day)).ok());
}
END_TEST

}  // namespace

SUITE(result_store, appends_a_line_for_each_result, files_and_days_have_limits, forgets_old_days)
