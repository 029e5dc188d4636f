// A client of IMAP or POP3: the descriptor beneath a protocol session.
//
// Reads what the session can take, sends what it says, and gives it slices of time; the session
// itself never touches a descriptor.
#pragma once

#include "libipc/mailbox.h"
#include "libipc/protocol_session.h"
#include "libutil/event.h"
#include "libutil/unique_fd.h"

#include <memory>
#include <string>

namespace mailbox {

// While more output than this waits for the client, its session neither reads nor works.
constexpr std::size_t output_limit = 128U << 10;
// A session that is over may take this long to get its last words to the client.
constexpr util::Duration last_words_time{10'000'000};

class Client {
public:
    Client(util::EventLoop& loop, util::UniqueFd fd, ipc::SessionFacts facts,
           std::unique_ptr<ipc::ProtocolSession> session);

    // The first bytes: what the door promised the client, and what it has read already.
    void begin(std::string_view greeting, std::string_view pending);

    bool wants_slice() const;
    void slice();
    void store_changed(std::uint64_t mailbox) { session_->store_changed(mailbox); }
    void durable_grew() { session_->durable_grew(); }
    void terminate(std::string_view reason);

    // Sends what there is and adjusts what is waited for; once per turn of the loop.
    void settle();
    // Has the client or its session done something since the last call?
    bool was_active() { return std::exchange(active_, false); }
    // Gives back the memory of output that was sent; if not at once, then when nothing was sent
    // since the last call.
    void release_memory(bool at_once);
    // Nothing more will come or go; the owner drops the Client.
    bool over() const { return over_; }
    const std::string& session() const { return facts_.session; }
    // For the log, when it is over.
    std::string describe_end(std::string_view account) const;

private:
    void ready(unsigned what);
    void read();
    void write();
    void watch_deadline();
    std::size_t unsent() const { return session_->output().size() - sent_; }
    void end(std::string_view reason);

    util::UniqueFd fd_;
    ipc::SessionFacts facts_;
    std::unique_ptr<ipc::ProtocolSession> session_;
    std::size_t sent_ = 0;      // of the session's output, from its front
    bool input_ended_ = false;
    bool over_ = false;
    bool active_ = true;
    bool wrote_ = false;
    std::string reason_;
    util::Instant started_;
    util::Instant timer_at_ = util::Instant::max();
    util::Watch watch_;
    util::Timer timer_;
};

}  // namespace mailbox
