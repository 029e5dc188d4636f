// VerifyLink: tells verify(8) what probes have found.  What cannot be told is lost: it is asked for again.
#pragma once

#include "libipc/channel.h"
#include "libipc/verification.h"

#include <memory>
#include <string>

namespace qmgr {

class VerifyLink {
public:
    VerifyLink(util::EventLoop& loop, std::string socket) : loop_(loop), socket_(std::move(socket)) {}

    void report(const ipc::ProbeResult& result);

private:
    util::EventLoop& loop_;
    std::string socket_;
    std::unique_ptr<ipc::Channel> channel_;
};

}  // namespace qmgr
