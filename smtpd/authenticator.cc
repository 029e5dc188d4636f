// AuthClient: the calling side of libipc/authentication.h.
#include "smtpd/authenticator.h"

namespace smtpd {

template <typename Answer, typename Message>
util::Result<Answer> AuthClient::call(const Message& message, bool may_repeat)
{
    bool fresh = !connection_.valid();
    if (fresh)
        connection_ = TRY(connect_());
    auto answer = connection_.call<Answer>(message);
    if (answer.ok())
        return answer;
    connection_.close();
    // The standing connection may have ended with an auth process; a new exchange can go again.
    if (fresh || !may_repeat)
        return answer;
    return call<Answer>(message, false);
}

util::Result<std::vector<std::string>> AuthClient::mechanisms(const ipc::MechanismsWanted& wanted)
{
    auto answer = TRY(call<ipc::Mechanisms>(wanted, true));
    return std::move(answer.names);
}

util::Result<ipc::AuthenticationResult> AuthClient::start(ipc::Authenticate request)
{
    request.exchange = ++exchange_;
    return call<ipc::AuthenticationResult>(request, true);
}

util::Result<ipc::AuthenticationResult> AuthClient::respond(ipc::AuthenticationResponse response)
{
    response.exchange = exchange_;
    return call<ipc::AuthenticationResult>(response, false);
}

}  // namespace smtpd
