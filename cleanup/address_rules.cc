// AddressRules.
#include "cleanup/address_rules.h"

#include "cleanup/content_checks.h"
#include "libutil/text.h"

#include <algorithm>

namespace cleanup {

namespace {

constexpr std::string_view place_names[] = {"envelope_sender", "envelope_recipient", "header_sender",
                                            "header_recipient"};

util::Result<std::array<bool, 4>> places_of(const conf::Words& parameter)
{
    std::array<bool, 4> places{};
    for (const std::string& word : *parameter) {
        auto found = std::find(std::begin(place_names), std::end(place_names), word);
        if (found == std::end(place_names))
            return util::invalid(
                util::concat(parameter.name(), ": there is no class \"", util::printable(word, 60),
                             "\" (there are envelope_sender envelope_recipient header_sender header_recipient)"));
        places[std::size_t(found - std::begin(place_names))] = true;
    }
    return places;
}

}  // namespace

util::Result<AddressRules> AddressRules::open(const Config& config, routing::Router& router)
{
    using routing::Canonical;
    AddressRules rules(config, router);
    rules.canonical_ = TRY(places_of(config.canonical_classes));
    rules.sender_canonical_ = TRY(places_of(config.sender_canonical_classes));
    rules.recipient_canonical_ = TRY(places_of(config.recipient_canonical_classes));
    rules.masquerade_ = TRY(places_of(config.masquerade_classes));
    auto exceptions = conf::Domains::parse(*config.masquerade_exceptions);
    if (!exceptions)
        return exceptions.take_error().in(config.masquerade_exceptions.name());
    rules.exceptions_ = exceptions.take();
    rules.sender_copies_ = TRY(tables_of(config.sender_bcc_maps));
    rules.recipient_copies_ = TRY(tables_of(config.recipient_bcc_maps));
    for (std::size_t i = 0; i < rules.active_.size(); ++i) {
        rules.canonical_[i] = rules.canonical_[i] && router.has_canonical(Canonical::Both);
        rules.sender_canonical_[i] = rules.sender_canonical_[i] && router.has_canonical(Canonical::Sender);
        rules.recipient_canonical_[i] = rules.recipient_canonical_[i] && router.has_canonical(Canonical::Recipient);
        rules.masquerade_[i] = rules.masquerade_[i] && !config.masquerade_domains->empty();
        rules.active_[i] = rules.canonical_[i] || rules.sender_canonical_[i] || rules.recipient_canonical_[i] ||
                           rules.masquerade_[i];
    }
    return rules;
}

util::Result<mail::Address> AddressRules::envelope_address(AddressPlace place, std::string_view text, bool mapped)
{
    mail::Address address = router_->complete(TRY(mail::parse_address(text)));
    if (!mapped)
        return address;
    return replace(place, std::move(address));
}

util::Result<mail::Address> AddressRules::replace(AddressPlace place, mail::Address address)
{
    using routing::Canonical;
    std::size_t index = std::size_t(place);
    if (!active_[index] || address.is_null())
        return address;
    if (sender_canonical_[index])
        address = TRY(router_->canonical(Canonical::Sender, address));
    if (recipient_canonical_[index])
        address = TRY(router_->canonical(Canonical::Recipient, address));
    if (canonical_[index])
        address = TRY(router_->canonical(Canonical::Both, address));
    if (masquerade_[index])
        TRY(masquerade(address));
    return address;
}

util::Result<void> AddressRules::masquerade(mail::Address& address)
{
    if (address.domain.empty())
        return {};
    if (!exceptions_.empty()) {
        bool excepted = TRY(exceptions_.contains(util::lower(address.local_part)));
        if (excepted)
            return {};
    }
    for (std::string_view masked : *config_->masquerade_domains) {
        bool hide = true;
        for (; masked.starts_with('!'); masked.remove_prefix(1))
            hide = !hide;
        std::string_view domain = address.domain;
        if (util::equal_nocase(masked, domain))
            return {};
        bool below = !masked.empty() && domain.size() > masked.size() + 1 && util::ends_with_nocase(domain, masked) &&
                     domain[domain.size() - masked.size() - 1] == '.';
        if (!below)
            continue;
        if (hide)
            address.domain = util::lower(masked);
        return {};
    }
    return {};
}

std::optional<AddressPlace> AddressRules::place_of_field(std::string_view name)
{
    static constexpr std::string_view senders[] = {
        "from", "sender", "reply-to", "return-path", "errors-to", "return-receipt-to", "disposition-notification-to",
        "mail-followup-to", "resent-from", "resent-sender", "resent-reply-to",
    };
    static constexpr std::string_view recipients[] = {
        "to", "cc", "bcc", "apparently-to", "resent-to", "resent-cc", "resent-bcc",
    };
    if (std::find(std::begin(senders), std::end(senders), name) != std::end(senders))
        return AddressPlace::HeaderSender;
    if (std::find(std::begin(recipients), std::end(recipients), name) != std::end(recipients))
        return AddressPlace::HeaderRecipient;
    return {};
}

util::Result<std::vector<mail::Edit>> AddressRules::edit_field(AddressPlace place, std::string_view value, bool remote)
{
    bool active = active_[std::size_t(place)];
    return mail::edit_addresses(
        value, *config_->header_address_token_limit,
        [&](const mail::Address& address) -> util::Result<std::optional<mail::Address>> {
            if (!active && router_->is_complete(address))
                return std::optional<mail::Address>();
            mail::Address complete = remote ? router_->complete_with(address, *config_->remote_header_rewrite_domain)
                                            : router_->complete(address);
            mail::Address mapped = TRY(replace(place, std::move(complete)));
            return std::optional(std::move(mapped));
        });
}

util::Result<std::optional<std::string>> AddressRules::sender_copy(const mail::Address& sender)
{
    return router_->look_up(sender_copies_, sender);
}

util::Result<std::optional<std::string>> AddressRules::recipient_copy(const mail::Address& recipient)
{
    return router_->look_up(recipient_copies_, recipient);
}

}  // namespace cleanup
