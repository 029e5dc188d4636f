// The client of sts(8): a domain's policy, for those who deliver.
#pragma once

#include "libipc/sts.h"
#include "libtrust/tls_policy.h"

#include <map>

namespace trust {

class StsClient {
public:
    // `socket` is sts(8)'s; `timeout` is for one answer.
    StsClient(std::string socket, util::Duration timeout) : socket_(std::move(socket)), timeout_(timeout) {}

    // Where no sts(8) runs, and none has answered before, no domain has a policy, which is logged once.  Failed: it
    // does not answer; an attacker who can keep it busy must not get mail without protection for that.
    StsAnswer ask(const std::string& domain);
    // Results of TLS, to be kept for reports, in as many packets as they need.  Where nobody takes them they are lost, which is
    // logged.
    void give(std::vector<ipc::TlsResult> results);

    // For how long, and of how many domains, answers are remembered.
    static constexpr util::Duration remembered_time = std::chrono::seconds(60);
    static constexpr std::size_t remembered_limit = 100;

private:
    StsAnswer ask_now(const std::string& domain);

    struct Remembered {
        util::Instant until;
        StsAnswer answer;
    };
    std::string socket_;
    util::Duration timeout_;
    std::map<std::string, Remembered> remembered_;
    bool complained_ = false;
    bool answered_ = false;
};

// What a reply means.  Failed: its policy cannot be read.
StsAnswer sts_answer(const ipc::StsReply& reply);

}  // namespace trust
