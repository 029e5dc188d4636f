// check_policy_service: what a server outside says becomes an action of access(5).
#include "smtpd/restrictions.h"

#include "libnet/hosts_file.h"
#include "libutil/log.h"
#include "libutil/sys.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

using Kind = Restriction::Kind;

namespace {

// All lists of the configuration.
std::vector<const RestrictionList*> all_lists(const RestrictionLists& lists)
{
    std::vector<const RestrictionList*> all = {&lists.client, &lists.helo, &lists.sender, &lists.relay,
                                               &lists.recipient, &lists.data, &lists.end_of_data, &lists.etrn};
    for (const auto& named : lists.classes)
        all.push_back(&named.second);
    return all;
}

}  // namespace

// The hosts file first, as everywhere.
util::Result<PolicyHost::Found> Restrictions::look_up_host(const std::string& name)
{
    constexpr util::Duration file_age = std::chrono::minutes(1);
    auto text = util::sys::read_file("/etc/hosts", net::max_hosts_file);
    auto listed = text.ok() ? net::addresses_in_hosts(*text, name) : std::vector<std::string>();
    if (!listed.empty())
        return PolicyHost::Found{std::move(listed), file_age};
    const std::string names[] = {name};
    auto answer = std::move(outside_.names.addresses(names, net::dns::Families::Both)[0]);
    if (!answer.found())
        return util::temporary(std::move(answer.text));
    return PolicyHost::Found{std::move(answer.records), answer.ttl};
}

util::Result<void> Restrictions::open_policy_servers()
{
    for (const RestrictionList* list : all_lists(lists_)) {
        for (const Restriction& restriction : *list) {
            if (restriction.kind != Kind::CheckPolicy || policy_servers_.contains(restriction.argument))
                continue;
            auto spec = TRY(parse_policy_spec(restriction.argument));
            auto server = PolicyServer::open(spec, config_, *common_.queue_directory, outside_.sleep,
                                             [this](const std::string& name) { return look_up_host(name); });
            if (!server.ok())
                return server.take_error().in(util::concat("check_policy_service ", restriction.argument));
            policy_servers_.emplace(restriction.argument, server.take());
        }
    }
    return {};
}

std::string Restrictions::policy_request(const PolicyServer& server, const Evaluation& evaluation) const
{
    const RequestView& view = evaluation.request;
    bool whole = evaluation.subject == Subject::Data || evaluation.subject == Subject::EndOfData;
    PolicyRequest request;
    request.add("request", "smtpd_access_policy");
    request.add("protocol_state", evaluation.subject == Subject::EndOfData ? "END-OF-MESSAGE"
                                  : evaluation.subject == Subject::Data    ? "DATA"
                                                                           : view.where);
    request.add("protocol_name", view.extended ? "ESMTP" : "SMTP");
    request.add("client_address", view.client->address);
    request.add("client_name", view.client->name);
    request.add("client_port", view.client->port);
    request.add("reverse_client_name", view.client->reverse_name);
    request.add("server_address", view.client->server_address);
    request.add("server_port", view.client->server_port);
    request.add("helo_name", view.helo);
    request.add("sender", view.sender ? mail::to_text(*view.sender) : "");
    request.add("recipient", view.recipient ? mail::to_text(*view.recipient) : "");
    request.add("recipient_count", whole ? view.recipient_count : 0);
    request.add("queue_id", view.log_id == "NOQUEUE" ? std::string_view() : view.log_id);
    request.add("instance", view.instance);
    request.add("size", view.size);
    request.add("etrn_domain", view.etrn);
    request.add("stress", *common_.stress);
    request.add("sasl_method", view.sasl_method);
    request.add("sasl_username", view.sasl_username);
    request.add("sasl_sender", view.sasl_sender ? mail::to_text(*view.sasl_sender) : "");
    request.add("ccert_subject", "");
    request.add("ccert_issuer", "");
    request.add("ccert_fingerprint", view.certificate);
    request.add("ccert_pubkey_fingerprint", view.certificate_key);
    request.add("encryption_protocol", view.tls_protocol);
    request.add("encryption_cipher", view.tls_cipher);
    request.add("encryption_keysize", std::uint64_t(view.tls_bits));
    request.add("policy_context", server.settings().policy_context);
    request.add("compatibility_level", *common_.compatibility_level);
    request.add("mail_version", TERN_VERSION);
    return request.take();
}

Restrictions::Outcome Restrictions::check_policy(const Restriction& restriction, Evaluation& evaluation)
{
    auto found = policy_servers_.find(restriction.argument);
    CHECK(found != policy_servers_.end());
    PolicyServer& server = found->second;
    auto answer = server.ask(policy_request(server, evaluation));
    std::string action;
    if (answer.ok()) {
        action = answer.take();
    } else {
        action = server.settings().default_action;
        log::warning("policy server ", server.settings().name, ": smtpd_policy_service_default_action holds: ", action);
    }
    return act(parse_access(action), restriction, evaluation.subject, action, evaluation);
}

}  // namespace smtpd
