// PolicyServer: one server of check_policy_service, and the connection to it that is kept.
//
// What it was asked and said before means nothing for the next request: a connection on which anything lies
// that was not asked for is not used again.
#pragma once

#include "libnet/stream.h"
#include "smtpd/outside_config.h"
#include "smtpd/policy_host.h"
#include "smtpd/policy_protocol.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace smtpd {

struct PolicySettings {
    std::string name;              // for log lines: inet:127.0.0.1:10023
    util::Duration timeout{}, max_idle{}, max_ttl{}, retry_delay{};
    std::uint64_t request_limit = 0, try_limit = 1;
    std::string default_action, policy_context;
};

class PolicyServer {
public:
    using Connect = std::function<util::Result<util::UniqueFd>(util::Deadline)>;
    using Sleep = std::function<void(util::Duration)>;

    PolicyServer(PolicySettings settings, Connect connect, Sleep sleep)
        : settings_(std::move(settings)), connect_(std::move(connect)), sleep_(std::move(sleep))
    {
    }
    // Looks up the host's name, and `lookup` does so again when it is connected to later.
    static util::Result<PolicyServer> open(const PolicySpec& spec, const OutsideConfig& config,
                                           const std::string& queue_directory, Sleep sleep, PolicyHost::Lookup lookup);

    // The action that the server answers; after try_limit tries the last error.
    util::Result<std::string> ask(std::string_view request);

    const PolicySettings& settings() const { return settings_; }

private:
    util::Result<void> prepare(util::Deadline deadline);
    util::Result<std::string> exchange(std::string_view request, util::Deadline deadline);
    util::Result<std::string> read_answer();

    PolicySettings settings_;
    Connect connect_;
    Sleep sleep_;
    std::optional<net::Stream> stream_;
    util::Instant opened_{}, used_{};
    std::uint64_t requests_ = 0;   // over this connection
};

}  // namespace smtpd
