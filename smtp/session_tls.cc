// Session: STARTTLS, the handshake, and what follows when they fail.
#include "libnet/endpoint.h"
#include "libutil/log.h"
#include "smtp/session.h"

namespace smtp {

Failure Session::policy_failure(const trust::TlsRefusal& refusal) const
{
    return unmet_or_deferred(dialog_.unfit(ipc::Disposition::Deferred, refusal.dsn, refusal.text));
}

// What is not a reason to give up is one for a new connection without TLS, but where it was not offered.
std::optional<Failure> Session::tls_trouble(trust::TlsTrouble trouble, std::string_view text, bool for_now,
                                            const Purpose& purpose)
{
    trouble_ = trouble;
    trouble_text_ = text;
    trust::TlsCircumstances circumstances;
    circumstances.age = purpose.age;
    circumstances.for_now = for_now;
    if (site_.credentials) {
        auto found = site_.credentials->find(purpose.nexthop, dialog_.host(), purpose.sender);
        circumstances.credentials = !found.ok() || found->has_value();
    }
    if (auto refusal = trust::in_clear(decision_, trouble, tls_host(dialog_.host()), text, circumstances))
        return policy_failure(*refusal);
    if (trouble == trust::TlsTrouble::NotOffered)
        return {};
    wants_clear_ = true;
    return policy_failure(
        {"4.7.5", util::concat("TLS with ", dialog_.host().label(), " failed: ", util::printable(text, max_said))});
}

std::optional<Failure> Session::shake_hands(const Purpose& purpose)
{
    auto context = site_.tls->context();
    if (!context.ok()) {
        util::log::warning("TLS to other servers: ", context.error().text);
        return policy_failure({"4.7.5", "client TLS configuration problem"});
    }
    auto timeout = *site_.tls->config().starttls_timeout;
    dialog_.stream().set_timeout(timeout);
    dialog_.stream().set_deadline(dialog_.until(timeout));
    auto facts = dialog_.stream().start_tls_client(**context, decision_.target);
    if (!facts.ok()) {
        dialog_.give_up();
        if (facts.error().code == net::interrupted_code)
            return dialog_.lost(Step::StartTls, facts.error());
        return tls_trouble(trust::TlsTrouble::Handshake, facts.error().text, facts.error().code != 0, purpose);
    }
    tls_ = facts.take();
    if (*site_.tls->config().loglevel > 0)
        util::log::info(util::printable(trust::connection_line(tls_host(dialog_.host()), *tls_)));
    if (*site_.tls->config().loglevel > 1 && tls_->agreed.resumed)
        util::log::info(util::printable(dialog_.host().relay()), ": reusing old session");
    if (auto refusal = trust::judge(decision_, *tls_))
        return policy_failure(*refusal);
    return {};
}

std::optional<Failure> Session::start_tls(const Purpose& purpose)
{
    if (!decision_.encrypts()) {
        if (site_.tls && server_.starttls && *site_.tls->config().note_starttls_offer)
            util::log::info("Host offered STARTTLS: [", dialog_.host().name, "]");
        return {};
    }
    if (tls_)
        return {};  // since before the greeting
    if (!server_.starttls)
        return tls_trouble(trust::TlsTrouble::NotOffered, "", false, purpose);
    auto reply = ask("STARTTLS", *site_.tls->config().starttls_timeout);
    if (!reply.ok() && reply.error().code == net::interrupted_code)
        return dialog_.lost(Step::StartTls, reply.error());
    if (!reply.ok())
        return tls_trouble(trust::TlsTrouble::Handshake, reply.error().text, true, purpose);
    if (reply->code != 220)
        return tls_trouble(trust::TlsTrouble::Refused, said(*reply), !reply->is_permanent(), purpose);
    if (auto failed = shake_hands(purpose))
        return failed;
    // RFC 3207 §4.2: what was said before does not count.
    server_ = {};
    return hello(purpose.destination);
}

// RFC 8689 §4.2.1, step 5.
std::optional<Failure> Session::unmet_wish() const
{
    if (decision_.required() && !tls_)
        return policy_failure(
            {"5.7.10", util::concat("TLS is required, but was not started with host ", dialog_.host().label())});
    if (decision_.wish == trust::TlsWish::Verified && !server_.requiretls)
        return policy_failure(
            {"5.7.30", util::concat("REQUIRETLS support is required, but was not offered by host ", dialog_.host().label())});
    return {};
}

// A session that failed for other reasons says nothing of TLS.
void Session::note_result()
{
    if (!site_.tls || (!trouble_ && !tls_))
        return;
    trust::TlsHost host = tls_host(dialog_.host());
    trust::TlsSession session{.decision = decision_, .host = host};
    session.facts = tls_ ? &*tls_ : nullptr;
    session.trouble = trouble_;
    session.text = trouble_text_;
    if (auto end = net::local_endpoint(dialog_.stream().fd()))
        session.sending_ip = end->address;
    site_.tls->note(session);
}

std::string Session::protection() const
{
    std::string_view why = decision_.encrypts() ? "STARTTLS is not offered" : "";
    return trust::protection(decision_, tls_ ? &*tls_ : nullptr, why);
}

ChannelSafety Session::safety() const
{
    if (!tls_)
        return ChannelSafety::Plain;
    return tls_->status == net::PeerStatus::Verified ? ChannelSafety::Verified : ChannelSafety::Encrypted;
}

}  // namespace smtp
