#include "tests/unit/libnet/signed_zone.h"

#include "libnet/dns_name.h"
#include "libutil/check.h"
#include "libutil/text.h"
#include "libutil/time.h"

#include <ldns/ldns.h>

#include <cstdio>
#include <cstdlib>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace test {

namespace {

constexpr unsigned cname = 5, soa = 6, ds = 43, rrsig = 46, nsec = 47, dnskey = 48, nsec3 = 50, nsec3param = 51, dname = 39;

std::string text_of(const ldns_rr* record)
{
    char* text = ldns_rr2str(record);
    std::string copy = text;
    std::free(text);
    return copy;
}

SignedRecord to_record(const ldns_rr* record)
{
    std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    CHECK(ldns_rr2wire(&bytes, record, LDNS_SECTION_ANSWER, &size) == LDNS_STATUS_OK);
    SignedRecord made;
    made.wire.assign(reinterpret_cast<const char*>(bytes), size);
    std::free(bytes);
    const ldns_rdf* owner = ldns_rr_owner(record);
    made.owner = net::dns::name_from_wire({reinterpret_cast<const char*>(ldns_rdf_data(owner)), ldns_rdf_size(owner)}).value();
    made.type = ldns_rr_get_type(record);
    if (made.type == rrsig)
        made.covered = ldns_rdf2native_int16(ldns_rr_rrsig_typecovered(record));
    return made;
}

ldns_key* new_key(const ldns_rdf* origin, std::uint16_t flags, const Signing& signing)
{
    ldns_key* key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
    CHECK(key != nullptr);
    ldns_key_set_pubkey_owner(key, ldns_rdf_clone(origin));
    ldns_key_set_flags(key, flags);
    auto now = util::unix_seconds(util::wall_now());
    ldns_key_set_inception(key, std::uint32_t(now + signing.begins));
    ldns_key_set_expiration(key, std::uint32_t(now + signing.ends));
    ldns_rr* record = ldns_key2rr(key);
    ldns_key_set_keytag(key, ldns_calc_keytag(record));
    ldns_rr_free(record);
    return key;
}

}  // namespace

// What LDNS makes here is left: a test's process ends soon.
SignedZone::SignedZone(std::string origin, const std::string& text, Signing signing) : origin_(std::move(origin))
{
#ifdef __SANITIZE_ADDRESS__
    __lsan::ScopedDisabler not_looked_for;
#endif
    std::string file = util::concat("@ 60 IN SOA ns.example. admin.example. 1 2 3 4 60\n@ 300 IN NS ns.example.\n", text);
    ldns_rdf* name = ldns_dname_new_frm_str(origin_.empty() ? "." : origin_.c_str());
    FILE* stream = ::fmemopen(file.data(), file.size(), "r");
    ldns_zone* plain = nullptr;
    CHECK(ldns_zone_new_frm_fp(&plain, stream, name, 300, LDNS_RR_CLASS_IN) == LDNS_STATUS_OK);
    std::fclose(stream);
    ldns_key_list* keys = ldns_key_list_new();
    ldns_dnssec_zone* zone = ldns_dnssec_zone_new();
    CHECK(ldns_dnssec_zone_add_rr(zone, ldns_zone_soa(plain)) == LDNS_STATUS_OK);
    for (std::uint16_t flags : {std::uint16_t(257), std::uint16_t(256)}) {
        ldns_key* key = new_key(name, flags, signing);
        ldns_key_list_push_key(keys, key);
        ldns_rr* record = ldns_key2rr(key);
        ldns_rr_set_ttl(record, 300);
        CHECK(ldns_dnssec_zone_add_rr(zone, record) == LDNS_STATUS_OK);
        if (flags == 257)
            ds_ = text_of(ldns_key_rr2ds(record, LDNS_SHA256));
    }
    const ldns_rr_list* list = ldns_zone_rrs(plain);
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
        CHECK(ldns_dnssec_zone_add_rr(zone, ldns_rr_list_rr(list, i)) == LDNS_STATUS_OK);
    ldns_dnssec_zone_add_empty_nonterminals(zone);
    ldns_rr_list* made = ldns_rr_list_new();
    std::uint8_t salt[] = {0xab, 0xcd};
    ldns_status status = signing.nsec3
        ? ldns_dnssec_zone_sign_nsec3(zone, made, keys, ldns_dnssec_default_replace_signatures, nullptr, 1,
                                      signing.opt_out ? 1 : 0, std::uint16_t(signing.iterations), 2, salt)
        : ldns_dnssec_zone_sign(zone, made, keys, ldns_dnssec_default_replace_signatures, nullptr);
    CHECK(status == LDNS_STATUS_OK);

    auto take = [&](const ldns_dnssec_rrs* records) {
        for (; records != nullptr; records = records->next)
            records_.push_back(to_record(records->rr));
    };
    for (ldns_rbnode_t* node = ldns_rbtree_first(zone->names); node != LDNS_RBTREE_NULL; node = ldns_rbtree_next(node)) {
        const auto* entry = static_cast<const ldns_dnssec_name*>(node->data);
        for (const ldns_dnssec_rrsets* set = entry->rrsets; set != nullptr; set = set->next) {
            take(set->rrs);
            take(set->signatures);
        }
        if (entry->nsec != nullptr)
            records_.push_back(to_record(entry->nsec));
        take(entry->nsec_signatures);
    }
}

SignedZone World::unsign(SignedZone zone)
{
    std::erase_if(zone.records(), [](const SignedRecord& record) {
        return record.type == rrsig || record.type == nsec || record.type == nsec3 || record.type == dnskey ||
               record.type == nsec3param;
    });
    return zone;
}

const SignedZone* World::zone_for(const std::string& name, unsigned type) const
{
    const SignedZone* best = nullptr;
    for (const SignedZone& zone : zones_) {
        const std::string& origin = zone.origin();
        bool above = origin.empty() || name.ends_with("." + origin);
        bool itself = name == origin && (type != ds || origin.empty());
        if ((above || itself) && (best == nullptr || origin.size() >= best->origin().size()))
            best = &zone;
    }
    return best;
}

namespace {

struct Found {
    std::vector<std::string> wires;
    bool name_is_there = false;
    const SignedRecord* alias = nullptr;
};

// The set and its signatures at a name; with `as` another owner, for wildcards.
Found look(const SignedZone& zone, const std::string& name, unsigned type, const std::string* as)
{
    Found found;
    for (const SignedRecord& record : zone.records()) {
        bool below = record.type != nsec3 && record.owner.ends_with("." + name);
        if (record.owner == name && record.type != nsec3)
            found.name_is_there = true;
        found.name_is_there = found.name_is_there || below;
        if (record.owner != name || (record.type != type && !(record.type == rrsig && record.covered == type)))
            continue;
        std::string wire = record.wire;
        if (as != nullptr)
            wire = wire_name(*as) + wire.substr(wire_name(name).size());
        found.wires.push_back(wire);
    }
    return found;
}

std::string target_of(const SignedRecord& alias)
{
    return asked_name(std::string(12, '\0') + alias.wire.substr(wire_name(alias.owner).size() + 10));
}

}  // namespace

std::string World::answer(std::string_view query) const
{
    Reply reply(query);
    std::string name = asked_name(query);
    unsigned type = asked_type(query);
    for (int link = 0; link < 12; ++link) {
        const SignedZone* zone = zone_for(name, type);
        if (zone == nullptr) {
            reply.code(5);
            break;
        }
        auto give = [&](const std::vector<std::string>& wires) {
            for (const std::string& wire : wires)
                reply.raw_answer(wire);
        };
        auto deny = [&] {
            for (const SignedRecord& record : zone->records()) {
                bool denial = record.type == nsec || record.type == nsec3 || record.type == soa || record.covered == nsec ||
                              record.covered == nsec3 || record.covered == soa;
                if (denial)
                    reply.raw_authority(record.wire);
            }
        };
        Found found = look(*zone, name, type, nullptr);
        std::string from = name;
        bool wild = false;
        if (!found.name_is_there && !name.empty()) {
            std::string parent = name.find('.') == std::string::npos ? "" : name.substr(name.find('.') + 1);
            std::string wildcard = parent.empty() ? "*" : "*." + parent;
            Found by_wildcard = look(*zone, wildcard, type, &name);
            if (by_wildcard.name_is_there) {
                found = by_wildcard;
                from = wildcard;
                wild = true;
            }
        }
        if (!found.wires.empty()) {
            give(found.wires);
            if (wild)
                deny();
            break;
        }
        const SignedRecord* alias = nullptr;
        for (const SignedRecord& record : zone->records()) {
            if (record.owner == from && record.type == cname)
                alias = &record;
            // A DNAME above: the alias is made, and not signed.
            if (record.type == dname && name.ends_with("." + record.owner)) {
                give(look(*zone, record.owner, dname, nullptr).wires);
                std::string to = name.substr(0, name.size() - record.owner.size()) + target_of(record);
                reply.answer({name, cname, 300, wire_name(to)});
                name = to;
                alias = &record;
                break;
            }
        }
        if (alias != nullptr && alias->type == dname)
            continue;
        if (alias == nullptr) {
            if (!found.name_is_there)
                reply.code(3);
            deny();
            break;
        }
        give(look(*zone, from, cname, wild ? &name : nullptr).wires);
        if (wild)
            deny();
        name = target_of(*alias);
    }
    return change ? change(query, reply.bytes()) : reply.bytes();
}

NameServer::Script World::script() const
{
    return [world = *this](std::string_view query, bool tcp) {
        std::string reply = world.answer(query);
        // All denials of a zone may be more than a packet holds.
        if (!tcp && reply.size() > 4000)
            return std::vector<std::string>{Reply(query).truncated().bytes()};
        return std::vector<std::string>{reply};
    };
}

}  // namespace test
