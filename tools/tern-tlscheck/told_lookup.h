// ToldLookup: a Lookup that says what it is answered.
#pragma once

#include "smtp/site/lookup.h"

#include <functional>

namespace tlscheck {

using Say = std::function<void(std::string_view line)>;

// "secure", "not secure": by DNSSEC.
std::string_view secure_text(bool secure);

class ToldLookup final : public smtp::Lookup {
public:
    ToldLookup(smtp::Lookup& inner, const Say& say) : inner_(inner), say_(say) {}

    smtp::MxAnswer mx(std::string_view domain) override;
    smtp::SrvAnswer srv(std::string_view name) override;
    // Those that are found are told when they are tried.
    std::vector<smtp::AddressAnswer> addresses(std::span<const std::string> hosts) override;

private:
    smtp::Lookup& inner_;
    const Say& say_;
};

}  // namespace tlscheck
