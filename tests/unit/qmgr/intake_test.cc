// qmgr/intake.h
#include "qmgr/intake.h"

#include "tests/unit/suite.h"

using namespace qmgr;
using queue::Place;

namespace {

TEST(deferred_mail_leaves_a_fifth_to_new_mail)
{
    Intake intake({.messages = 10, .recipients = 100});
    for (int i = 0; i < 8; ++i) {
        THAT(intake.has_room(Place::Deferred));
        intake.entered(1, 1);
    }
    THAT(!intake.has_room(Place::Deferred));
    intake.entered(1, 1);
    THAT(intake.has_room());
    intake.entered(1, 1);
    THAT(!intake.has_room());
    // The same of recipients; the last message may have more than there is room for.
    for (int i = 0; i < 10; ++i)
        intake.left(1, 1);
    intake.entered(79, 79);
    THAT(intake.has_room(Place::Deferred));
    intake.entered(20, 20);
    THAT(!intake.has_room(Place::Deferred) && intake.has_room());
    intake.entered(500, 500);
    THAT(!intake.has_room());
    EQ(intake.messages(), 3u);
    EQ(intake.recipients(), 599u);
}
END_TEST

TEST(recipients_who_have_had_their_turn_make_room)
{
    Intake intake({.messages = 10, .recipients = 100});
    intake.entered(100, 90);
    THAT(!intake.has_room(Place::Deferred) && intake.has_room());
    intake.done(11);
    THAT(intake.has_room(Place::Deferred));
    EQ(intake.open_recipients(), 79u);
    // But not without end: they take memory.
    intake.entered(899, 1);
    THAT(intake.has_room());
    intake.entered(1, 0);
    THAT(!intake.has_room());
    intake.left(1, 0);
    intake.left(899, 1);
    intake.left(100, 79);
    EQ(intake.recipients(), 0u);
    EQ(intake.open_recipients(), 0u);
}
END_TEST

TEST(even_the_smallest_active_queue_takes_deferred_mail)
{
    Intake intake({.messages = 1, .recipients = 1});
    THAT(intake.has_room(Place::Deferred));
    intake.entered(1, 1);
    THAT(!intake.has_room(Place::Deferred) && !intake.has_room());
}
END_TEST

TEST(a_look_stops_without_room_and_goes_on)
{
    Intake intake({.messages = 5, .recipients = 100});
    THAT(intake.begin(Place::Deferred, false));
    intake.listed(Place::Deferred, {"a", "b"});
    THAT(intake.can_go_on());
    EQ(*intake.next(Place::Deferred), "a");
    for (int i = 0; i < 4; ++i)
        intake.entered(1, 1);
    // New mail has room, which is no use to the look.
    THAT(intake.has_room() && !intake.can_go_on() && !intake.next(Place::Deferred));
    THAT(intake.running(Place::Deferred));
    intake.left(1, 1);
    EQ(*intake.next(Place::Deferred), "b");
    intake.put_back(Place::Deferred);
    EQ(*intake.next(Place::Deferred), "b");
    THAT(!intake.running(Place::Deferred) && !intake.ended(Place::Deferred));
}
END_TEST

TEST(a_look_that_is_asked_for_during_one_follows_it)
{
    Intake intake({.messages = 5, .recipients = 100});
    THAT(intake.begin(Place::Incoming, false));
    intake.listed(Place::Incoming, {"a"});
    THAT(!intake.begin(Place::Incoming, true));
    THAT(intake.all(Place::Incoming));   // the rest of this one, too
    THAT(intake.begin(Place::Deferred, false));
    THAT(!intake.all(Place::Deferred));
    EQ(*intake.next(Place::Incoming), "a");
    THAT(intake.ended(Place::Incoming));
    THAT(!intake.ended(Place::Incoming));
}
END_TEST

TEST(mail_is_tried_again_within_bounds_and_not_for_ever)
{
    RetryRules rules{{300, 4000}, 10'000, 5'000};
    EQ(rules.next_attempt(0, 10), 310);
    EQ(rules.next_attempt(0, 1000), 2000);
    EQ(rules.next_attempt(0, 9000), 13'000);
    THAT(!rules.is_over(9'999, false) && rules.is_over(10'000, false));
    THAT(!rules.is_over(4'999, true) && rules.is_over(5'000, true));
}
END_TEST

SUITE(intake, deferred_mail_leaves_a_fifth_to_new_mail, recipients_who_have_had_their_turn_make_room,
      even_the_smallest_active_queue_takes_deferred_mail,
      a_look_stops_without_room_and_goes_on, a_look_that_is_asked_for_during_one_follows_it,
      mail_is_tried_again_within_bounds_and_not_for_ever)

}  // namespace
