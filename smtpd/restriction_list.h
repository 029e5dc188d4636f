// Lists of restrictions as main.cf has them: names, some with an argument, in their order.
#pragma once

#include "libconf/table.h"
#include "libutil/result.h"
#include "libutil/text.h"

#include "smtpd/dns_list.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace smtpd {

constexpr std::size_t max_restrictions = 1000;  // in one list
constexpr int max_restriction_depth = 10;       // classes within classes, and access tables that name them

struct Restriction {
    enum class Kind : std::uint8_t {
        Permit, Reject, Defer, DeferIfPermit, DeferIfReject, WarnIfReject, Sleep,
        PermitMynetworks, PermitInetInterfaces, PermitSasl,
        PermitTlsClientcerts, PermitTlsAllClientcerts, PermitAuthDestination, PermitMxBackup,
        RejectUnauthDestination, DeferUnauthDestination,
        RejectUnlistedRecipient, RejectUnlistedSender,
        RejectNonFqdnHelo, RejectInvalidHelo, RejectNonFqdnSender, RejectNonFqdnRecipient,
        RejectUnauthPipelining, RejectPlaintextSession, RejectMultiRecipientBounce,
        RejectSenderLoginMismatch, RejectAuthenticatedLoginMismatch, RejectUnauthenticatedLoginMismatch,
        RejectKnownLoginMismatch,
        CheckClient, CheckHelo, CheckSender, CheckRecipient, CheckSasl, CheckCcert,
        RejectUnknownClient, RejectUnknownReverseClient, RejectUnknownHelo,
        RejectUnknownSenderDomain, RejectUnknownRecipientDomain,
        CheckReverseClient, CheckServers,
        RejectRblClient, RejectRhsbl, PermitDnswlClient, PermitRhswlClient,
        CheckEtrn, CheckPolicy, RejectUnverifiedSender, RejectUnverifiedRecipient,
        Class,  // `name` is one of smtpd_restriction_classes
    };
    Kind kind = Kind::Permit;
    std::string name;                     // as written
    std::shared_ptr<conf::Table> table;   // of check_*: shared with the list it was copied from
    std::uint64_t seconds = 0;            // of sleep
    // Whose name counts: of CheckServers and of lists of names.
    enum class Of : std::uint8_t { Client, ReverseClient, Helo, Sender, Recipient } of = Of::Client;
    // Which hosts a CheckServers looks up.
    enum class Servers : std::uint8_t { Mx, Ns, A } servers = Servers::Mx;
    std::shared_ptr<const DnsList> list = {};  // of RejectRbl* and Permit*wl
    std::string argument = {};            // of check_policy_service

    // Where an access(5) action came from, for log lines.
    std::string source() const { return table ? table->name() : util::concat(name, ' ', argument); }
};

using RestrictionList = std::vector<Restriction>;

// All lists of a configuration.
struct RestrictionLists {
    RestrictionList client, helo, sender, relay, recipient, data, end_of_data, etrn;
    std::map<std::string, RestrictionList, std::less<>> classes;  // of smtpd_restriction_classes
};

// Invalid: an unknown name, a missing argument, a table that cannot be opened; the text names it.
// `classes`: the names that smtpd_restriction_classes allows.  `tables`: whether check_* may stand
// here; not in an answer of an access table, where opening would come too late.
util::Result<RestrictionList> parse_restrictions(std::string_view text,
                                                 const std::vector<std::string>& classes, bool tables);

}  // namespace smtpd
