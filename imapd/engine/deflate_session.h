// COMPRESS=DEFLATE (RFC 4978) around a session: plain until the two sides have agreed, compressed after.
//
// What comes is inflated only as far as the session can take it, so that a few bytes which stand for many
// cost no memory; what the session has said in one turn leaves as one flushed block.
#pragma once

#include "imapd/engine/session.h"

#include <memory>
#include <string>

namespace imapd::engine {

// The compressor's two halves; null until they are needed.
struct Deflate;
struct Inflate;

// So long a client that has left may take to end its layer.
constexpr util::Duration closing_time{10'000'000};

class DeflateSession final : public ipc::ProtocolSession {
public:
    explicit DeflateSession(std::unique_ptr<Session> session);
    // A session that goes on where rest() was asked for the state; one where that is not possible says so to
    // its client and is over.
    DeflateSession(std::unique_ptr<Session> session, std::string_view state);
    ~DeflateSession() override;

    void feed(std::string_view bytes) override;
    bool wants_input() const override;
    void adjust_greeting(std::string& greeting) override { session_->adjust_greeting(greeting); }
    void end_of_input() override;
    std::string& output() override;
    bool has_work() const override;
    void work() override;
    void store_changed(std::uint64_t mailbox) override;
    void durable_grew() override;
    std::optional<util::Instant> deadline() const override;
    void deadline_passed(util::Instant now) override;
    bool finished() const override { return broken_ || (session_->finished() && !closing_); }
    std::optional<std::string> left_over() const override;
    std::string farewell() const override { return session_->farewell(); }
    void terminate(std::string_view reason) override;
    std::string summary() const override { return session_->summary(); }
    Waits waits() const override;
    bool waits_for_disk() const override { return session_->waits_for_disk(); }
    std::optional<ipc::Resting> rest() const override;
    void catch_up() override;
    void set_groups(const std::vector<std::string>& groups) override { session_->set_groups(groups); }

private:
    util::Result<void> restore(std::string_view state);
    void begin_compression();
    bool can_inflate() const;
    // Does what came until here look as if the client's layer ended here?
    bool may_be_last_word() const;
    // Inflates to the end of a block at most; how many bytes.
    std::size_t inflate_block(char* out, std::size_t room, std::size_t& used, int& result);
    void close_layer();
    void say_bye_when_closing(std::string_view reason);
    // Has the session got all there was?
    bool may_end() const;
    void inflate_some();
    // After the session may have said something.
    void settle();

    std::unique_ptr<Session> session_;
    std::unique_ptr<Deflate> deflate_;
    std::unique_ptr<Inflate> inflate_;
    bool compressed_ = false;
    bool broken_ = false;         // what the client sends is not compressed as it should be
    bool input_ended_ = false;
    bool ended_ = false;          // the session has been told so
    bool finished_ = false;       // the last block is written
    bool pending_ = false;        // the inflater may have more without input
    bool at_boundary_ = false;    // between two blocks
    bool flushed_ = false;        // the last block was one without content
    bool stream_ended_ = false;
    bool closing_ = false;        // the session has left its connection; the client's layer is not over yet
    util::Instant closing_until_;
    std::string last_word_;       // the last bytes that were inflated
    std::string input_;           // compressed
    std::string output_;
};

}  // namespace imapd::engine
