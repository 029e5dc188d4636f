// The grammar of restriction lists.
#include "smtpd/restriction_list.h"

#include "libconf/words.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

namespace {

using Kind = Restriction::Kind;

enum class Argument : std::uint8_t { None, Table, Seconds };

struct Name {
    std::string_view name;
    Kind kind;
    Argument argument = Argument::None;
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
};

const Name* find_name(std::string_view word)
{
    for (const Name& name : names)
        if (util::equal_nocase(name.name, word))
            return &name;
    return nullptr;
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
        Restriction restriction{name->kind, std::string(name->name), nullptr, 0};
        if (name->argument != Argument::None && ++i == words.size())
            return util::invalid(util::concat(name->name, " lacks its argument"));
        if (name->argument == Argument::Seconds) {
            auto seconds = util::parse_unsigned(words[i], 3600);
            if (!seconds.ok())
                return util::invalid(util::concat("sleep: not a number of seconds up to 3600: ",
                                                  util::printable(words[i], 100)));
            restriction.seconds = *seconds;
        } else if (name->argument == Argument::Table) {
            if (!tables)
                return util::invalid(util::concat(name->name, " cannot stand in a table: put it into one "
                                                  "of smtpd_restriction_classes"));
            auto table = conf::open_table(words[i]);
            if (!table.ok())
                return std::move(table).take_error().in(name->name);
            restriction.table = table.take();
        }
        list.push_back(std::move(restriction));
    }
    return list;
}

}  // namespace smtpd
