// AddressRules: what becomes of senders, recipients and addresses in header fields: canonical(5),
// masquerading, automatic copies.  Aliases are the router's.
#pragma once

#include "cleanup/config.h"
#include "libconf/match_list.h"
#include "libmail/address_edit.h"
#include "librouting/router.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace cleanup {

// Where an address stands: what canonical_classes and its kin name.
enum class AddressPlace : unsigned char { EnvelopeSender, EnvelopeRecipient, HeaderSender, HeaderRecipient };

class AddressRules {
public:
    // Invalid: a parameter's list, table or class is wrong.  Nothing is read yet.
    static util::Result<AddressRules> open(const Config& config, routing::Router& router);

    // An address of the envelope in canonical form, and with `mapped` as the tables and domains of that
    // place have it.  Invalid: no address; Temporary: a table fails.
    util::Result<mail::Address> envelope_address(AddressPlace place, std::string_view text, bool mapped);
    // Would the tables of that place be asked?
    bool maps(AddressPlace place) const { return active_[std::size_t(place)]; }

    // The place of a header field's addresses, by its name in lower case; nothing for other fields.
    static std::optional<AddressPlace> place_of_field(std::string_view lower_name);
    // The edits for such a field's value.  `remote`: of mail from elsewhere, whose addresses without
    // domain get remote_header_rewrite_domain.
    util::Result<std::vector<mail::Edit>> edit_field(AddressPlace place, std::string_view value, bool remote);
    // Are headers of mail from elsewhere looked at?
    bool edits_remote() const { return !config_->remote_header_rewrite_domain->empty(); }

    // Who gets a copy; an address as the table has it.
    util::Result<std::optional<std::string>> sender_copy(const mail::Address& sender);
    util::Result<std::optional<std::string>> recipient_copy(const mail::Address& recipient);
    bool has_sender_copies() const { return !sender_copies_.empty(); }
    bool has_recipient_copies() const { return !recipient_copies_.empty(); }

private:
    using Places = std::array<bool, 4>;

    AddressRules(const Config& config, routing::Router& router) : config_(&config), router_(&router) {}
    util::Result<mail::Address> replace(AddressPlace place, mail::Address address);
    util::Result<void> masquerade(mail::Address& address);

    const Config* config_;
    routing::Router* router_;
    Places canonical_{}, sender_canonical_{}, recipient_canonical_{}, masquerade_{};
    Places active_{};
    conf::Domains exceptions_;
    conf::Tables sender_copies_, recipient_copies_;
};

}  // namespace cleanup
