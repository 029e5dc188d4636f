// A cleanup and an auth that live in the test.
#pragma once

#include "libipc/submission.h"
#include "libmail/sasl.h"
#include "smtpd/authenticator.h"
#include "smtpd/client_counter.h"
#include "smtpd/quota_checker.h"
#include "libipc/intake.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace test {

// Takes every message unless told otherwise, and remembers them.
class FakeIntake final : public ipc::Intake {
public:
    struct Message {
        ipc::Envelope envelope;
        std::vector<ipc::Recipient> recipients;
        std::string trace;
        std::string content;
    };

    util::Result<std::string> next_queue_id() override
    {
        if (down)
            return util::temporary("nobody listens");
        return util::concat("ID", number_);
    }
    void begin(ipc::Envelope envelope, std::vector<ipc::Recipient> recipients, Trace trace) override
    {
        CHECK(!open);
        open = true;
        buffer_.clear();
        queue_id_ = util::concat("ID", number_);
        envelope.queue_id = queue_id_;
        current_ = {std::move(envelope), std::move(recipients), trace(queue_id_), {}};
    }
    std::string& buffer() override { return buffer_; }
    bool flow() override
    {
        current_.content += std::exchange(buffer_, {});
        return true;
    }
    util::Result<ipc::Verdict> finish() override
    {
        CHECK(open);
        open = false;
        flow();
        ++number_;
        if (lost)
            return util::temporary("cleanup closed the connection");
        ipc::Verdict verdict{ipc::Verdict::Kind::Kept, 250, "2.0.0", "", ""};
        if (!verdicts.empty()) {
            verdict = verdicts.front();
            verdicts.pop_front();
        }
        if (verdict.kind == ipc::Verdict::Kind::Kept || verdict.kind == ipc::Verdict::Kind::Delivered)
            messages.push_back(std::move(current_));
        return verdict;
    }
    void abandon() override
    {
        open = false;
        buffer_.clear();
        current_ = {};
    }
    const std::string& queue_id() const override { return queue_id_; }

    bool down = false;
    bool lost = false;
    bool open = false;
    std::deque<ipc::Verdict> verdicts;
    std::vector<Message> messages;

private:
    int number_ = 1;
    std::string queue_id_;
    std::string buffer_;
    Message current_;
};

// Counts without a clock: nothing is ever forgotten.
class FakeCounter final : public smtpd::ClientCounter {
public:
    std::optional<ipc::Counted> count(const ipc::CountEvent& event) override
    {
        if (down)
            return std::nullopt;
        ++asked;
        ipc::Counted counted;
        counted.connections = event.event == ipc::AnvilEvent::Connection ? ++connections : connections;
        auto rate = [&](const std::string& name) { return name.empty() ? 0 : ++rates_[{std::size_t(event.event), name}]; };
        counted.rate = rate(event.network);
        counted.account_rate = rate(event.account);
        return counted;
    }
    void disconnect() override { --connections; }

    bool down = false;
    std::uint64_t connections = 0;   // of others
    int asked = 0;

private:
    std::map<std::pair<std::size_t, std::string>, std::uint64_t> rates_;
};

// One account, alice@example.org with the password "secret".
class FakeAuthenticator final : public smtpd::Authenticator {
public:
    util::Result<std::vector<std::string>> mechanisms(const ipc::MechanismsWanted&) override
    {
        if (down)
            return util::temporary("nobody listens");
        return std::vector<std::string>{"SCRAM-SHA-256", "PLAIN", "LOGIN"};
    }
    util::Result<ipc::AuthenticationResult> start(ipc::Authenticate request) override
    {
        auto mechanism = mail::find_mechanism(request.mechanism);
        CHECK(mechanism);
        exchange_.emplace(*mechanism, mail::ChannelBinding{}, "nonce");
        return answer(request.initial ? exchange_->step(*request.initial) : exchange_->step(std::nullopt));
    }
    util::Result<ipc::AuthenticationResult> respond(ipc::AuthenticationResponse response) override
    {
        if (response.cancelled)
            return ipc::AuthenticationResult{};
        return answer(exchange_->step(response.response));
    }

    bool down = false;

private:
    ipc::AuthenticationResult answer(const mail::SaslStep& step)
    {
        using Kind = ipc::AuthenticationResult::Kind;
        ipc::AuthenticationResult result;
        result.kind = Kind::Failed;
        result.text = "wrong name or password";
        switch (step.kind) {
        case mail::SaslStep::Kind::Challenge:
            result.kind = Kind::Challenge;
            result.data = step.text;
            break;
        case mail::SaslStep::Kind::CheckPassword:
            if (exchange_->authcid() == "alice@example.org" && exchange_->password() == "secret") {
                result.kind = Kind::Success;
                result.account = exchange_->authcid();
            }
            break;
        case mail::SaslStep::Kind::BadSyntax:
            result.kind = Kind::Invalid;
            break;
        default:
            break;
        }
        return result;
    }

    std::optional<mail::SaslExchange> exchange_;
};

// Mailboxes that have so many bytes left; all others have room.
class FakeQuotas final : public smtpd::QuotaJudge {
public:
    std::string why_full(const std::vector<std::string>& names, std::uint64_t size) override
    {
        for (const std::string& name : names)
            if (auto found = room.find(name); found != room.end())
                return found->second < std::max<std::uint64_t>(size, 1) ? "mailbox is full (over quota)" : "";
        return {};
    }

    std::map<std::string, std::uint64_t> room;
};

}  // namespace test
