// Restrictions: Postfix's seven lists, in Postfix's order.
//
// Each list is gone through from its start until one restriction permits (this list is content; the
// next one follows) or refuses (that is the reply).  At RCPT: client, helo, sender when
// smtpd_delay_reject holds them back, then relay, then recipient, then the check for unknown
// recipients that reject_unlisted_recipient would make, then that for mailboxes over quota.  DEFER_IF_PERMIT waits for
// what all lists up to the recipient's say, DEFER_IF_REJECT for the end of its stage.
#pragma once

#include "libconf/common.h"
#include "libconf/match_list.h"
#include "smtpd/access.h"
#include "smtpd/config.h"
#include "smtpd/destinations.h"
#include "smtpd/names.h"
#include "smtpd/policy_server.h"
#include "smtpd/quota_checker.h"
#include "smtpd/restriction_list.h"
#include "smtpd/rules.h"
#include "smtpd/verifier.h"

#include <array>
#include <functional>
#include <span>

namespace smtpd {

class Restrictions final : public Rules {
public:
    struct Outside {
        Destinations& destinations;
        NameService& names;
        std::function<void(util::Duration)> sleep;
        Parents parents = Parents::Plain;
        Verifier* verifier = nullptr;      // none: nobody can say
        QuotaJudge* quotas = nullptr;      // none: every mailbox has room
        // Is fast_flush_domains in parent_domain_matches_subdomains?
        conf::Domains::Subdomains flush_subdomains = conf::Domains::Subdomains::ByDot;
        conf::Domains::Subdomains backup_subdomains = conf::Domains::Subdomains::ByDot;   // permit_mx_backup_networks
    };

    // Invalid: what is wrong with mynetworks and its kin; the lists were checked when they were read.
    static util::Result<std::unique_ptr<Restrictions>> open(const Config& config,
                                                            const conf::Common& common,
                                                            RestrictionLists lists, Outside outside);

    Ruling on_connect(const RequestView& request) override;
    Ruling on_helo(const RequestView& request) override;
    Ruling on_sender(const RequestView& request) override;
    Ruling on_recipient(const RequestView& request) override;
    Ruling on_data(const RequestView& request) override;
    Ruling on_end_of_data(const RequestView& request) override;
    Ruling on_etrn(const RequestView& request) override;
    util::Result<bool> flushes(std::string_view domain) override { return flush_domains_.contains(domain); }
    bool in_mynetworks(const Client& client) override;
    bool rewrites_headers(const RequestView& request) override;
    mail::Address complete(mail::Address address) override { return outside_.destinations.complete(std::move(address)); }
    bool has(Privilege privilege, const Client& client) override;
    util::Result<std::string> filter_command(std::string line) override;
    std::vector<std::string> discarded_keywords(const Client& client) override;
    std::string footer(std::string_view reply) override;

private:
    enum class Outcome : std::uint8_t { Next, Permit, Refuse };
    enum class Subject : std::uint8_t { Client, Helo, Sender, Recipient, Data, EndOfData, ReverseClient, Sasl, Etrn };

    // The course of one stage: of a list, or of relay and recipient together.
    struct Evaluation {
        const RequestView& request;
        Subject subject;
        Ruling ruling = {};
        std::optional<mail::Reply> if_rejected = {};  // DEFER_IF_REJECT
        bool only_warn = false;                       // warn_if_reject: the next one
        bool recipient_checked = false;
        int depth = 0;
        std::map<std::string, net::dns::Answer<std::string>, std::less<>> list_answers =
            {};  // of DNS lists, by the name asked for
    };

    Restrictions(const Config& config, const conf::Common& common, RestrictionLists lists, Outside outside)
        : config_(config), common_(common), lists_(std::move(lists)), outside_(std::move(outside))
    {
    }

    Ruling evaluate(const RestrictionList& list, Subject subject, const RequestView& request);
    Ruling finish(Evaluation evaluation) const;
    Outcome run(const RestrictionList& list, Evaluation& evaluation);
    Outcome apply(const Restriction& restriction, Evaluation& evaluation);
    Outcome check_access(const Restriction& restriction, Evaluation& evaluation);
    Outcome act(const AccessAction& action, const Restriction& restriction, Subject subject,
                std::string_view value, Evaluation& evaluation);
    Outcome act_refusing(const AccessAction& action, Subject subject, Evaluation& evaluation);
    bool is_routed(const mail::Address& recipient, const Destinations::Answer& answer) const;
    Outcome check_destination(const Restriction& restriction, Evaluation& evaluation);
    int unknown_reject_code(Destinations::Kind kind) const;
    Outcome check_listed(const mail::Address& address, Subject subject, Evaluation& evaluation);
    Outcome check_quota(Evaluation& evaluation);
    Outcome check_names(const Restriction& restriction, Evaluation& evaluation);
    Outcome check_login(const Restriction& restriction, Evaluation& evaluation);

    // --- dns_checks.cc ---
    static constexpr std::string_view rbl_reply_maps_name = "rbl_reply_maps";
    static Subject subject_of(Restriction::Of of);
    std::string named(Restriction::Of of, const RequestView& request) const;
    Outcome check_client_name(const Restriction& restriction, Evaluation& evaluation);
    Outcome check_helo_name(Evaluation& evaluation);
    Outcome check_mail_domain(const mail::Address& address, Subject subject, Evaluation& evaluation);
    Outcome defer_unknown(TempfailAction action, mail::Reply reply, Evaluation& evaluation);
    std::optional<Outcome> look_up(const Restriction& restriction, const std::vector<conf::Key>& keys, Subject subject,
                                   Evaluation& evaluation);
    Outcome without_permission(const Restriction& restriction, std::string_view what, Outcome outcome, Evaluation& evaluation);
    Outcome check_reverse_client(const Restriction& restriction, Evaluation& evaluation);
    std::optional<std::vector<std::string>> servers_of(Restriction::Servers servers, std::string_view domain);
    Outcome check_servers(const Restriction& restriction, Evaluation& evaluation);
    std::string listed_name(const Restriction& restriction, std::string_view what) const;
    util::Result<std::string> list_question(const Restriction& restriction, const Evaluation& evaluation);
    void ask_lists(std::span<const Restriction> row, Evaluation& evaluation);
    Outcome check_list(const Restriction& restriction, Evaluation& evaluation);
    Outcome refuse_listed(const Restriction& restriction, const std::string& asked, std::string_view what,
                          Evaluation& evaluation);
    std::vector<std::pair<std::string_view, std::string>> macros(const RequestView& request) const;
    // mx_backup.cc
    Outcome check_mx_backup(const Restriction& restriction, Evaluation& evaluation);
    bool serves_as_backup(std::string_view domain, Evaluation& evaluation);
    bool is_mine(const std::string& host, const net::dns::Answer<std::string>& addresses, Evaluation& evaluation);
    bool any_is_mine(const std::vector<std::string>& hosts, Evaluation& evaluation);
    bool in_backup_networks(const std::vector<std::string>& hosts, Evaluation& evaluation);
    void defer_exchanger(std::string_view what, Evaluation& evaluation) const;
    // restriction_policy.cc
    util::Result<void> open_policy_servers();
    util::Result<PolicyHost::Found> look_up_host(const std::string& name);
    Outcome check_policy(const Restriction& restriction, Evaluation& evaluation);
    // restriction_verify.cc
    Outcome check_verified(const mail::Address& address, Subject subject, Evaluation& evaluation);
    std::string policy_request(const PolicyServer& server, const Evaluation& evaluation) const;

    Outcome defer_if_permitted(mail::Reply reply, Evaluation& evaluation) const;
    Outcome defer_if_rejected(mail::Reply reply, Evaluation& evaluation) const;
    Outcome refuse(mail::Reply reply, Evaluation& evaluation);
    Outcome trouble(const util::Error& error, Evaluation& evaluation);
    // Permit, logged if smtpd_log_access_permit_actions has the name.
    Outcome permit(std::string_view name, Subject subject, const Evaluation& evaluation) const;
    // "<user@example.com>: Recipient address rejected".
    std::string about(Subject subject, const RequestView& request) const;

    const Config& config_;
    const conf::Common& common_;
    RestrictionLists lists_;
    Outside outside_;
    conf::Tables sender_logins_;
    conf::Tables relay_clientcerts_;
    conf::Tables command_filter_;
    conf::Tables discarded_keywords_;
    conf::Tables footers_;
    conf::Tables rbl_replies_;
    conf::Networks mynetworks_;
    conf::Clients mx_backup_networks_;
    conf::Domains flush_domains_;
    std::map<std::string, PolicyServer, std::less<>> policy_servers_;   // by the argument of check_policy_service
    struct PrivilegedClients {
        std::string parameter;
        conf::Clients clients;
    };
    std::array<PrivilegedClients, privilege_count> privileged_;   // by Privilege
    // local_header_rewrite_clients: one of its words.
    struct HeaderClients {
        enum class Kind : std::uint8_t { Own, Mynetworks, Authenticated, Table } kind = Kind::Own;
        std::unique_ptr<conf::Table> table;
    };
    static util::Result<std::vector<HeaderClients>> parse_header_clients(const conf::Words& words);
    std::vector<HeaderClients> header_clients_;
    std::uint8_t overrides_ = 0;   // receive_override_options
};

}  // namespace smtpd
