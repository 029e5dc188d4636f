// The parameters that say where an address leads; read by smtpd(8), cleanup(8), qmgr(8) and local(8).
#pragma once

#include "libconf/parameter.h"

namespace routing {

struct Config : conf::Section {
    // --- address classes ---------------------------------------------------------------------------
    conf::Words local_recipient_maps{this, "local_recipient_maps", "accounts:$config_directory/accounts",
        "The tables of all users in $mydestination, asked for user@domain and then for the user "
        "alone.  Empty: every user is taken to exist."};
    conf::Words virtual_alias_domains{this, "virtual_alias_domains", "$virtual_alias_maps",
        "The domains all of whose addresses are aliases, as a list of names, /file/names and "
        "type:tables."};
    conf::Words virtual_alias_maps{this, "virtual_alias_maps", "",
        "The tables that turn a recipient into other recipients, for any domain.  They are asked for "
        "user+extension@domain, user@domain, then (for $myorigin, $mydestination) for the user "
        "alone, then for @domain."};
    conf::Count virtual_alias_expansion_limit{this, "virtual_alias_expansion_limit", "1000",
        {.min = 1, .max = 1'000'000},
        "How many recipients one recipient may become.  Beyond it the message is refused for now."};
    conf::Count virtual_alias_recursion_limit{this, "virtual_alias_recursion_limit", "1000",
        {.min = 1, .max = 10'000},
        "How many aliases may lead to one another.  Beyond it the message is refused for now."};
    conf::Words relay_domains{this, "relay_domains", "",
        "Foreign domains that this system takes mail for, as a list of names, /file/names and "
        "type:tables."};
    conf::Words relay_recipient_maps{this, "relay_recipient_maps", "",
        "The tables of all addresses in $relay_domains.  Empty: every address is taken to exist."};
    conf::Words propagate_unmatched_extensions{this, "propagate_unmatched_extensions",
        "canonical, virtual",
        "In which lookups an extension that the table does not name is added to the result: of these "
        "words, only virtual has an effect."};

    // --- transports ------------------------------------------------------------------------------------
    conf::Words transport_maps{this, "transport_maps", "",
        "The tables that give a recipient or a domain its transport:nexthop, before all other rules."};
    conf::Text local_transport{this, "local_transport", "local:$myhostname",
        "The transport:nexthop for $mydestination."};
    conf::Text virtual_transport{this, "virtual_transport", "local",
        "The transport:nexthop for $virtual_mailbox_domains."};
    conf::Text relay_transport{this, "relay_transport", "relay",
        "The transport:nexthop for $relay_domains."};
    conf::Text default_transport{this, "default_transport",
        "error:5.4.4 This system does not send mail to other hosts",
        "The transport:nexthop for all other domains.  error:TEXT returns the mail, retry:TEXT keeps "
        "it and tries again."};
    conf::Text relayhost{this, "relayhost", "",
        "The nexthop for mail to all other domains, where $default_transport names none."};
};

}  // namespace routing
