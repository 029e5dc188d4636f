#include "smtp/dialog.h"

#include "libmail/dsn_status.h"

namespace smtp {

namespace {

struct Words {
    std::string_view doing;
    std::string_view command;
};

// In the order of Step.  Postfix's words, which log tools know.
constexpr Words words[] = {
    {"receiving the initial server greeting", "initial server greeting"},
    {"performing the EHLO handshake", "EHLO"},
    {"performing the HELO handshake", "HELO"},
    {"performing the LHLO handshake", "LHLO"},
    {"performing the TLS handshake", "STARTTLS"},
    {"performing SASL authentication", "AUTH"},
    {"sending XFORWARD name/address", "XFORWARD"},
    {"sending MAIL FROM", "MAIL FROM"},
    {"sending RCPT TO", "RCPT TO"},
    {"sending DATA command", "DATA"},
    {"sending message body", "message body"},
    {"sending end of data -- message may be sent more than once", "end of DATA"},
    {"sending message body", "BDAT"},
    {"sending end of data -- message may be sent more than once", "BDAT"},
    {"sending final RSET", "RSET"},
    {"sending QUIT command", "QUIT"},
};
static_assert(std::size(words) == static_cast<std::size_t>(Step::Quit) + 1);

bool is_handshake(Step step) { return step <= Step::Auth; }

}  // namespace

std::string_view doing(Step step) { return words[static_cast<std::size_t>(step)].doing; }
std::string_view command_of(Step step) { return words[static_cast<std::size_t>(step)].command; }

std::string said(const mail::Reply& reply)
{
    std::string line = mail::to_line(reply);
    if (line.size() > max_said)
        line.resize(max_said);
    return line;
}

void Dialog::send(std::string_view command)
{
    stream_.write(command);
    stream_.write("\r\n");
}

util::Result<mail::Reply> Dialog::reply(util::Duration timeout)
{
    stream_.set_timeout(timeout);
    stream_.set_deadline(until(timeout));
    auto result = read_reply();
    closed_ = closed_ || !result || result->code == 421;
    return result;
}

util::Result<mail::Reply> Dialog::verdict(util::Duration timeout)
{
    stream_.set_patience(patience_);
    auto result = reply(timeout);
    stream_.set_patience(util::Duration::zero());
    return result;
}

util::Result<mail::Reply> Dialog::read_reply()
{
    for (std::size_t lines = 0; lines < max_reply_lines; ++lines) {
        auto line = TRY(stream_.read_line(mail::max_remote_reply_line));
        std::optional<std::string> changed;
        if (filter_)
            changed = TRY(filter_(line.text));
        bool whole = TRY(parser_.feed(changed ? std::string_view(*changed) : line.text));
        if (whole)
            return parser_.take();
    }
    return util::invalid("a reply without end");
}

Failure Dialog::unfit(ipc::Disposition disposition, std::string_view dsn, std::string text) const
{
    Failure failed = failure(disposition, dsn, std::move(text));
    failed.status.relay = host_.relay();
    failed.status.remote_mta = host_.name;
    return failed;
}

Failure Dialog::lost(Step step, const util::Error& error) const
{
    std::string text;
    std::string_view dsn = "4.4.2";
    if (error.code == net::closed_code) {
        text = util::concat("lost connection with ", host_.label(), " while ", doing(step));
    } else if (error.code == net::timeout_code) {
        text = util::concat("conversation with ", host_.label(), " timed out while ", doing(step));
    } else if (error.code == net::interrupted_code) {
        dsn = "4.3.2";
        text = util::concat("the mail system was stopped while ", doing(step));
    } else {
        dsn = error.kind == util::Kind::Invalid ? "4.5.0" : "4.4.2";
        text = util::concat("conversation with ", host_.label(), " failed while ", doing(step), ": ", error.text);
    }
    Failure failed = unfit(ipc::Disposition::Deferred, dsn, std::move(text));
    failed.site = is_handshake(step) && error.code != net::interrupted_code;
    return failed;
}

Failure Dialog::refused(Step step, const mail::Reply& reply) const
{
    std::string what = said(reply);
    bool permanent = reply.is_permanent();
    std::string dsn = reply.dsn.empty() ? mail::default_dsn_status(permanent ? 500 : 400) : reply.dsn;
    // A 2xx or 3xx where it means nothing: the server does not know what it is doing, now.
    if (!permanent && !reply.is_temporary())
        dsn = "4.5.0";
    bool handshake = is_handshake(step) && step != Step::Auth;
    std::string text =
        handshake ? util::concat("host ", host_.label(), " refused to talk to me: ", what)
                  : util::concat("host ", host_.label(), " said: ", what, " (in reply to ", command_of(step), " command)");
    Failure failed = unfit(permanent ? ipc::Disposition::Bounced : ipc::Disposition::Deferred, dsn, std::move(text));
    failed.status.diagnostic = util::concat("smtp; ", what);
    failed.site = is_handshake(step);
    return failed;
}

Failure Dialog::refused_now(Step step, const mail::Reply& reply) const
{
    Failure failed = refused(step, reply);
    if (failed.permanent()) {
        failed.status.disposition = ipc::Disposition::Deferred;
        failed.status.dsn[0] = '4';
    }
    return failed;
}

}  // namespace smtp
