// Session: one connection to one server, from its greeting to QUIT; it carries any number of messages.
#pragma once

#include "smtp/credentials.h"
#include "smtp/tls.h"
#include "smtp/transaction.h"

namespace smtp {

// What a process has for all its sessions.
struct SessionSite {
    const Config& config;
    std::string myhostname;
    std::uint16_t loop_port = 25;   // a server on it that has our name is us
    // The extensions that are not used with a server: of its address.
    std::function<std::vector<std::string>(const Host& host)> discard;
    std::function<bool()> stopping;
    util::Duration stop_patience{};       // then, with a server that may have taken a message already
    Dialog::Filter reply_filter = {};     // null: replies stay
    Credentials* credentials = nullptr;   // none: nobody is logged in with
    Tls* tls = nullptr;                   // none: all decisions are for connections in clear
};

// What one delivery wants of a session.
struct Purpose {
    std::string destination;    // without brackets and port, for texts
    std::string nexthop;        // the destination as the route has it, without those that are tried before or after it
    std::string sender;
    util::Duration age{};       // of the message
    util::Deadline end = util::Deadline::never();   // as in Letter
};

class Session {
public:
    // `decision` is what TLS must be like with this host.
    Session(const SessionSite& site, Host host, net::Stream stream, trust::TlsDecision decision = {});

    // The greeting and all that comes before MAIL.  Nothing: it may come.
    std::optional<Failure> begin(const Purpose& purpose);
    // Is it good for mail with REQUIRETLS (RFC 8689 §4.2.1)?
    bool is_required() const { return decision_.wish == trust::TlsWish::Verified && server_.requiretls; }
    // begin() has failed by TLS, and mail may go to this host without.
    bool wants_clear() const { return wants_clear_; }
    // Which protection it has, and why, for the log.
    std::string protection() const;
    // May it be kept for another message?
    bool may_be_kept() const
    {
        return !once_ && decision_.wish != trust::TlsWish::Optional && (!tls_ || decision_.connection_reuse);
    }
    // It is in clear because TLS has failed and this message may go without: another one may not.
    void use_once() { once_ = true; }
    // Would it log in as it has, for another sender?
    bool fits(std::string_view sender) const;
    // The destination for which it began, as Purpose has it.
    const std::string& nexthop() const { return nexthop_; }

    // Before begin(): BDAT is not used, whatever the server offers.
    void avoid_bdat() { avoids_bdat_ = true; }
    // deliver() has found that the server does not know BDAT, which it offers: over, and who was accepted has no status.
    bool misses_bdat() const { return misses_bdat_; }

    // Each target has a status afterwards; but none when the server has closed a connection that was used
    // before: then another one has to be made.
    void deliver(const Letter& letter, std::vector<Target*> targets);

    const Host& host() const { return dialog_.host(); }
    const mail::ServerExtensions& server() const { return server_; }
    bool usable() const { return end_ != Transaction::End::Over && !dialog_.closed(); }
    // How many messages it has carried; the next one is number uses() + 1.
    std::uint64_t uses() const { return uses_; }
    util::Instant began() const { return began_; }
    // Has the server said or done something unasked?  It will not be there for another message.
    bool disturbed() { return dialog_.stream().has_input(); }
    int fd() { return dialog_.stream().fd(); }

    // Says QUIT, and waits for the reply if skip_quit_response says so.
    void quit();

private:
    std::optional<Failure> greeting(std::string_view destination);
    std::optional<Failure> hello(std::string_view destination);
    std::optional<Failure> helo();
    std::optional<Failure> open(const Purpose& purpose);
    void note_result();
    std::optional<Failure> start_tls(const Purpose& purpose);
    std::optional<Failure> shake_hands(const Purpose& purpose);
    std::optional<Failure> tls_trouble(trust::TlsTrouble trouble, std::string_view text, bool for_now, const Purpose& purpose);
    std::optional<Failure> unmet_wish() const;
    Failure policy_failure(const trust::TlsRefusal& refusal) const;
    ChannelSafety safety() const;
    std::optional<Failure> login(const Purpose& purpose);
    std::optional<Failure> loops(std::string_view name, std::string_view destination) const;
    util::Result<mail::Reply> ask(std::string_view command, util::Duration timeout);

    const SessionSite& site_;
    Dialog dialog_;
    trust::TlsDecision decision_;
    std::optional<net::TlsPeerFacts> tls_;  // as soon as there is TLS
    bool wants_clear_ = false;
    bool once_ = false;
    std::optional<trust::TlsTrouble> trouble_;
    std::string trouble_text_;
    mail::ServerExtensions server_;
    bool avoids_bdat_ = false;
    bool misses_bdat_ = false;
    bool esmtp_ = false;    // the greeting says so
    std::string nexthop_;   // for which it began
    std::string user_;      // logged in as
    Transaction::End end_ = Transaction::End::Clean;
    std::uint64_t uses_ = 0;
    util::Instant began_;
};

}  // namespace smtp
