// Submitter: hands messages to cleanup(8), or to pickup(8), over one standing connection
// (submission.h): the client's end, for smtpd, pickup, bounce and sendmail.
//
// A message that fits goes as exactly one record, so that it costs one send and one receive.  When
// the connection turns out to be lost (cleanup ended after max_use or max_idle) and the whole
// message is still here, one new connection is made and the message goes again under a new queue
// id.
#pragma once

#include "libipc/connection.h"
#include "libipc/intake.h"

#include <optional>

namespace ipc {

class Submitter final : public Intake {
public:
    using Connect = std::function<util::Result<Connection>()>;

    explicit Submitter(Connect connect) : connect_(std::move(connect)) { }
    // To a socket; `timeout` is for each single wait (ipc_timeout).
    Submitter(std::string socket_path, util::Duration timeout);

    // Asks too whether the connection of the message before still stands.  An id that was told before
    // abandon() never comes again.
    util::Result<std::string> next_queue_id() override;
    void begin(Envelope envelope, std::vector<Recipient> recipients, Trace trace) override;
    std::string& buffer() override { return buffer_; }
    bool flow() override;
    util::Result<Verdict> finish() override;
    void abandon() override;
    const std::string& queue_id() const override { return message_.envelope.queue_id; }

    // Before the content's first flow().
    void add_recipient(Recipient recipient) { message_.recipients.push_back(std::move(recipient)); }
    // For who does not fill buffer() himself.
    void write(std::string_view bytes);
    // For each wait from now on, on this connection.
    util::Result<void> set_timeout(util::Duration timeout)
    {
        return connection_.set_timeout(timeout);
    }

private:
    util::Result<void> connect();
    util::Result<void> reconnect();
    bool renounce();
    util::Result<void> send_begin(bool finishing);
    util::Result<void> send_first(bool finishing);
    util::Result<void> send_piece(bool finishing);
    util::Result<Verdict> receive_verdict(int flags);
    util::Result<Verdict> exchange();
    void clear();
    void lose();

    Connect connect_;
    Connection connection_;
    std::string next_queue_id_;
    bool told_ = false; // next_queue_id() has said it
    bool spent_ = false; // it was told, and its message abandoned: no other may get it
    Begin message_; // its content is filled in only to be sent
    Trace trace_;
    std::string buffer_; // content that is not sent yet
    bool begun_ = false; // part of the message has left
    bool ended_ = false; // all of it has
    std::optional<Verdict> early_; // came before the end of the content
    std::optional<util::Error> broken_;
};

} // namespace ipc
