// Session: one SMTP conversation (RFC 5321), from the greeting to the end of the connection.
//
// Straight-line code over a Stream that waits; the commands are a table in session.cc, with the
// states in which each may come.  What one message is about lives in a Transaction and goes with it.
#pragma once

#include "libconf/common.h"
#include "libmail/client_attributes.h"
#include "libnet/stream.h"
#include "smtpd/authenticator.h"
#include "smtpd/client.h"
#include "smtpd/client_counter.h"
#include "smtpd/config.h"
#include "libipc/intake.h"
#include "smtpd/rules.h"
#include "smtpd/transaction.h"
#include "smtpd/transcript.h"

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace smtpd {

// What a process has for all its sessions.
struct Services {
    const conf::Common& common;
    const Config& config;
    Rules& rules;
    ipc::Intake& intake;
    Authenticator* authenticator = nullptr;         // none: AUTH is not offered
    const net::TlsContext* tls = nullptr;           // none: STARTTLS is not offered
    ClientCounter* counter = nullptr;               // none: clients and accounts have no limits
    std::string service_name = {};                  // in master.cf
    std::function<void(util::Duration)> sleep = {}; // for delays
    std::function<bool()> stopping = {};            // the process is told to end: 421
    std::function<void(std::string_view)> note = {};   // for tern who
    std::function<util::Result<void>(const std::string& domain)> flush = {};   // ETRN; none: it is not there
};

class Session {
public:
    Session(Services services, net::Stream stream, Client client);

    // Ends when the connection does.
    void run();

private:
    struct Command;
    static constexpr std::size_t max_commands = 16;

    // Which commands may come now (RFC 5321 §4.1.4); follows from what there is.
    enum State : unsigned { Connected = 1, Greeted = 2, Sender = 4, Recipients = 8, InChunks = 16 };
    State state() const;

    static std::span<const Command> commands();
    static const Command* find_command(std::string_view verb);

    // session.cc
    void begin_client();
    bool greet();
    mail::Reply greeting();
    void serve();
    void begin_request();
    std::optional<std::string> next_command();
    void note_state() const;
    mail::Reply execute(const std::string& line);
    std::optional<mail::Reply> refuse_command(const Command& command, std::string_view line);
    mail::Reply refuse_state(const Command& command) const;
    void answer(const mail::Reply& reply);
    void send(mail::Reply reply);
    void end(std::string_view where, const util::Error& error);
    void log_disconnect() const;
    bool forbidden(std::string_view verb, std::string_view line);
    bool sent_ahead(const Command& command);
    std::optional<mail::Reply> refuse_bare_lf(const net::LineView& line);
    void junk();
    void report();   // transcript.cc

    // session_hello.cc
    mail::Reply helo(std::string_view argument);
    mail::Reply ehlo(std::string_view argument);
    mail::Reply starttls(std::string_view argument);
    mail::Reply noop(std::string_view argument);
    mail::Reply rset(std::string_view argument);
    mail::Reply vrfy(std::string_view argument);
    mail::Reply etrn(std::string_view argument);
    mail::Reply quit(std::string_view argument);
    mail::Reply hello(std::string_view argument, bool extended);
    std::string ehlo_text();
    std::vector<std::string> offered_mechanisms();
    bool offers(std::string_view keyword) const;
    bool offers_starttls() const;
    bool offers_auth() const;
    bool begin_tls();

    // session_limits.cc
    std::string network() const;
    std::optional<mail::Reply> refuse_connection();
    std::optional<mail::Reply> refuse_event(ipc::AnvilEvent event);

    // session_xclient.cc
    mail::Reply xclient(std::string_view argument);
    mail::Reply xforward(std::string_view argument);
    void become(const mail::ClientAttributes& attributes);
    void log_forwarded(std::string& line) const;
    void fill_client(ipc::Envelope& envelope) const;

    // session_mail.cc
    mail::Reply mail(std::string_view argument);
    mail::Reply rcpt(std::string_view argument);
    std::optional<mail::Reply> name_message();
    mail::Reply accept_recipient(mail::Address address, const mail::RcptParameters& parameters);
    mail::Extensions extensions() const;
    RequestView request() const;
    void begin_instance();
    using Stage = Ruling (Rules::*)(const RequestView&);
    Ruling rule(std::span<const Stage> stages, RequestView view);
    Ruling rule_on_recipient(const RequestView& view);
    void obey(Orders orders);
    void prepend(std::string_view fields);
    mail::Reply ruled(Ruling ruling, std::string_view stage);
    void log_reject(std::string_view stage, const mail::Reply& reply, const mail::Address* recipient = nullptr);
    std::string_view log_id() const;

    // session_data.cc
    mail::Reply data(std::string_view argument);
    mail::Reply bdat(std::string_view argument);
    mail::Reply take_bdat(std::string_view argument, std::optional<mail::Reply> refusal);
    mail::Reply take_chunk(std::uint64_t size, bool last, std::optional<mail::Reply> refusal);
    bool receive_data(DataDecoder& decoder, bool& too_large);
    bool pass(std::uint64_t bytes);
    std::optional<mail::Reply> before_content();
    void begin_message();
    mail::Reply finish_message(bool bare_lf);
    mail::Reply verdict_reply(const ipc::Verdict& verdict);
    ContentRules content_rules() const;
    void credit(std::size_t bytes);
    std::string protocol() const;

    // session_auth.cc
    mail::Reply auth(std::string_view argument);
    mail::Reply converse(std::string_view mechanism, std::optional<std::string> initial);
    std::optional<std::string> read_response(mail::Reply& failure);
    mail::Reply auth_failed(std::string_view mechanism, const ipc::AuthenticationResult& result);

    const conf::Common& common_;
    const Config& config_;
    Services services_;
    net::Stream stream_;
    Client client_;
    bool unlimited_ = false;              // smtpd_client_event_limit_exceptions
    bool connection_counted_ = false;
    bool may_xclient_ = false;
    bool may_xforward_ = false;
    mail::ClientAttributes forwarded_;    // by XFORWARD, for the next transaction

    std::string helo_;
    bool helo_given_ = false;
    bool extended_ = false;               // EHLO, not HELO
    std::optional<net::TlsFacts> tls_;
    std::string sasl_method_;
    std::string sasl_username_;
    std::string instance_;                // RequestView::instance
    std::uint64_t instances_ = 0;
    std::string app_password_;            // the name of the one it logged in with; empty: the main password
    std::optional<Transaction> transaction_;
    Transcript transcript_;

    util::Instant deadline_{};            // of this command and its content
    bool closing_ = false;                // the current reply is the last
    bool gone_ = false;                   // the client is: nothing more can be said
    bool forgiven_ = false;               // the current reply is no error of the client's
    bool bare_newlines_allowed_ = false;
    std::vector<std::string> discarded_keywords_;  // of EHLO, for this client
    std::optional<mail::Reply> client_deferral_;  // DEFER_IF_PERMIT at the greeting
    std::optional<mail::Reply> helo_deferral_;    // and at HELO
    std::optional<mail::Reply> denied_;   // refused at the greeting: only QUIT may follow
    bool ahead_ = false;                  // the client pipelined where it must not
    std::string where_ = "CONNECT";       // the last command, for log lines
    std::int64_t since_ = 0;              // when it began, seconds since 1970
    std::uint64_t errors_ = 0;
    std::uint64_t junk_ = 0;

    struct Count {
        unsigned good = 0;
        unsigned all = 0;
    };
    std::array<Count, max_commands> counts_{};  // as commands()
    Count unknown_;
    Count total_;
};

}  // namespace smtpd
