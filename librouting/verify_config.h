// The ways of probes for address verification: read by qmgr(8).
#pragma once

#include "librouting/router.h"

namespace routing {

struct VerifyConfig : conf::Section {
    conf::Text local_transport{this, "address_verify_local_transport", "$local_transport", {.min = 1},
        "How probes of reject_unverified_recipient and its kin for $mydestination go; by default as mail does."};
    conf::Text virtual_transport{this, "address_verify_virtual_transport", "$virtual_transport", {.min = 1},
        "The same for $virtual_mailbox_domains."};
    conf::Text relay_transport{this, "address_verify_relay_transport", "$relay_transport", {.min = 1},
        "The same for $relay_domains."};
    conf::Text default_transport{this, "address_verify_default_transport", "$default_transport", {.min = 1},
        "The same for all other domains."};
    conf::Text relayhost{this, "address_verify_relayhost", "$relayhost",
        "The relayhost of probes.  Empty: they ask the destination itself, which alone knows its addresses."};
    conf::TableNames sender_dependent_relayhost_maps{this, "address_verify_sender_dependent_relayhost_maps",
        "$sender_dependent_relayhost_maps", "The sender_dependent_relayhost_maps of probes."};
    conf::TableNames sender_dependent_default_transport_maps{this,
        "address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps",
        "The sender_dependent_default_transport_maps of probes."};
    conf::TableNames transport_maps{this, "address_verify_transport_maps", "$transport_maps",
        "The transport_maps of probes."};

    Ways ways() const
    {
        return {*local_transport, *virtual_transport, *relay_transport, *default_transport, *relayhost, *transport_maps,
                *sender_dependent_relayhost_maps, *sender_dependent_default_transport_maps};
    }
};

}  // namespace routing
