// sendmail -bs: SMTP on standard input and output, for mail programs that speak nothing else.
//
// Messages go where all of sendmail's go (submit.h).  The peer is the caller, who could write the same with
// other options: there is nothing to check or to relay for.  Lines may end with LF, as a pipe's do.
#pragma once

#include "libconf/common.h"
#include "libmail/reply.h"
#include "tools/sendmail/submit.h"

#include <functional>
#include <optional>
#include <span>

namespace sendmail {

class SmtpSession {
public:
    static constexpr std::size_t max_command = 2048;     // bytes of a line, without its end
    static constexpr std::size_t max_piece = 64 * 1024;  // of a message's line that is handed on at once
    static constexpr std::size_t max_recipients = 1000;  // of one message
    static constexpr unsigned max_errors = 20;           // then it ends

    struct Streams {
        std::function<util::Result<std::size_t>(std::span<char>)> read;  // 0 at the end
        std::function<void(std::string_view)> write;
    };

    SmtpSession(const conf::Common& config, Streams streams, OpenSink open_sink)
        : config_(config), streams_(std::move(streams)), open_sink_(std::move(open_sink))
    {
    }

    // Until QUIT, the end of input, or too many errors; false: of these the last.
    bool run();

private:
    struct Line {
        std::string text;   // without its end
        bool whole = true;  // else its rest is still to come
    };
    struct Transaction {
        ipc::Envelope envelope;
        std::vector<ipc::Recipient> recipients;
    };

    std::optional<Line> read_line(std::size_t limit);
    mail::Reply execute(std::string_view line);
    mail::Reply hello(std::string_view argument, bool extended);
    mail::Reply mail_from(std::string_view argument);
    mail::Reply rcpt_to(std::string_view argument);
    mail::Reply data();
    std::optional<mail::Reply> read_content(Sink& sink);

    const conf::Common& config_;
    Streams streams_;
    OpenSink open_sink_;
    std::string buffer_;
    std::size_t at_ = 0;  // of buffer_, where the next line begins
    bool ended_ = false;  // the input, or the session
    bool greeted_ = false;
    std::optional<Transaction> transaction_;
};

}  // namespace sendmail
