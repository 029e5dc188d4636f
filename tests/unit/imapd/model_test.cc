// Sessions do random things to one store, and each response is checked against a simple model of RFC 9051: what is there,
// what each client has been told, what it may be told now.  Seeds are fixed; SEED=N tries one, LONG=1 very many.
#include "tests/unit/imapd/model_world.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

using namespace model;

template <typename Run>
void with_seeds(unsigned count, const Run& run)
{
    const char* given = std::getenv("SEED");
    unsigned first = given ? unsigned(util::parse_unsigned(given, 1'000'000).value_or(1)) : 1;
    if (std::getenv("LONG"))
        count *= 40;
    else if (given)
        count = 1;
    for (unsigned seed = first; seed < first + count; ++seed)
        run(seed);
}

TEST(sessions_tell_the_truth_whatever_they_do)
{
    with_seeds(12, [](unsigned seed) {
        World world(seed, Parking::Never, true);
        world.run(400);
        EQ(world.complaint(), "");
    });
}
END_TEST

// Other users in the owner's mailboxes, whose rights come and go.
TEST(guests_are_told_the_truth_and_may_what_their_rights_say)
{
    with_seeds(12, [](unsigned seed) {
        World world(seed, Parking::Never, seed % 2 == 0, true);
        world.run(500);
        EQ(world.complaint(), "");
    });
}
END_TEST

TEST(a_session_that_was_parked_says_what_it_would_have_said)
{
    with_seeds(6, [](unsigned seed) {
        World one(seed), other(seed, Parking::Often);
        one.run(300);
        other.run(300);
        EQ(other.complaint(), "");
        THAT(other.parked() > 300);
        THAT(one.heard() == other.heard());
    });
}
END_TEST

TEST(sessions_tell_the_truth_when_their_store_was_opened_anew_while_they_were_parked)
{
    with_seeds(6, [](unsigned seed) {
        World world(seed, Parking::WithTheStore);
        world.run(300);
        EQ(world.complaint(), "");
        THAT(world.parked() > 300);
    });
}
END_TEST

SUITE(imap_model, sessions_tell_the_truth_whatever_they_do, guests_are_told_the_truth_and_may_what_their_rights_say,
      a_session_that_was_parked_says_what_it_would_have_said,
      sessions_tell_the_truth_when_their_store_was_opened_anew_while_they_were_parked)

}  // namespace
