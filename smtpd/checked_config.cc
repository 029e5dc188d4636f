// Rules between the parameters of smtpd(8).
#include "smtpd/checked_config.h"

#include "libnet/tls.h"
#include "libutil/text.h"

#include <algorithm>

namespace smtpd {

namespace {

// Does a list stop mail for other sites?
bool closes(const RestrictionList& list)
{
    using Kind = Restriction::Kind;
    return std::ranges::any_of(list, [](const Restriction& restriction) {
        return restriction.kind == Kind::Reject || restriction.kind == Kind::Defer ||
               restriction.kind == Kind::RejectUnauthDestination ||
               restriction.kind == Kind::DeferUnauthDestination;
    });
}

}  // namespace

void CheckedConfig::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    Config::verify(settings, problems);
    auto complain = [&](std::string_view name, std::string_view text) {
        const conf::Setting* setting = settings.find(name);
        problems.add(setting ? setting->file : "", setting ? setting->line : 0, util::concat(name, ": ", text));
    };
    bool whole = true;
    auto read = [&](std::string_view name, std::string_view text, RestrictionList& into) {
        auto parsed = parse_restrictions(text, *restriction_classes, true);
        if (parsed.ok()) {
            into = parsed.take();
        } else {
            complain(name, parsed.error().text);
            whole = false;
        }
    };
    lists_ = {};
    for (auto& [parameter, list] : {std::pair<const conf::Text&, RestrictionList&>
                                    {client_restrictions, lists_.client},
                                    {helo_restrictions, lists_.helo},
                                    {sender_restrictions, lists_.sender},
                                    {relay_restrictions, lists_.relay},
                                    {recipient_restrictions, lists_.recipient},
                                    {data_restrictions, lists_.data},
                                    {end_of_data_restrictions, lists_.end_of_data},
                                    {etrn_restrictions, lists_.etrn}})
        read(parameter.name(), *parameter, list);
    for (const std::string& name : *restriction_classes) {
        const conf::Setting* setting = settings.find(name);
        auto text = setting ? settings.expand(setting->value)
                            : util::Result<std::string>(util::invalid("named in smtpd_restriction_classes, but not set"));
        if (text.ok())
            read(name, *text, lists_.classes[name]);
        else
            complain(name, text.error().text);
    }
    // A server that relays for everybody is never what was meant.
    if (whole && !closes(lists_.relay) && !closes(lists_.recipient))
        complain(relay_restrictions.name(),
                 "this or smtpd_recipient_restrictions must hold reject_unauth_destination, "
                 "defer_unauth_destination, reject or defer: without them this is an open relay");
    for (const conf::Text* protocols : {&tls_protocols, &tls_mandatory_protocols})
        if (auto versions = net::parse_tls_protocols(**protocols); !versions.ok())
            complain(protocols->name(), versions.error().text);
}

}  // namespace smtpd
