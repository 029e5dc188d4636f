#include "smtp/transaction.h"

#include "libmail/dsn_status.h"
#include "libmail/esmtp.h"
#include "smtp/xforward.h"

#include <algorithm>

namespace smtp {

Transaction::Transaction(Dialog& dialog, const mail::ServerExtensions& server, const Config& config, const Letter& letter,
                         std::span<Target* const> targets)
    : dialog_(dialog), server_(server), config_(config), letter_(letter), targets_(targets)
{
    for (Target* target : targets_) {
        target->status.reset();
        target->over_limit = false;
    }
}

// --- failures ----------------------------------------------------------------------------------------

void Transaction::fail(Target& target, const Failure& why)
{
    if (!target.status)
        target.status = why.status;
}

// All that have no status yet.
void Transaction::fail_open(const Failure& why)
{
    for (Target* target : targets_)
        fail(*target, why);
}

Transaction::End Transaction::give_up(Step step, const util::Error& error)
{
    // It may have the message: no other server gets it at once.
    if (end_sent_)
        for (Target* target : accepted_)
            target->last_word = target->last_word || !target->status;
    fail_open(dialog_.lost(step, error));
    return End::Over;
}

// --- before MAIL -------------------------------------------------------------------------------------

// What the server lacks for this message.
bool Transaction::fits()
{
    using enum ipc::Disposition;
    if (server_.size_limit > 0 && letter_.size > server_.size_limit) {
        fail_open(dialog_.unfit(Bounced, "5.3.4",
                                util::concat("message size ", letter_.size, " exceeds size limit ", server_.size_limit,
                                             " of server ", dialog_.host().label())));
        return false;
    }
    // Who asked for SMTPUTF8 gets along without where nothing needs it (RFC 6531 §3.6: the header, too).
    bool any_utf8 = std::ranges::any_of(targets_, [](const Target* target) { return target->utf8; });
    utf8_ = letter_.envelope.smtputf8 && (server_.utf8 || letter_.utf8_header || letter_.utf8_sender || any_utf8);
    if ((utf8_ || letter_.utf8_sender || any_utf8) && !server_.utf8) {
        fail_open(dialog_.unfit(Bounced, "5.6.7",
                                util::concat("SMTPUTF8 is required, but was not offered by host ", dialog_.host().label())));
        return false;
    }
    utf8_ = utf8_ || ((letter_.utf8_sender || any_utf8) && server_.utf8);
    seven_bit_ = letter_.eight_bit && !server_.eight_bit_mime && !*config_.disable_mime_output_conversion;
    auto source = letter_.open(seven_bit_);
    if (!source) {
        bool permanent = source.error().kind == util::Kind::Permanent;
        fail_open(dialog_.unfit(permanent ? Bounced : Deferred, permanent ? "5.6.3" : "4.3.0", source.error().text));
        return false;
    }
    source_ = source.take();
    return true;
}

std::string Transaction::mail_command() const
{
    const ipc::Envelope& envelope = letter_.envelope;
    std::string command = util::concat("MAIL FROM:", letter_.sender);
    if (server_.size)
        util::append(command, " SIZE=", letter_.size);
    if (server_.eight_bit_mime && letter_.eight_bit)
        command += " BODY=8BITMIME";
    if (utf8_)
        command += " SMTPUTF8";
    if (server_.requiretls && envelope.requiretls)
        command += " REQUIRETLS";
    if (server_.dsn && envelope.return_part != ipc::ReturnPart::Default)
        command += envelope.return_part == ipc::ReturnPart::Full ? " RET=FULL" : " RET=HDRS";
    if (server_.dsn && !envelope.envelope_id.empty())
        util::append(command, " ENVID=", mail::encode_xtext(envelope.envelope_id));
    if (server_.auth && *config_.send_dummy_mail_auth)
        command += " AUTH=<>";
    return command;
}

std::string Transaction::rcpt_command(const Target& target) const
{
    const ipc::Recipient& recipient = target.recipient->recipient;
    std::string command = util::concat("RCPT TO:", target.path);
    if (!server_.dsn)
        return command;
    if (recipient.notify != ipc::NotifyDefault)
        util::append(command, " NOTIFY=", mail::notify_value(recipient.notify));
    if (auto [type, original] = util::split_first(recipient.original, ';'); !original.empty())
        util::append(command, " ORCPT=", mail::orcpt_value(type, original, utf8_));
    return command;
}

void Transaction::build(bool reset)
{
    if (reset)
        commands_.push_back({Step::Rset, "RSET"});
    if (*config_.send_xforward_command)
        for (std::string& line : xforward_commands(letter_.envelope, server_))
            commands_.push_back({Step::Xforward, std::move(line)});
    commands_.push_back({Step::Mail, mail_command()});
    for (Target* target : targets_)
        commands_.push_back({Step::Rcpt, rcpt_command(*target), target});
    // RFC 3030 §2: BDAT comes when the replies to all of these are there.
    chunked_ = server_.chunking && *config_.send_bdat_command;
    bool probes_data = letter_.verify && *config_.address_verify_target == VerifyTarget::Data;
    if (letter_.verify ? probes_data : !chunked_)
        commands_.push_back({Step::Data, "DATA"});
}

// --- commands and replies ----------------------------------------------------------------------------

Transaction::End Transaction::run(bool reset)
{
    if (!fits()) {
        begun_ = true;
        return reset ? End::NeedsReset : End::Clean;
    }
    build(reset);
    while (replied_ < commands_.size()) {
        fill();
        if (sent_ == replied_)
            break;
        const Command& command = commands_[replied_];
        auto reply = dialog_.reply(timeout_of(command.step));
        if (!reply)
            return give_up(command.step, reply.error());
        ++replied_;
        under_way_ -= command.text.size() + 2;
        if (!take(command, *reply))
            return End::Over;
    }
    // Without its end there is no message, and nothing but an end could come.
    if (data_taken_ && letter_.verify)
        return End::Over;
    if (data_taken_)
        return accepted_.empty() ? finish_empty() : send_content();
    if (chunked_ && !letter_.verify && !accepted_.empty())
        return send_chunked();
    if (!letter_.verify)
        for (Target* target : accepted_)
            fail(*target,
                 dialog_.unfit(ipc::Disposition::Deferred, "4.5.0", util::concat("no DATA with ", dialog_.host().label())));
    return mail_taken_ ? End::NeedsReset : End::Clean;
}

// Sends what may be sent before the next reply.
void Transaction::fill()
{
    while (!stopped_ && sent_ < commands_.size()) {
        const Command& next = commands_[sent_];
        bool waiting = sent_ > replied_;
        if (waiting && (!server_.pipelining || under_way_ + next.text.size() + 2 > pipeline_window))
            return;
        // All is known, and there is nobody left to send to.
        if (next.step == Step::Data && !waiting && accepted_.empty()) {
            stopped_ = true;
            return;
        }
        dialog_.send(next.text);
        under_way_ += next.text.size() + 2;
        ++sent_;
    }
}

// False: the conversation is over.
bool Transaction::take(const Command& command, const mail::Reply& reply)
{
    // RFC 5321 §3.8: the server closes, whatever was asked.
    if (reply.code == 421) {
        fail_open(dialog_.refused(command.step, reply));
        return false;
    }
    begun_ = true;
    bool good = reply.code / 100 == 2;
    switch (command.step) {
    case Step::Rset:
        // About the message before: this one has not begun, and another connection may take it.
        begun_ = good;
        if (!good)
            fail_open(dialog_.refused_now(command.step, reply));
        return good;
    case Step::Mail:
        mail_taken_ = good;
        stopped_ = stopped_ || !good;
        if (!good)
            fail_open(dialog_.refused(command.step, reply));
        break;
    case Step::Rcpt:
        take_rcpt(*command.target, reply);
        break;
    case Step::Data:
        data_taken_ = reply.code == 354;
        for (Target* target : accepted_) {
            if (!data_taken_)
                target->status = dialog_.refused(command.step, reply).status;
            else if (letter_.verify)
                target->status = deliverable(reply);
        }
        break;
    default:
        break;  // XFORWARD: what the server does not take is its own loss
    }
    return true;
}

void Transaction::take_rcpt(Target& target, mail::Reply reply)
{
    if (!mail_taken_)
        return;  // a consequence
    if (reply.code / 100 == 2) {
        accepted_.push_back(&target);
        if (letter_.verify && *config_.address_verify_target == VerifyTarget::Rcpt)
            target.status = deliverable(reply);
        return;
    }
    // RFC 5321 §4.5.3.1.10: too many recipients, which may come another time.
    if (reply.code == 552) {
        reply.code = 452;
        if (!reply.dsn.empty())
            reply.dsn[0] = '4';
    }
    fail(target, dialog_.refused(Step::Rcpt, reply));
    target.over_limit = reply.code == 452 && !accepted_.empty() && !letter_.verify;
}

// DATA was pipelined and all recipients were refused: nothing is sent (RFC 2920 §3.1).
Transaction::End Transaction::finish_empty()
{
    dialog_.send(".");
    auto reply = dialog_.reply(*config_.data_done_timeout);
    return !reply || reply->code == 421 ? End::Over : End::NeedsReset;
}

// --- the end ----------------------------------------------------------------------------------------

ipc::DeliveryStatus Transaction::deliverable(const mail::Reply& reply) const
{
    ipc::DeliveryStatus status = delivered(reply);
    status.action.clear();
    return status;
}

ipc::DeliveryStatus Transaction::delivered(const mail::Reply& reply) const
{
    Failure none =
        dialog_.unfit(ipc::Disposition::Delivered, reply.dsn.empty() ? "2.0.0" : std::string_view(reply.dsn), said(reply));
    ipc::DeliveryStatus status = std::move(none.status);
    status.diagnostic = util::concat("smtp; ", status.text);
    // RFC 3461 §5.2.1 and §5.2.2: a server that knows DSN sees to it; else the sender hears that it was handed on.
    bool final_here = config_.lmtp() && *config_.assume_final;
    status.action = server_.dsn ? ipc::action_none : final_here ? std::string_view() : ipc::action_relayed;
    return status;
}

util::Duration Transaction::timeout_of(Step step) const
{
    switch (step) {
    case Step::Rset: return *config_.rset_timeout;
    case Step::Xforward: return *config_.xforward_timeout;
    case Step::Mail: return *config_.mail_timeout;
    case Step::Rcpt: return *config_.rcpt_timeout;
    case Step::Data: return *config_.data_init_timeout;
    default: return *config_.data_done_timeout;
    }
}

}  // namespace smtp
