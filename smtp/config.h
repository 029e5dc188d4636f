// The main.cf(5) parameters of smtp(8): smtp_* of the SMTP client, lmtp_* of the LMTP client.
#pragma once

#include "smtp/site/site_config.h"

namespace smtp {

using namespace std::chrono_literals;

enum class VerifyTarget : std::uint8_t { Rcpt, Data };

struct Config : SiteConfig {
    using SiteConfig::SiteConfig;

    // --- the dialogue --------------------------------------------------------------------------------
    conf::Text helo_name{this, either("smtp_helo_name", "lmtp_lhlo_name"), "$myhostname", {.min = 1, .max = 255},
        "The name that is said in the greeting command."};
    conf::Flag always_send_ehlo{this, "smtp_always_send_ehlo", "yes",
        "Whether EHLO is said to every server, not only to those whose greeting has ESMTP in it."};
    conf::Flag never_send_ehlo{this, "smtp_never_send_ehlo", "no", "Whether HELO is said to every server."};
    conf::Words discard_ehlo_keywords{this, either("smtp_discard_ehlo_keywords", "lmtp_discard_lhlo_keywords"), "",
        "Extensions that are not used though a server offers them: pipelining, size, starttls, auth, 8bitmime, dsn, "
        "smtputf8, xforward, chunking, requiretls.  silent-discard is accepted and means nothing."};
    conf::TableNames discard_ehlo_keyword_address_maps{this,
        either("smtp_discard_ehlo_keyword_address_maps", "lmtp_discard_lhlo_keyword_address_maps"), "",
        "Tables that say for a server's address which extensions are not used, in the place of the list for all."};
    conf::Flag requiretls_enable{this, "requiretls_enable", "yes",
        "Whether mail that was sent with REQUIRETLS (RFC 8689) goes on with it; otherwise as any other mail."};
    conf::Words requiretls_policy{this, named("requiretls_policy"),
        either("cidr:{{127.0.0.0/8 opportunistic} {::1 opportunistic}} enforce", "opportunistic"),
        "How mail with REQUIRETLS goes on: the first of these that says something, levels or tables of them by "
        "destination, parent domains with a dot in front, and the server's address.  enforce: DNSSEC or MTA-STS proves "
        "the server to be the destination's, its certificate is verified, and it offers REQUIRETLS, or mail comes back "
        "(5.7.10, 5.7.30).  opportunistic+starttls: by TLS, or mail comes back.  opportunistic: as other mail.  "
        "Notifications, and what goes over a Unix socket, are opportunistic."};
    conf::Flag tls_required_enable{this, "tls_required_enable", "yes",
        "Whether a header field TLS-Required: No (RFC 8689) counts: such mail is sent whatever the recipient's domain "
        "publishes by DANE or MTA-STS, by TLS where the server offers it."};
    conf::Flag skip_5xx_greeting{this, named("skip_5xx_greeting"), "yes",
        "Whether a server that greets with 5xx is passed over for the next one, and mail deferred when there is none; "
        "otherwise mail is returned."};
    conf::Flag skip_quit_response{this, named("skip_quit_response"), "yes", "Whether the reply to QUIT is not waited for."};
    conf::Flag send_xforward_command{this, named("send_xforward_command"), "no",
        "Whether servers that offer XFORWARD are told from which client the message came."};
    conf::Flag send_dummy_mail_auth{this, named("send_dummy_mail_auth"), "no",
        "Whether MAIL has AUTH=<> when the server offers AUTH and it was used."};
    conf::Count line_length_limit{this, named("line_length_limit"), "998", {.max = 1'000'000'000},
        "How long a line of a message may be, in bytes: longer ones are broken, and a blank put before the rest.  0 sets "
        "no limit."};
    conf::Flag send_bdat_command{this, named("send_bdat_command"), "yes",
        "Whether messages go in chunks, by BDAT (RFC 3030), to servers that offer CHUNKING: nothing in them has to be "
        "looked at for dots, and a server can refuse a large message in the middle.  A server that offers BDAT and "
        "does not know it gets the message by DATA."};
    conf::Count bdat_chunk_size{this, named("bdat_chunk_size"), "262144", {.min = 1024, .max = 100'000'000},
        "How many bytes a chunk has; the last one has fewer.  A chunk is held in memory."};
    conf::TableNames generic_maps{this, named("generic_maps"), "",
        "Tables that replace addresses of envelope and header when a message goes to another site; generic(5)."};
    conf::TableNames header_checks{this, named("header_checks"), "",
        "Tables that change the header of a message when it goes to another site, before generic_maps: "
        "header_checks(5) with the actions IGNORE, STRIP, REPLACE, PREPEND, WARN, INFO and DUNNO.  Fields about MIME "
        "are for mime_header_checks."};
    conf::TableNames mime_header_checks{this, named("mime_header_checks"), "",
        "The same for fields about MIME, such as Content-Type, and for all fields of the parts of a multipart.  What a "
        "message is made of is what it said before."};
    conf::TableNames nested_header_checks{this, named("nested_header_checks"), "",
        "The same for the headers of attached messages."};
    conf::TableNames body_checks{this, named("body_checks"), "",
        "The same for lines of text, of each part up to body_checks_size_limit."};
    conf::Size body_checks_size_limit{this, "body_checks_size_limit", "51200", {.max = std::uint64_t(1) << 40},
        "How much of each part's body body_checks sees; 0 is no limit."};
    conf::Size header_size_limit{this, "header_size_limit", "102400", {.min = 1000, .max = 16U << 20},
        "How much of a field the checks see."};
    conf::Count mime_nesting_limit{this, "mime_nesting_limit", "100", {.min = 1, .max = 1000},
        "Multiparts deeper in each other than this are text for the checks."};
    conf::Size mime_boundary_length_limit{this, "mime_boundary_length_limit", "2048", {.min = 70, .max = 12'000},
        "Boundaries that differ behind this many bytes only are taken for one."};
    conf::TableNames reply_filter{this, named("reply_filter"), "",
        "Tables that replace lines of servers' replies, such as \"250-DSN\", before they are read: for servers that "
        "cannot be talked with otherwise."};
    conf::TableNames delivery_status_filter{this, named("delivery_status_filter"), "$default_delivery_status_filter",
        "Tables that change the outcome of a delivery, by its status and text, such as \"5.1.1 text\", into another "
        "such: a failure for now may become one for good, or the other way round, and its text may change; a success "
        "stays one."};
    conf::TableNames default_status_filter{this, "default_delivery_status_filter", "",
        "The tables of the services that have none of their own."};
    conf::Choice<VerifyTarget> address_verify_target{this, named("address_verify_target"), "rcpt",
        {{"rcpt", VerifyTarget::Rcpt}, {"data", VerifyTarget::Data}},
        "Which reply says whether a verified address takes mail: that to RCPT, or that to DATA; after that the "
        "connection ends without a message."};
    conf::Flag disable_mime_output_conversion{this, "disable_mime_output_conversion", "no",
        "Whether 8-bit text goes as it is to servers that do not offer 8BITMIME; otherwise it becomes quoted-printable."};
    conf::Flag assume_final{this, "lmtp_assume_final", "no",
        "Whether an LMTP server that does not offer DSN is taken to deliver finally, so that senders who ask for it "
        "are told of a delivery, not of a hand-over."};

    // --- log-in --------------------------------------------------------------------------------------
    conf::Flag sasl_auth_enable{this, named("sasl_auth_enable"), "no",
        "Whether servers that offer AUTH are logged in with, as the password maps say."};
    conf::TableNames sasl_password_maps{this, named("sasl_password_maps"), "",
        "Tables of user:password, by sender (sender_dependent_authentication), by the server's name, and by the "
        "destination as the route has it, such as [host]:port.  user:oauth:/file is a bearer token, which is the file's "
        "first line each time.  A server that has no entry is not logged in with."};
    conf::Flag sender_dependent_authentication{this, named("sender_dependent_authentication"), "no",
        "Whether the password maps are looked into by the sender first; mail of two senders does not share a connection "
        "where their entries differ."};
    conf::Words sasl_mechanism_filter{this, named("sasl_mechanism_filter"), "",
        "The mechanisms that may be used, as names, !names, /file/names and type:tables; the first that matches decides.  "
        "Empty: all."};
    conf::Words sasl_security_options{this, named("sasl_security_options"), "noplaintext, noanonymous",
        "What a mechanism must not or must be without TLS: noplaintext, noactive, nodictionary, noanonymous, mutual_auth."};
    conf::Words sasl_tls_security_options{this, named("sasl_tls_security_options"),
        util::concat('$', named("sasl_security_options")),
        "The same with TLS."};
    conf::Words sasl_tls_verified_security_options{this, named("sasl_tls_verified_security_options"),
        util::concat('$', named("sasl_tls_security_options")), "The same with TLS to a server whose certificate was verified."};
    conf::Flag sasl_auth_soft_bounce{this, named("sasl_auth_soft_bounce"), "yes",
        "Whether mail is deferred when a server refuses a log-in for good, and not returned."};

    // --- times ---------------------------------------------------------------------------------------
    conf::Duration connect_timeout{this, named("connect_timeout"), either("30s", "0s"), {.max = 24h},
        "How long a connection may take to be made; 0 leaves it to the system."};
    conf::Duration helo_timeout{this, either("smtp_helo_timeout", "lmtp_lhlo_timeout"), "300s", within,
        "How long the greeting may take, and the reply to the greeting command."};
    conf::Duration xforward_timeout{this, named("xforward_timeout"), "300s", within,
        "How long the reply to XFORWARD may take."};
    conf::Duration mail_timeout{this, named("mail_timeout"), "300s", within,
        "How long the reply to MAIL may take."};
    conf::Duration rcpt_timeout{this, named("rcpt_timeout"), "300s", within,
        "How long the reply to RCPT may take."};
    conf::Duration data_init_timeout{this, named("data_init_timeout"), "120s", within, "How long the reply to DATA may take."};
    conf::Duration data_xfer_timeout{this, named("data_xfer_timeout"), "180s", within,
        "How long the server may take no bytes of a message."};
    conf::Duration data_done_timeout{this, named("data_done_timeout"), "600s", within,
        "How long the reply to the end of a message may take."};
    conf::Duration rset_timeout{this, named("rset_timeout"), "20s", within, "How long the reply to RSET may take."};
    conf::Duration quit_timeout{this, named("quit_timeout"), "300s", within, "How long the reply to QUIT may take."};
    conf::Flag per_request_deadline{this, named("per_request_deadline"), "no",
        "Whether the time for a message's content holds for all of it, to which each min_data_rate bytes add a second, "
        "and not for each piece.  The times for replies always hold for the whole reply."};
    conf::Count min_data_rate{this, named("min_data_rate"), "500", {.min = 1, .max = 1'000'000'000},
        "Bytes per second that a server must take under per_request_deadline."};

    // --- connections that stay open --------------------------------------------------------------------
    conf::Flag connection_cache_on_demand{this, named("connection_cache_on_demand"), "yes",
        "Whether a connection stays open for the next message while more mail is there for the same destination."};
    conf::Words connection_cache_destinations{this, named("connection_cache_destinations"), "",
        "Destinations whose connections always stay open for a while: domains, hosts, and static:all for all."};
    conf::Duration connection_cache_time_limit{this, named("connection_cache_time_limit"), "2s", {.max = 1h},
        "How long a connection stays open with nothing to do."};
    conf::Duration connection_reuse_time_limit{this, named("connection_reuse_time_limit"), "300s", {.max = 24h},
        "How old a connection may be when it is used again."};
    conf::Count connection_reuse_count_limit{this, named("connection_reuse_count_limit"), "0", {.max = 1'000'000'000},
        "For how many messages one connection is used; 0 sets no limit."};

private:
    static constexpr conf::DurationLimits within{.min = 1s, .max = 24h};
};

}  // namespace smtp
