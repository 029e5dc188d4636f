// The main.cf(5) parameters of checks that ask others: policy servers and verify(8).
#pragma once

#include "libipc/notices.h"

namespace smtpd {

// What becomes of a recipient while the answer that a restriction needs cannot be had.
enum class TempfailAction : std::uint8_t { DeferIfPermit, Defer };

struct OutsideConfig : ipc::NoticeConfig {
    conf::Duration policy_timeout{this, "smtpd_policy_service_timeout", "100s",
        {.min = std::chrono::milliseconds(10), .max = std::chrono::hours(1)},
        "How long connecting to a server of check_policy_service, a request and its answer may take together."};
    conf::Duration policy_max_idle{this, "smtpd_policy_service_max_idle", "300s", {.min = std::chrono::seconds(1)},
        "A connection to a policy server that was not used for so long is not used again."};
    conf::Duration policy_max_ttl{this, "smtpd_policy_service_max_ttl", "1000s", {.min = std::chrono::seconds(1)},
        "Nor is one that is so old."};
    conf::Count policy_request_limit{this, "smtpd_policy_service_request_limit", "0", {.max = 1'000'000'000},
        "How many requests one connection to a policy server is used for; 0: no limit."};
    conf::Count policy_try_limit{this, "smtpd_policy_service_try_limit", "2", {.min = 1, .max = 100},
        "How often a policy server is asked before smtpd_policy_service_default_action holds."};
    conf::Duration policy_retry_delay{this, "smtpd_policy_service_retry_delay", "1s", {.max = std::chrono::minutes(10)},
        "How long to wait before a policy server is asked again."};
    conf::Text policy_default_action{this, "smtpd_policy_service_default_action", "451 4.3.5 Server configuration problem",
        {.min = 1, .max = 1000},
        "What is done when a policy server cannot be reached, or does not answer as the protocol says: what an access "
        "table could hold."};
    conf::Text policy_context{this, "smtpd_policy_service_policy_context", "", {.max = 200},
        "What policy servers get as policy_context, so that one server can tell services apart."};

    // --- permit_mx_backup ----------------------------------------------------------------------------
    conf::Words permit_mx_backup_networks{this, "permit_mx_backup_networks", "",
        "The hosts that permit_mx_backup takes for primary MX hosts: addresses, network/mask, names, .domains, /file/names "
        "and type:tables, with ! before those to leave out.  All addresses of all primary MX hosts must be here.  Empty: "
        "whoever owns a domain can have its mail relayed by naming this system as its backup."};

    // --- verify(8) -----------------------------------------------------------------------------------
    conf::Text verify_service{this, "address_verify_service_name", "verify", {.min = 1, .max = 100},
        "The service that reject_unverified_sender and reject_unverified_recipient ask, in master.cf(5)."};
    conf::Count verify_poll_count{this, "address_verify_poll_count", "${stress?{1}:{3}}", {.min = 1, .max = 1000},
        "How often the result of a probe is looked for, address_verify_poll_delay after each other, before the answer is "
        "450; the client finds it when it comes again.  With 1 a session does not wait."};
    conf::Duration verify_poll_delay{this, "address_verify_poll_delay", "3s", {.max = std::chrono::minutes(10)},
        "See address_verify_poll_count.  A result that comes earlier is answered at once."};
    conf::Choice<TempfailAction> reject_tempfail_action{this, "reject_tempfail_action", "defer_if_permit",
        {{"defer_if_permit", TempfailAction::DeferIfPermit}, {"defer", TempfailAction::Defer}},
        "What a restriction does that must ask others and has no answer now: defer refuses with 450 at once, defer_if_permit "
        "only if no later restriction refuses for good."};
    conf::Choice<TempfailAction> unverified_sender_tempfail{this, "unverified_sender_tempfail_action",
        "$reject_tempfail_action",
        {{"defer_if_permit", TempfailAction::DeferIfPermit}, {"defer", TempfailAction::Defer}},
        "What reject_unverified_sender does with an address of which it is not known whether it is deliverable: "
        "answer 4xx unless a later restriction refuses for good, or answer it at once."};
    conf::Choice<TempfailAction> unverified_recipient_tempfail{this, "unverified_recipient_tempfail_action",
        "$reject_tempfail_action",
        {{"defer_if_permit", TempfailAction::DeferIfPermit}, {"defer", TempfailAction::Defer}},
        "The same for reject_unverified_recipient."};
    conf::Count unverified_sender_reject_code{this, "unverified_sender_reject_code", "450", {.min = 400, .max = 599},
        "The reply code of reject_unverified_sender for an address that is not deliverable."};
    conf::Count unverified_recipient_reject_code{this, "unverified_recipient_reject_code", "450", {.min = 400, .max = 599},
        "The same for reject_unverified_recipient."};
    conf::Count unverified_sender_defer_code{this, "unverified_sender_defer_code", "450", {.min = 400, .max = 499},
        "The reply code of reject_unverified_sender while it is not known whether the address is deliverable."};
    conf::Count unverified_recipient_defer_code{this, "unverified_recipient_defer_code", "450", {.min = 400, .max = 499},
        "The same for reject_unverified_recipient."};
    conf::Text unverified_sender_reject_reason{this, "unverified_sender_reject_reason", "", {.max = 250},
        "What reject_unverified_sender says instead of what a probe has found."};
    conf::Text unverified_recipient_reject_reason{this, "unverified_recipient_reject_reason", "", {.max = 250},
        "The same for reject_unverified_recipient."};
};

}  // namespace smtpd
