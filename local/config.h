// The main.cf(5) parameters of local(8).
#pragma once

#include "libconf/parameter.h"

namespace local {

struct Config : conf::Section {
    conf::Count job_limit{this, "local_job_limit", "200", {.min = 1, .max = 10'000},
        "How many jobs local(8) takes from qmgr(8) at a time.  Each holds its message in memory, up "
        "to 64 KB of it as such and the rest as a file in memory."};
    conf::Count connection_limit{this, "local_mailbox_connection_limit", "100", {.min = 1, .max = 100'000},
        "How many connections to users' mailboxes are kept.  There may be more for a while when more "
        "users get mail at once."};
    conf::Duration delivery_timeout{this, "local_delivery_timeout", "300s",
        {.min = std::chrono::milliseconds(100), .max = std::chrono::hours(24)},
        "How long a mailbox may owe an answer before its deliveries are deferred."};
    conf::Flag over_quota_defer{this, "local_over_quota_defer", "no",
        "Whether mail for a user who is over quota waits in the queue (4.2.2) instead of going back "
        "to its sender (5.2.2)."};
    conf::TableNames delivery_status_filter{this, "local_delivery_status_filter", "$default_delivery_status_filter",
        "Tables that change the outcome of a delivery, by its status and text, such as \"5.1.1 text\", into another "
        "such: a failure for now may become one for good, or the other way round, and its text may change; a success "
        "stays one."};
    conf::TableNames virtual_status_filter{this, "virtual_delivery_status_filter", "$default_delivery_status_filter",
        "The same for addresses in $virtual_mailbox_domains."};
    conf::TableNames default_status_filter{this, "default_delivery_status_filter", "",
        "The tables of the services that have none of their own."};
    conf::Flag enable_original_recipient{this, "enable_original_recipient", "yes",
        "Whether a delivered message says in X-Original-To for which address it was sent, where "
        "that is another than the one it was delivered to."};

    // --- other ways than mailboxes ---------------------------------------------------------------------
    conf::TableNames mailbox_transport_maps{this, "mailbox_transport_maps", "",
        "Tables of transports by user: they deliver instead of this system's own mailboxes, of accounts too, in "
        "$mydestination.  Aliases and .forward come before."};
    conf::Text mailbox_transport{this, "mailbox_transport", "",
        "The transport that delivers for all users in $mydestination who are not in $mailbox_transport_maps."};
    conf::TableNames fallback_transport_maps{this, "fallback_transport_maps", "",
        "Tables of transports by user, for names in $mydestination that are no user's."};
    conf::Text fallback_transport{this, "fallback_transport", "",
        "The transport for all other names in $mydestination that are no user's."};
    conf::RawText luser_relay{this, "luser_relay", "",
        "An address that gets mail for names in $mydestination that are nobody's, with $user, $local, $domain, "
        "$extension and $recipient.  It needs local_recipient_maps to be empty, since such names are refused else."};

    // --- aliases(5) ------------------------------------------------------------------------------------
    conf::Flag owner_request_special{this, "owner_request_special", "yes",
        "Whether owner-NAME in alias_maps makes NAME a mailing list, whose messages go out with that sender."};
    conf::Flag expand_owner_alias{this, "expand_owner_alias", "no",
        "Whether that sender is the address that the entry owner-NAME has, if it is one, instead of owner-NAME."};
    conf::Flag reset_owner_alias{this, "reset_owner_alias", "no",
        "Whether an alias without an owner on a list with one has the message's own sender again."};
    conf::Flag frozen_delivered_to{this, "frozen_delivered_to", "yes",
        "Whether Delivered-To: has the recipient with whom a delivery began, and not the alias or the .forward's user "
        "who was met last on the way."};
    conf::Count expansion_limit{this, "local_expansion_limit", "1000", {.min = 1, .max = 100'000},
        "How many entries of lists one recipient may lead to; more defer it (4.6.0)."};
    conf::Count forward_connection_limit{this, "local_forward_connection_limit", "10", {.min = 1, .max = 1000},
        "How many messages are handed to cleanup(8) at a time; more wait."};
    conf::Duration errand_timeout{this, "local_errand_timeout", "3600s",
        {.min = std::chrono::milliseconds(100), .max = std::chrono::hours(24)},
        "How long errands(8) may owe an answer before the delivery is deferred; more than $command_time_limit."};
};

}  // namespace local
