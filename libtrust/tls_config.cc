// Rules between the parameters of TLS to other servers.
#include "libtrust/tls_config.h"

#include "libnet/tls.h"
#include "libtrust/tls_site.h"

namespace trust {

void TlsConfig::verify(const conf::MainCf& settings, conf::Problems& problems) const
{
    Section::verify(settings, problems);
    auto complain = [&](std::string_view name, std::string_view text) {
        const conf::Setting* setting = settings.find(name);
        problems.add(setting ? setting->file : "", setting ? setting->line : 0, util::concat(name, ": ", text));
    };
    for (const conf::Text* parameter : {&protocols, &mandatory_protocols})
        if (auto parsed = net::parse_tls_protocols(**parameter); !parsed.ok())
            complain(parameter->name(), parsed.error().text);
    for (const conf::Words* parameter : {&exclude_ciphers, &mandatory_exclude_ciphers})
        for (const std::string& word : **parameter)
            if (!is_cipher_name(word))
                complain(parameter->name(), util::concat("no cipher: ", util::printable(word, 40)));
    if (*wrappermode && *security_level <= TlsLevel::May && policy_maps->empty())
        complain(wrappermode.name(), util::concat("needs ", security_level.name(), " = encrypt or above"));
    if (*security_level == TlsLevel::Fingerprint && fingerprint_cert_match->empty())
        complain(security_level.name(), util::concat("fingerprint needs ", fingerprint_cert_match.name()));
}

}  // namespace trust
