// Router: where an address leads.  What Postfix's trivial-rewrite answers, as a library.
//
// A domain belongs to one class, the first of: local ($mydestination), virtual alias, virtual
// mailbox, relay, default.  The class says who knows the recipients and which transport delivers.
#pragma once

#include "libconf/common.h"
#include "libconf/match_list.h"
#include "libconf/table.h"
#include "libmail/address.h"
#include "librouting/config.h"
#include "libutil/result.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace routing {

enum class Class : unsigned char { Local, VirtualAlias, VirtualMailbox, Relay, Default };

// Where a message for a recipient goes next.
struct Route {
    std::string transport;   // a service of master.cf; or "error", "retry", "discard"
    std::string nexthop;     // host, domain, or the text of error and retry
};

class Router {
public:
    // Opens the tables; the sections outlive the Router.  Invalid: what is wrong, with the
    // parameter's name.
    static util::Result<std::unique_ptr<Router>> open(const conf::Common& common, const Config& config);

    // Adds "@$myorigin" where there is no domain.
    mail::Address qualify(mail::Address address) const;

    // Temporary, as from all below: a table that must be asked cannot be read.
    util::Result<Class> class_of(std::string_view domain);
    // Is it a domain whose mail comes to us: any class but Default?
    util::Result<bool> is_ours(std::string_view domain);

    // Why there is no such recipient ("User unknown in virtual mailbox table"); nothing when there
    // is, or when nobody keeps a list.  Aliases of any class count as recipients.  A recipient that
    // an error: transport would return is unknown, with that transport's text.
    util::Result<std::optional<std::string>> unlisted(const mail::Address& recipient);

    // An error is Temporary; an address without a domain is qualified first.
    util::Result<Route> route(const mail::Address& recipient);

    // What a recipient becomes by virtual_alias_maps, each address once, in order; itself when it
    // is no alias.  Temporary: a limit is passed, the aliases lead in a circle, or one names
    // what is no address.
    util::Result<std::vector<mail::Address>> expand(const mail::Address& recipient);

    // The account that a local or virtual recipient's mail goes to: the longest that there is of
    // user+extension@domain, user@domain, and for local domains user+extension, user.  Nothing when
    // there is none.  The value is what the table says.
    struct Mailbox {
        std::string account;    // the key that was found
        std::string value;
    };
    util::Result<std::optional<Mailbox>> mailbox(const mail::Address& recipient);

    // Looks anew at files that were replaced, without waiting for a second to pass.
    void refresh();

private:
    Router(const conf::Common& common, const Config& config) : common_(common), config_(config) {}

    bool is_home(std::string_view domain);
    std::vector<conf::Key> account_keys(const mail::Address& recipient, bool local) const;
    std::vector<conf::Key> alias_keys(const mail::Address& address);
    util::Result<std::optional<std::vector<mail::Address>>> alias(const mail::Address& address);
    util::Result<std::optional<Route>> mapped_route(const mail::Address& recipient);

    const conf::Common& common_;
    const Config& config_;
    conf::Domains local_;
    conf::Domains virtual_alias_;
    conf::Domains virtual_mailbox_;
    conf::Domains relay_;
    conf::Tables local_recipients_;
    conf::Tables aliases_;
    conf::Tables mailboxes_;
    conf::Tables relay_recipients_;
    conf::Tables transports_;
    bool propagate_extension_ = false;
};

}  // namespace routing
