// Lists of patterns in parameters: which clients, which domains.
//
// A pattern is a value, /a/file/name whose lines hold more patterns, or type:table, where a key that
// is found matches whatever its value is.  "!pattern" leaves out what it matches.  The first pattern
// that matches decides.  Files are read once, tables whenever they are asked.
#pragma once

#include "libconf/network.h"
#include "libconf/table.h"

#include <string>
#include <string_view>
#include <vector>

namespace conf {

constexpr int max_list_file_depth = 10;              // files that name files
constexpr std::size_t max_list_patterns = 1'000'000;  // of one list

// Addresses of clients, as in mynetworks: addresses and networks ("192.0.2.0/24", "[2001:db8::]/32").
class Networks {
public:
    // Invalid: what is wrong, with the file where there is one.
    static util::Result<Networks> parse(const std::vector<std::string>& patterns);
    // Temporary: a table that had to be asked cannot be read.
    util::Result<bool> contains(const IpAddress& address);
    bool empty() const { return patterns_.empty(); }

private:
    struct Pattern {
        bool negated = false;
        Network network;
        std::unique_ptr<Table> table;  // or null
    };
    std::vector<Pattern> patterns_;
};

// Domain names, as in mydestination.
class Domains {
public:
    enum class Subdomains : unsigned char {
        ByDot,   // ".example.org" matches subdomains, "example.org" only itself
        Always,  // "example.org" matches subdomains, too (parent_domain_matches_subdomains)
    };
    static util::Result<Domains> parse(const std::vector<std::string>& patterns,
                                       Subdomains subdomains = Subdomains::ByDot);
    // Case does not count.  Temporary: a table that had to be asked cannot be read.
    util::Result<bool> contains(std::string_view domain);
    bool empty() const { return patterns_.empty(); }

private:
    struct Pattern {
        bool negated = false;
        std::string domain;            // lower case
        std::unique_ptr<Table> table;  // or null
    };
    util::Result<bool> matches(const Pattern& pattern, std::string_view domain) const;

    std::vector<Pattern> patterns_;
    Subdomains subdomains_ = Subdomains::ByDot;
};

// Clients by address or name, as in smtpd_authorized_xclient_hosts: what Networks takes, host names,
// and .domains (or, with Subdomains::Always, domains) for the names below them.  A table is asked for
// the address, the name and its parent domains.
class Clients {
public:
    // Invalid: what is wrong, with the file where there is one.
    static util::Result<Clients> parse(const std::vector<std::string>& patterns,
                                       Domains::Subdomains subdomains = Domains::Subdomains::ByDot);
    // `name` is empty, or "unknown", for clients without one; `address` need not be one.  Temporary: a
    // table that had to be asked cannot be read.
    util::Result<bool> contains(std::string_view name, std::string_view address);
    bool empty() const { return patterns_.empty(); }

private:
    struct Pattern {
        bool negated = false;
        Networks network;
        Domains domain;
    };
    std::vector<Pattern> patterns_;
};

}  // namespace conf
