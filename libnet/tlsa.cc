// Which TLSA records SMTP can use.
#include "libnet/tlsa.h"

#include "libnet/tls_internal.h"
#include "libutil/text.h"

#include <algorithm>
#include <openssl/err.h>

namespace net {

namespace {

constexpr std::size_t max_full_size = 64 * 1024;  // of a certificate or key in a record

// Whether all of the data is one certificate, or one key, in DER.
bool is_whole(const TlsaRecord& record)
{
    if (record.data.size() > max_full_size)
        return false;
    const auto* begin = reinterpret_cast<const unsigned char*>(record.data.data());
    const unsigned char* cursor = begin;
    bool parsed;
    if (record.selector == 0)
        parsed = detail::Certificate(d2i_X509(nullptr, &cursor, long(record.data.size()))) != nullptr;
    else
        parsed = detail::Key(d2i_PUBKEY(nullptr, &cursor, long(record.data.size()))) != nullptr;
    ERR_clear_error();
    return parsed && cursor == begin + record.data.size();
}

}  // namespace

bool is_usable(const TlsaRecord& record)
{
    if (record.usage != 2 && record.usage != 3)
        return false;
    if (record.selector > 1)
        return false;
    switch (record.matching) {
    case 0:
        return is_whole(record);
    case 1:
        return record.data.size() == 32;
    case 2:
        return record.data.size() == 64;
    default:
        return false;
    }
}

bool any_usable(const std::vector<TlsaRecord>& records)
{
    return std::ranges::any_of(records, is_usable);
}

util::Result<std::vector<TlsaRecord>> trust_anchors(std::string_view text)
{
    auto pem = TRY(detail::read_pem(text));
    if (!pem.keys.empty())
        return util::invalid("a private key among trust anchors");
    std::vector<TlsaRecord> anchors;
    auto add = [&anchors](EVP_PKEY* key) {
        unsigned char* der = nullptr;
        int size = key ? i2d_PUBKEY(key, &der) : 0;
        if (size > 0)
            anchors.push_back({2, 1, 0, std::string(reinterpret_cast<const char*>(der), std::size_t(size))});
        OPENSSL_free(der);
    };
    for (const detail::Certificate& certificate : pem.certificates)
        add(X509_get0_pubkey(certificate.get()));
    for (const detail::Key& key : pem.public_keys)
        add(key.get());
    if (anchors.empty() || anchors.size() > max_trust_anchors)
        return util::invalid(
            util::concat("there must be 1 to ", max_trust_anchors, " certificates and public keys, not ", anchors.size()));
    return anchors;
}

std::string to_text(const TlsaRecord& record, std::size_t bytes)
{
    return util::concat(record.usage, ' ', record.selector, ' ', record.matching, ' ',
                        util::hex(std::string_view(record.data).substr(0, bytes)),
                        record.data.size() > bytes ? ".." : "");
}

}  // namespace net
