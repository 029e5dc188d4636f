#include "sts/policy_store.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>

namespace {

std::string make_directory()
{
    char path[] = "/tmp/tern-sts-XXXXXX";
    CHECK(::mkdtemp(path));
    return path;
}

sts::Entry entry_of(std::string domain)
{
    sts::Entry entry;
    entry.domain = std::move(domain);
    entry.id = "a1";
    entry.fetched = 1'700'000'000;
    entry.policy = trust::StsPolicy{.mode = trust::StsMode::Enforce, .max_age = 86400, .mx = {"*.example.com"}};
    return entry;
}

TEST(keeps_what_it_is_given)
{
    sts::PolicyStore store(make_directory(), 10);
    auto entry = entry_of("example.com");
    THAT(!*store.load("example.com"));
    OK(store.save(entry));
    THAT(**store.load("example.com") == entry);
    entry.failed = 1'700'000'100;
    entry.failed_id = "b2";
    entry.failure = trust::StsFailure::Webpki;
    OK(store.save(entry));
    THAT(**store.load("example.com") == entry);
    entry.policy.reset();
    entry.id.clear();
    entry.fetched = 0;
    OK(store.save(entry));
    THAT(**store.load("example.com") == entry);
    EQ(store.domains()->size(), 1);
    OK(store.remove("example.com"));
    OK(store.remove("example.com"));
    THAT(!*store.load("example.com"));
}
END_TEST

TEST(holds_as_long_as_the_policy_says)
{
    auto entry = entry_of("example.com");
    THAT(entry.holds(entry.fetched + 86399));
    THAT(!entry.holds(entry.fetched + 86400));
    entry.policy.reset();
    THAT(!entry.holds(entry.fetched));
}
END_TEST

// Hours since a domain was used.
void let_pass(const std::string& directory, const std::string& domain, int hours)
{
    auto file = util::sys::open(util::concat(directory, '/', domain, ".policy"), O_RDONLY);
    OK(file);
    OK(util::sys::set_times(file->get(), (util::wall_now() - std::chrono::hours(hours)).time_since_epoch().count()));
}

std::string kept(const sts::PolicyStore& store)
{
    auto domains = *store.domains();
    std::ranges::sort(domains);
    std::string text;
    for (const std::string& domain : domains)
        util::append(text, text.empty() ? "" : " ", domain);
    return text;
}

TEST(in_a_full_directory_the_domain_gives_way_that_was_used_longest_ago)
{
    util::log::to_nowhere();
    std::string directory = make_directory();
    sts::PolicyStore store(directory, 3);
    for (const char* domain : {"a.example", "b.example", "c.example"})
        OK(store.save(entry_of(domain)));
    EQ(kept(store), "a.example b.example c.example");
    let_pass(directory, "a.example", 5);
    let_pass(directory, "b.example", 9);
    let_pass(directory, "c.example", 7);
    // Fetched again is not used.
    OK(store.save(entry_of("b.example")));
    OK(store.save(entry_of("d.example")));
    EQ(kept(store), "a.example c.example d.example");
    OK(store.use("c.example"));
    OK(store.save(entry_of("e.example")));
    EQ(kept(store), "c.example d.example e.example");
    OK(store.use("nowhere.example"));
    EQ(kept(store), "c.example d.example e.example");
    // A limit that has become lower.
    let_pass(directory, "d.example", 2);
    sts::PolicyStore smaller(directory, 2);
    OK(smaller.save(entry_of("c.example")));
    EQ(kept(store), "c.example d.example e.example");
    let_pass(directory, "e.example", 3);
    OK(smaller.save(entry_of("f.example")));
    EQ(kept(store), "c.example f.example");
}
END_TEST

TEST(a_use_is_noted_once_an_hour)
{
    std::string directory = make_directory();
    sts::PolicyStore store(directory, 3);
    OK(store.save(entry_of("a.example")));
    auto age = [&] {
        return util::unix_seconds(util::wall_now()) - util::sys::stat(directory + "/a.example.policy")->st_mtim.tv_sec;
    };
    OK(store.use("a.example"));
    THAT(age() < 600);
    auto file = util::sys::open(directory + "/a.example.policy", O_RDONLY);
    OK(util::sys::set_times(file->get(), (util::wall_now() - std::chrono::minutes(58)).time_since_epoch().count()));
    OK(store.use("a.example"));
    THAT(age() >= 58 * 60);
    let_pass(directory, "a.example", 2);
    OK(store.use("a.example"));
    THAT(age() < 600);
    // Nor is one that lies in the future for ever the last.
    let_pass(directory, "a.example", -48);
    OK(store.use("a.example"));
    THAT(age() > -600 && age() < 600);
}
END_TEST

TEST(broken_files_are_removed)
{
    util::log::to_nowhere();
    std::string directory = make_directory();
    sts::PolicyStore store(directory, 10);
    std::string good = sts::to_text(entry_of("example.com"));
    for (const std::string& text :
         {std::string(), std::string("tern-sts 2\n\n"), good.substr(0, 20), sts::to_text(entry_of("example.org")),
          good + std::string(sts::max_entry, 'x'), std::string("tern-sts 1\ndomain example.com\nfetched x\n\n"),
          std::string("tern-sts 1\ndomain example.com\nfailed 1 a why\n\n"),
          std::string("tern-sts 1\ndomain example.com\n\nversion: STSv1\nmode: none\nmax_age: 1\n")}) {
        OK(util::sys::replace_file(directory + "/example.com.policy", text));
        auto loaded = store.load("example.com");
        OK(loaded);
        THAT(!*loaded);
        THAT(!util::sys::stat(directory + "/example.com.policy").ok());
    }
    // What a later release adds is passed over.
    auto later = sts::parse_entry("tern-sts 1\ndomain example.com\nnew x\n\n");
    OK(later);
}
END_TEST

TEST(knows_who_can_have_a_policy)
{
    for (std::string_view domain : {"example.com", "a.b", "xn--mller-kva.example", "_x.example"})
        THAT(trust::may_have_sts(domain));
    for (std::string_view domain :
         {"", "com", "example.com.", ".com", "a..b", "a/b.example", "../x.y", "192.0.2.1", "[192.0.2.1]", "a b.c", "-a.b"})
        THAT(!trust::may_have_sts(domain));
    std::string longest =
        std::string(60, 'a') + "." + std::string(60, 'a') + "." + std::string(60, 'a') + "." + std::string(47, 'a');
    EQ(longest.size(), trust::max_sts_domain);
    THAT(trust::may_have_sts(longest));
    THAT(!trust::may_have_sts("a" + longest));
}
END_TEST

}  // namespace

SUITE(policy_store, keeps_what_it_is_given, holds_as_long_as_the_policy_says,
      in_a_full_directory_the_domain_gives_way_that_was_used_longest_ago, a_use_is_noted_once_an_hour, broken_files_are_removed,
      knows_who_can_have_a_policy)
