// Addresses and routes: what Postfix asks trivial-rewrite(8), as a library over tables.
//
// One Router answers for the whole program: whose an address is, whether there is such a recipient,
// what it becomes by aliases, and by which transport it goes.  Tables are asked when they are
// needed; one that cannot be read makes the answer a Temporary error (451, or deferred).
#pragma once

#include "libconf/common.h"
#include "libconf/match_list.h"
#include "libconf/table.h"
#include "libmail/address.h"
#include "libmail/srs.h"
#include "librouting/config.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace routing {

// Postfix's address classes (ADDRESS_CLASS_README), in the order in which they are tried.
enum class AddressClass : unsigned char {
    Local,           // $mydestination, and literals of this machine's addresses
    VirtualAlias,    // $virtual_alias_domains
    VirtualMailbox,  // $virtual_mailbox_domains
    Relay,           // $relay_domains
    Default,         // all others: somebody else's
};
std::string_view name_of(AddressClass address_class);

// Where mail goes.  Three transports are no service of master.cf: error and retry (the nexthop is
// "5.4.4 text": bounced, deferred, or refused at RCPT) and discard.
struct Route {
    std::string transport;
    std::string nexthop;

    bool is_error() const { return transport == "error"; }
    bool is_retry() const { return transport == "retry"; }
    bool is_discard() const { return transport == "discard"; }
    bool operator==(const Route&) const = default;
};

// "transport:nexthop" or "transport", for which `nexthop` is taken.
Route parse_transport(std::string_view text, std::string_view nexthop);

// The nexthop of an error or retry transport, taken apart.
struct Refusal {
    std::string dsn;   // "5.4.4"
    std::string text;  // for a reply or a notification
};
// "5.4.4 text", "text": the default status is 5.0.0 for error and 4.0.0 for retry, and a status of
// the wrong class is corrected.
Refusal refusal_of(const Route& route);

// Is there such a recipient?
struct Recipient {
    AddressClass address_class = AddressClass::Default;
    bool listed = true;   // or not known to be unlisted: the class has no table
    Refusal refusal;      // when not: 5.1.1, "User unknown in virtual mailbox table"
    bool srs = false;     // an SRS address of ours: for notifications only
};

// The three parameters of canonical(5).
enum class Canonical : unsigned char { Sender, Recipient, Both };

// The ways that mail goes, by class: the parameters of routing::Config of these names, or those of probes
// (verify_config.h).
struct Ways {
    std::string local_transport, virtual_transport, relay_transport, default_transport, relayhost;
    std::vector<std::string> transport_maps, sender_dependent_relayhost_maps, sender_dependent_default_transport_maps;

    static Ways of(const Config& config);
    bool operator==(const Ways&) const = default;
};

// How tables of aliases(5) are looked into, such as hash:/etc/aliases.
enum class Aliases : unsigned char { Remote, Direct };

class Router {
public:
    // Invalid: a parameter's list or table is wrong; the text names it.  Who does not look into aliases(5)
    // itself has tables(8) do it for tables outside the configuration directory.
    static util::Result<std::unique_ptr<Router>> open(const conf::Common& common, const Config& config,
                                                      Aliases aliases = Aliases::Remote)
    {
        return open(common, config, Ways::of(config), aliases);
    }
    static util::Result<std::unique_ptr<Router>> open(const conf::Common& common, const Config& config, Ways ways,
                                                      Aliases aliases = Aliases::Remote);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // The standard form: site!user and user%domain turned round, @$myorigin and .$mydomain added
    // where they belong.  The null address stays.
    mail::Address complete(mail::Address address) const;
    // The same for a path of SMTP: a bare <postmaster> is this system's own (RFC 5321 §4.5.1), with
    // $myhostname where mail for $myorigin is somebody else's.
    mail::Address complete_forward_path(mail::Address address);
    // The same as complete() with another domain than $myorigin (remote_header_rewrite_domain).
    mail::Address complete_with(mail::Address address, std::string_view origin) const;
    // Is it an address of this machine ($inet_interfaces)?
    bool is_own(const conf::IpAddress& address) const;
    // The same addresses, and those of $proxy_interfaces: whoever has one of them is this system.
    const std::vector<conf::IpAddress>& reached_at() const { return reached_at_; }
    // Is it one of $mydestination, or a literal of these addresses?
    util::Result<bool> is_local(std::string_view domain);
    // Does it stay as it is?
    bool is_complete(const mail::Address& address) const;

    // The class of a domain, which is complete.
    util::Result<AddressClass> class_of(std::string_view domain);
    // Is it a domain of ours: any class but Default?
    util::Result<bool> is_ours(std::string_view domain);

    // What reject_unlisted_recipient asks.  An address that canonical(5) or virtual(5) replaces counts
    // as a recipient; an error transport, and relocated(5), make its recipients unlisted, in the class
    // Default too.
    util::Result<Recipient> find(const mail::Address& address);

    // Whose mail that for a role name is ($role_names) where the address has no entry and no mailbox of its
    // own; nothing for other addresses, and where nobody takes such mail.
    util::Result<std::optional<mail::Address>> role_recipient(const mail::Address& address);

    // The entry of aliases(5) for a name without domain.
    util::Result<std::optional<conf::Found>> find_alias(std::string_view name);
    bool has_aliases() const { return !local_aliases_.empty(); }

    // Is it what probes of ours have as their sender ($address_verify_sender)?
    bool is_probe_sender(const mail::Address& address) const;

    // The transport of a recipient; the sender counts for sender-dependent tables.
    util::Result<Route> route(const mail::Address& recipient, const mail::Address& sender);

    // The recipients that one becomes by $virtual_alias_maps: itself where there is no entry, nor another
    // for a role name.  An SRS address of ours becomes whose it is, if it is good and `bounce` says that the message
    // has no sender; else it stays, and has no route.
    // Temporary: over a limit, a loop, an entry that is no address, a table that cannot be read.
    util::Result<std::vector<mail::Address>> expand(const mail::Address& recipient, bool bounce = false);

    // Reads $srs_secrets_file if there is an srs_domain: before the jail closes, in programs that make or read
    // SRS addresses.  Invalid: there is no such file, or it is wrong.
    util::Result<void> open_srs();
    // Is it of the form of SRS, and in $srs_domain?
    bool is_srs(const mail::Address& address) const;
    // Whose an SRS address of ours is.  Invalid: it is forged or has expired, as the text says.
    util::Result<mail::Address> srs_original(const mail::Address& address, util::WallTime now = util::wall_now()) const;
    // What a sender becomes on mail that is sent on to strangers.  Nothing: it stays, since it is one of our own
    // or excluded, or there is no srs_domain.
    util::Result<std::optional<mail::Address>> srs_sender(const mail::Address& sender, util::WallTime now = util::wall_now());

    // What an address becomes by one of canonical_maps and its kin: itself where there is no entry.
    // Temporary: as for expand().
    util::Result<mail::Address> canonical(Canonical which, const mail::Address& address);
    bool has_canonical(Canonical which) { return !canonical_tables(which).empty(); }

    // The entry for an address, in the order of virtual(5): user+ext@domain, user@domain, user+ext,
    // user, @domain.
    util::Result<std::optional<std::string>> look_up(conf::Tables& tables, const mail::Address& address);
    // Is it a domain in which entries for names without domain count: $myorigin or one of
    // $mydestination?
    util::Result<bool> names_alone(std::string_view domain);
    // Is the word in $propagate_unmatched_extensions?
    bool propagates(std::string_view where) const;
    const std::string& recipient_delimiter() const { return *common_.recipient_delimiter; }

    // Can all tables be read now?  For tern check: all that is wrong, in one text.
    util::Result<void> check();

private:
    Router(const conf::Common& common, const Config& config, Ways ways)
        : common_(common), config_(config), ways_(std::move(ways))
    {
    }
    util::Result<void> open_tables(Aliases aliases);
    util::Result<Route> by_class(const mail::Address& recipient, const mail::Address& sender);
    util::Result<Route> by_default(const mail::Address& recipient, const mail::Address& sender,
                                   AddressClass address_class);
    conf::Tables& canonical_tables(Canonical which) { return canonical_[std::size_t(which)]; }
    friend class Expander;
    util::Result<bool> is_in(conf::Tables& tables, const mail::Address& address, bool bare_names);
    std::optional<mail::Address> replace_srs(const mail::Address& address, bool bounce) const;
    util::Result<bool> takes_role_mail(const mail::Address& address);
    util::Result<bool> is_for_nobody(const mail::Address& address);

    const conf::Common& common_;
    const Config& config_;
    Ways ways_;
    std::vector<conf::IpAddress> own_addresses_, reached_at_;
    conf::Domains local_domains_, alias_domains_, mailbox_domains_, relay_domains_;
    conf::Tables local_recipients_, local_aliases_, aliases_, mailboxes_, relay_recipients_;
    conf::Tables transports_, sender_relayhosts_, sender_transports_, relocated_;
    conf::Tables canonical_[3];
    conf::Domains srs_excluded_;
    std::optional<mail::Srs> srs_;   // by open_srs()
};

// The directories of alias_maps' files, for the sandbox of who looks into them itself.
std::vector<std::string> alias_directories(const Config& config);
// The same tables with proxy: before those whose file is not in the configuration directory: what a program
// sees that may read no other directory.
std::vector<std::string> visible_tables(const std::vector<std::string>& tables, std::string_view config_directory);

// The addresses of this machine: what inet_interfaces says, by asking the kernel for "all".
std::vector<conf::IpAddress> own_addresses(const conf::Common& common);

}  // namespace routing
