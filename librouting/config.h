// The parameters of addresses and routes: smtpd(8), cleanup(8) and qmgr(8) read them, so that all
// of them give the same answer.
#pragma once

#include "libconf/parameter.h"

namespace routing {

struct Config : conf::Section {
    // --- addresses -------------------------------------------------------------------------------
    conf::Flag append_at_myorigin{this, "append_at_myorigin", "yes",
        "Whether an address without domain gets @$myorigin."};
    conf::Flag append_dot_mydomain{this, "append_dot_mydomain", "no",
        "Whether a domain without dot gets .$mydomain."};
    conf::Flag swap_bangpath{this, "swap_bangpath", "yes",
        "Whether an address site!user without domain becomes user@site."};
    conf::Flag allow_percent_hack{this, "allow_percent_hack", "yes",
        "Whether an address user%domain without domain becomes user@domain."};
    conf::TableNames canonical_maps{this, "canonical_maps", "",
        "Tables that replace addresses in envelopes and headers, as $canonical_classes says; "
        "canonical(5)."};
    conf::TableNames sender_canonical_maps{this, "sender_canonical_maps", "",
        "Tables that replace senders' addresses, before canonical_maps; $sender_canonical_classes says "
        "which."};
    conf::TableNames recipient_canonical_maps{this, "recipient_canonical_maps", "",
        "Tables that replace recipients' addresses, before canonical_maps; $recipient_canonical_classes "
        "says which."};
    conf::TableNames relocated_maps{this, "relocated_maps", "",
        "Tables of recipients who have moved, with their new address or another text: mail for them is "
        "refused with 5.1.6; relocated(5)."};
    conf::Words parent_domain_matches_subdomains{this, "parent_domain_matches_subdomains",
        "debug_peer_list, fast_flush_domains, mynetworks, permit_mx_backup_networks, relay_domains, smtpd_access_maps",
        "Parameters in whose lists and tables example.com stands for its subdomains, too.  In all "
        "others .example.com does."};

    conf::Words proxy_interfaces{this, "proxy_interfaces", "",
        "Addresses at which this system is reached through a proxy or a translation of addresses: MX hosts with "
        "these, and addresses user@[192.0.2.1], are this system's, too."};

    // --- domains and their recipients --------------------------------------------------------------
    conf::TableNames alias_maps{this, "alias_maps", "",
        "The tables of aliases(5): what local(8) makes of names in $mydestination.  A table of an owner other "
        "than root lets its commands and files run with that owner's rights."};
    conf::TableNames local_recipient_maps{this, "local_recipient_maps", "accounts:$config_directory/accounts $alias_maps",
        "The tables of all recipients in $mydestination: the address is looked up, then the name "
        "alone.  Empty: all names are taken."};
    conf::Words role_names{this, "role_names", "postmaster, abuse, mailer-daemon",
        "Names that have mail in every domain of this system, those of $relay_domains excepted (RFC 5321 §4.5.1, "
        "RFC 2142).  Where such an address has no entry and no mailbox of its own, its mail goes to $role_address."};
    conf::Text role_address{this, "role_address", "", {.max = 1000},
        "Who gets the mail for $role_names.  Empty: whoever gets that name's mail at $myorigin or $myhostname, or "
        "postmaster's there, or root's alias.  When there is nobody, such mail is refused like that for others."};
    conf::Text double_bounce_sender{this, "double_bounce_sender", "double-bounce", {.min = 1, .max = 256},
        "See address_verify_sender."};
    conf::Text probe_sender{this, "address_verify_sender", "$double_bounce_sender", {.max = 256},
        "The sender of probes: mail for it is taken, since other sites ask whether it is, and thrown away unless it has a "
        "mailbox."};
    conf::Duration probe_sender_ttl{this, "address_verify_sender_ttl", "0s", {.max = std::chrono::hours(24 * 365)},
        "How long each sender of probes is good for: behind its name stands a part that changes so often.  0: it stays."};
    conf::Words virtual_alias_domains{this, "virtual_alias_domains", "$virtual_alias_maps",
        "Domains all of whose addresses are in $virtual_alias_maps."};
    conf::TableNames virtual_alias_maps{this, "virtual_alias_maps", "",
        "Tables that replace recipients by one or more others, in any domain."};
    conf::Count virtual_alias_expansion_limit{this, "virtual_alias_expansion_limit", "1000",
        {.min = 1, .max = 100'000}, "How many recipients one may become."};
    conf::Count virtual_alias_recursion_limit{this, "virtual_alias_recursion_limit", "1000",
        {.min = 1, .max = 1000}, "How often the result of an alias may be an alias again."};
    conf::Count virtual_alias_address_length_limit{this, "virtual_alias_address_length_limit", "1000",
        {.min = 10, .max = 100'000}, "How long an address may become by aliases: a loop may make each "
        "longer than the one before."};
    conf::Words propagate_unmatched_extensions{this, "propagate_unmatched_extensions", "canonical, virtual",
        "Where an address extension is kept: with virtual, user+ext@example.com whose entry is that "
        "of user@example.com becomes other+ext@example.net; with canonical, the same in canonical(5)."};
    conf::Words relay_domains{this, "relay_domains", "",
        "Domains for which mail is taken and sent on through $relay_transport."};
    conf::TableNames relay_recipient_maps{this, "relay_recipient_maps", "",
        "The tables of all addresses in $relay_domains.  Empty: all are taken."};

    // --- the sender of mail that is sent on --------------------------------------------------------
    conf::Text srs_domain{this, "srs_domain", "", {.max = 255},
        "The domain of addresses of SRS (Sender Rewriting Scheme).  With it, mail from a stranger that an alias, a "
        ".forward or the like sends on to another stranger goes out with the sender SRS0=...@$srs_domain, or "
        "SRS1=...@$srs_domain, as this system may not send for the stranger's domain (SPF); and what comes back to that "
        "address, without a sender as notifications do, goes to the stranger.  Its MX record must lead here; it may be "
        "one of the other domains here, or a domain for nothing else.  Empty: senders stay."};
    conf::Path srs_secrets_file{this, "srs_secrets_file", "$config_directory/srs.secrets",
        "The file of the secrets that sign these addresses, one a line: the first one signs, each of them is good for an "
        "address that comes back.  Only its owner may have rights on it.  \"tern srs new-secret\" makes the file, or "
        "puts another secret in front.  That of postsrsd can be used as it is."};
    conf::Duration srs_lifetime{this, "srs_lifetime", "21d",
        {.min = std::chrono::hours(24), .max = std::chrono::hours(24 * 1023)},
        "How long, in whole days, mail is taken for an SRS address since the day on which it was made."};
    conf::Words srs_exclude_domains{this, "srs_exclude_domains", "",
        "Domains, as a list of domains and type:tables, whose senders stay, beside this system's own domains."};
    conf::Count srs_hash_length{this, "srs_hash_length", "4", {.min = 4, .max = 26},
        "How many characters of the signature stand in an SRS address; four are 24 bits."};
    conf::Count srs_hash_minimum{this, "srs_hash_minimum", "4", {.min = 4, .max = 26},
        "How many must stand in one that comes back, at most $srs_hash_length."};

    // --- where mail goes ---------------------------------------------------------------------------
    conf::Text local_transport{this, "local_transport", "local", {.min = 1},
        "How mail for $mydestination is delivered.  As all transports here: a service of master.cf, "
        "with :nexthop if need be, or error:text, retry:text or discard:text."};
    conf::Text virtual_transport{this, "virtual_transport", "local", {.min = 1},
        "How mail for $virtual_mailbox_domains is delivered."};
    conf::Text relay_transport{this, "relay_transport", "relay", {.min = 1},
        "How mail for $relay_domains is delivered."};
    conf::Text default_transport{this, "default_transport", "smtp", {.min = 1},
        "How mail for all other domains is delivered."};
    conf::Text relayhost{this, "relayhost", "",
        "The host through which all mail for other domains goes, as [host], [host]:port or domain; or "
        "several, with commas."};
    conf::TableNames sender_dependent_relayhost_maps{this, "sender_dependent_relayhost_maps", "",
        "Tables of relay hosts by sender, user@domain or @domain; they overrule relayhost."};
    conf::TableNames sender_dependent_default_transport_maps{this, "sender_dependent_default_transport_maps", "",
        "Tables of transports by sender, user@domain or @domain; they overrule default_transport."};
    conf::TableNames transport_maps{this, "transport_maps", "",
        "Tables of transports by recipient, domain, .domain or *; they overrule all of the above."};

    // Is the name in $parent_domain_matches_subdomains?
    bool matches_subdomains(std::string_view parameter) const
    {
        for (const std::string& word : *parent_domain_matches_subdomains) {
            if (word == parameter)
                return true;
        }
        return false;
    }
};

}  // namespace routing
