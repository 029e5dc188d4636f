#include "tests/unit/suite.h"
#include "verify/cache.h"

namespace {

using ipc::Verification;
using verify::Cache;
using verify::Entry;

constexpr verify::Times times{.positive_expire = 1000, .positive_refresh = 500, .negative_expire = 100, .negative_refresh = 50,
                              .negative_cache = true, .limit = 3};
constexpr std::int64_t start = 1'000'000;

std::string shown(const Cache::Look& look)
{
    constexpr const char* names[] = {"unknown", "good", "deferred", "bad"};
    return std::string(names[std::size_t(look.answer.result)]) + (look.probe ? " probe" : "");
}

TEST(an_address_is_probed_once_and_then_known_until_it_expires)
{
    Cache cache(times);
    EQ(shown(cache.look("a@b", start)), "unknown probe");
    EQ(cache.look("a@b", start).answer.text, "Address verification in progress");
    THAT(cache.learn("a@b", Verification::Deliverable, "2.0.0 it does", start));
    EQ(shown(cache.look("a@b", start + 500)), "good");
    EQ(cache.look("a@b", start).answer.text, "2.0.0 it does");
    EQ(shown(cache.look("a@b", start + 501)), "good probe");
    EQ(shown(cache.look("a@b", start + 1000)), "good probe");
    EQ(shown(cache.look("a@b", start + 1001)), "unknown probe");
    THAT(cache.size() == 0);
}
END_TEST

TEST(bad_results_have_shorter_times)
{
    for (Verification result : {Verification::Undeliverable, Verification::Deferred}) {
        Cache cache(times);
        THAT(cache.learn("a@b", result, "no", start));
        EQ(shown(cache.look("a@b", start + 50)), result == Verification::Deferred ? "deferred" : "bad");
        THAT(cache.look("a@b", start + 51).probe);
        EQ(shown(cache.look("a@b", start + 101)), "unknown probe");
    }
}
END_TEST

TEST(a_probe_that_is_out_is_not_sent_again_before_its_lifetime)
{
    verify::Times long_times = times;
    long_times.positive_expire = 100'000;
    Cache cache(long_times);
    cache.learn("a@b", Verification::Deliverable, "yes", start);
    THAT(cache.look("a@b", start + 600).probe);
    cache.probing("a@b", start + 600);
    EQ(shown(cache.look("a@b", start + 600 + verify::probe_lifetime)), "good");
    EQ(shown(cache.look("a@b", start + 601 + verify::probe_lifetime)), "good probe");
}
END_TEST

TEST(a_failed_probe_does_not_replace_a_good_result)
{
    Cache cache(times);
    cache.learn("a@b", Verification::Deliverable, "yes", start);
    THAT(!cache.learn("a@b", Verification::Undeliverable, "no", start + 600));
    EQ(shown(cache.look("a@b", start + 600)), "good probe");
    // Its time is over.
    THAT(cache.learn("a@b", Verification::Undeliverable, "no", start + 1001));
    EQ(shown(cache.look("a@b", start + 1001)), "bad");
    THAT(cache.learn("a@b", Verification::Deferred, "perhaps", start + 1002));
    THAT(cache.learn("a@b", Verification::Deliverable, "yes", start + 1003));
    EQ(shown(cache.look("a@b", start + 1003)), "good");
}
END_TEST

TEST(without_a_negative_cache_only_good_results_are_kept)
{
    verify::Times positive = times;
    positive.negative_cache = false;
    Cache cache(positive);
    THAT(!cache.learn("a@b", Verification::Undeliverable, "no", start));
    EQ(shown(cache.look("a@b", start)), "unknown probe");
    THAT(cache.learn("a@b", Verification::Deliverable, "yes", start));
    EQ(shown(cache.look("a@b", start)), "good");
    // Such as an older configuration has left.
    cache.add("c@d", {Verification::Undeliverable, start, 0, "no"});
    THAT(cache.learn("c@d", Verification::Deferred, "no", start));
    EQ(cache.size(), 1);
}
END_TEST

TEST(the_address_that_was_not_asked_for_the_longest_is_forgotten_first)
{
    Cache cache(times);
    for (const char* address : {"a@x", "b@x", "c@x"})
        cache.learn(address, Verification::Deliverable, "yes", start);
    EQ(cache.size(), 3);
    cache.look("a@x", start);
    cache.learn("d@x", Verification::Deliverable, "yes", start);
    EQ(cache.size(), 3);
    EQ(shown(cache.look("b@x", start)), "unknown probe");
    EQ(shown(cache.look("a@x", start)), "good");
    verify::Times one = times;
    one.limit = 1;
    cache.change(one);
    EQ(shown(cache.look("a@x", start)), "good");
    EQ(cache.size(), 1);
}
END_TEST

TEST(what_has_expired_goes)
{
    Cache cache(times);
    cache.learn("good@x", Verification::Deliverable, "yes", start);
    cache.learn("bad@x", Verification::Undeliverable, "no", start);
    EQ(cache.expire(start + 100), 0);
    EQ(cache.expire(start + 101), 1);
    EQ(cache.size(), 1);
    EQ(cache.expire(start + 1001), 1);
}
END_TEST

TEST(entries_come_back_as_they_were_written)
{
    for (const Entry& entry :
         {Entry{Verification::Deliverable, 5, 0, "delivers: to mailbox"}, Entry{Verification::Deferred, INT64_MAX, 7, ""},
          Entry{Verification::Undeliverable, 0, 0, ":"}}) {
        auto back = verify::parse_entry(verify::to_text(entry));
        THAT(back.has_value());
        THAT(back->result == entry.result && back->updated == entry.updated && back->probed == entry.probed);
        EQ(back->text, entry.text);
    }
    EQ(verify::to_text({Verification::Undeliverable, 17, 3, "no"}), "2:3:17:no");
    for (const char* bad : {"", "0", "0:1", "3:1:1:x", "0:x:1:x", "0:1:-1:x", "0:1:99999999999999999999:x", "0:1:1:a\nb"})
        THAT(!verify::parse_entry(bad));
    THAT(verify::parse_entry("0:1:1:" + std::string(ipc::max_verification_text, 'x')).has_value());
    THAT(!verify::parse_entry("0:1:1:" + std::string(ipc::max_verification_text + 1, 'x')));
}
END_TEST

TEST(texts_from_outside_are_cut_and_cleaned)
{
    Cache cache(times);
    cache.learn("a@b", Verification::Undeliverable, "one\ntwo\r" + std::string(2 * ipc::max_verification_text, 'x'), start);
    std::string text = cache.look("a@b", start).answer.text;
    THAT(text.starts_with("one?two?") && text.size() == ipc::max_verification_text);
}
END_TEST

}  // namespace

SUITE(verify_cache, an_address_is_probed_once_and_then_known_until_it_expires, bad_results_have_shorter_times,
      a_probe_that_is_out_is_not_sent_again_before_its_lifetime, a_failed_probe_does_not_replace_a_good_result,
      without_a_negative_cache_only_good_results_are_kept, the_address_that_was_not_asked_for_the_longest_is_forgotten_first,
      what_has_expired_goes, entries_come_back_as_they_were_written, texts_from_outside_are_cut_and_cleaned)
