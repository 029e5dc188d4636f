// CleanupClient: hands messages to cleanup(8) over one standing connection (libipc/submission.h).
//
// A message that fits goes as exactly one record, so that it costs one send and one receive.  When
// the connection turns out to be lost (cleanup ended after max_use or max_idle) and the whole message
// is still here, one new connection is made and the message goes again under a new queue id.
#pragma once

#include "libipc/connection.h"
#include "smtpd/intake.h"

#include <optional>

namespace smtpd {

class CleanupClient final : public Intake {
public:
    using Connect = std::function<util::Result<ipc::Connection>()>;

    explicit CleanupClient(Connect connect) : connect_(std::move(connect)) {}

    util::Result<std::string> next_queue_id() override;
    void begin(ipc::Envelope envelope, std::vector<ipc::Recipient> recipients, Trace trace) override;
    std::string& buffer() override { return buffer_; }
    bool flow() override;
    util::Result<ipc::Verdict> finish() override;
    void abandon() override;
    const std::string& queue_id() const override { return message_.envelope.queue_id; }

private:
    util::Result<void> connect();
    util::Result<void> reconnect();
    util::Result<void> send_begin(bool finishing);
    util::Result<void> send_first(bool finishing);
    util::Result<void> send_piece(bool finishing);
    util::Result<ipc::Verdict> receive_verdict(int flags);
    util::Result<ipc::Verdict> exchange();
    void clear();
    void lose();

    Connect connect_;
    ipc::Connection connection_;
    std::string next_queue_id_;
    ipc::Begin message_;      // its content is filled in only to be sent
    Trace trace_;
    std::string buffer_;      // content that is not sent yet
    bool begun_ = false;      // part of the message has left
    bool ended_ = false;      // all of it has
    std::optional<ipc::Verdict> early_;  // came before the end of the content
    std::optional<util::Error> broken_;
};

}  // namespace smtpd
