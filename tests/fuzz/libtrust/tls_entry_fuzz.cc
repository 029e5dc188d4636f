// Entries of smtp_tls_policy_maps, and the keys for a destination.
#include "libtrust/tls_site.h"
#include "libutil/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto site = trust::parse_tls_entry(text);
    if (site.ok()) {
        CHECK(site->match.size() <= trust::max_tls_match);
        for (const std::string& name : site->exclude)
            CHECK(trust::is_cipher_name(name));
    }
    CHECK(trust::tls_policy_keys(text).size() <= 128);
    return 0;
}
