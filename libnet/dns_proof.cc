// What the signatures in one message prove.
#include "libnet/dns_proof.h"

#include "libnet/dns_name.h"
#include "libnet/dns_proof_denial.h"
#include "libutil/handle.h"
#include "libutil/text.h"

#include <ldns/ldns.h>

#include <algorithm>

namespace net::dns {

namespace {

using List = util::Handle<ldns_rr_list, ldns_rr_list_free>;  // of records that others own

constexpr std::uint16_t zone_key = 0x0100, revoked_key = 0x0080;  // RFC 4034 §2.1.1, RFC 5011 §3
constexpr std::uint8_t key_protocol = 3;                          // RFC 4034 §2.1.2

bool is_usable_algorithm(std::uint8_t algorithm)
{
    // RFC 8624 §3.1: all that a validator must know, and its recommendations.
    constexpr std::uint8_t known[] = {LDNS_RSASHA1, LDNS_RSASHA1_NSEC3, LDNS_RSASHA256, LDNS_RSASHA512,
                                      LDNS_ECDSAP256SHA256, LDNS_ECDSAP384SHA384, LDNS_ED25519, LDNS_ED448};
    return std::ranges::find(known, algorithm) != std::end(known);
}

std::uint8_t byte_of(const ldns_rr* record, std::size_t field)
{
    const ldns_rdf* data = ldns_rr_rdf(record, field);
    return data != nullptr && ldns_rdf_size(data) >= 1 ? ldns_rdf_data(data)[0] : 0;
}

bool is_usable_key(const ldns_rr* key)
{
    const ldns_rdf* flags = ldns_rr_rd_count(key) == 4 ? ldns_rr_rdf(key, 0) : nullptr;
    if (flags == nullptr || ldns_rdf_size(flags) != 2)
        return false;
    std::uint16_t bits = ldns_rdf2native_int16(flags);
    return (bits & zone_key) != 0 && (bits & revoked_key) == 0 && byte_of(key, 1) == key_protocol &&
           is_usable_algorithm(byte_of(key, 2));
}

std::uint8_t digest_of(const ldns_rr* ds) { return byte_of(ds, 2); }

bool is_usable_ds(const ldns_rr* ds)
{
    std::uint8_t digest = digest_of(ds);
    bool known = digest == LDNS_SHA1 || digest == LDNS_SHA256 || digest == LDNS_SHA384;
    return ldns_rr_rd_count(ds) == 4 && known && is_usable_algorithm(byte_of(ds, 1));
}

bool is_whole_signature(const ldns_rr* record)
{
    constexpr std::size_t fields = 9;
    return ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG && ldns_rr_rd_count(record) == fields;
}

List list_of(std::span<ldns_rr* const> records)
{
    List list(ldns_rr_list_new());
    for (ldns_rr* record : records)
        ldns_rr_list_push_rr(list.get(), record);
    return list;
}

List list_of(const std::vector<LdnsRecord>& records)
{
    List list(ldns_rr_list_new());
    for (const LdnsRecord& record : records)
        ldns_rr_list_push_rr(list.get(), record.get());
    return list;
}

LdnsRecord copy(const ldns_rr* record)
{
    return LdnsRecord(ldns_rr_clone(record));
}

}  // namespace

void FreeRecord::operator()(ldns_struct_rr* record) const
{
    ldns_rr_free(record);
}

std::string name_of(const ldns_struct_rdf* name)
{
    return name_from_wire({reinterpret_cast<const char*>(ldns_rdf_data(name)), ldns_rdf_size(name)})
        .value_or(std::string(no_text));
}

LdnsName to_ldns(std::string_view name)
{
    LdnsName converted(ldns_dname_new_frm_str(name.empty() ? "." : std::string(name).c_str()));
    CHECK(converted);
    return converted;
}

void FreeName::operator()(ldns_struct_rdf* name) const
{
    ldns_rdf_deep_free(name);
}

util::Result<SignedMessage> SignedMessage::parse(std::string_view wire)
{
    auto frames = TRY(frame(wire));
    SignedMessage message;
    for (const RecordFrame& frame : frames) {
        if (frame.section == RecordFrame::Section::Additional || frame.class_ != LDNS_RR_CLASS_IN)
            continue;
        ldns_rr* raw = nullptr;
        std::size_t at = frame.begin;
        if (ldns_wire2rr(&raw, reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size(), &at, LDNS_SECTION_ANSWER) !=
            LDNS_STATUS_OK)
            continue;  // what is missing from a set makes its signature wrong
        LdnsRecord record(raw);
        if (at == frame.end && (frame.type != type_number::rrsig || is_whole_signature(raw)))
            message.records_.push_back(std::move(record));
    }
    return message;
}

std::vector<ldns_rr*> SignedMessage::set(const ldns_rdf* owner, std::uint16_t type) const
{
    std::vector<ldns_rr*> found;
    for (const LdnsRecord& record : records_)
        if (ldns_rr_get_type(record.get()) == type && ldns_dname_compare(ldns_rr_owner(record.get()), owner) == 0)
            found.push_back(record.get());
    return found;
}

std::vector<ldns_rr*> SignedMessage::signatures(const ldns_rdf* owner, std::uint16_t type) const
{
    std::vector<ldns_rr*> found = set(owner, type_number::rrsig);
    std::erase_if(found, [&](const ldns_rr* signature) {
        return ldns_rdf2native_int16(ldns_rr_rrsig_typecovered(signature)) != type;
    });
    return found;
}

bool SignedMessage::has(std::string_view owner, std::uint16_t type) const
{
    return !set(to_ldns(owner).get(), type).empty();
}

std::vector<std::string> SignedMessage::signers(std::string_view owner, std::uint16_t type) const
{
    constexpr std::size_t most = 4;
    LdnsName name = to_ldns(owner);
    std::vector<std::string> zones;
    for (const ldns_rr* signature : signatures(name.get(), type)) {
        const ldns_rdf* signer = ldns_rr_rrsig_signame(signature);
        bool above = ldns_dname_compare(signer, name.get()) == 0 || ldns_dname_is_subdomain(name.get(), signer);
        std::string zone = name_of(signer);
        if (above && zone != no_text && zones.size() < most && std::ranges::find(zones, zone) == zones.end())
            zones.push_back(std::move(zone));
    }
    return zones;
}

std::optional<std::string> SignedMessage::denying_zone() const
{
    for (const LdnsRecord& record : records_) {
        if (!is_whole_signature(record.get()))
            continue;
        std::uint16_t type = ldns_rdf2native_int16(ldns_rr_rrsig_typecovered(record.get()));
        std::string zone = name_of(ldns_rr_rrsig_signame(record.get()));
        if ((type == type_number::nsec || type == type_number::nsec3) && zone != no_text)
            return zone;
    }
    return std::nullopt;
}

std::optional<ProvenSet> SignedMessage::prove(std::string_view owner, std::uint16_t type, const ZoneKeys& keys,
                                              ProofBounds& bounds) const
{
    return prove(to_ldns(owner).get(), type, keys, bounds);
}

std::optional<ProvenSet> SignedMessage::prove(const ldns_rdf* owner, std::uint16_t type, const ZoneKeys& keys,
                                              ProofBounds& bounds) const
{
    auto records = set(owner, type);
    if (records.empty())
        return std::nullopt;
    List set_list = list_of(records);
    List key_list = list_of(keys.keys);
    auto now = time_t(util::unix_seconds(bounds.now));
    for (const ldns_rr* signature : signatures(owner, type)) {
        unsigned labels = byte_of(signature, 2);
        // RFC 4035 §5.3.1: what a signature must say to count for this set.
        if (name_of(ldns_rr_rrsig_signame(signature)) != keys.zone || labels > ldns_dname_label_count(owner) ||
            bounds.verifications == 0)
            continue;
        --bounds.verifications;
        List good(ldns_rr_list_new());
        if (ldns_verify_rrsig_keylist_time(set_list.get(), signature, key_list.get(), now, good.get()) != LDNS_STATUS_OK)
            continue;
        // A difference of serial numbers (RFC 4034 §3.1.5).
        std::uint32_t left = ldns_rdf2native_int32(ldns_rr_rrsig_expiration(signature)) - std::uint32_t(now);
        return ProvenSet{labels, std::min(left, ldns_rdf2native_int32(ldns_rr_rrsig_origttl(signature)))};
    }
    return std::nullopt;
}

std::vector<ldns_rr*> SignedMessage::denials(std::uint16_t type, const ZoneKeys& keys, ProofBounds& bounds) const
{
    LdnsName zone = to_ldns(keys.zone);
    std::vector<ldns_rr*> good;
    for (const LdnsRecord& record : records_) {
        const ldns_rdf* owner = ldns_rr_owner(record.get());
        bool inside = ldns_dname_compare(owner, zone.get()) == 0 || ldns_dname_is_subdomain(owner, zone.get());
        if (ldns_rr_get_type(record.get()) != type || !inside)
            continue;
        auto proven = prove(owner, type, keys, bounds);
        // One that a wildcard made would speak of other names than it was signed for.
        unsigned labels = ldns_dname_label_count(owner) - (ldns_dname_is_wildcard(owner) ? 1 : 0);
        if (proven && proven->labels == labels)
            good.push_back(record.get());
    }
    return good;
}

Denial SignedMessage::deny(std::string_view name, std::uint16_t type, const ZoneKeys& keys, ProofBounds& bounds) const
{
    if (auto nsec = denials(type_number::nsec, keys, bounds); !nsec.empty())
        return denied_by_nsec(nsec, name, type);
    if (auto nsec3 = denials(type_number::nsec3, keys, bounds); !nsec3.empty())
        return denied_by_nsec3(nsec3, name, type, keys.zone);
    return Denial::None;
}

Denial SignedMessage::deny_closer(std::string_view owner, unsigned labels, const ZoneKeys& keys, ProofBounds& bounds) const
{
    // The name one label longer than what the wildcard stands below.
    std::string_view closer = owner;
    while (label_count(closer) > labels + 1)
        closer = parent_of(closer);
    if (auto nsec = denials(type_number::nsec, keys, bounds); !nsec.empty())
        return covered_by_nsec(nsec, closer);
    if (auto nsec3 = denials(type_number::nsec3, keys, bounds); !nsec3.empty())
        return covered_by_nsec3(nsec3, closer, keys.zone);
    return Denial::None;
}

std::optional<std::string> SignedMessage::alias_of(std::string_view owner) const
{
    auto found = set(to_ldns(owner).get(), std::uint16_t(Type::Cname));
    if (found.empty() || ldns_rr_rd_count(found[0]) != 1)
        return std::nullopt;
    std::string target = name_of(ldns_rr_rdf(found[0], 0));
    return target != no_text ? std::optional(std::move(target)) : std::nullopt;
}

std::optional<std::string> SignedMessage::redirection_of(std::string_view owner) const
{
    auto target = alias_of(owner);
    for (const LdnsRecord& record : records_) {
        if (ldns_rr_get_type(record.get()) != type_number::dname || ldns_rr_rd_count(record.get()) != 1)
            continue;
        std::string from = name_of(ldns_rr_owner(record.get()));
        std::string to = name_of(ldns_rr_rdf(record.get(), 0));
        if (!target || from.empty() || !owner.ends_with("." + from))
            continue;
        std::string_view prefix = owner.substr(0, owner.size() - from.size());  // with its dot
        if (*target == util::concat(prefix, to))
            return from;
    }
    return std::nullopt;
}

std::vector<LdnsRecord> SignedMessage::usable_ds(std::string_view zone) const
{
    auto all = set(to_ldns(zone).get(), type_number::ds);
    std::erase_if(all, [](const ldns_rr* ds) { return !is_usable_ds(ds); });
    bool strong = std::ranges::any_of(all, [](const ldns_rr* ds) { return digest_of(ds) != LDNS_SHA1; });
    std::vector<LdnsRecord> usable;
    for (const ldns_rr* ds : all)
        if (!strong || digest_of(ds) != LDNS_SHA1)
            usable.push_back(copy(ds));
    return usable;
}

std::optional<ZoneKeys> SignedMessage::keys_by(std::string_view zone, const std::vector<LdnsRecord>& trusted,
                                               ProofBounds& bounds) const
{
    LdnsName name = to_ldns(zone);
    auto all = set(name.get(), type_number::dnskey);
    std::erase_if(all, [](const ldns_rr* key) { return !is_usable_key(key); });
    if (all.size() > max_zone_keys)
        return std::nullopt;
    // Those that the trusted records name; then all, if one of these has signed the set.
    ZoneKeys entry{std::string(zone), {}};
    for (ldns_rr* key : all) {
        bool named = std::ranges::any_of(trusted, [&](const LdnsRecord& record) {
            return ldns_rr_get_type(record.get()) == LDNS_RR_TYPE_DS ? ldns_rr_compare_ds(record.get(), key)
                                                                     : ldns_rr_compare(record.get(), key) == 0;
        });
        if (named)
            entry.keys.push_back(copy(key));
    }
    if (entry.keys.empty() || !prove(name.get(), type_number::dnskey, entry, bounds))
        return std::nullopt;
    ZoneKeys keys{std::string(zone), {}};
    for (const ldns_rr* key : all)
        keys.keys.push_back(copy(key));
    return keys;
}

util::Result<std::vector<LdnsRecord>> parse_trust_anchor(std::string_view text)
{
    std::vector<LdnsRecord> anchors;
    int number = 0;
    for (std::string_view line : util::split(text, '\n')) {
        ++number;
        line = util::trim(line.substr(0, line.find(';')));
        if (line.empty())
            continue;
        ldns_rr* raw = nullptr;
        ldns_status status = ldns_rr_new_frm_str(&raw, std::string(line).c_str(), 0, nullptr, nullptr);
        LdnsRecord record(status == LDNS_STATUS_OK ? raw : nullptr);
        ldns_rr_type type = record ? ldns_rr_get_type(record.get()) : LDNS_RR_TYPE_NULL;
        bool key = type == LDNS_RR_TYPE_DNSKEY;
        if ((!key && type != LDNS_RR_TYPE_DS) || !name_of(ldns_rr_owner(record.get())).empty())
            return util::invalid(util::concat("line ", number, ": not a DS or DNSKEY record of the root"));
        if (key ? is_usable_key(record.get()) : is_usable_ds(record.get()))
            anchors.push_back(std::move(record));
    }
    if (anchors.empty())
        return util::invalid("no record that can be used");
    return anchors;
}

}  // namespace net::dns
