// Dialog: commands to a server and its replies, and what becomes of a delivery when they fail.
//
// Commands are collected and go out when a reply is waited for, which is all that PIPELINING (RFC 2920)
// needs.  The time for a reply holds for all of it, so that no server keeps a process by dripping.
#pragma once

#include "libconf/table.h"
#include "libmail/reply.h"
#include "libnet/stream.h"
#include "smtp/site/failure.h"
#include "smtp/site/host.h"

#include <algorithm>
#include <functional>

namespace smtp {

enum class Step : std::uint8_t {
    Greeting,
    Ehlo,
    Helo,
    Lhlo,
    StartTls,
    Auth,
    Xforward,
    Mail,
    Rcpt,
    Data,
    Body,
    Dot,
    Chunk,
    LastChunk,
    Rset,
    Quit
};

// "sending MAIL FROM": behind "lost connection with mx.example.org[192.0.2.1] while ".
std::string_view doing(Step step);
// "MAIL FROM": of "(in reply to MAIL FROM command)".
std::string_view command_of(Step step);

constexpr std::size_t max_reply_lines = 1000;   // a reply of more is garbage
constexpr std::size_t max_said = 1000;          // bytes of a reply that are told on

class Dialog {
public:
    Dialog(net::Stream stream, Host host) : stream_(std::move(stream)), host_(std::move(host)) {}

    const Host& host() const { return host_; }
    net::Stream& stream() { return stream_; }
    // Has the server gone, or said that it goes (421)?
    bool closed() const { return closed_; }
    // Nothing can be said any more.
    void give_up() { closed_ = true; }

    // What replaces lines of replies; nothing for a line: it stays.  Temporary: the line counts as no reply.
    using Filter = std::function<util::Result<conf::Answer>(std::string_view line)>;
    void filter_replies(Filter filter) { filter_ = std::move(filter); }

    // No reply is waited for any longer.
    void set_end(util::Deadline end) { end_ = end; }
    // When `stopping` says yes a reply is not waited for, but a verdict() for so long, in all; and nothing more is sent to
    // who does not take it: of a message without its end the server has nothing.
    void set_stop(std::function<bool()> stopping, util::Duration patience)
    {
        stream_.set_stop(std::move(stopping));
        stream_.stop_writes();
        patience_ = patience;
    }
    // So long from now, or until that.
    util::Deadline until(util::Duration timeout) const
    {
        return util::Deadline::at(std::min(util::now() + timeout, end_.instant()));
    }

    // One command without its CRLF.
    void send(std::string_view command);
    // The next reply.  Invalid: garbage.  Temporary: closed_code, timeout_code, interrupted_code (transport.h).
    util::Result<mail::Reply> reply(util::Duration timeout);
    // The same, of who has sent the end of a message: the server may have taken it already, and who does not hear so
    // sends a second copy (RFC 5321 §4.5.3.2.6).
    util::Result<mail::Reply> verdict(util::Duration timeout);

    // Statuses for what came of a step: no reply, and one that says no.
    Failure lost(Step step, const util::Error& error) const;
    Failure refused(Step step, const mail::Reply& reply) const;
    // The same, where "never" says nothing of the message or its recipients.
    Failure refused_now(Step step, const mail::Reply& reply) const;
    // Of our own finding about this server.
    Failure unfit(ipc::Disposition disposition, std::string_view dsn, std::string text) const;

private:
    util::Result<mail::Reply> read_reply();

    net::Stream stream_;
    Host host_;
    Filter filter_;
    mail::ReplyParser parser_;
    bool closed_ = false;
    util::Deadline end_ = util::Deadline::never();
    util::Duration patience_ = util::Duration::zero();
};

// A reply on one line of bounded length: "550 5.1.1 no such user".
std::string said(const mail::Reply& reply);

}  // namespace smtp
