// A client of IMAP or POP3: the descriptor beneath a protocol session.
//
// Reads what the session can take, sends what it says, and gives it slices of time; the session
// itself never touches a descriptor.
#pragma once

#include "libipc/parking.h"
#include "libipc/protocol_session.h"
#include "libutil/event.h"
#include "libutil/unique_fd.h"

#include <memory>
#include <optional>
#include <string>

namespace mailbox {

// While more output than this waits for the client, its session neither reads nor works.
constexpr std::size_t output_limit = 128U << 10;
// A session that waits only for its client is parked after so many times the delay.
constexpr int park_delay_without_news = 10;
// One that was woken by news, and whose client was silent, is parked again after this.
constexpr util::Duration park_again_delay{250'000};
// A session that could not be parked is tried again after this.
constexpr util::Duration park_retry_delay{60'000'000};
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
    void store_changed(std::uint64_t mailbox);
    void durable_grew();
    void terminate(std::string_view reason);
    void set_groups(const std::vector<std::string>& groups) { session_->set_groups(groups); }

    // Sends what there is and adjusts what is waited for; once per turn of the loop.
    void settle();
    // Has the client or its session done something since the last call?
    bool was_active() { return std::exchange(active_, false); }
    // Gives back the memory of output that was sent; if not at once, then when nothing was sent
    // since the last call.
    void release_memory(bool at_once);
    // --- parking (libipc/parking.h) ------------------------------------------------------------------
    // When the session has waited for long enough; nothing while it does not wait.
    std::optional<util::Instant> parks_at(util::Duration delay) const;
    // The order for usher, or nothing: the session stays.  From here on nothing is read or said.
    std::optional<ipc::ParkSession> park();
    bool parking() const { return parking_; }
    bool waits_for_disk() const { return session_->waits_for_disk(); }
    // usher's answer: the client is its own now, and the owner drops this one; or all goes on.
    void parked(bool taken);
    // The session was parked before.
    void was_parked(util::Instant started);

    // Given once, when the session is over and its connection goes on without it: the order for usher.
    std::optional<ipc::ReturnSession> returned() { return std::exchange(returned_, std::nullopt); }

    // Nothing more will come or go; the owner drops the Client.
    bool over() const { return over_; }
    // The session goes on elsewhere.
    bool moved() const { return moved_; }
    const std::string& session() const { return facts_.session; }
    bool is_guest() const { return !facts_.guest.empty(); }
    const std::string& guest() const { return facts_.guest; }
    // For the log, when it is over.
    std::string describe_end(std::string_view account) const;

private:
    void ready(unsigned what);
    void read();
    void write();
    void watch_deadline();
    std::size_t unsent() const { return session_->output().size() - sent_; }
    void end(std::string_view reason);
    void finish();

    util::UniqueFd fd_;
    ipc::SessionFacts facts_;
    std::unique_ptr<ipc::ProtocolSession> session_;
    std::size_t sent_ = 0;      // of the session's output, from its front
    bool input_ended_ = false;
    bool over_ = false;
    bool active_ = true;
    bool wrote_ = false;
    bool parking_ = false;      // usher is asked
    bool moved_ = false;
    bool woken_ = false;        // was parked, and the client has said nothing since
    std::optional<ipc::ReturnSession> returned_;
    util::Instant quiet_since_;
    std::string reason_;
    util::Instant started_;
    util::Instant timer_at_ = util::Instant::max();
    util::Watch watch_;
    util::Timer timer_;
};

}  // namespace mailbox
