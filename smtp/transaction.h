// Transaction: MAIL, RCPT and DATA or BDAT (RFC 3030) of one message to one server, pipelined where the server
// can (RFC 2920), and for LMTP with a reply for each recipient after the content (RFC 2033 §4.2).
#pragma once

#include "libmail/ehlo.h"
#include "smtp/config.h"
#include "smtp/dialog.h"
#include "smtp/letter.h"

#include <span>
#include <vector>

namespace smtp {

// Bytes of commands that may be under way without their replies: less than any socket's buffer, so that
// client and server never wait for each other (RFC 2920 §3.1).
constexpr std::size_t pipeline_window = 8 * 1024;
// Chunks that may be under way without their replies.
constexpr std::size_t max_open_chunks = 4;

class Transaction {
public:
    // What the connection is good for afterwards.
    enum class End : std::uint8_t {
        Clean,        // MAIL may come
        NeedsReset,   // RSET must come before
        Over,         // nothing: it is closed, or about to be
    };

    Transaction(Dialog& dialog, const mail::ServerExtensions& server, const Config& config, const Letter& letter,
                std::span<Target* const> targets);

    // Each target has a status afterwards; but none when nothing has begun().  `reset`: RSET comes first.
    End run(bool reset);
    // Has the server replied to a command of this transaction with anything but 421?
    bool begun() const { return begun_; }
    // The server offers CHUNKING and does not know BDAT: over, and who was accepted has no status.
    bool misses_bdat() const { return misses_bdat_; }

private:
    struct Command {
        Step step;
        std::string text;
        Target* target = nullptr;
    };

    bool fits();
    void build(bool reset);
    void build_xforward();
    std::string mail_command() const;
    std::string rcpt_command(const Target& target) const;
    void fill();
    bool take(const Command& command, const mail::Reply& reply);
    void take_rcpt(Target& target, mail::Reply reply);
    End finish_empty();
    void begin_content();
    End broken_source(const util::Error& error);
    End send_content();
    std::optional<End> send_pieces();
    End send_chunked();
    std::optional<End> send_chunks();
    std::optional<End> take_chunk_reply();
    End refuse_chunk(const mail::Reply& reply);
    bool denies_bdat(const mail::Reply& reply);
    std::optional<End> stopped(Step step);
    bool in_time(std::uint64_t sent);
    util::Result<mail::Reply> content_reply();
    End take_verdicts();
    ipc::DeliveryStatus deliverable(const mail::Reply& reply) const;
    ipc::DeliveryStatus delivered(const mail::Reply& reply) const;
    util::Duration timeout_of(Step step) const;
    void fail(Target& target, const Failure& why);
    void fail_open(const Failure& why);
    End give_up(Step step, const util::Error& error);

    Dialog& dialog_;
    const mail::ServerExtensions& server_;
    const Config& config_;
    const Letter& letter_;
    std::span<Target* const> targets_;

    bool seven_bit_ = false;            // the content has to be converted
    bool utf8_ = false;                 // MAIL says SMTPUTF8
    std::unique_ptr<Source> source_;
    std::vector<Command> commands_;
    std::size_t sent_ = 0;              // of commands_
    std::size_t replied_ = 0;
    std::size_t under_way_ = 0;         // bytes
    bool begun_ = false;
    bool stopped_ = false;              // nothing further is sent
    bool mail_taken_ = false;
    bool data_taken_ = false;
    bool chunked_ = false;              // BDAT in the place of DATA
    std::size_t open_chunks_ = 0;       // without their replies
    bool chunk_taken_ = false;
    bool misses_bdat_ = false;
    bool end_sent_ = false;             // the server may have all of the message
    util::Instant data_began_{};
    std::vector<Target*> accepted_;
};

}  // namespace smtp
