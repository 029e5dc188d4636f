// Session: the loop, the table of commands, and the limits on errors.
#include "smtpd/session.h"

#include "libutil/log.h"
#include "smtpd/footer.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

// AUTH may be longer than other commands (RFC 4954 §4).
constexpr std::size_t longest_line = 12'288;

struct Session::Command {
    std::string_view verb;
    mail::Reply (Session::*handler)(std::string_view argument);
    unsigned states;
    unsigned flags = 0;

    enum Flag : unsigned {
        Last = 1,       // nothing may be sent behind it before its reply (RFC 2920 §3.1)
        Junk = 2,       // does no work: smtpd_junk_command_limit
        Plain = 4,      // may come before a STARTTLS that is required (RFC 3207 §4)
    };
};

// Which command may come when: RFC 5321 §4.1.4, RFC 3030 §2, RFC 4954 §4, RFC 3207 §4.2.
std::span<const Session::Command> Session::commands()
{
    constexpr unsigned idle = Connected | Greeted;
    constexpr unsigned any = idle | Sender | Recipients | InChunks;
    static constexpr Command table[] = {
        {"HELO", &Session::helo, any, Command::Last | Command::Junk | Command::Plain},
        {"EHLO", &Session::ehlo, any, Command::Last | Command::Junk | Command::Plain},
        {"STARTTLS", &Session::starttls, idle, Command::Plain},
        {"AUTH", &Session::auth, idle, Command::Last},
        {"MAIL", &Session::mail, idle},
        {"RCPT", &Session::rcpt, Sender | Recipients},
        {"DATA", &Session::data, Recipients, Command::Last},
        {"BDAT", &Session::bdat, any},  // its chunk must be read whatever the state
        {"RSET", &Session::rset, any, Command::Junk},
        {"NOOP", &Session::noop, any, Command::Last | Command::Junk | Command::Plain},
        {"VRFY", &Session::vrfy, any, Command::Last | Command::Junk},
        {"ETRN", &Session::etrn, idle, Command::Last},
        {"QUIT", &Session::quit, any, Command::Plain},
        {"XCLIENT", &Session::xclient, idle, Command::Plain},
        {"XFORWARD", &Session::xforward, idle},
    };
    static_assert(std::size(table) <= max_commands);
    return table;
}

const Session::Command* Session::find_command(std::string_view verb)
{
    for (const Command& command : commands())
        if (util::equal_nocase(command.verb, verb))
            return &command;
    return nullptr;
}

Session::Session(Services services, net::Stream stream, Client client)
    : common_(services.common),
      config_(services.config),
      services_(std::move(services)),
      stream_(std::move(stream)),
      client_(std::move(client))
{
    stream_.set_timeout(config_.timeout);
    stream_.limit_whole_writes(*config_.per_request_deadline);
    if (services_.stopping)
        stream_.set_stop(services_.stopping);
}

Session::State Session::state() const
{
    if (!transaction_)
        return helo_given_ ? Greeted : Connected;
    if (transaction_->chunks)
        return InChunks;
    return transaction_->recipients.empty() ? Sender : Recipients;
}

void Session::run()
{
    log::info("connect from ", client_.log_name());
    since_ = util::unix_seconds(util::wall_now());
    note_state();   // a TLS handshake may come first
    begin_client();
    if (auto refusal = refuse_connection()) {
        if (!*config_.tls_wrappermode)  // else the client waits for a handshake, which is what is saved here
            send(*refusal);
    } else if (greet()) {
        serve();
    }
    if (transaction_) {
        services_.intake.abandon();
        transaction_.reset();
    }
    stream_.close();
    if (connection_counted_)
        services_.counter->disconnect();
    log_disconnect();
    report();
}

// What follows from who the client is.
void Session::begin_client()
{
    begin_instance();
    bare_newlines_allowed_ = *config_.forbid_bare_newline != BareNewline::No &&
                             services_.rules.has(Privilege::BareNewlines, client_);
    // As in Postfix: a proxy that passes on its client's commands has given the right away with the
    // client's address, so that the client cannot use it.
    may_xclient_ = services_.rules.has(Privilege::Xclient, client_);
    may_xforward_ = services_.rules.has(Privilege::Xforward, client_);
    unlimited_ = services_.rules.has(Privilege::NoEventLimits, client_);
    discarded_keywords_ = services_.rules.discarded_keywords(client_);
}

bool Session::greet()
{
    if (*config_.tls_wrappermode && !begin_tls())
        return false;
    send(greeting());
    return true;
}

mail::Reply Session::greeting()
{
    if (!*config_.delay_reject) {
        Ruling ruling = services_.rules.on_connect(request());
        client_deferral_ = ruling.deferral;
        if (ruling.refused()) {
            // RFC 5321 §3.1: 554 instead of 220, then only QUIT.
            denied_ = ruled(std::move(ruling), "CONNECT");
            return *denied_;
        }
    }
    return {220, "", *config_.banner};
}

void Session::serve()
{
    while (!closing_ && !gone_) {
        note_state();   // with what the last command has changed
        auto line = next_command();
        if (!line)
            return;
        answer(execute(*line));
    }
}

// With smtpd_per_request_deadline the time for a line, or for content, begins.
void Session::begin_request()
{
    if (!*config_.per_request_deadline)
        return;
    deadline_ = util::now() + *config_.timeout;
    stream_.set_deadline(util::Deadline::at(deadline_));
}

// For tern who; the name last, which may be long.
void Session::note_state() const
{
    if (!services_.note)
        return;
    std::string text =
        util::concat("since=", since_, ", state=", where_, ", tls=", tls_.has_value(), ", client=", client_.address);
    if (!sasl_username_.empty())
        util::append(text, ", user=<", util::printable(sasl_username_, 100), ">");
    if (!app_password_.empty())
        util::append(text, ", app=", util::printable(app_password_, 64));
    if (transaction_ && !transaction_->queue_id.empty())
        util::append(text, ", queue_id=", transaction_->queue_id);
    services_.note(util::concat(text, ", name=", client_.name));
}

// The next command line; nothing when the session is over.
std::optional<std::string> Session::next_command()
{
    for (;;) {
        if (errors_ >= *config_.hard_error_limit) {
            log::info("too many errors after ", where_, " from ", client_.log_name());
            send({421, "4.7.0", util::concat(*common_.myhostname, " Error: too many errors")});
            return {};
        }
        begin_request();
        auto line = stream_.read_line(longest_line);
        if (!line.ok()) {
            end(where_, line.error());
            return {};
        }
        bool is_auth = util::starts_with_nocase(line->text, "AUTH ");
        if (line->too_long || (line->text.size() > *config_.line_length_limit && !is_auth)) {
            ++unknown_.all;
            ++total_.all;
            answer({500, "5.5.2", "Error: line too long"});
            continue;
        }
        if (auto refusal = refuse_bare_lf(*line)) {
            answer(*refusal);
            if (closing_)
                return {};
            continue;
        }
        auto filtered = services_.rules.filter_command(std::string(util::trim(line->text)));
        if (!filtered.ok()) {
            // Nobody knows what the client means: a BDAT would be followed by its chunk.
            log::warning("smtpd_command_filter: ", filtered.error().text);
            send({421, "4.3.0", util::concat(*common_.myhostname, " Error: command lookup error")});
            return {};
        }
        transcript_.command(*filtered);
        return filtered.take();
    }
}

std::optional<mail::Reply> Session::refuse_bare_lf(const net::LineView& line)
{
    if (!line.bare_lf || bare_newlines_allowed_)
        return {};
    if (*config_.forbid_bare_newline == BareNewline::Note)
        log::info("bare <LF> received in a command after ", where_, " from ", client_.log_name());
    if (*config_.forbid_bare_newline != BareNewline::Reject)
        return {};
    int code = int(*config_.forbid_bare_newline_reject_code);
    mail::Reply reply{code, "5.5.2", "Error: bare <LF> received"};
    log_reject(where_, reply);
    return reply;
}

mail::Reply Session::execute(const std::string& line)
{
    std::string_view text = util::trim(line);
    std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    std::string_view verb = text.substr(0, end);
    std::string_view argument = util::trim(text.substr(end));
    ++total_.all;
    if (std::ranges::any_of(*config_.noop_commands,
                            [verb](const std::string& name) { return util::equal_nocase(name, verb); })) {
        junk();
        ++total_.good;
        return {250, "2.0.0", "Ok"};
    }
    const Command* command = find_command(verb);
    if (!command) {
        ++unknown_.all;
        where_ = "UNKNOWN";
        if (forbidden(verb, text))
            return {221, "2.7.0", "Error: this server speaks SMTP. Goodbye"};
        return verb.empty() ? mail::Reply{500, "5.5.2", "Error: bad syntax"}
                            : mail::Reply{500, "5.5.2", "Error: command not recognized"};
    }
    Count& count = counts_[std::size_t(command - commands().data())];
    ++count.all;
    where_ = command->verb;
    note_state();
    auto reply = [&]() -> mail::Reply {
        auto refusal = refuse_command(*command, text);
        if (command->handler == &Session::bdat)
            return take_bdat(argument, std::move(refusal));
        if (refusal)
            return std::move(*refusal);
        if (command->flags & Command::Junk)
            junk();
        return (this->*command->handler)(argument);
    }();
    // Code 0: the handler has said what there was to say.
    if (reply.is_positive() || (reply.code == 0 && !gone_)) {
        ++count.good;
        ++total_.good;
    }
    return reply;
}

// Why a command may not come, whatever it says.
std::optional<mail::Reply> Session::refuse_command(const Command& command, std::string_view line)
{
    if (std::ranges::any_of(line, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 127; }))
        return mail::Reply{500, "5.5.2", "Error: control characters in a command"};
    bool may_follow = command.handler == &Session::quit || (may_xclient_ && command.handler == &Session::xclient);
    if (denied_ && !may_follow)
        return mail::Reply{503, "5.7.0", util::concat("Error: access denied for ", client_.log_name())};
    if (sent_ahead(command))
        return mail::Reply{554, "5.5.0", "Error: SMTP protocol synchronization"};
    if (*config_.tls_security_level == TlsLevel::Encrypt && !tls_ && !(command.flags & Command::Plain))
        return mail::Reply{530, "5.7.0", "Must issue a STARTTLS command first"};
    if (!(command.states & state()))
        return refuse_state(command);
    return {};
}

void Session::junk()
{
    if (++junk_ > *config_.junk_command_limit)
        ++errors_;
}

mail::Reply Session::refuse_state(const Command& command) const
{
    if (command.handler == &Session::etrn)
        return {503, "", "Error: MAIL transaction in progress"};
    bool idle = state() == Connected || state() == Greeted;
    if (command.handler == &Session::mail)
        return {503, "5.5.1", "Error: nested MAIL command"};
    if (command.handler == &Session::auth || command.handler == &Session::starttls ||
        command.handler == &Session::xclient || command.handler == &Session::xforward)
        return {503, "5.5.1", "Error: MAIL transaction in progress"};
    if (idle)
        return {503, "5.5.1", "Error: need MAIL command"};
    if (state() == InChunks)
        return {503, "5.5.1", "Error: BDAT has begun; only BDAT, RSET and QUIT may follow"};
    if (transaction_->refused > 0)
        return {554, "5.5.1", "Error: no valid recipients"};
    return {503, "5.5.1", "Error: need RCPT command"};
}

// Has the client sent more although it must wait for this command's reply first?
bool Session::sent_ahead(const Command& command)
{
    // Who did not say EHLO was not told of PIPELINING.
    bool must_wait = (command.flags & Command::Last) || !extended_ || !offers("PIPELINING");
    if (!must_wait || command.handler == &Session::quit || command.handler == &Session::starttls ||
        command.handler == &Session::bdat || !stream_.has_input())
        return false;
    if (!ahead_)
        log::info("improper command pipelining after ", where_, " from ", client_.log_name(), ": ",
                  util::printable(stream_.buffered(), 100));
    ahead_ = true;
    closing_ = *config_.forbid_unauth_pipelining;
    return closing_;
}

bool Session::forbidden(std::string_view verb, std::string_view line)
{
    closing_ = std::ranges::any_of(*config_.forbidden_commands,
                                   [&](const std::string& word) { return util::equal_nocase(word, verb); });
    if (closing_)
        log::warning("non-SMTP command from ", client_.log_name(), ": ", util::printable(line, 100));
    return closing_;
}

void Session::answer(const mail::Reply& reply)
{
    if (reply.code == 0 || gone_)
        return;
    if (reply.code >= 400 && !std::exchange(forgiven_, false))
        ++errors_;
    if (errors_ > *config_.soft_error_limit && services_.sleep) {
        (void)stream_.flush();
        services_.sleep(*config_.error_sleep_time);
    }
    send(reply);
}

void Session::send(mail::Reply reply)
{
    if (reply.code == 0)
        return;
    ipc::NoticeClasses classes = class_of(reply);   // soft_bounce does not change what went wrong
    if (*config_.soft_bounce && reply.is_permanent()) {
        reply.code -= 100;
        if (!reply.dsn.empty())
            reply.dsn[0] = '4';
    }
    if (reply.code >= 400)
        add_footer(reply.text, services_.rules.footer(mail::to_line(reply)), {client_, *common_.myhostname, util::wall_now()});
    transcript_.reply(reply, classes);
    closing_ = closing_ || reply.code == 421 || reply.code == 521;  // RFC 5321 §3.8, RFC 7504 §3
    stream_.write(mail::to_wire(reply, transaction_ && transaction_->parameters.utf8));
}

// The connection failed or was given up.
void Session::end(std::string_view where, const util::Error& error)
{
    gone_ = true;
    if (error.code == net::timeout_code) {
        send({421, "4.4.2", util::concat(*common_.myhostname, " Error: timeout exceeded")});
        log::info("timeout after ", where, " from ", client_.log_name());
    } else if (error.code == net::interrupted_code) {
        // RFC 5321 §3.8: a server may end a session with 421 at any time.
        send({421, "4.3.2", util::concat(*common_.myhostname, " Service shutting down")});
        log::info("shutting down after ", where, " from ", client_.log_name());
    } else if (error.code == net::closed_code) {
        log::info("lost connection after ", where, " from ", client_.log_name());
    } else {
        log::info(error.text, " after ", where, " from ", client_.log_name());
    }
}

void Session::log_disconnect() const
{
    std::string line = util::concat("disconnect from ", client_.log_name());
    auto add = [&](std::string_view name, const Count& count) {
        if (count.all == 0)
            return;
        util::append(line, ' ', name, '=');
        if (count.good != count.all)
            util::append(line, count.good, '/');
        util::append(line, count.all);
    };
    for (const Command& command : commands())
        add(util::lower(command.verb), counts_[std::size_t(&command - commands().data())]);
    add("unknown", unknown_);
    add("commands", total_);
    log::info(line);
}

}  // namespace smtpd
