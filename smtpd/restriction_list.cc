// The grammar of restriction lists.
#include "smtpd/restriction_list.h"

#include "libconf/words.h"
#include "libutil/text.h"
#include "smtpd/policy_protocol.h"

#include <algorithm>

namespace smtpd {

namespace {

using Kind = Restriction::Kind;

enum class Argument : std::uint8_t { None, Table, Seconds, List, Policy };

using Of = Restriction::Of;
using Servers = Restriction::Servers;

struct Name {
    std::string_view name;
    Kind kind;
    Argument argument = Argument::None;
    Of of = Of::Client;
    Servers servers = Servers::Mx;
};

constexpr Name names[] = {
    {"permit", Kind::Permit},
    {"reject", Kind::Reject},
    {"defer", Kind::Defer},
    {"defer_if_permit", Kind::DeferIfPermit},
    {"defer_if_reject", Kind::DeferIfReject},
    {"warn_if_reject", Kind::WarnIfReject},
    {"sleep", Kind::Sleep, Argument::Seconds},
    {"permit_mynetworks", Kind::PermitMynetworks},
    {"permit_inet_interfaces", Kind::PermitInetInterfaces},
    {"permit_tls_clientcerts", Kind::PermitTlsClientcerts},
    {"permit_tls_all_clientcerts", Kind::PermitTlsAllClientcerts},
    {"permit_sasl_authenticated", Kind::PermitSasl},
    {"permit_auth_destination", Kind::PermitAuthDestination},
    {"permit_mx_backup", Kind::PermitMxBackup},
    {"reject_unauth_destination", Kind::RejectUnauthDestination},
    {"defer_unauth_destination", Kind::DeferUnauthDestination},
    {"reject_unlisted_recipient", Kind::RejectUnlistedRecipient},
    {"check_recipient_maps", Kind::RejectUnlistedRecipient},
    {"reject_unlisted_sender", Kind::RejectUnlistedSender},
    {"reject_non_fqdn_helo_hostname", Kind::RejectNonFqdnHelo},
    {"reject_non_fqdn_hostname", Kind::RejectNonFqdnHelo},
    {"reject_invalid_helo_hostname", Kind::RejectInvalidHelo},
    {"reject_invalid_hostname", Kind::RejectInvalidHelo},
    {"reject_non_fqdn_sender", Kind::RejectNonFqdnSender},
    {"reject_non_fqdn_recipient", Kind::RejectNonFqdnRecipient},
    {"reject_unauth_pipelining", Kind::RejectUnauthPipelining},
    {"reject_plaintext_session", Kind::RejectPlaintextSession},
    {"reject_multi_recipient_bounce", Kind::RejectMultiRecipientBounce},
    {"reject_sender_login_mismatch", Kind::RejectSenderLoginMismatch},
    {"reject_authenticated_sender_login_mismatch", Kind::RejectAuthenticatedLoginMismatch},
    {"reject_unauthenticated_sender_login_mismatch", Kind::RejectUnauthenticatedLoginMismatch},
    {"reject_known_sender_login_mismatch", Kind::RejectKnownLoginMismatch},
    {"check_client_access", Kind::CheckClient, Argument::Table},
    {"check_helo_access", Kind::CheckHelo, Argument::Table},
    {"check_sender_access", Kind::CheckSender, Argument::Table},
    {"check_recipient_access", Kind::CheckRecipient, Argument::Table},
    {"check_sasl_access", Kind::CheckSasl, Argument::Table},
    {"check_ccert_access", Kind::CheckCcert, Argument::Table},
    {"check_etrn_access", Kind::CheckEtrn, Argument::Table},
    {"reject_unknown_client_hostname", Kind::RejectUnknownClient},
    {"reject_unknown_client", Kind::RejectUnknownClient},
    {"reject_unknown_reverse_client_hostname", Kind::RejectUnknownReverseClient},
    {"reject_unknown_helo_hostname", Kind::RejectUnknownHelo},
    {"reject_unknown_hostname", Kind::RejectUnknownHelo},
    {"reject_unknown_sender_domain", Kind::RejectUnknownSenderDomain},
    {"reject_unknown_address", Kind::RejectUnknownSenderDomain},
    {"reject_unknown_recipient_domain", Kind::RejectUnknownRecipientDomain},
    {"check_reverse_client_hostname_access", Kind::CheckReverseClient, Argument::Table, Of::ReverseClient},
    {"check_client_mx_access", Kind::CheckServers, Argument::Table, Of::Client, Servers::Mx},
    {"check_client_ns_access", Kind::CheckServers, Argument::Table, Of::Client, Servers::Ns},
    {"check_client_a_access", Kind::CheckServers, Argument::Table, Of::Client, Servers::A},
    {"check_reverse_client_hostname_mx_access", Kind::CheckServers, Argument::Table, Of::ReverseClient, Servers::Mx},
    {"check_reverse_client_hostname_ns_access", Kind::CheckServers, Argument::Table, Of::ReverseClient, Servers::Ns},
    {"check_reverse_client_hostname_a_access", Kind::CheckServers, Argument::Table, Of::ReverseClient, Servers::A},
    {"check_helo_mx_access", Kind::CheckServers, Argument::Table, Of::Helo, Servers::Mx},
    {"check_helo_ns_access", Kind::CheckServers, Argument::Table, Of::Helo, Servers::Ns},
    {"check_helo_a_access", Kind::CheckServers, Argument::Table, Of::Helo, Servers::A},
    {"check_sender_mx_access", Kind::CheckServers, Argument::Table, Of::Sender, Servers::Mx},
    {"check_sender_ns_access", Kind::CheckServers, Argument::Table, Of::Sender, Servers::Ns},
    {"check_sender_a_access", Kind::CheckServers, Argument::Table, Of::Sender, Servers::A},
    {"check_recipient_mx_access", Kind::CheckServers, Argument::Table, Of::Recipient, Servers::Mx},
    {"check_recipient_ns_access", Kind::CheckServers, Argument::Table, Of::Recipient, Servers::Ns},
    {"check_recipient_a_access", Kind::CheckServers, Argument::Table, Of::Recipient, Servers::A},
    {"reject_rbl_client", Kind::RejectRblClient, Argument::List},
    {"reject_rbl", Kind::RejectRblClient, Argument::List},
    {"reject_rhsbl_client", Kind::RejectRhsbl, Argument::List, Of::Client},
    {"reject_rhsbl_reverse_client", Kind::RejectRhsbl, Argument::List, Of::ReverseClient},
    {"reject_rhsbl_helo", Kind::RejectRhsbl, Argument::List, Of::Helo},
    {"reject_rhsbl_sender", Kind::RejectRhsbl, Argument::List, Of::Sender},
    {"reject_rhsbl_recipient", Kind::RejectRhsbl, Argument::List, Of::Recipient},
    {"permit_dnswl_client", Kind::PermitDnswlClient, Argument::List},
    {"permit_rhswl_client", Kind::PermitRhswlClient, Argument::List, Of::Client},
    {"reject_unverified_sender", Kind::RejectUnverifiedSender},
    {"reject_unverified_recipient", Kind::RejectUnverifiedRecipient},
    {"check_policy_service", Kind::CheckPolicy, Argument::Policy},
};

const Name* find_name(std::string_view word)
{
    for (const Name& name : names)
        if (util::equal_nocase(name.name, word))
            return &name;
    return nullptr;
}

util::Result<void> read_argument(const Name& name, const std::string& word, bool tables, Restriction& restriction)
{
    if (name.argument == Argument::Seconds) {
        auto seconds = util::parse_unsigned(word, 3600);
        if (!seconds.ok())
            return util::invalid(util::concat("sleep: not a number of seconds up to 3600: ", util::printable(word, 100)));
        restriction.seconds = *seconds;
        return {};
    }
    if (name.argument == Argument::List) {
        auto list = DnsList::parse(word);
        if (!list.ok())
            return list.take_error().in(name.name);
        restriction.list = std::make_shared<DnsList>(list.take());
        return {};
    }
    if (!tables)
        return util::invalid(util::concat(name.name, " cannot stand in a table: put it into one "
                                          "of smtpd_restriction_classes"));
    if (name.argument == Argument::Policy) {
        auto spec = parse_policy_spec(word);
        if (!spec.ok())
            return spec.take_error().in(name.name);
        restriction.argument = word;
        return {};
    }
    auto table = conf::open_table(word);
    if (!table.ok())
        return std::move(table).take_error().in(name.name);
    restriction.table = table.take();
    return {};
}

}  // namespace

util::Result<RestrictionList> parse_restrictions(std::string_view text,
                                                 const std::vector<std::string>& classes, bool tables)
{
    auto words = TRY(conf::parse_words(text));
    if (words.size() > max_restrictions)
        return util::invalid(util::concat("more than ", max_restrictions, " restrictions"));
    RestrictionList list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (std::ranges::find(classes, word) != classes.end()) {
            list.push_back({Kind::Class, word, nullptr, 0});
            continue;
        }
        const Name* name = find_name(word);
        if (!name)
            return util::invalid(util::concat("unknown restriction: ", util::printable(word, 100)));
        Restriction restriction{name->kind, std::string(name->name), nullptr, 0, name->of, name->servers};
        if (name->argument != Argument::None) {
            if (++i == words.size())
                return util::invalid(util::concat(name->name, " lacks its argument"));
            auto read = read_argument(*name, words[i], tables, restriction);
            if (!read.ok())
                return read.take_error();
        }
        list.push_back(std::move(restriction));
    }
    return list;
}

}  // namespace smtpd
