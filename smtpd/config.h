// The main.cf(5) parameters of smtpd(8): their only declaration.
#pragma once

#include "smtpd/content.h"
#include "smtpd/outside_config.h"

namespace smtpd {

enum class TlsLevel : std::uint8_t { None, May, Encrypt };

struct Config : OutsideConfig {
    // --- greeting and protocol -------------------------------------------------------------------
    conf::Text banner{this, "smtpd_banner", "$myhostname ESMTP $mail_name", {.min = 1, .max = 400},
        "The text after 220 in the greeting; it must begin with $myhostname (RFC 5321 section "
        "4.3.1)."};
    conf::Words discard_ehlo_keywords{this, "smtpd_discard_ehlo_keywords", "",
        "EHLO keywords that are not announced, and whose feature is not accepted: pipelining, size, "
        "vrfy, etrn, starttls, auth, enhancedstatuscodes, 8bitmime, dsn, smtputf8, chunking, requiretls, limits.  "
        "silent-discard is accepted and means nothing."};
    conf::TableNames discard_ehlo_keyword_address_maps{this, "smtpd_discard_ehlo_keyword_address_maps", "",
        "Tables that say for a client's address which EHLO keywords are discarded, in the place of "
        "smtpd_discard_ehlo_keywords."};
    conf::TableNames command_filter{this, "smtpd_command_filter", "",
        "Tables that are asked for each command line as it came, without its end and the blanks around it; what they "
        "answer is carried out instead, if it is no longer than line_length_limit.  A last resort for clients "
        "that break the protocol."};
    conf::Words noop_commands{this, "smtpd_noop_commands", "",
        "Commands that are answered with 250 and do nothing, whatever is behind them, be they known otherwise or not.  "
        "They count for smtpd_junk_command_limit."};
    conf::Flag disable_vrfy_command{this, "disable_vrfy_command", "no",
        "Whether VRFY is refused."};
    conf::Flag requiretls_enable{this, "requiretls_enable", "yes",
        "Whether clients with TLS are offered REQUIRETLS (RFC 8689), by which a sender asks that his message goes on over "
        "TLS to verified servers only, or comes back."};
    conf::Flag smtputf8_enable{this, "smtputf8_enable", "yes",
        "Whether SMTPUTF8 (RFC 6531) is offered: internationalized addresses and header fields."};
    conf::Flag helo_required{this, "smtpd_helo_required", "no",
        "Whether a client must say HELO or EHLO before MAIL."};
    conf::Flag delay_open_until_valid_rcpt{this, "smtpd_delay_open_until_valid_rcpt", "yes",
        "Whether a message gets its queue id with the first recipient that is accepted, and not with MAIL already: until "
        "then the log says NOQUEUE."};
    conf::Flag strict_envelopes{this, "strict_rfc821_envelopes", "no",
        "Whether the addresses of MAIL and RCPT must stand in angle brackets, without blanks or "
        "comments around them."};
    conf::RawText reject_footer{this, "smtpd_reject_footer", "", {.max = 1000},
        "A text to add to every 4xx and 5xx reply, as a line of its own; if it begins with \\c it goes on in the "
        "reply's last line.  \\n is a new line; $client_address, $client_port, $localtime and $server_name are "
        "replaced, and no other parameters are."};
    conf::TableNames reject_footer_maps{this, "smtpd_reject_footer_maps", "",
        "Tables that are asked for the reply, as one line, for a text in the place of smtpd_reject_footer."};
    conf::Words log_access_permit_actions{this, "smtpd_log_access_permit_actions", "",
        "Restrictions that permit, by name, to be logged when they do: permit_mynetworks, "
        "check_client_access and so on; static:all for all.  !name leaves one out."};

    // --- proxies and filters in front ------------------------------------------------------------------
    conf::Words authorized_xclient_hosts{this, "smtpd_authorized_xclient_hosts", "",
        "Clients that may say with XCLIENT whom they speak for, and so change what all access rules see: "
        "addresses, network/mask, host names, .domains, /file/names and type:tables, with ! before those to "
        "leave out.  Who is trusted here can log in as anybody."};
    conf::Words authorized_xforward_hosts{this, "smtpd_authorized_xforward_hosts", "",
        "Clients that may say with XFORWARD where a message came from, for the log and the queue file; in the "
        "form of smtpd_authorized_xclient_hosts."};
    conf::Choice<bool> upstream_proxy_protocol{this, "smtpd_upstream_proxy_protocol", "",
        {{"", false}, {"haproxy", true}},
        "haproxy: each connection begins with a header of the PROXY protocol, version 1 or 2, that tells the "
        "client's address; one without is closed.  For services that only the proxy can reach, by -o in "
        "master.cf(5)."};
    conf::Duration upstream_proxy_timeout{this, "smtpd_upstream_proxy_timeout", "5s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(1)},
        "How long the proxy may take to send that header."};

    conf::Flag client_port_logging{this, "smtpd_client_port_logging", "no",
        "Whether log lines name the client's port, too: name[address]:port."};

    // --- limits ------------------------------------------------------------------------------------
    conf::Duration timeout{this, "smtpd_timeout", "${stress?{10}:{300}}s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How long to wait for the next command, or for more of a message, before the session ends "
        "with 421; and how long for the client to take a reply."};
    conf::Duration starttls_timeout{this, "smtpd_starttls_timeout", "${stress?{10}:{300}}s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How long a TLS handshake may take, from its beginning to its end."};
    conf::Flag per_request_deadline{this, "smtpd_per_request_deadline", "${stress?{yes}:{no}}",
        "Whether smtpd_timeout holds for a whole command line, and for a whole reply, and not for each of their "
        "pieces; and for a message as a whole, to which each smtpd_min_data_rate bytes that come add a second, up to "
        "smtpd_timeout."};
    conf::Count min_data_rate{this, "smtpd_min_data_rate", "500", {.min = 1, .max = 1'000'000},
        "Bytes per second that a message must come with under smtpd_per_request_deadline."};
    conf::Size line_length_limit{this, "line_length_limit", "2048", {.min = 512, .max = 12'288},
        "How long a command line may be, in bytes without its end; AUTH may have 12288 (RFC 4954 "
        "section 4).  Content has no limit of its lines."};
    conf::Count recipient_limit{this, "smtpd_recipient_limit", "1000", {.min = 100, .max = 100'000},
        "How many recipients one message may have (RFC 5321 section 4.5.3.1.8 asks for at least 100).  "
        "Those beyond it get 452, and the client sends them again in another transaction.  The number "
        "is announced with LIMITS (RFC 9422)."};
    conf::Count recipient_overshoot_limit{this, "smtpd_recipient_overshoot_limit", "1000", {.max = 1'000'000},
        "How many recipients above smtpd_recipient_limit one message may name before each further one "
        "counts as an error."};
    conf::Count soft_error_limit{this, "smtpd_soft_error_limit", "10", {.max = 1'000'000},
        "After this many errors in a session, each command is answered after smtpd_error_sleep_time."};
    conf::Count hard_error_limit{this, "smtpd_hard_error_limit", "${stress?{1}:{20}}",
        {.min = 1, .max = 1'000'000},
        "With this many errors the session ends with 421.  An accepted message sets the count back."};
    conf::Count junk_command_limit{this, "smtpd_junk_command_limit", "${stress?{1}:{100}}",
        {.min = 1, .max = 1'000'000},
        "How many NOOP, VRFY, RSET, EHLO and empty BDAT commands a client may send before each one "
        "counts as an error.  An accepted message sets the count back."};
    conf::Duration error_sleep_time{this, "smtpd_error_sleep_time", "1s",
        {.max = std::chrono::seconds(60)}, "See smtpd_soft_error_limit."};

    // --- limits of one client: counted by anvil(8) -----------------------------------------------------
    conf::Count client_connection_count_limit{this, "smtpd_client_connection_count_limit", "50", {.max = 1'000'000},
        "How many connections a client may have to one service at a time; 0: no limit.  One more is told 421.  "
        "Together with the process limit of the service it is what keeps one host from taking all processes."};
    conf::Count client_connection_rate_limit{this, "smtpd_client_connection_rate_limit", "0", {.max = 1'000'000},
        "How many connections a client may make to one service in anvil_rate_time_unit; 0: no limit."};
    conf::Count client_message_rate_limit{this, "smtpd_client_message_rate_limit", "0", {.max = 1'000'000},
        "How many MAIL commands a client may send to one service in anvil_rate_time_unit, whether they are accepted or not; 0: "
        "no limit."};
    conf::Count client_recipient_rate_limit{this, "smtpd_client_recipient_rate_limit", "0", {.max = 1'000'000},
        "The same for RCPT."};
    conf::Count client_new_tls_session_rate_limit{this, "smtpd_client_new_tls_session_rate_limit", "0", {.max = 1'000'000},
        "The same for TLS handshakes."};
    conf::Count client_auth_rate_limit{this, "smtpd_client_auth_rate_limit", "0", {.max = 1'000'000},
        "The same for AUTH."};
    conf::Count user_message_rate_limit{this, "smtpd_user_message_rate_limit", "0", {.max = 1'000'000},
        "How many MAIL commands an account that has logged in may send in anvil_rate_time_unit, over all services and from "
        "wherever; 0: no limit.  It bounds what a stolen password is good for."};
    conf::Count user_recipient_rate_limit{this, "smtpd_user_recipient_rate_limit", "0", {.max = 1'000'000},
        "The same for RCPT."};
    conf::Words client_event_limit_exceptions{this, "smtpd_client_event_limit_exceptions", "$mynetworks",
        "Clients that no smtpd_client limit holds for, in the form of smtpd_authorized_xclient_hosts."};
    conf::Count client_ipv4_prefix_length{this, "smtpd_client_ipv4_prefix_length", "32", {.max = 32},
        "How many bits of a client's IPv4 address count for these limits: clients of one network count as one."};
    conf::Count client_ipv6_prefix_length{this, "smtpd_client_ipv6_prefix_length", "84", {.max = 128},
        "The same for IPv6."};

    // --- line ends and pipelining ------------------------------------------------------------------
    conf::Choice<BareNewline> forbid_bare_newline{this, "smtpd_forbid_bare_newline", "normalize",
        {{"no", BareNewline::No}, {"normalize", BareNewline::Normalize}, {"yes", BareNewline::Normalize},
         {"note", BareNewline::Note}, {"reject", BareNewline::Reject}},
        "What is done about lines that end in LF without CR.  normalize: they are taken as lines, but "
        "only CRLF.CRLF ends a message.  note: that, and a log line.  reject: the message or command is "
        "refused.  no: LF.LF ends a message as well, which lets others smuggle mail past the checks "
        "of this server or another."};
    conf::Words forbid_bare_newline_exclusions{this, "smtpd_forbid_bare_newline_exclusions", "",
        "Clients, in the form of mynetworks, for whom smtpd_forbid_bare_newline is no."};
    conf::Count forbid_bare_newline_reject_code{this, "smtpd_forbid_bare_newline_reject_code", "550",
        {.min = 500, .max = 599},
        "The reply code of smtpd_forbid_bare_newline=reject; 521 also ends the session."};
    conf::Flag replace_stray_cr{this, "cleanup_replace_stray_cr_lf", "yes",
        "Whether a CR that is not followed by LF becomes a space, so that no other server can take it "
        "for the end of a line."};
    conf::Flag forbid_unauth_pipelining{this, "smtpd_forbid_unauth_pipelining", "yes",
        "Whether a client that sends ahead where it must wait (RFC 2920 section 3.1) is cut off with 554."};
    conf::Words forbidden_commands{this, "smtpd_forbidden_commands", "CONNECT GET POST",
        "Commands that only another protocol's client sends: the session ends with 221."};

    // --- restrictions ------------------------------------------------------------------------------
    conf::Flag delay_reject{this, "smtpd_delay_reject", "yes",
        "Whether the lists for client, helo and sender wait for RCPT, so that the log can name "
        "sender and recipient."};
    conf::Text client_restrictions{this, "smtpd_client_restrictions", "",
        "What is checked when a client connects; smtpd(8) has the list of restrictions."};
    conf::Text helo_restrictions{this, "smtpd_helo_restrictions", "",
        "What is checked at HELO and EHLO."};
    conf::Text sender_restrictions{this, "smtpd_sender_restrictions", "", "What is checked at MAIL."};
    conf::Text relay_restrictions{this, "smtpd_relay_restrictions",
        "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
        "What is checked at RCPT, before smtpd_recipient_restrictions: who may send mail to other "
        "sites through this one."};
    conf::Text recipient_restrictions{this, "smtpd_recipient_restrictions", "",
        "What is checked at RCPT, after smtpd_relay_restrictions."};
    conf::Text data_restrictions{this, "smtpd_data_restrictions", "",
        "What is checked at DATA, and at the first BDAT."};
    conf::Text end_of_data_restrictions{this, "smtpd_end_of_data_restrictions", "",
        "What is checked when the whole message has come."};
    conf::Text etrn_restrictions{this, "smtpd_etrn_restrictions", "", "What is checked at ETRN."};
    conf::Words fast_flush_domains{this, "fast_flush_domains", "$relay_domains",
        "The domains whose deferred mail ETRN has tried at once, as a list of names, /file/names and type:tables.  Empty: "
        "none."};
    conf::Words restriction_classes{this, "smtpd_restriction_classes", "",
        "Names of parameters that hold lists of restrictions, for use in access tables and other "
        "lists."};
    conf::Flag relay_before_recipient{this, "smtpd_relay_before_recipient_restrictions", "yes",
        "Whether smtpd_relay_restrictions come before smtpd_recipient_restrictions."};
    conf::Flag reject_unlisted_recipient{this, "smtpd_reject_unlisted_recipient", "yes",
        "Whether unknown recipients of our own domains are refused even if no list says "
        "reject_unlisted_recipient."};
    conf::Flag show_user_unknown_table_name{this, "show_user_unknown_table_name", "yes",
        "Whether a client who is told \"User unknown\" hears in which kind of table."};
    conf::Flag reject_unlisted_sender{this, "smtpd_reject_unlisted_sender", "no",
        "The same for senders of our own domains."};
    conf::Flag reject_over_quota{this, "smtpd_reject_over_quota", "yes",
        "Whether recipients are refused whose mailbox is over quota, or has no room for a message of the size that the client "
        "has announced.  No list can permit them.  The mailbox itself looks again when the message comes to it."};
    conf::Count over_quota_reject_code{this, "over_quota_reject_code", "552", {.min = 400, .max = 599},
        "The reply to such a recipient: 552 (5.2.2), or 452 (4.2.2), after which clients try again later."};
    conf::Flag allow_untrusted_routing{this, "allow_untrusted_routing", "no",
        "Whether reject_unauth_destination and its kin take user%other@domain, other!user@domain and "
        "\"user@other\"@domain for addresses of the domain.  A server to which mail for it is sent on "
        "may take them for routes, and so would relay for everybody."};
    conf::TableNames sender_login_maps{this, "smtpd_sender_login_maps", "",
        "Tables that say which accounts may use a sender address: its value is a list of accounts.  "
        "Asked for by reject_sender_login_mismatch and its kin."};
    conf::Text null_access_lookup_key{this, "smtpd_null_access_lookup_key", "<>", {.min = 1, .max = 100},
        "What stands for the null sender in access tables."};

    // --- reply codes -------------------------------------------------------------------------------
    conf::Count access_map_reject_code{this, "access_map_reject_code", "554", {.min = 400, .max = 599},
        "The reply code of REJECT in an access table."};
    conf::Count access_map_defer_code{this, "access_map_defer_code", "450", {.min = 400, .max = 499},
        "The reply code of DEFER in an access table."};
    conf::Count reject_code{this, "reject_code", "554", {.min = 400, .max = 599},
        "The reply code of the restriction reject."};
    conf::Count defer_code{this, "defer_code", "450", {.min = 400, .max = 499},
        "The reply code of the restriction defer."};
    conf::Count relay_domains_reject_code{this, "relay_domains_reject_code", "554",
        {.min = 400, .max = 599}, "The reply code of reject_unauth_destination."};
    conf::Count invalid_hostname_reject_code{this, "invalid_hostname_reject_code", "501",
        {.min = 400, .max = 599}, "The reply code of reject_invalid_helo_hostname."};
    conf::Count non_fqdn_reject_code{this, "non_fqdn_reject_code", "504", {.min = 400, .max = 599},
        "The reply code of reject_non_fqdn_helo_hostname, _sender and _recipient."};
    conf::Count unknown_recipient_reject_code{this, "unknown_virtual_mailbox_reject_code", "550",
        {.min = 400, .max = 599}, "The reply code for an unknown recipient of a virtual mailbox domain."};
    conf::Count unknown_local_reject_code{this, "unknown_local_recipient_reject_code", "550",
        {.min = 400, .max = 599}, "The reply code for an unknown recipient of $mydestination."};
    conf::Count unknown_alias_reject_code{this, "unknown_virtual_alias_reject_code", "550", {.min = 400, .max = 599},
        "The reply code for an unknown recipient of a virtual alias domain."};
    conf::Count unknown_relay_reject_code{this, "unknown_relay_recipient_reject_code", "550", {.min = 400, .max = 599},
        "The reply code for an unknown recipient of $relay_domains: one that $relay_recipient_maps does not have."};
    conf::Count multi_recipient_reject_code{this, "multi_recipient_bounce_reject_code", "550", {.min = 400, .max = 599},
        "The reply code of reject_multi_recipient_bounce."};
    conf::Count plaintext_reject_code{this, "plaintext_reject_code", "450", {.min = 400, .max = 599},
        "The reply code of reject_plaintext_session."};

    // --- TLS ---------------------------------------------------------------------------------------
    conf::Choice<TlsLevel> tls_security_level{this, "smtpd_tls_security_level", "",
        {{"", TlsLevel::None}, {"none", TlsLevel::None}, {"may", TlsLevel::May},
         {"encrypt", TlsLevel::Encrypt}},
        "none: no STARTTLS.  may: offered.  encrypt: nothing but NOOP, EHLO, STARTTLS and QUIT before "
        "it; not for a public port 25 (RFC 3207 section 4)."};
    conf::Flag tls_wrappermode{this, "smtpd_tls_wrappermode", "no",
        "Whether TLS begins before the greeting, as on port 465 (RFC 8314 section 3.3)."};
    conf::Flag tls_auth_only{this, "smtpd_tls_auth_only", "no",
        "Whether AUTH is offered and accepted under TLS only, whatever the mechanism."};
    conf::Text tls_protocols{this, "smtpd_tls_protocols", ">=TLSv1.2", {.min = 1, .max = 200},
        "The TLS protocols to accept, such as >=TLSv1.2."};
    conf::Text tls_mandatory_protocols{this, "smtpd_tls_mandatory_protocols", ">=TLSv1.2",
        {.min = 1, .max = 200}, "The same where TLS is required: encrypt, and smtpd_tls_wrappermode."};
    conf::Text tls_cipherlist{this, "smtpd_tls_cipherlist",
        "HIGH:!aNULL:!eNULL:!kRSA:!MD5:!DSS:@STRENGTH", {.min = 1, .max = 2000},
        "OpenSSL's list of ciphers for TLS 1.2."};
    conf::Flag tls_prefer_server_ciphers{this, "tls_preempt_cipherlist", "no",
        "Whether the server's order of ciphers counts, and not the client's."};
    conf::Flag tls_ask_ccert{this, "smtpd_tls_ask_ccert", "no",
        "Whether clients are asked for a certificate; what it is worth permit_tls_clientcerts and its kin say.  Some clients "
        "trouble their users when they are asked."};
    conf::Flag tls_req_ccert{this, "smtpd_tls_req_ccert", "no",
        "Whether a session ends after a TLS handshake in which no trusted certificate came (see smtpd_tls_CAfile).  For "
        "services with smtpd_tls_security_level=encrypt or smtpd_tls_wrappermode."};
    conf::Path tls_ca_file{this, "smtpd_tls_CAfile", "",
        "A file of certificates in PEM form, of those who are trusted to make certificates for clients."};
    conf::TableNames relay_clientcerts{this, "relay_clientcerts", "",
        "Tables of the client certificates that permit_tls_clientcerts permits: the key is the SHA-256 fingerprint of the "
        "certificate, or of its public key, as AB:CD:...; what the value is does not matter."};
    conf::Flag tls_received_header{this, "smtpd_tls_received_header", "no",
        "Whether the Received: field tells protocol and cipher."};
    conf::Count tls_loglevel{this, "smtpd_tls_loglevel", "0", {.max = 4},
        "1 and above: one log line for each TLS handshake, with what was agreed on."};

    // --- AUTH --------------------------------------------------------------------------------------
    conf::Flag sasl_auth_enable{this, "smtpd_sasl_auth_enable", "no", "Whether AUTH is offered."};
    conf::Text sasl_path{this, "smtpd_sasl_path", "private/auth", {.min = 1, .max = 100},
        "The socket of auth(8), relative to $queue_directory unless it begins with a slash."};
    conf::Flag hide_client_session{this, "smtpd_hide_client_session", "no",
        "Whether the Received: field says nothing of the client: neither its name and address nor protocol, TLS "
        "and account.  For the privacy of one's own users, by -o for submission services in master.cf(5)."};
    conf::Flag sasl_authenticated_header{this, "smtpd_sasl_authenticated_header", "no",
        "Whether the Received: field names the account."};
    conf::Flag broken_sasl_auth_clients{this, "broken_sasl_auth_clients", "no",
        "Whether EHLO also says AUTH=..., for clients from before RFC 2554."};

    // --- where messages go -------------------------------------------------------------------------
    conf::Text cleanup_service_name{this, "cleanup_service_name", "private/cleanup",
        {.min = 1, .max = 100},
        "The socket of cleanup(8), relative to $queue_directory unless it begins with a slash."};
    conf::Text content_filter{this, "content_filter", "", {.max = 1000},
        "transport:destination: where all messages go first, whatever their recipients' route; without "
        "destination it is the recipient's domain.  What comes back through another smtpd(8) service must "
        "not be filtered again: -o content_filter= there."};
    conf::Words receive_override_options{this, "receive_override_options", "",
        "What is not done to messages: no_address_mappings (canonical, virtual, masquerading, automatic copies), "
        "no_header_body_checks (header_checks(5) and its kin), no_unknown_recipient_checks "
        "(smtpd_reject_unlisted_recipient), no_milters (of which there are none).  For services before and behind a "
        "content filter, by -o in master.cf(5)."};
    conf::Words local_header_rewrite_clients{this, "local_header_rewrite_clients", "permit_inet_interfaces",
        "The clients in whose mail header addresses are completed and rewritten, and missing fields are "
        "added, as in mail of this machine: permit_inet_interfaces (this machine), permit_mynetworks, "
        "permit_sasl_authenticated, check_address_map type:table or type:table, looked up by address."};

    // --- name servers ------------------------------------------------------------------------------
    conf::Flag peername_lookup{this, "smtpd_peername_lookup", "yes",
        "Whether name servers are asked for the client's name.  Without, all but loopback addresses are unknown."};
    conf::Count unknown_client_reject_code{this, "unknown_client_reject_code", "450", {.min = 400, .max = 599},
        "The reply code of reject_unknown_client_hostname and reject_unknown_reverse_client_hostname; 450 while name "
        "servers do not answer."};
    conf::Count unknown_hostname_reject_code{this, "unknown_hostname_reject_code", "450", {.min = 400, .max = 599},
        "The reply code of reject_unknown_helo_hostname."};
    conf::Count unknown_address_reject_code{this, "unknown_address_reject_code", "450", {.min = 400, .max = 599},
        "The reply code of reject_unknown_sender_domain and reject_unknown_recipient_domain."};
    conf::Choice<TempfailAction> unknown_address_tempfail_action{this, "unknown_address_tempfail_action",
        "$reject_tempfail_action",
        {{"defer_if_permit", TempfailAction::DeferIfPermit}, {"defer", TempfailAction::Defer}},
        "The same for reject_unknown_sender_domain and reject_unknown_recipient_domain."};
    conf::Choice<TempfailAction> unknown_helo_tempfail_action{this, "unknown_helo_hostname_tempfail_action",
        "$reject_tempfail_action",
        {{"defer_if_permit", TempfailAction::DeferIfPermit}, {"defer", TempfailAction::Defer}},
        "The same for reject_unknown_helo_hostname."};
    conf::Count maps_rbl_reject_code{this, "maps_rbl_reject_code", "554", {.min = 400, .max = 599},
        "$rbl_code in default_rbl_reply and rbl_reply_maps: the reply code of reject_rbl_client and reject_rhsbl_*."};
    conf::TableNames dns_reply_filter{this, "smtpd_dns_reply_filter", "",
        "Tables that pass over records of the DNS when restrictions ask for them: what stands at "
        "smtp_dns_reply_filter.  Where no record is left, what the restriction wants to know is taken for unknown: "
        "reject_unknown_* and lists refuse nothing, with a warning, and permit_* permit nothing, so that what refuses "
        "later does so with 450.  The name of a client passes no filter."};
    conf::TableNames rbl_reply_maps{this, "rbl_reply_maps", "",
        "Tables of replies in place of default_rbl_reply, by a list's domain."};
    conf::RawText default_rbl_reply{this, "default_rbl_reply",
        "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}",
        "What clients are told whom a list of reject_rbl_client or reject_rhsbl_* has: a code, perhaps an enhanced status "
        "code, and text.  Its macros are rbl_code, rbl_class (Client host, Helo command, ...), rbl_what (what is listed), "
        "rbl_domain, rbl_reason (the list's TXT records), and of the session client, client_address, client_name, "
        "client_port, reverse_client_name, helo_name, sender, sender_name, sender_domain, recipient, recipient_name, "
        "recipient_domain, sasl_username and server_name."};
};

}  // namespace smtpd
