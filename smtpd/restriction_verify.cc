// reject_unverified_sender, reject_unverified_recipient.
#include "smtpd/restrictions.h"

#include "libutil/log.h"

namespace smtpd {

namespace log = util::log;

Restrictions::Outcome Restrictions::check_verified(const mail::Address& address, Subject subject, Evaluation& evaluation)
{
    bool sender = subject == Subject::Sender;
    auto tempfail = sender ? *config_.unverified_sender_tempfail : *config_.unverified_recipient_tempfail;
    auto not_known = [&](mail::Reply reply) {
        return tempfail == TempfailAction::Defer ? refuse(std::move(reply), evaluation)
                                               : defer_if_permitted(std::move(reply), evaluation);
    };
    std::string base = util::concat('<', mail::to_text(address), sender ? ">: Sender" : ">: Recipient", " address rejected: ");
    const char* dsn = sender ? "4.1.7" : "4.1.1";
    int defer_code = int(sender ? *config_.unverified_sender_defer_code : *config_.unverified_recipient_defer_code);
    if (!outside_.verifier)
        return not_known({defer_code, dsn, base + "address verification problem"});
    // The first look is at once.
    util::Duration patience = *config_.verify_poll_delay * std::int64_t(*config_.verify_poll_count - 1);
    auto answer = outside_.verifier->ask(mail::to_text(address), patience);
    if (!answer.ok()) {
        log::warning("verify: ", answer.error().text);
        return not_known({defer_code, dsn, base + "address verification problem"});
    }
    const std::string& other = sender ? *config_.unverified_sender_reject_reason : *config_.unverified_recipient_reject_reason;
    std::string reason = other.empty() ? util::printable(answer->text, 250) : other;
    switch (answer->result) {
    case ipc::Verification::Deliverable:
        return Outcome::Next;
    case ipc::Verification::Unknown:
    case ipc::Verification::Deferred:
        return not_known({defer_code, dsn, util::concat(base, "unverified address: ", reason)});
    case ipc::Verification::Undeliverable:
        break;
    }
    int code = int(sender ? *config_.unverified_sender_reject_code : *config_.unverified_recipient_reject_code);
    // Who answers 4xx to it trusts probes less: as in Postfix it then is one address more that is not verified.
    if (code < 500)
        return not_known({code, dsn, util::concat(base, "unverified address: ", reason)});
    return refuse({code, dsn, util::concat(base, "undeliverable address: ", reason)}, evaluation);
}

}  // namespace smtpd
