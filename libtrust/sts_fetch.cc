// Policies of MTA-STS from DNS and web servers.
#include "libtrust/sts_fetch.h"

#include "libnet/http_answer.h"
#include "libutil/text.h"

#include <algorithm>

namespace trust {

namespace {

constexpr std::string_view path = "/.well-known/mta-sts.txt";
constexpr std::size_t max_addresses = 4;  // of a web server that are tried

StsFetched failed(StsFailure failure, std::string text)
{
    return {.failure = failure, .text = std::move(text), .policy = {}};
}

StsFetched read_policy(net::Stream& stream, const std::string& host)
{
    stream.write(net::http_request(host, path));
    auto answer = net::read_http_answer(stream, max_sts_policy);
    if (!answer.ok())
        return failed(StsFailure::Fetch, answer.error().text);
    // Redirects are not followed (RFC 8461 §3.3).
    if (answer->status != 200)
        return failed(StsFailure::Fetch, util::concat("HTTP status ", answer->status));
    if (!is_policy_type(answer->content_type))
        return failed(StsFailure::Invalid, util::concat("the media type is ", util::printable(answer->content_type, 100)));
    auto policy = parse_sts_policy(answer->body);
    if (!policy.ok())
        return failed(StsFailure::Invalid, policy.error().text);
    return {.failure = StsFailure::None, .text = {}, .policy = policy.take()};
}

StsFetched fetch_from(const StsWorld& world, const std::string& host, const std::string& address, util::Deadline deadline)
{
    auto left = [&] { return std::max<util::Duration>(deadline.instant() - util::now(), std::chrono::milliseconds(1)); };
    auto socket = world.connect({.address = address, .port = world.port}, left());
    if (!socket.ok())
        return failed(StsFailure::Fetch, socket.error().text);
    net::Stream stream(socket.take());
    stream.set_timeout(left());
    stream.set_deadline(deadline);
    if (world.wants_stop)
        stream.set_stop(world.wants_stop);
    net::TlsTarget target;
    target.server_name = host;
    target.check = net::TlsCheck::Names;
    target.names = {host};
    target.alternative_names_only = true;  // RFC 8461 §3.3: DNS-IDs only
    auto facts = stream.start_tls_client(*world.tls, target);
    if (!facts.ok())
        return failed(StsFailure::Webpki, facts.error().text);
    if (facts->status != net::PeerStatus::Verified)
        return failed(StsFailure::Webpki, util::printable(facts->failure_text, 500));
    auto fetched = read_policy(stream, host);
    stream.close();
    return fetched;
}

}  // namespace

std::string_view name_of(StsFailure failure)
{
    switch (failure) {
    case StsFailure::None:
        return "success";
    case StsFailure::Fetch:
        return "sts-policy-fetch-error";
    case StsFailure::Invalid:
        return "sts-policy-invalid";
    case StsFailure::Webpki:
        return "sts-webpki-invalid";
    }
    return "unknown";
}

bool may_have_sts(std::string_view domain)
{
    if (domain.size() > max_sts_domain || domain.find('.') == std::string_view::npos)
        return false;
    auto labels = util::split(domain, '.');
    for (std::string_view label : labels) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
            return false;
        if (!std::ranges::all_of(label, [](char c) { return util::is_alnum(c) || c == '-' || c == '_'; }))
            return false;
    }
    return !std::ranges::all_of(labels.back(), util::is_digit);
}

StsRecordAnswer look_up_sts_record(const StsWorld& world, const std::string& domain)
{
    using Status = StsRecordAnswer::Status;
    auto answer = world.txt("_mta-sts." + domain);
    if (answer.temporary() || answer.status == net::dns::Status::Malformed)
        return {Status::Failed, {}, answer.text};
    if (!answer.found())
        return {Status::None, {}, "no record of MTA-STS"};
    auto id = find_sts_record(answer.records);
    if (id.ok())
        return {Status::Found, id.take(), {}};
    return {id.error().kind == util::Kind::NotFound ? Status::None : Status::Broken, {}, id.error().text};
}

StsFetched fetch_sts_policy(const StsWorld& world, const std::string& domain)
{
    auto deadline = util::Deadline::in(world.timeout);
    std::string host = "mta-sts." + domain;
    auto found = world.addresses(host);
    if (!found.found())
        return failed(StsFailure::Fetch, found.text);
    StsFetched last = failed(StsFailure::Fetch, "no address");
    for (std::size_t i = 0; i < found.records.size() && i < max_addresses && !deadline.passed(); ++i) {
        last = fetch_from(world, host, found.records[i], deadline);
        // An answer that is no policy would be the same elsewhere.
        if (last.failure == StsFailure::None || last.failure == StsFailure::Invalid)
            break;
    }
    return last;
}

}  // namespace trust
