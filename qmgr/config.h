// The main.cf(5) parameters of qmgr(8).
#pragma once

#include "libipc/notices.h"

namespace qmgr {

using namespace std::chrono_literals;

struct Config : ipc::QueueTimes {
    conf::Duration commit_race_time{this, "commit_race_time", "500ms", {.min = 0s, .max = 60s},
        "How long at most a message may be delivered before it must have its name in the queue.  The "
        "real bound follows how long recent deliveries took.  0 names every message."};
    conf::Duration queue_run_delay{this, "queue_run_delay", "300s", {.min = 1s, .max = 24h},
        "The time between two looks through the deferred queue."};
    conf::Duration minimal_backoff_time{this, "minimal_backoff_time", "300s", {.min = 1s, .max = 24h},
        "The least time between two attempts of a deferred message, and how long a dead destination rests."};
    conf::Duration maximal_backoff_time{this, "maximal_backoff_time", "4000s", {.min = 1s, .max = 240h},
        "The greatest time between two attempts of a deferred message."};
    conf::Duration transport_retry_time{this, "transport_retry_time", "60s", {.min = 1s, .max = 24h},
        "How long a delivery service that could not be reached is left alone."};
    conf::Count message_active_limit{this, "qmgr_message_active_limit", "20000", {.min = 1, .max = 1'000'000},
        "How many messages are in the active queue at most; others wait in their files.  Deferred mail leaves a fifth of "
        "it to new mail.  Each may have two files open: "
        "there are fewer where the system does not let qmgr(8) open so many."};
    conf::Count message_recipient_limit{this, "qmgr_message_recipient_limit", "20000", {.min = 1, .max = 10'000'000},
        "While so many recipients in the active queue wait for their turn no further message is taken in; a deferred one "
        "not while there are four fifths of them.  Those that have had their turn do not count, unless there are ten "
        "times as many: they take memory until the rest of their message has had it, too."};
    conf::Words defer_transports{this, "defer_transports", "",
        "Transports whose mail waits until it is asked for with ternqueue -f."};
    conf::Words authorized_mailq_users{this, "authorized_mailq_users", "static:anyone",
        "Who may list the queue: static:anyone, or names of users; root and $mail_owner always may."};
    conf::Words authorized_flush_users{this, "authorized_flush_users", "root, $mail_owner",
        "Who may ask for deferred mail to be tried at once: static:anyone, or names of users; root and "
        "$mail_owner always may."};

    using Count = conf::PerTransport<conf::Count>;
    Count initial_concurrency{this, "initial_destination_concurrency", "5", {},
        "How many deliveries go to one destination at a time, before anything is known of it."};
    Count concurrency_limit{this, "default_destination_concurrency_limit", "20", {{"local", "2"}},
        "How many deliveries go to one destination at a time at most; those that are stored and only "
        "wait for the disk do not count.  0 sets no limit."};
    Count recipient_limit{this, "default_destination_recipient_limit", "50", {{"local", "1"}, {"virtual", "1"}},
        "How many recipients one delivery has at most.  1 makes a destination of every recipient; 0, and what is "
        "over it, means 100, as many as an order to an agent has room for."};
    conf::PerTransport<conf::Duration> rate_delay{this, "default_destination_rate_delay", "0s", {},
        "The time from the end of a delivery to a destination to the start of the next; such a destination gets one "
        "delivery at a time."};
    conf::PerTransport<conf::Duration> transport_rate_delay{this, "default_transport_rate_delay", "0s", {},
        "The time between the starts of two deliveries by one transport, whatever their destinations."};
    conf::PerTransport<conf::Text> positive_feedback{this, "default_destination_concurrency_positive_feedback", "1", {},
        "How far one success opens a destination's window of N deliveries: a number, number/concurrency "
        "or number/sqrt_concurrency."};
    conf::PerTransport<conf::Text> negative_feedback{this, "default_destination_concurrency_negative_feedback", "1", {},
        "How far one failure narrows it."};
    Count failed_cohort_limit{this, "default_destination_concurrency_failed_cohort_limit", "1", {},
        "After so many windows full of failures in a row a destination is dead for minimal_backoff_time; 0: never."};
    Count slot_cost{this, "default_delivery_slot_cost", "5", {},
        "After how many deliveries a long message lets a short one pass; 0 or 1: never."};
    Count slot_loan{this, "default_delivery_slot_loan", "3", {},
        "How many such places a message gives before it has earned them."};
    Count slot_discount{this, "default_delivery_slot_discount", "50", {},
        "How much of its size, in percent, a short message need not find in such places."};
    Count minimum_slots{this, "default_minimum_delivery_slots", "3", {},
        "A message that cannot earn as many places is never passed."};
};

}  // namespace qmgr
