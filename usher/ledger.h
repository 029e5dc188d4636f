// Ledger: what accounts hold, as far as it is known, and what the accounts of a domain hold together.
//
// Of a domain that has limits all accounts are members, and what each holds is always the last that its
// mailbox process said, or what it said when it was closed.  Knows no clock, no descriptors and no files.
#pragma once

#include "libipc/quota.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace usher {

class Ledger {
public:
    // A limit of bytes and one of messages; nothing: none.
    struct Limits {
        std::optional<std::uint64_t> storage;
        std::optional<std::uint64_t> messages;

        bool any() const { return storage || messages; }
        bool operator==(const Limits&) const = default;
    };

    void told(const std::string& account, const ipc::MailUsage& usage);
    // Nobody knows any more.
    void forget(const std::string& account);
    std::optional<ipc::MailUsage> usage(const std::string& account) const;

    // The accounts of a domain with limits, from now on; those that are no longer there count no more.
    void set_members(const std::string& domain, const std::vector<std::string>& accounts);
    void drop_domain(const std::string& domain);
    bool has_domain(std::string_view domain) const { return domains_.contains(domain); }
    bool is_member(const std::string& account) const;
    // Members of whom nobody knows what they hold: then nobody knows it of the domain.
    std::vector<std::string> unknown_members(std::string_view domain, std::size_t most) const;
    // The members together, as far as known.
    ipc::MailUsage total(std::string_view domain) const;

    // May the account, which holds `used`, grow by that?  If so, it is taken to have grown.
    ipc::Room grant(const std::string& account, const std::string& domain, const Limits& limits, const ipc::MailUsage& used,
                    const ipc::MailUsage& more);
    // The same as a question.
    ipc::Room judge(const std::string& domain, const Limits& limits, const ipc::MailUsage& more) const;
    // Is this within the limits?
    static bool fits(const Limits& limits, const ipc::MailUsage& used, const ipc::MailUsage& more);

private:
    struct Domain {
        ipc::MailUsage total;
        std::size_t unknown = 0;
        std::vector<std::string> members;
    };
    struct Entry {
        std::optional<ipc::MailUsage> usage;
        std::string domain;   // whose member it is; empty: of none
    };

    void set(Entry& entry, std::optional<ipc::MailUsage> usage);

    std::unordered_map<std::string, Entry> entries_;
    std::map<std::string, Domain, std::less<>> domains_;
};

}  // namespace usher
