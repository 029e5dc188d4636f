#include "smtp/generic.h"

#include "libmail/address_edit.h"
#include "libmail/header.h"
#include "librouting/address_map.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtp {

namespace {

bool has_addresses(const mail::FieldView& field)
{
    static constexpr std::string_view names[] = {
        "from", "sender", "reply-to", "to", "cc", "bcc", "return-path", "errors-to", "return-receipt-to",
        "disposition-notification-to", "mail-followup-to", "apparently-to", "resent-from", "resent-sender", "resent-reply-to",
        "resent-to", "resent-cc", "resent-bcc",
    };
    return std::ranges::any_of(names, [&](std::string_view name) { return field.is(name); });
}

}  // namespace

util::Result<Generic> Generic::open(const Config& config, routing::Router& router)
{
    auto tables = conf::Tables::open(*config.generic_maps);
    if (!tables)
        return tables.take_error().in(config.generic_maps.name());
    return Generic(router, tables.take());
}

util::Result<mail::Address> Generic::map(const mail::Address& address)
{
    if (!active() || address.is_null())
        return address;
    return routing::map_address(*router_, tables_, address, router_->propagates("generic"));
}

util::Result<std::string> Generic::rewrite(std::string_view header)
{
    std::string out;
    out.reserve(header.size());
    std::size_t copied = 0;
    mail::HeaderReader reader(header);
    mail::FieldView field;
    while (reader.next(field)) {
        if (!has_addresses(field))
            continue;
        auto edits =
            TRY(mail::edit_addresses(field.value, max_generic_tokens,
                                     [this](const mail::Address& address) -> util::Result<std::optional<mail::Address>> {
                                         if (address.domain.empty())
                                             return std::optional<mail::Address>();
                                         auto mapped = map(address);
                                         if (!mapped)
                                             return mapped.take_error();
                                         return mapped->local_part == address.local_part && mapped->domain == address.domain
                                                    ? std::optional<mail::Address>()
                                                    : std::optional(mapped.take());
                                     }));
        if (edits.empty())
            continue;
        std::size_t value = static_cast<std::size_t>(field.value.data() - header.data());
        out += header.substr(copied, value - copied);
        out += mail::apply_edits(field.value, edits);
        copied = value + field.value.size();
    }
    out += header.substr(copied);
    return out;
}

}  // namespace smtp
