// Postfix's parameters, and what Tern does with them.
#include "tools/ternconf/postfix.h"

#include "libutil/text.h"

#include <algorithm>

namespace ternconf {

namespace {

using Note = std::pair<std::string_view, std::string_view>;

// Of parameters that are there.
constexpr Note differences[] = {
    {"authorized_flush_users", "the default is root and mail_owner, not everybody"},
    {"cleanup_service_name", "the default says that the socket is private"},
    {"command_directory", "Tern's own commands"},
    {"compatibility_level", "read and without effect: Tern behaves as the newest level"},
    {"daemon_directory", "Tern's own daemons"},
    {"data_directory", "Tern's own data"},
    {"import_environment", "the default is TZ and LANG=C only"},
    {"local_recipient_maps", "the default is Tern's accounts, not the passwd file and aliases"},
    {"local_transport", "the default names no host behind the transport"},
    {"mail_name", "the default is Tern"},
    {"mail_owner", "the default is tern"},
    {"max_use", "the default is ten times as many: a start costs as much as ten messages"},
    {"mynetworks", "the default is the machine itself, not what its interfaces say; mynetworks_style is not there"},
    {"parent_domain_matches_subdomains", "the default is shorter: it names no parameters that are not there"},
    {"queue_directory", "Tern's own queue"},
    {"setgid_group", "the default is terndrop"},
    {"smtp_tls_CAfile", "the default is the system's list"},
    {"smtp_tls_connection_reuse", "the default is yes: the process that holds a connection keeps its TLS, too"},
    {"smtp_tls_loglevel", "the default is 1"},
    {"smtp_tls_mandatory_protocols", "the default is TLS 1.2 and newer"},
    {"smtp_tls_security_level", "the default is dane"},
    {"smtp_tls_session_cache_database", "the default is memory:, and no file is made whatever it says"},
    {"smtp_tlsrpt_enable", "sts(8) keeps the results"},
    {"smtpd_forbid_bare_newline", "the default is normalize"},
    {"smtpd_forbid_bare_newline_exclusions", "the default is empty: nobody may end a message with a bare newline"},
    {"smtpd_forbidden_commands", "the default is without the regular expression for what is no command at all"},
    {"smtpd_sasl_path", "auth(8), which holds Tern's accounts; there is no other type of server"},
    {"smtpd_tls_cipherlist", "an OpenSSL list that counts; Postfix reads smtpd_tls_ciphers"},
    {"smtpd_tls_mandatory_protocols", "the default is TLS 1.2 and newer"},
    {"smtpd_tls_protocols", "the default is TLS 1.2 and newer"},
    {"syslog_name", "the default is tern"},
    {"virtual_alias_maps", "the default is empty: virtual_maps is not there"},
    {"virtual_destination_recipient_limit", "the default is 1"},
    {"virtual_mailbox_maps",
     "the default is Tern's accounts, whose mailboxes are Tern's own; values of other tables are paths"},
    {"virtual_transport", "the default is local, which delivers to Tern's mailboxes"},
};

// Of those that are not.  Names, or what begins with the words before a *; the first that fits counts.
constexpr Note reasons[] = {
    {"smtpd_tls_cert_file", "see tls_chain_files: key and certificates, for all daemons"},
    {"smtpd_tls_key_file", "see tls_chain_files: key and certificates, for all daemons"},
    {"smtpd_tls_chain_files", "see tls_chain_files, which is for all daemons"},
    {"smtpd_tls_eccert_file", "see tls_chain_files: key and certificates, for all daemons"},
    {"smtpd_tls_eckey_file", "see tls_chain_files: key and certificates, for all daemons"},
    {"smtpd_tls_dcert_file", "DSA is not supported"},
    {"smtpd_tls_dkey_file", "DSA is not supported"},
    {"smtpd_tls_ccert_verifydepth", "chains of clients may be as long as OpenSSL takes them"},
    {"smtpd_tls_CApath",
     "who is trusted to make certificates for clients stands in the file smtpd_tls_CAfile, which is read outside the jail"},
    {"smtpd_tls_exclude_ciphers", "see smtpd_tls_cipherlist, an OpenSSL list, in which !name leaves one out"},
    {"smtpd_tls_mandatory_exclude_ciphers", "see smtpd_tls_cipherlist, an OpenSSL list, in which !name leaves one out"},
    {"smtpd_tls_mandatory_ciphers", "see smtpd_tls_cipherlist, an OpenSSL list"},
    {"smtpd_tls_fingerprint_digest", "fingerprints of clients are SHA-256"},
    {"smtpd_tls_session_cache_*", "no sessions are resumed on the server's side: no tickets, which some senders stumble over"},
    {"smtpd_tls_always_issue_session_ids", "no sessions are resumed on the server's side"},
    {"smtpd_tls_dh*", "OpenSSL chooses its own parameters, as in newer Postfix"},
    {"smtpd_tls_eecdh_grade", "OpenSSL chooses the curves, as in newer Postfix"},
    {"smtpd_tls_enable_rpk", "raw public keys need OpenSSL 3.2, which is not everywhere"},
    {"smtpd_use_tls", "write smtpd_tls_security_level = may"},
    {"smtpd_enforce_tls", "write smtpd_tls_security_level = encrypt"},
    {"smtpd_tls_ciphers", "see smtpd_tls_cipherlist, an OpenSSL list"},
    {"smtpd_tls_*", "not a setting of TLS here"},
    {"smtpd_expansion_filter", "nothing is expanded in replies but default_rbl_reply, whose macros are escaped always"},
    {"smtpd_history_flush_threshold", "the session's transcript has a bound of its own"},
    {"smtpd_per_record_deadline", "see smtpd_per_request_deadline, which has replaced it in Postfix, too"},
    {"maps_rbl_domains", "write reject_rbl_client"},
    {"smtpd_sasl_type", "auth(8) is the only server"},
    {"smtpd_sasl_*", "auth(8) decides: see auth_mechanisms and allow_plaintext_login"},
    {"smtpd_milter*", "there are no milters"},
    {"non_smtpd_milters", "there are no milters"},
    {"milter_*", "there are no milters"},
    {"smtpd_proxy_*", "there is no proxy filter"},
    {"smtpd_authorized_*", "VERP is not there"},
    {"fast_flush_*", "qmgr(8) looks through the deferred queue itself"},
    {"flush_service_name", "qmgr(8) looks through the deferred queue itself"},
    {"smtp_tls_cert_file", "see smtp_tls_chain_files: key and certificates"},
    {"smtp_tls_key_file", "see smtp_tls_chain_files: key and certificates"},
    {"smtp_tls_eccert_file", "see smtp_tls_chain_files: key and certificates"},
    {"smtp_tls_eckey_file", "see smtp_tls_chain_files: key and certificates"},
    {"smtp_tls_enforce_sts_mx_patterns", "see smtp_tls_mta_sts: the patterns of a policy always count"},
    {"smtp_use_tls", "write smtp_tls_security_level = may"},
    {"smtp_enforce_tls", "write smtp_tls_security_level = encrypt"},
    {"smtp_tls_per_site", "write smtp_tls_policy_maps, which has replaced it in Postfix, too"},
    {"smtp_tls_enforce_peername", "write a level of verify or secure"},
    {"smtp_tls_cipherlist", "see smtp_tls_ciphers and tls_medium_cipherlist"},
    {"lmtp_tls_cipherlist", "see lmtp_tls_ciphers and tls_medium_cipherlist"},
    {"smtp_tls_dcert_file", "DSA is not supported"},
    {"smtp_tls_dkey_file", "DSA is not supported"},
    {"smtp_tls_enable_rpk", "raw public keys need OpenSSL 3.2, which is not everywhere"},
    {"smtp_tls_force_insecure_host_tlsa_lookup",
     "TLSA records cannot prove anything of a host whose addresses DNSSEC does not"},
    {"smtp_tls_block_early_mail_reply", "renegotiation, which that attack needs, is off"},
    {"smtp_tlsrpt_socket_name", "sts(8) keeps the results, and no other program"},
    {"smtp_tlsrpt_skip_reused_handshakes", "resumed sessions count, too"},
    {"smtp_sasl_type", "there is one implementation of the client's side"},
    {"smtp_sasl_path", "there is one implementation of the client's side"},
    {"smtp_sasl_auth_cache_*", "a log-in that failed defers the mail, whose backoff is pause enough"},
    {"smtp_per_record_deadline", "see smtp_per_request_deadline, which has replaced it in Postfix, too"},
    {"smtp_pix_*", "those firewalls are gone; see smtp_discard_ehlo_keyword_address_maps for what is broken today"},
    {"smtp_quote_rfc821_envelope", "addresses are always quoted where RFC 5321 says so"},
    {"smtp_skip_4xx_greeting", "a server that greets with 4xx is always passed over, as in newer Postfix"},
    {"smtp_cname_overrides_servername", "the name that was asked for is the server's, as by default in Postfix"},
    {"smtp_dns_resolver_options", "names are never completed; a destination is fully qualified"},
    {"lmtp_tls_per_site", "write lmtp_tls_policy_maps, which has replaced it in Postfix, too"},
    {"lmtp_tls_enforce_peername", "write a level of verify or secure"},
    {"lmtp_tls_dcert_file", "DSA is not supported"},
    {"lmtp_tls_dkey_file", "DSA is not supported"},
    {"lmtp_tls_cert_file", "see lmtp_tls_chain_files: key and certificates"},
    {"lmtp_tls_key_file", "see lmtp_tls_chain_files: key and certificates"},
    {"lmtp_tls_eccert_file", "see lmtp_tls_chain_files: key and certificates"},
    {"lmtp_tls_eckey_file", "see lmtp_tls_chain_files: key and certificates"},
    {"lmtp_use_tls", "write lmtp_tls_security_level = may"},
    {"lmtp_enforce_tls", "write lmtp_tls_security_level = encrypt"},
    {"lmtp_sasl_*", "there is one implementation of the client's side"},
    {"lmtp_tls_block_early_mail_reply", "renegotiation, which that attack needs, is off"},
    {"lmtp_cache_connection", "see lmtp_connection_cache_on_demand"},
    {"lmtp_pix_*", "there are no such firewalls before LMTP servers"},
    {"lmtp_quote_rfc821_envelope", "addresses are always quoted where RFC 5321 says so"},
    {"lmtp_per_record_deadline", "see lmtp_per_request_deadline, which has replaced it in Postfix, too"},
    {"lmtp_*", "see the setting of smtp with that name"},
    {"disable_dns_lookups", "write smtp_dns_support_level = disabled"},
    {"dns_ncache_ttl_fix_enable", "the age of negative answers is that of RFC 2308"},
    {"dnssec_probe", "what validates is known: dns_trust_ad, dns_dnssec_trust_anchor_file"},
    {"known_tcp_ports", "the ports of mail have fixed names; others are numbers"},
    {"tcp_windowsize", "the kernel chooses it"},
    {"send_cyrus_sasl_authzid", "there is no Cyrus SASL; nobody is authorized as somebody else"},
    {"connection_cache_*", "a process keeps its connection itself, and qmgr(8) knows which does"},
    {"qmgr_message_recipient_minimum", "a message's recipients are read as a whole"},
    {"qmgr_fudge_factor", "gone in Postfix, too"},
    {"qmgr_clog_warn_time", "see tern stats and ternqueue --shape, which show what fills the queue"},
    {"qmgr_daemon_timeout", "see daemon_timeout"},
    {"qmgr_ipc_timeout", "qmgr(8) waits for nobody"},
    {"default_recipient_*", "a message's recipients are read as a whole; qmgr_message_recipient_limit bounds those that wait"},
    {"default_extra_recipient_limit", "a message's recipients are read as a whole"},
    {"transport_recipient_*", "a message's recipients are read as a whole"},
    {"transport_extra_recipient_limit", "a message's recipients are read as a whole"},
    {"destination_concurrency_feedback_debug", "the log names destinations that die; tern stats counts"},
    {"helpful_warnings", "warnings are always given"},
    {"ipc_idle", "connections between daemons stay open"},
    {"ipc_ttl", "connections between daemons stay open"},
    {"fork_attempts", "a process that cannot be made is made later"},
    {"fork_delay", "a process that cannot be made is made later"},
    {"trigger_timeout", "no daemon is woken by a trigger"},
    {"sender_based_routing", "gone in Postfix, too: see sender_dependent_relayhost_maps"},
    {"fault_injection_code", "for tests of Postfix itself; see make faults"},
    {"dont_remove", "for tests of Postfix itself; ternsuper -h holds a message"},
    {"enable_idna2003_compatibility", "domains are looked up by IDNA2008"},
    {"respectful_logging", "gone in Postfix, too"},
    {"allow_min_user",
     "an address that begins with a hyphen never becomes an option: pipe(8) refuses it, errands pass no addresses"},
    {"postscreen_*", "there is no postscreen"},
    {"dnsblog_*", "there is no postscreen"},
    {"tlsproxy_*", "daemons speak TLS themselves"},
    {"tlsmgr_*", "there is no tlsmgr"},
    {"tls_*", "OpenSSL's own settings are used"},
    {"openssl_path", "no program is called for that"},
    {"qmqpd_*", "there is no QMQP"},
    {"proxy_read_maps", "each daemon reads its tables itself"},
    {"proxy_write_maps", "each daemon reads its tables itself"},
    {"proxymap_service_name", "each daemon reads its tables itself"},
    {"proxywrite_service_name", "each daemon reads its tables itself"},
    {"multi_instance_*", "an instance is a directory: tern -c"},
    {"postmulti_*", "an instance is a directory: tern -c"},
    {"alternate_config_directories", "an instance is a directory: tern -c"},
    {"virtual_maps", "see virtual_alias_maps"},
    {"biff", "nobody is told of new mail at a terminal"},
    {"command_*", "commands begin in their user's home, and get variables instead of expansions"},
    {"enable_long_queue_ids", "queue ids are always long"},
    {"hash_queue_*", "the queue's directories are flat"},
    {"in_flow_delay", "cleanup waits for qmgr's answer instead"},
    {"mynetworks_style", "write mynetworks"},
    {"mail_release_date", "tern's packages have a version only"},
    {"mail_version", "tern's packages have a version only"},
    {"sendmail_path", "of Postfix's installation"},
    {"mailq_path", "of Postfix's installation"},
    {"newaliases_path", "of Postfix's installation"},
    {"html_directory", "of Postfix's installation"},
    {"manpage_directory", "of Postfix's installation"},
    {"readme_directory", "of Postfix's installation"},
    {"sample_directory", "of Postfix's installation"},
    {"shlib_directory", "of Postfix's installation"},
    {"meta_directory", "of Postfix's installation"},
    {"debug*", "of Postfix's installation"},
    {"postlog*", "log(8) writes the log"},
    {"maillog_file_*", "log(8) has settings of its own for that"},
    {"berkeley_db_*", "tables are opened without settings of their own"},
    {"lmdb_map_size", "tables are opened without settings of their own"},
    {"cyrus_sasl_config_path", "auth(8) is the only server"},
    {"*_service_name", "the names of services inside are fixed"},
    {"internal_mail_filter_classes", "notices are not filtered"},
    {"*", "not a setting here"},
};

bool fits(std::string_view pattern, std::string_view name)
{
    if (pattern.ends_with('*'))
        return name.starts_with(pattern.substr(0, pattern.size() - 1));
    if (pattern.starts_with('*'))
        return name.ends_with(pattern.substr(1));
    return pattern == name;
}

}  // namespace

std::span<const Note> postfix_differences() { return differences; }
std::span<const Note> postfix_reasons() { return reasons; }

bool is_postfix_parameter(std::string_view name)
{
    auto names = postfix_names();
    return std::binary_search(names.begin(), names.end(), name);
}

PostfixParameter compare_with_postfix(const AllSections& sections, std::string_view name)
{
    if (sections.find_parameter(name)) {
        auto note =
            std::find_if(std::begin(differences), std::end(differences), [&](const Note& n) { return n.first == name; });
        if (note == std::end(differences))
            return {Likeness::Same, {}};
        return {Likeness::Different, note->second};
    }
    auto note = std::find_if(std::begin(reasons), std::end(reasons), [&](const Note& n) { return fits(n.first, name); });
    return {Likeness::Missing, note->second};
}

std::string postfix_table(const AllSections& sections)
{
    constexpr std::string_view words[] = {"yes", "differently", "no"};
    std::string out = "parameter\there\twhy\n";
    for (std::string_view name : postfix_names()) {
        PostfixParameter parameter = compare_with_postfix(sections, name);
        util::append(out, name, '\t', words[static_cast<std::size_t>(parameter.likeness)], '\t', parameter.why, '\n');
    }
    return out;
}

}  // namespace ternconf
