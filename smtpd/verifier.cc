// VerifyClient: one standing connection to verify(8).
#include "smtpd/verifier.h"

#include "libutil/text.h"

namespace smtpd {

namespace {

// Beyond the patience that the service has been told of.
constexpr util::Duration grace = std::chrono::seconds(10);

}  // namespace

util::Result<ipc::VerifyAnswer> VerifyClient::exchange(const ipc::VerifyQuery& query)
{
    util::Duration timeout = util::Duration(query.patience) + grace;
    if (!connection_.valid())
        connection_ = TRY(ipc::Connection::connect(socket_, timeout));
    TRY(connection_.set_timeout(timeout));
    return connection_.call<ipc::VerifyAnswer>(query);
}

util::Result<ipc::VerifyAnswer> VerifyClient::ask(const std::string& address, util::Duration patience)
{
    ipc::VerifyQuery query;
    query.address = address;
    query.patience = patience.count();
    bool kept = connection_.valid();
    auto answer = exchange(query);
    if (answer.ok())
        return answer;
    connection_.close();
    // It may have ended since, as at a reload.
    if (kept && answer.error().kind == util::Kind::Temporary)
        answer = exchange(query);
    if (!answer.ok())
        connection_.close();
    return answer;
}

}  // namespace smtpd
