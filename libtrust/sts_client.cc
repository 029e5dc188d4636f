// The client of sts(8).
#include "libtrust/sts_client.h"

#include "libipc/connection.h"
#include "libutil/log.h"

#include <cerrno>

namespace trust {

StsAnswer sts_answer(const ipc::StsReply& reply)
{
    StsAnswer answer;
    if (reply.result == ipc::StsReply::Result::None)
        return answer;
    auto policy = parse_sts_policy(reply.policy);
    if (!policy.ok()) {
        answer.status = StsAnswer::Status::Failed;
        answer.text = util::concat("sts(8) has answered what is no policy: ", policy.error().text);
        return answer;
    }
    answer.status = StsAnswer::Status::Found;
    answer.policy = policy.take();
    answer.id = reply.id;
    return answer;
}

namespace {

// In messages that a packet has room for, in their order.  A result that needs more alone stays so, and will not be taken.
std::vector<ipc::TlsResults> in_packets(std::vector<ipc::TlsResult> results)
{
    std::vector<ipc::TlsResults> messages(1);
    std::size_t used = ipc::TlsResults::message_name.size() + 1;
    for (ipc::TlsResult& result : results) {
        std::vector<int> none;
        ipc::TlsResults alone;
        alone.results.push_back(std::move(result));
        std::size_t size = ipc::encode(alone, none).size() - ipc::TlsResults::message_name.size() - 1;
        if (used + size > ipc::max_packet_size && !messages.back().results.empty()) {
            messages.emplace_back();
            used = ipc::TlsResults::message_name.size() + 1;
        }
        used += size;
        messages.back().results.push_back(std::move(alone.results.front()));
    }
    return messages;
}

}  // namespace

StsAnswer StsClient::ask_now(const std::string& domain)
{
    StsAnswer failed;
    failed.status = StsAnswer::Status::Failed;
    auto connection = ipc::Connection::connect(socket_, timeout_);
    if (!connection.ok()) {
        int code = connection.error().code;
        // Where it was and is gone the system is being stopped: that takes no promise away.
        if (answered_ || (code != ENOENT && code != ECONNREFUSED)) {
            failed.text = connection.take_error().text;
            return failed;
        }
        if (!complained_)
            util::log::warning("there is no sts(8): policies of MTA-STS are not looked for");
        complained_ = true;
        return {};
    }
    ipc::StsQuestion question;
    question.domain = domain;
    auto reply = connection->call<ipc::StsReply>(question);
    if (!reply.ok()) {
        failed.text = util::concat("sts(8): ", reply.error().text);
        return failed;
    }
    answered_ = true;
    return sts_answer(*reply);
}

void StsClient::give(std::vector<ipc::TlsResult> results)
{
    // A local socket's buffer takes it at once, or somebody is very busy.
    constexpr util::Duration patience = std::chrono::seconds(1);
    std::size_t count = results.size(), taken = 0;
    auto connection = ipc::Connection::connect(socket_, patience);
    auto sent = connection.ok() ? util::Result<void>() : util::Result<void>(connection.take_error());
    for (const ipc::TlsResults& message : in_packets(std::move(results))) {
        if (connection.ok())
            sent = connection->send(message);
        if (!sent.ok())
            break;
        taken += message.results.size();
    }
    if (taken < count)
        util::log::warning(count - taken, " results of TLS are lost: sts(8): ", sent.error().text);
}

StsAnswer StsClient::ask(const std::string& domain)
{
    auto now = util::now();
    if (auto found = remembered_.find(domain); found != remembered_.end() && now < found->second.until)
        return found->second.answer;
    StsAnswer answer = ask_now(domain);
    if (answer.status == StsAnswer::Status::Failed)
        return answer;
    if (remembered_.size() >= remembered_limit)
        remembered_.clear();
    remembered_[domain] = {now + remembered_time, answer};
    return answer;
}

}  // namespace trust
