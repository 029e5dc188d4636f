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
    {"mynetworks", "the default is the machine itself, not what its interfaces say; mynetworks_style is not there"},
    {"parent_domain_matches_subdomains", "the default is shorter: it names no parameters that are not there"},
    {"queue_directory", "Tern's own queue"},
    {"setgid_group", "the default is terndrop"},
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
    {"virtual_mailbox_maps", "the default is Tern's accounts, whose mailboxes are Tern's own; values of other tables are paths"},
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
    {"smtpd_tls_ask_ccert", "clients are not asked for certificates"},
    {"smtpd_tls_req_ccert", "clients are not asked for certificates"},
    {"smtpd_tls_ccert_verifydepth", "clients are not asked for certificates"},
    {"relay_clientcerts", "clients are not asked for certificates"},
    {"smtpd_use_tls", "write smtpd_tls_security_level = may"},
    {"smtpd_enforce_tls", "write smtpd_tls_security_level = encrypt"},
    {"smtpd_tls_ciphers", "see smtpd_tls_cipherlist, an OpenSSL list"},
    {"smtpd_tls_*", "not a setting of TLS here"},
    {"smtpd_sasl_type", "auth(8) is the only server"},
    {"smtpd_sasl_*", "auth(8) decides: see auth_mechanisms and allow_plaintext_login"},
    {"smtpd_milter*", "there are no milters"},
    {"non_smtpd_milters", "there are no milters"},
    {"milter_*", "there are no milters"},
    {"smtpd_policy_service_*", "there are no policy servers"},
    {"smtpd_proxy_*", "there is no proxy filter"},
    {"smtpd_authorized_*", "VERP is not there"},
    {"smtpd_etrn_restrictions", "ETRN is not there"},
    {"fast_flush_*", "ternqueue -s looks through the deferred queue itself"},
    {"flush_service_name", "ternqueue -s looks through the deferred queue itself"},
    {"smtp_*", "the SMTP client has no such setting"},
    {"lmtp_*", "there is no LMTP client"},
    {"postscreen_*", "there is no postscreen"},
    {"dnsblog_*", "there is no postscreen"},
    {"tlsproxy_*", "daemons speak TLS themselves"},
    {"tlsmgr_*", "there is no tlsmgr"},
    {"tls_*", "OpenSSL's own settings are used"},
    {"openssl_path", "no program is called for that"},
    {"address_verify_*", "addresses are not probed; sendmail -bv asks by hand"},
    {"unverified_*", "addresses are not probed; sendmail -bv asks by hand"},
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
    {"maps_rbl_*", "gone in Postfix, too"},
    {"rbl_reply_maps", "there are no DNS block lists"},
    {"default_rbl_reply", "there are no DNS block lists"},
    {"postlog*", "log(8) writes the log"},
    {"maillog_file_*", "log(8) has settings of its own for that"},
    {"berkeley_db_*", "tables are opened without settings of their own"},
    {"lmdb_map_size", "tables are opened without settings of their own"},
    {"cyrus_sasl_config_path", "auth(8) is the only server"},
    {"*_service_name", "the names of services inside are fixed"},
    {"requiretls_enable", "REQUIRETLS is not there"},
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
        auto note = std::find_if(std::begin(differences), std::end(differences), [&](const Note& n) { return n.first == name; });
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
