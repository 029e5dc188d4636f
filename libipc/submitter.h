// Submitter: the client's end of submission.h, for smtpd, pickup and bounce.
//
// It keeps one standing connection to cleanup(8), over which many messages go one after the other.
// A Submission is one of them: it gathers content until a record is full, so that a small message
// is one record.  A Submission that is destroyed before finish() takes its message back, by closing
// the connection: nothing of it remains.
#pragma once

#include "libipc/connection.h"
#include "libipc/submission.h"

#include <string>
#include <string_view>

namespace ipc {

class Submitter {
public:
    // `timeout`: for each single wait (ipc_timeout).
    Submitter(std::string socket_path, util::Duration timeout)
        : path_(std::move(socket_path)), timeout_(timeout)
    {
    }

    // The queue id that the next message will have.  Connects when there is no connection, or when
    // cleanup has ended the one that there was.  Temporary when cleanup cannot be reached.
    util::Result<std::string> next_queue_id();
    util::Result<void> set_timeout(util::Duration timeout);

private:
    friend class Submission;

    std::string path_;
    util::Duration timeout_;
    Connection connection_;
    std::string next_id_;
};

class Submission {
public:
    // `envelope.queue_id` is what next_queue_id() just answered.  The Submitter outlives this.
    Submission(Submitter& submitter, Envelope envelope);
    ~Submission();
    Submission(const Submission&) = delete;
    Submission& operator=(const Submission&) = delete;

    // Before the first write().
    void add_recipient(Recipient recipient) { begin_.recipients.push_back(std::move(recipient)); }
    std::size_t recipients() const { return begin_.recipients.size(); }
    const Envelope& envelope() const { return begin_.envelope; }

    // Message bytes, CRLF line ends.  After an early verdict or an error they go nowhere, and
    // finish() tells; so a server reads its client's message to the end all the same.
    void write(std::string_view bytes);

    // Ends the message and waits for cleanup's verdict.  An error is Temporary: nothing is known of
    // the message's fate, so the client must be told to try again.
    util::Result<Verdict> finish();

private:
    void send_begin(bool last);
    void send_piece(bool last);
    void send(const auto& message);

    Submitter& submitter_;
    Begin begin_;               // its content is the first piece
    Content piece_;             // the piece that is being filled
    bool begun_ = false;
    bool done_ = false;
    std::optional<util::Error> error_;
    std::optional<Verdict> early_;
};

}  // namespace ipc
