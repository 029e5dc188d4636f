// What NSEC and NSEC3 records deny.
#include "libnet/dns_proof_denial.h"

#include "libutil/text.h"

#include <ldns/ldns.h>

#include <algorithm>

namespace net::dns {

namespace {

// The types that stand at a name, as an NSEC or NSEC3 record says.
class Types {
public:
    explicit Types(const ldns_rr* denial)
    {
        bool nsec3 = ldns_rr_get_type(denial) == LDNS_RR_TYPE_NSEC3;
        std::size_t field = nsec3 ? 5 : 1;
        bitmap_ = ldns_rr_rd_count(denial) > field ? ldns_rr_rdf(denial, field) : nullptr;
    }
    bool has(std::uint16_t type) const
    {
        return bitmap_ != nullptr && ldns_nsec_bitmap_covers_type(bitmap_, ldns_rr_type(type));
    }
    bool has(Type type) const { return has(std::uint16_t(type)); }
    // Another zone begins here, and this record is the parent's.
    bool is_delegation() const { return has(Type::Ns) && !has(Type::Soa); }
    // What is below belongs to others.
    bool ends_zone() const { return is_delegation() || has(type_number::dname); }

private:
    const ldns_rdf* bitmap_ = nullptr;
};

// The name is there: what does its record say of the type?
Denial judge_match(Types types, std::uint16_t type, bool root)
{
    if (types.has(type) || types.has(Type::Cname))
        return Denial::None;
    if (type == type_number::ds) {
        // The child cannot speak for its parent (RFC 6840 §4.4).
        if (types.has(Type::Soa) && !root)
            return Denial::None;
        return types.is_delegation() ? Denial::Delegation : Denial::NoData;
    }
    return types.is_delegation() ? Denial::None : Denial::NoData;
}

const ldns_rdf* next_of(const ldns_rr* nsec)
{
    return ldns_rr_rd_count(nsec) >= 2 ? ldns_rr_rdf(nsec, 0) : nullptr;
}

// Is the name between a record's owner and the next?  The last record's next is the zone itself.
bool covers(const ldns_rr* nsec, const ldns_rdf* name)
{
    const ldns_rdf* owner = ldns_rr_owner(nsec);
    const ldns_rdf* next = next_of(nsec);
    if (next == nullptr || ldns_dname_compare(owner, name) >= 0)
        return false;
    return ldns_dname_compare(name, next) < 0 || ldns_dname_compare(next, owner) <= 0;
}

const ldns_rr* find_cover(Denials denials, const ldns_rdf* name)
{
    auto found = std::ranges::find_if(denials, [&](const ldns_rr* nsec) { return covers(nsec, name); });
    return found != denials.end() ? *found : nullptr;
}

const ldns_rr* find_match(Denials denials, const ldns_rdf* name)
{
    auto found = std::ranges::find_if(denials, [&](const ldns_rr* nsec) {
        return ldns_dname_compare(ldns_rr_owner(nsec), name) == 0;
    });
    return found != denials.end() ? *found : nullptr;
}

// How many labels, from the right, two names have in common.
unsigned common_labels(const ldns_rdf* name, const ldns_rdf* other)
{
    LdnsName up(ldns_rdf_clone(name));
    while (ldns_dname_label_count(up.get()) > 0 && ldns_dname_compare(up.get(), other) != 0 &&
           !ldns_dname_is_subdomain(other, up.get()))
        up.reset(ldns_dname_left_chop(up.get()));
    return ldns_dname_label_count(up.get());
}

std::string_view ancestor(std::string_view name, unsigned labels)
{
    while (label_count(name) > labels)
        name = parent_of(name);
    return name;
}

std::string wildcard_below(std::string_view name)
{
    return name.empty() ? "*" : util::concat("*.", name);
}

// --- NSEC3 ---------------------------------------------------------------------------------------

std::string_view bytes_of(const ldns_rdf* field)
{
    return {reinterpret_cast<const char*>(ldns_rdf_data(field)), ldns_rdf_size(field)};
}

// The hash that a label in base32hex (RFC 4648 §7) stands for; empty if it stands for none.
std::string hash_of_label(std::string_view label)
{
    std::string hash;
    unsigned bits = 0, count = 0;
    for (char c : label) {
        char low = util::to_lower(c);
        if (!util::is_digit(low) && !(low >= 'a' && low <= 'v'))
            return "";
        bits = bits << 5 | unsigned(util::is_digit(low) ? low - '0' : low - 'a' + 10);
        count += 5;
        if (count >= 8) {
            count -= 8;
            hash += char(bits >> count & 255);
        }
        bits &= 255;
    }
    return hash;
}

// The NSEC3 records of a zone that hash as the first one does.
class Hashed {
public:
    Hashed(Denials denials, std::string_view zone) : zone_(zone)
    {
        for (const ldns_rr* nsec3 : denials) {
            if (ldns_rr_rd_count(nsec3) < 5)
                continue;
            if (parameters_ == nullptr)
                parameters_ = nsec3;
            if (same_parameters(nsec3))
                records_.push_back({nsec3, owner_hash(nsec3), std::string(bytes_of(ldns_rr_rdf(nsec3, 4)).substr(1))});
        }
    }
    bool usable() const
    {
        constexpr std::uint8_t sha1 = 1;
        return !records_.empty() && ldns_nsec3_algorithm(parameters_) == sha1;
    }
    bool too_expensive() const { return ldns_nsec3_iterations(parameters_) > max_nsec3_iterations; }

    const ldns_rr* match(std::string_view name) const
    {
        std::string hash = hash_of(name);
        auto found = std::ranges::find_if(records_, [&](const Entry& entry) { return entry.hash == hash; });
        return found != records_.end() ? found->record : nullptr;
    }
    const ldns_rr* cover(std::string_view name) const
    {
        std::string hash = hash_of(name);
        auto found = std::ranges::find_if(records_, [&](const Entry& entry) {
            bool last = entry.next <= entry.hash;
            return last ? hash > entry.hash || hash < entry.next : hash > entry.hash && hash < entry.next;
        });
        return found != records_.end() ? found->record : nullptr;
    }

private:
    struct Entry {
        const ldns_rr* record;
        std::string hash;  // of its owner
        std::string next;
    };

    bool same_parameters(const ldns_rr* nsec3) const
    {
        auto same = [&](std::size_t field) {
            return bytes_of(ldns_rr_rdf(nsec3, field)) == bytes_of(ldns_rr_rdf(parameters_, field));
        };
        bool right_zone = name_of(ldns_rr_owner(nsec3)).find('.') != std::string::npos
                              ? parent_of(name_of(ldns_rr_owner(nsec3))) == zone_ : zone_.empty();
        return right_zone && bytes_of(ldns_rr_rdf(nsec3, 4)).size() > 1 && same(0) && same(2) && same(3);
    }
    static std::string owner_hash(const ldns_rr* nsec3)
    {
        std::string owner = name_of(ldns_rr_owner(nsec3));
        return hash_of_label(owner.substr(0, owner.find('.')));
    }
    std::string hash_of(std::string_view name) const
    {
        LdnsName hashed(ldns_nsec3_hash_name_frm_nsec3(parameters_, to_ldns(name).get()));
        std::string text = hashed ? name_of(hashed.get()) : "";
        return hash_of_label(text.substr(0, text.find('.')));
    }

    std::string_view zone_;
    const ldns_rr* parameters_ = nullptr;
    std::vector<Entry> records_;
};

bool is_at_or_below(std::string_view name, std::string_view zone)
{
    return zone.empty() || name == zone || name.ends_with(util::concat('.', zone));
}

}  // namespace

std::string_view parent_of(std::string_view name)
{
    auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

unsigned label_count(std::string_view name)
{
    return name.empty() ? 0 : unsigned(std::ranges::count(name, '.')) + 1;
}

Denial covered_by_nsec(Denials denials, std::string_view name)
{
    LdnsName wanted = to_ldns(name);
    const ldns_rr* cover = find_cover(denials, wanted.get());
    if (cover == nullptr || ldns_dname_is_subdomain(next_of(cover), wanted.get()))
        return Denial::None;
    bool outside = ldns_dname_is_subdomain(wanted.get(), ldns_rr_owner(cover)) && Types(cover).ends_zone();
    return outside ? Denial::None : Denial::NoSuchName;
}

Denial denied_by_nsec(Denials denials, std::string_view name, std::uint16_t type)
{
    LdnsName wanted = to_ldns(name);
    if (const ldns_rr* match = find_match(denials, wanted.get()))
        return judge_match(Types(match), type, name.empty());
    const ldns_rr* cover = find_cover(denials, wanted.get());
    if (cover == nullptr || (ldns_dname_is_subdomain(wanted.get(), ldns_rr_owner(cover)) && Types(cover).ends_zone()))
        return Denial::None;
    // A name without records that others stand below.
    if (ldns_dname_is_subdomain(next_of(cover), wanted.get()))
        return Denial::NoData;
    unsigned labels = std::max(common_labels(wanted.get(), ldns_rr_owner(cover)), common_labels(wanted.get(), next_of(cover)));
    LdnsName wildcard = to_ldns(wildcard_below(ancestor(name, labels)));
    if (const ldns_rr* match = find_match(denials, wildcard.get())) {
        Types types(match);
        return types.has(type) || types.has(Type::Cname) ? Denial::None : Denial::NoData;
    }
    return find_cover(denials, wildcard.get()) != nullptr ? Denial::NoSuchName : Denial::None;
}

Denial covered_by_nsec3(Denials denials, std::string_view name, std::string_view zone)
{
    Hashed hashed(denials, zone);
    if (!hashed.usable())
        return Denial::None;
    if (hashed.too_expensive())
        return Denial::Unsigned;
    const ldns_rr* cover = hashed.cover(name);
    if (cover == nullptr)
        return Denial::None;
    return ldns_nsec3_optout(cover) ? Denial::Unsigned : Denial::NoSuchName;
}

Denial denied_by_nsec3(Denials denials, std::string_view name, std::uint16_t type, std::string_view zone)
{
    Hashed hashed(denials, zone);
    if (!hashed.usable() || !is_at_or_below(name, zone))
        return Denial::None;
    if (hashed.too_expensive())
        return Denial::Unsigned;
    if (const ldns_rr* match = hashed.match(name))
        return judge_match(Types(match), type, name.empty());
    // The closest encloser is the longest ancestor that is there (RFC 5155 §8.3).
    std::string_view closer = name;
    while (closer != zone) {
        std::string_view encloser = parent_of(closer);
        const ldns_rr* match = hashed.match(encloser);
        if (match == nullptr) {
            closer = encloser;
            continue;
        }
        const ldns_rr* cover = hashed.cover(closer);
        if (cover == nullptr || Types(match).ends_zone())
            return Denial::None;
        if (ldns_nsec3_optout(cover))
            return Denial::Unsigned;
        std::string wildcard = wildcard_below(encloser);
        if (const ldns_rr* wild = hashed.match(wildcard)) {
            Types types(wild);
            return types.has(type) || types.has(Type::Cname) ? Denial::None : Denial::NoData;
        }
        return hashed.cover(wildcard) != nullptr ? Denial::NoSuchName : Denial::None;
    }
    return Denial::None;
}

}  // namespace net::dns
