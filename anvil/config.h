// The main.cf(5) parameters of anvil(8): their only declaration.
#pragma once

#include "libconf/parameter.h"

namespace anvil {

struct Config : conf::Section {
    conf::Duration rate_time_unit{this, "anvil_rate_time_unit", "60s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "The time over which rates are counted: the limits of smtpd_client_connection_rate_limit and its kin "
        "are so many per this."};
    conf::Duration status_update_time{this, "anvil_status_update_time", "600s",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24)},
        "How often the highest counts since the last time are logged."};
    conf::Count client_limit{this, "anvil_client_limit", "100000", {.min = 100, .max = 10'000'000},
        "How many networks and accounts are remembered at a time, for rates and for log-ins each.  Beyond it the "
        "one that was least recently seen is forgotten, with a warning once a minute."};
    conf::Duration failure_time{this, "anvil_failure_time", "10m",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24 * 7)},
        "After this long without a failed log-in those of a network, or of an account, are forgotten: so long a block "
        "by auth_network_failure_limit or auth_account_failure_limit lasts."};
    conf::Duration known_network_time{this, "anvil_known_network_time", "30d",
        {.min = std::chrono::seconds(1), .max = std::chrono::hours(24 * 365)},
        "How long it is remembered that an account has logged in from a network, which then is not shut out when "
        "others guess at the account's password."};
};

}  // namespace anvil
