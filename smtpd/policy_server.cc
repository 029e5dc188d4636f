// Connections to policy servers.
#include "smtpd/policy_server.h"

#include "libconf/network.h"
#include "libnet/connect.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>
#include <netdb.h>

namespace smtpd {

namespace {

// As text; an empty host is this machine.
util::Result<std::vector<std::string>> find_addresses(const std::string& host)
{
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int code = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), host.empty() ? "0" : nullptr, &wanted, &found);
    if (code != 0)
        return util::temporary(util::concat(host, ": ", ::gai_strerror(code)));
    std::vector<std::string> addresses;
    for (const addrinfo* one = found; one; one = one->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            addresses.emplace_back(text);
    }
    ::freeaddrinfo(found);
    return addresses;
}

util::Result<util::UniqueFd> connect_to_host(PolicyHost& host, std::uint16_t port, util::Deadline deadline)
{
    auto addresses = TRY(host.addresses(util::now()));
    util::Result<util::UniqueFd> last = util::temporary("no address");
    for (const std::string& address : addresses) {
        net::ConnectOptions options;
        options.timeout = std::max(deadline.instant() - util::now(), util::Duration::zero());
        last = net::connect_to({address, port}, options);
        if (last.ok())
            break;
        last = util::Error{util::Kind::Temporary, util::concat("connect: ", last.error().text), last.error().code};
    }
    return last;
}

// Before the jail the whole system is asked, as what stands in nsswitch.conf(5) is; later the hosts file and name servers.
PolicyHost open_host(const std::string& name, PolicyHost::Lookup lookup)
{
    if (name.empty() || conf::IpAddress::parse(name).ok()) {
        auto fixed =
            name.empty() ? find_addresses(name) : util::Result<std::vector<std::string>>(std::vector<std::string>{name});
        return PolicyHost(name, fixed.ok() ? fixed.take() : std::vector<std::string>(), util::Instant::max(), {});
    }
    auto first = find_addresses(name);
    if (!first.ok())
        util::log::warning("policy server ", first.error().text, ": it is looked up again when it is asked");
    auto until = first.ok() ? util::now() + first_host_age : util::Instant::min();
    return PolicyHost(name, first.ok() ? first.take() : std::vector<std::string>(), until, std::move(lookup));
}

}  // namespace

util::Result<PolicyServer> PolicyServer::open(const PolicySpec& spec, const OutsideConfig& config,
                                              const std::string& queue_directory, Sleep sleep, PolicyHost::Lookup lookup)
{
    std::uint64_t port = spec.local ? 0 : TRY(util::parse_unsigned(spec.port, UINT16_MAX));
    PolicySettings settings;
    settings.name = spec.local ? "unix:" + spec.path : util::concat("inet:", spec.host, ':', spec.port);
    settings.timeout = spec.timeout.value_or(*config.policy_timeout);
    settings.max_idle = spec.max_idle.value_or(*config.policy_max_idle);
    settings.max_ttl = spec.max_ttl.value_or(*config.policy_max_ttl);
    settings.retry_delay = spec.retry_delay.value_or(*config.policy_retry_delay);
    settings.request_limit = spec.request_limit.value_or(*config.policy_request_limit);
    settings.try_limit = spec.try_limit.value_or(*config.policy_try_limit);
    settings.default_action = spec.default_action.value_or(*config.policy_default_action);
    settings.policy_context = spec.policy_context.value_or(*config.policy_context);
    if (spec.local) {
        std::string path = spec.path.starts_with('/') ? spec.path : util::concat(queue_directory, '/', spec.path);
        Connect connect = [path](util::Deadline deadline) {
            net::ConnectOptions options;
            options.timeout = std::max(deadline.instant() - util::now(), util::Duration::zero());
            return net::connect_to_path(path, options);
        };
        return PolicyServer(std::move(settings), std::move(connect), std::move(sleep));
    }
    Connect connect = [host = open_host(spec.host, std::move(lookup)), port = static_cast<std::uint16_t>(port)](
                          util::Deadline deadline) mutable { return connect_to_host(host, port, deadline); };
    return PolicyServer(std::move(settings), std::move(connect), std::move(sleep));
}

// A connection that is good for one more request.
util::Result<void> PolicyServer::prepare(util::Deadline deadline)
{
    util::Instant now = util::now();
    bool worn = settings_.request_limit > 0 && requests_ >= settings_.request_limit;
    // Input before the question: the server has closed, or said what nobody has asked for.
    if (stream_ && (worn || now - used_ >= settings_.max_idle || now - opened_ >= settings_.max_ttl || stream_->has_input()))
        stream_.reset();
    if (stream_)
        return {};
    auto fd = TRY(connect_(deadline));
    stream_.emplace(std::move(fd));
    stream_->set_timeout(settings_.timeout);
    stream_->limit_whole_writes(true);
    opened_ = util::now();
    requests_ = 0;
    return {};
}

util::Result<std::string> PolicyServer::read_answer()
{
    std::string text;
    for (;;) {
        auto line = TRY(stream_->read_line(max_policy_answer));
        if (line.too_long || text.size() + line.text.size() > max_policy_answer)
            return util::invalid(util::concat("an answer of more than ", max_policy_answer, " bytes"));
        if (line.text.empty())
            return parse_policy_answer(text);
        util::append(text, text.empty() ? "" : "\n", line.text);
    }
}

util::Result<std::string> PolicyServer::exchange(std::string_view request, util::Deadline deadline)
{
    TRY(prepare(deadline));
    ++requests_;
    stream_->set_deadline(deadline);
    stream_->write(request);
    TRY(stream_->flush());
    auto answer = read_answer();
    used_ = util::now();
    return answer;
}

util::Result<std::string> PolicyServer::ask(std::string_view request)
{
    for (std::uint64_t tries = 1;;) {
        bool kept = stream_.has_value();
        auto answer = exchange(request, util::Deadline::in(settings_.timeout));
        if (answer.ok())
            return answer;
        // An idle connection may be closed at any time, also while the request is on its way.
        bool was_closed = kept && requests_ > 1 && answer.error().code == net::closed_code;
        stream_.reset();
        if (was_closed)
            continue;
        util::log::warning("policy server ", settings_.name, ": ", answer.error().text);
        if (tries++ >= settings_.try_limit)
            return answer;
        if (sleep_)
            sleep_(settings_.retry_delay);
    }
}

}  // namespace smtpd
