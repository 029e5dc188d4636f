// The keys of lookups.
#include "librouting/keys.h"

#include "libutil/text.h"

namespace routing {

using util::concat;

namespace {

// The address without its extension, or nothing when it has none.
struct Split {
    std::string user;
    std::string extension;  // with the delimiter
};

Split split(const mail::Address& address, std::string_view delimiters)
{
    auto [user, extension] = mail::split_extension(address.local_part, delimiters);
    Split out{std::string(user), ""};
    if (user.size() < address.local_part.size())
        out.extension = address.local_part.substr(user.size());
    return out;
}

void add_domains(std::vector<conf::Key>& keys, std::string_view domain, bool parents, bool partial)
{
    if (domain.empty())
        return;
    keys.push_back({std::string(domain), partial});
    if (domain.front() == '[')
        return;
    for (std::size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.', dot + 1))
        keys.push_back({std::string(domain.substr(parents ? dot + 1 : dot)), true});
}

}  // namespace

AddressKeys alias_keys(const mail::Address& address, std::string_view delimiters, bool bare_names)
{
    AddressKeys out;
    Split parts = split(address, delimiters);
    out.extension = parts.extension;
    bool extended = !parts.extension.empty();
    out.keys.push_back({mail::to_text(address)});
    if (extended)
        out.keys.push_back({mail::to_text({parts.user, address.domain}), true, true});
    if (bare_names)
        out.keys.push_back({mail::quote_local_part(address.local_part), true});
    if (bare_names && extended)
        out.keys.push_back({mail::quote_local_part(parts.user), true, true});
    out.keys.push_back({concat('@', address.domain), true});
    return out;
}

std::vector<conf::Key> access_keys(const mail::Address& address, std::string_view delimiters, bool parents)
{
    std::vector<conf::Key> keys;
    Split parts = split(address, delimiters);
    bool extended = !parts.extension.empty();
    keys.push_back({mail::to_text(address)});
    if (extended)
        keys.push_back({mail::to_text({parts.user, address.domain}), true});
    add_domains(keys, address.domain, parents, true);
    keys.push_back({concat(mail::quote_local_part(address.local_part), '@'), true});
    if (extended)
        keys.push_back({concat(mail::quote_local_part(parts.user), '@'), true});
    return keys;
}

std::vector<conf::Key> domain_keys(std::string_view domain, bool parents)
{
    std::vector<conf::Key> keys;
    add_domains(keys, domain, parents, false);
    return keys;
}

std::vector<conf::Key> network_keys(const conf::IpAddress& address)
{
    std::string text = address.to_text();
    char separator = address.length == 4 ? '.' : ':';
    std::vector<conf::Key> keys{{text}};
    for (std::size_t end = text.rfind(separator); end != std::string::npos && end > 0;
         end = text.rfind(separator, end - 1)) {
        std::string part = text.substr(0, end);
        if (part.back() != separator)  // "2001:db8:" of "2001:db8::1"
            keys.push_back({std::move(part), true});
    }
    return keys;
}

std::vector<conf::Key> transport_keys(const mail::Address& address, std::string_view delimiters, bool parents)
{
    std::vector<conf::Key> keys;
    Split parts = split(address, delimiters);
    keys.push_back({mail::to_text(address)});
    if (!parts.extension.empty())
        keys.push_back({mail::to_text({parts.user, address.domain}), true});
    add_domains(keys, address.domain, parents, true);
    keys.push_back({"*", true});
    return keys;
}

std::vector<conf::Key> sender_keys(const mail::Address& address, std::string_view delimiters)
{
    std::vector<conf::Key> keys;
    Split parts = split(address, delimiters);
    keys.push_back({mail::to_text(address)});
    if (!parts.extension.empty())
        keys.push_back({mail::to_text({parts.user, address.domain}), true});
    keys.push_back({concat('@', address.domain), true});
    return keys;
}

}  // namespace routing
