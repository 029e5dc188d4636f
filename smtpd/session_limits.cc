// What one client, or one account, may do in a time: smtpd_client_*_limit, smtpd_user_*_limit.
#include "smtpd/session.h"

#include "libconf/network.h"
#include "libutil/log.h"

namespace smtpd {

namespace log = util::log;

namespace {

// Postfix's words.
struct Words {
    std::string_view log;
    std::string_view reply;
    int code = 450;
    std::string_view dsn = "4.7.1";
};

constexpr Words limit_words[] = {
    {"Connection rate", "connections", 421, "4.7.0"},
    {"Message delivery request rate", "mail"},
    {"Recipient address rate", "recipients"},
    {"New TLS session rate", "new TLS sessions", 454, "4.7.0"},
    {"AUTH command rate", "AUTH commands"},
};
static_assert(std::size(limit_words) == ipc::anvil_event_kinds);

}  // namespace

// Counted as the network it belongs to; an address that is none, as XCLIENT may tell it, as itself.
std::string Session::network() const
{
    return conf::client_network(client_.address, int(*config_.client_ipv4_prefix_length),
                                int(*config_.client_ipv6_prefix_length));
}

// May the client be here at all?  One question for both limits, and none where there is no limit.
std::optional<mail::Reply> Session::refuse_connection()
{
    std::uint64_t most = *config_.client_connection_count_limit, rate = *config_.client_connection_rate_limit;
    if (!services_.counter || unlimited_ || (most == 0 && rate == 0))
        return {};
    auto counted = services_.counter->count({ipc::AnvilEvent::Connection, services_.service_name, network(), {}});
    if (!counted)
        return {};
    connection_counted_ = true;
    bool too_many = most > 0 && counted->connections > most;
    if (!too_many && !(rate > 0 && counted->rate > rate))
        return {};
    log::warning(too_many ? "Connection concurrency" : "Connection rate", " limit exceeded: ",
                 too_many ? counted->connections : counted->rate, " from ", client_.log_name(), " for service ",
                 services_.service_name);
    return mail::Reply{421, "4.7.0", util::concat(*common_.myhostname, " Error: too many connections from ", client_.address)};
}

// Counts an event, if any limit asks for it; the refusal when it is one too many.
std::optional<mail::Reply> Session::refuse_event(ipc::AnvilEvent event)
{
    std::uint64_t limit = 0, account_limit = 0;
    switch (event) {
    case ipc::AnvilEvent::Connection:
        return refuse_connection();
    case ipc::AnvilEvent::Message:
        limit = *config_.client_message_rate_limit;
        account_limit = *config_.user_message_rate_limit;
        break;
    case ipc::AnvilEvent::Recipient:
        limit = *config_.client_recipient_rate_limit;
        account_limit = *config_.user_recipient_rate_limit;
        break;
    case ipc::AnvilEvent::NewTls:
        limit = *config_.client_new_tls_session_rate_limit;
        break;
    case ipc::AnvilEvent::Auth:
        limit = *config_.client_auth_rate_limit;
        break;
    }
    bool by_client = limit > 0 && !unlimited_, by_account = account_limit > 0 && !sasl_username_.empty();
    if (!services_.counter || (!by_client && !by_account))
        return {};
    auto counted =
        services_.counter->count({event, services_.service_name, by_client ? network() : "", by_account ? sasl_username_ : ""});
    if (!counted)
        return {};
    bool too_many = by_client && counted->rate > limit;
    if (!too_many && !(by_account && counted->account_rate > account_limit))
        return {};
    const Words& said = limit_words[std::size_t(event)];
    std::string who = too_many ? client_.address : util::printable(sasl_username_, 200);
    log::warning(said.log, " limit exceeded: ", too_many ? counted->rate : counted->account_rate, " from ",
                 too_many ? client_.log_name() : util::concat("user ", who), " for service ", services_.service_name);
    return mail::Reply{
        said.code, std::string(said.dsn),
        util::concat("Error: too ", event == ipc::AnvilEvent::Message ? "much " : "many ", said.reply, " from ", who)};
}

}  // namespace smtpd
