// One POP3 session after log-in: RFC 1939's TRANSACTION and UPDATE states, RFC 2449 (CAPA, RESP-CODES,
// PIPELINING), UTF8 and LANG (RFC 6856), without I/O.
//
// The maildrop is INBOX as it stood at log-in: numbers and sizes never change within a session.
// That is what RFC 1939 §4 wants a lock for, so nothing is locked: sessions of IMAP and of POP3 go on
// beside it ([IN-USE] is never said), and a message that one of them expunges is an -ERR here, and none to
// QUIT.  DELE only marks; QUIT expunges, and answers when that is durable.  Very many messages are expunged in one
// change, for which memory is got before, in slices (libstore/store.h, prepare_expunge()).
#pragma once

#include "libipc/protocol_session.h"
#include "libmail/uidl_format.h"
#include "libstore/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pop3d::engine {

constexpr std::size_t max_command_length = 255;    // RFC 2449 §4, with CRLF
constexpr int max_bad_commands = 20;               // in a row; then the session ends

struct SessionLimits {
    util::Duration autologout{std::int64_t(10 * 60) * 1'000'000};  // RFC 1939 §3: at least 10 min
    std::size_t messages = 1'000'000;   // the oldest ones of a larger maildrop
    util::Duration slice{10'000};       // what is long works so long at a time
};

struct SessionFacts {
    std::string user;   // for the log
    std::string peer;
    bool tls = false;
    bool utf8 = false;  // the client takes UTF-8 in headers; others get surrogates (libmail/surrogate.h)
    SessionLimits limits;
    std::string login_capabilities;   // lines of CAPA for what the door can do
    mail::UidlFormat uidl_format = *mail::UidlFormat::parse("%v.%u");
};

class Session : public ipc::ProtocolSession {
public:
    Session(store::Store& store, SessionFacts facts);
    ~Session() override;

    void feed(std::string_view bytes) override;
    bool wants_input() const override;
    void end_of_input() override;
    std::string& output() override { return output_; }
    bool has_work() const override;
    void work() override;
    void store_changed(std::uint64_t) override {}
    void durable_grew() override;
    bool waits_for_disk() const override { return quitting_ && !finished_; }
    std::optional<util::Instant> deadline() const override;
    void deadline_passed(util::Instant now) override;
    bool finished() const override { return finished_; }
    void terminate(std::string_view reason) override;
    std::string summary() const override;

private:
    struct Message {
        std::uint32_t uid = 0;
        bool deleted = false;
        bool retrieved = false;
        std::uint64_t size = 0;
    };
    struct Command {
        std::string_view verb;
        void (Session::*handler)(std::string_view argument);
    };
    static const Command commands[];

    // What goes on over several slices: a listing, the text of a message, or QUIT, which gets memory before it expunges.
    enum class Running : unsigned char { Nothing, List, Uidl, Text, Preparing, Expunging };

    void open_maildrop();
    void advance();
    bool next_command();
    void execute(std::string_view line);
    void run_listing();
    void run_text();
    bool leaving() const;
    void expunge();
    bool append_lines(std::string_view bytes);

    void stat(std::string_view argument);
    void list(std::string_view argument);
    void retr(std::string_view argument);
    void top(std::string_view argument);
    void uidl(std::string_view argument);
    void dele(std::string_view argument);
    void rset(std::string_view argument);
    void noop(std::string_view argument);
    void capa(std::string_view argument);
    void lang(std::string_view argument);
    void quit(std::string_view argument);
    void already_in(std::string_view argument);

    void ok(std::string_view text);
    void error(std::string_view text);
    bool no_argument(std::string_view argument);
    // The message a number names; null after -ERR.
    Message* message(std::string_view number);
    const store::Entry* entry(const Message& message);
    void begin_text(Message& message, std::uint64_t lines);
    util::Result<std::string> read_text(std::uint64_t at, std::uint64_t size);
    // Puts the surrogate in the place of the text, if it has one and the client needs it; `start`: its
    // first bytes.
    util::Result<void> downgrade_text(std::string_view start);
    void append_list_line(std::size_t index);
    void append_uidl_line(std::size_t index);
    void drop();
    // What was retrieved becomes \Seen for the user's other sessions.
    void mark_seen();
    void farewell();

    store::Store& store_;
    SessionFacts facts_;
    store::MailboxId mailbox_ = 0;
    std::uint32_t uid_validity_ = 0;
    std::vector<Message> messages_;
    std::string input_;
    std::size_t position_ = 0;
    std::string output_;
    bool skipping_ = false;          // the rest of a line that was too long
    bool input_exhausted_ = true;
    bool input_ended_ = false;
    bool finished_ = false;
    bool quitting_ = false;          // QUIT waits until the expunge is durable
    store::Lsn awaited_ = 0;
    int bad_in_a_row_ = 0;
    util::Instant last_input_;

    Running running_ = Running::Nothing;
    std::size_t next_ = 0;           // of a listing
    std::vector<std::uint32_t> going_;   // what QUIT expunges
    store::Entry text_;              // the message that is sent
    std::string surrogate_;          // in its place, if it is not empty
    std::uint64_t text_size_ = 0;
    std::uint64_t text_at_ = 0;
    std::uint64_t header_size_ = 0;
    std::uint64_t lines_left_ = 0;   // of the body, for TOP
    bool line_start_ = true;

    std::uint64_t retrieved_ = 0;
    std::uint64_t retrieved_bytes_ = 0;
    std::uint64_t expunged_ = 0;
};

}  // namespace pop3d::engine
