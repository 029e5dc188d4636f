// Every parameter there is: the Sections of all programs and libraries.
//
// This list is the one place that must grow with a new config.h; a check compares the two.
#pragma once

#include "anvil/config.h"
#include "auth-pam/config.h"
#include "auth/config.h"
#include "bounce/config.h"
#include "cleanup/config.h"
#include "errands/config.h"
#include "imapd/config.h"
#include "libconf/common.h"
#include "libipc/command_config.h"
#include "libipc/config.h"
#include "libipc/delivery_config.h"
#include "libipc/maildrop_config.h"
#include "libnet/dns_config.h"
#include "librouting/config.h"
#include "librouting/verify_config.h"
#include "libtrust/tls_config.h"
#include "local/config.h"
#include "log/config.h"
#include "master/config.h"
#include "pickup/config.h"
#include "pipe/config.h"
#include "pop3d/config.h"
#include "qmgr/config.h"
#include "smtp/config.h"
#include "smtpd/config.h"
#include "sts/config.h"
#include "tables/config.h"
#include "tools/sendmail/config.h"
#include "tools/ternuser/config.h"
#include "usher/config.h"
#include "verify/config.h"

#include <span>
#include <string_view>
#include <vector>

namespace ternconf {

class AllSections {
public:
    struct Named {
        std::string_view name;  // the program; or common, process, routing
        conf::Section* section;
    };

    std::span<const Named> all() const { return named_; }
    // Null when there is no such section.
    const conf::Section* find(std::string_view name) const;
    // The parameter of this name, or the family that it belongs to; null when there is none.
    const conf::Parameter* find_parameter(std::string_view name) const;
    // All, each name once, sorted; members of families only where they have defaults.
    std::vector<const conf::Parameter*> parameters() const;

    const bounce::Config& notices() const { return bounce_; }

    // Gives all parameters their values.
    void fill(conf::MainCf& settings, conf::Problems& problems);

private:
    conf::Common common_;
    anvil::Config anvil_;
    auth::Config auth_;
    auth_pam::Config auth_pam_;
    bounce::Config bounce_;
    cleanup::Config cleanup_;
    ipc::CommandConfig commands_;
    ipc::DeliveryConfig delivery_;
    net::dns::Config dns_;
    errands::Config errands_;
    imapd::Config imapd_;
    server::Config process_;
    routing::Config routing_;
    local::Config local_;
    smtp::Config lmtp_{smtp::Protocol::Lmtp};
    logger::Config log_;
    ipc::MaildropConfig maildrop_;
    master::Config master_;
    pickup::Config pickup_;
    piping::Config pipe_;
    pop3d::Config pop3d_;
    qmgr::Config qmgr_;
    sendmail::Config sendmail_;
    smtp::Config smtp_{smtp::Protocol::Smtp};
    smtpd::Config smtpd_;
    sts::Config sts_;
    trust::TlsConfig smtp_tls_{false};
    trust::TlsConfig lmtp_tls_{true};
    tables::Config tables_;
    ternuser::Config ternuser_;
    usher::Config usher_;
    verify::Config verify_;
    routing::VerifyConfig ways_;

    std::vector<Named> named_ = {
        {"common", &common_}, {"process", &process_}, {"routing", &routing_},
        {"anvil", &anvil_},
        {"auth", &auth_},
        {"auth-pam", &auth_pam_},
        {"bounce", &bounce_},
        {"cleanup", &cleanup_},
        {"commands", &commands_},
        {"delivery", &delivery_},
        {"dns", &dns_},
        {"errands", &errands_},
        {"imapd", &imapd_},
        {"lmtp", &lmtp_},
        {"local", &local_},
        {"log", &log_},
        {"maildrop", &maildrop_},
        {"master", &master_},
        {"pickup", &pickup_},
        {"pipe", &pipe_},
        {"pop3d", &pop3d_},
        {"qmgr", &qmgr_},
        {"sendmail", &sendmail_},
        {"smtp", &smtp_},
        {"smtpd", &smtpd_},
        {"smtp-tls", &smtp_tls_},
        {"lmtp-tls", &lmtp_tls_},
        {"sts", &sts_},
        {"tables", &tables_},
        {"ternuser", &ternuser_},
        {"usher", &usher_},
        {"verify", &verify_},
        {"ways", &ways_},
    };
};

}  // namespace ternconf
