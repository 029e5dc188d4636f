// Restrictions: Postfix's seven lists, in Postfix's order.
//
// Each list is gone through from its start until one restriction permits (this list is content; the
// next one follows) or refuses (that is the reply).  At RCPT: client, helo, sender when
// smtpd_delay_reject holds them back, then relay, then recipient, then the check for unknown
// recipients that reject_unlisted_recipient would make.  DEFER_IF_PERMIT waits for what all lists up
// to the recipient's say, DEFER_IF_REJECT for the end of its stage.
#pragma once

#include "libconf/common.h"
#include "libconf/match_list.h"
#include "smtpd/access.h"
#include "smtpd/config.h"
#include "smtpd/destinations.h"
#include "smtpd/restriction_list.h"
#include "smtpd/rules.h"

#include <array>
#include <functional>

namespace smtpd {

class Restrictions final : public Rules {
public:
    struct Outside {
        Destinations& destinations;
        std::function<void(util::Duration)> sleep;
        Parents parents = Parents::Plain;
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
    bool in_mynetworks(const Client& client) override;
    bool rewrites_headers(const RequestView& request) override;
    mail::Address complete(mail::Address address) override { return outside_.destinations.complete(std::move(address)); }
    bool has(Privilege privilege, const Client& client) override;
    util::Result<std::string> filter_command(std::string line) override;
    std::vector<std::string> discarded_keywords(const Client& client) override;
    std::string footer(std::string_view reply) override;

private:
    enum class Outcome : std::uint8_t { Next, Permit, Refuse };
    enum class Subject : std::uint8_t { Client, Helo, Sender, Recipient, Data, EndOfData };

    // The course of one stage: of a list, or of relay and recipient together.
    struct Evaluation {
        const RequestView& request;
        Subject subject;
        Ruling ruling = {};
        std::optional<mail::Reply> if_rejected = {};  // DEFER_IF_REJECT
        bool only_warn = false;                       // warn_if_reject: the next one
        bool recipient_checked = false;
        int depth = 0;
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
    Outcome check_destination(const Restriction& restriction, Evaluation& evaluation);
    Outcome check_listed(const mail::Address& address, Subject subject, Evaluation& evaluation);
    Outcome check_names(const Restriction& restriction, Evaluation& evaluation);
    Outcome check_login(const Restriction& restriction, Evaluation& evaluation);

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
    conf::Networks mynetworks_;
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
