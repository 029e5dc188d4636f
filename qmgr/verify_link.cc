// VerifyLink: one standing connection.
#include "qmgr/verify_link.h"

#include "libutil/log.h"

namespace qmgr {

void VerifyLink::report(const ipc::ProbeResult& result)
{
    if (!channel_ || !channel_->is_open()) {
        auto connected =
            ipc::Channel::connect(loop_, socket_,
                                  {.received = [this](ipc::Packet&) { channel_->fail(util::invalid("verify said something")); },
                                   .closed = [this](const util::Error&) { channel_.reset(); }});
        if (!connected.ok())
            return util::log::warning("verify: ", connected.error().text);
        channel_ = connected.take();
    }
    channel_->send(result);
}

}  // namespace qmgr
