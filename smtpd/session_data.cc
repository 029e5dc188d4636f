// DATA and BDAT: the content, its limits, and the hand-over to cleanup(8).
#include "smtpd/session.h"

#include "libipc/overrides.h"
#include "libutil/log.h"
#include "smtpd/trace.h"

#include <algorithm>

namespace smtpd {

namespace log = util::log;

namespace {

// What comes beyond message_size_limit is read and thrown away, so that the client sees the 552 at
// its place; but not without end: after this much more the session ends.
constexpr std::uint64_t smallest_overrun = 64 * 1024 * 1024;

}  // namespace

ContentRules Session::content_rules() const
{
    return {.bare_newline = bare_newlines_allowed_ ? BareNewline::No : *config_.forbid_bare_newline,
            .replace_stray_cr = *config_.replace_stray_cr};
}

std::string Session::protocol() const
{
    return protocol_name(extended_, transaction_->parameters.utf8, tls_.has_value(), !sasl_username_.empty());
}

// smtpd_data_restrictions, when the content is about to come.
std::optional<mail::Reply> Session::before_content()
{
    RequestView view = request();
    mail::Reply refusal = ruled(services_.rules.on_data(view), "DATA");
    if (refusal.code)
        return refusal;
    return {};
}

void Session::begin_message()
{
    const Transaction& transaction = *transaction_;
    ipc::Envelope envelope;
    envelope.arrival = util::wall_now().time_since_epoch().count();
    envelope.sender = mail::to_text(transaction.sender);
    envelope.envelope_id = transaction.parameters.envelope_id;
    envelope.return_part = transaction.parameters.ret == mail::Return::Full      ? ipc::ReturnPart::Full
                           : transaction.parameters.ret == mail::Return::Headers ? ipc::ReturnPart::Headers
                                                                                 : ipc::ReturnPart::Default;
    envelope.eight_bit = transaction.parameters.body == mail::Body::EightBit;
    envelope.smtputf8 = transaction.parameters.utf8;
    envelope.requiretls = transaction.parameters.requiretls;
    envelope.origin = ipc::Origin::Smtp;
    // RFC 6409 §8: a submission server may complete the header; for others' mail nobody may.
    envelope.complete_header = !sasl_username_.empty() || services_.rules.in_mynetworks(client_);
    envelope.sasl_method = sasl_method_;
    envelope.sasl_username = sasl_username_;
    if (!sasl_username_.empty() && transaction.parameters.auth)
        envelope.sasl_sender = mail::to_text(*transaction.parameters.auth);
    RequestView view = request();
    envelope.local_header = services_.rules.rewrites_headers(view);
    fill_client(envelope);
    envelope.complete_header = envelope.complete_header || envelope.local_header;
    envelope.overrides = ipc::parse_overrides(*config_.receive_override_options).value_or(0);
    const Orders& orders = transaction.orders;
    envelope.content_filter = orders.content_filter.empty() ? *config_.content_filter : orders.content_filter;
    envelope.hold = orders.hold;
    envelope.redirect = orders.redirect;
    envelope.bcc = orders.bcc;

    TraceFacts facts;
    facts.client = &client_;
    facts.helo = helo_;
    facts.hostname = *common_.myhostname;
    facts.mail_name = *common_.mail_name;
    facts.protocol = protocol();
    facts.recipient = transaction.recipients.size() == 1 && transaction.refused == 0
                          ? mail::to_text(transaction.first_recipient) : std::string();
    facts.tls = tls_ && *config_.tls_received_header ? &*tls_ : nullptr;
    facts.sasl_username = *config_.sasl_authenticated_header ? sasl_username_ : std::string();
    facts.hidden = *config_.hide_client_session;
    facts.time = util::WallTime(util::Duration(envelope.arrival));
    services_.intake.begin(std::move(envelope), transaction.recipients,
                           [facts, prepended = transaction.orders.prepended](const std::string& queue_id) {
                               return prepended + received_field(facts, queue_id);
                           });
}

// With smtpd_per_request_deadline each byte of content buys time, never more than smtpd_timeout ahead:
// who sends slower than smtpd_min_data_rate runs out of it.
void Session::credit(std::size_t bytes)
{
    if (!*config_.per_request_deadline)
        return;
    auto earned = std::chrono::microseconds(std::uint64_t(bytes) * 1'000'000 / *config_.min_data_rate);
    deadline_ = std::min<util::Instant>(util::now() + *config_.timeout, deadline_ + earned);
    stream_.set_deadline(util::Deadline::at(deadline_));
}

mail::Reply Session::data(std::string_view argument)
{
    if (!argument.empty())
        return {501, "5.5.4", "Syntax: DATA"};
    if (auto refusal = before_content())
        return *refusal;
    begin_message();
    send({354, "", "End data with <CR><LF>.<CR><LF>"});
    begin_request();
    DataDecoder decoder(content_rules());
    bool too_large = false;
    if (!receive_data(decoder, too_large)) {
        services_.intake.abandon();
        transaction_.reset();
        return {};
    }
    if (too_large) {
        services_.intake.abandon();
        mail::Reply reply{552, "5.3.4", "Error: message file too big"};
        log_reject("END-OF-MESSAGE", reply);
        transaction_.reset();
        return reply;
    }
    return finish_message(decoder.saw_bare_lf());
}

// Reads to the end of data; false when the connection ended before.
bool Session::receive_data(DataDecoder& decoder, bool& too_large)
{
    std::uint64_t limit = *common_.message_size_limit;
    std::uint64_t size = 0;
    std::string& buffer = services_.intake.buffer();
    while (!decoder.done()) {
        auto input = stream_.fill();
        if (!input.ok()) {
            end(util::concat("DATA (", size, " bytes)"), input.error());
            return false;
        }
        std::size_t before = buffer.size();
        std::size_t used = decoder.decode(*input, buffer);
        stream_.consume(used);
        size += buffer.size() - before;
        credit(used);
        too_large = limit && size > limit;
        if (too_large || transaction_->orders.discard)
            buffer.clear();
        else
            services_.intake.flow();
        if (too_large && size > limit + std::max(limit, smallest_overrun)) {
            log::info("message without end after DATA (", size, " bytes) from ", client_.log_name());
            send({421, "4.3.4", util::concat(*common_.myhostname, " Error: message file too big")});
            gone_ = true;
            return false;
        }
    }
    transaction_->parameters.size = size;
    return true;
}

// The message has come whole: the last checks, the hand-over, the reply.
mail::Reply Session::finish_message(bool bare_lf)
{
    auto refuse = [&](mail::Reply reply) {
        services_.intake.abandon();
        transaction_.reset();
        return reply;
    };
    if (bare_lf && !bare_newlines_allowed_) {
        if (*config_.forbid_bare_newline == BareNewline::Note)
            log::info(log_id(), ": bare <LF> received in a message from ", client_.log_name());
        if (*config_.forbid_bare_newline == BareNewline::Reject) {
            int code = int(*config_.forbid_bare_newline_reject_code);
            mail::Reply reply{code, "5.5.2", "Error: bare <LF> received"};
            log_reject("END-OF-MESSAGE", reply);
            return refuse(std::move(reply));
        }
    }
    mail::Reply refusal = ruled(services_.rules.on_end_of_data(request()), "END-OF-MESSAGE");
    if (refusal.code)
        return refuse(std::move(refusal));
    if (transaction_->orders.discard) {
        services_.intake.abandon();
        transaction_.reset();
        errors_ = junk_ = 0;
        return {250, "2.0.0", "Ok: queued"};
    }
    auto verdict = services_.intake.finish();
    if (!verdict.ok()) {
        log::warning(log_id(), ": cleanup: ", verdict.error().text);
        transaction_.reset();
        return {451, "4.3.0", "Error: queue file write error"};
    }
    mail::Reply reply = verdict_reply(*verdict);
    transaction_.reset();
    return reply;
}

mail::Reply Session::verdict_reply(const ipc::Verdict& verdict)
{
    using Decision = ipc::Verdict::Kind;
    const std::string& id = services_.intake.queue_id();
    if (id != transaction_->queue_id)
        log::info(id, ": client=", client_.log_name(), ", earlier_id=", transaction_->queue_id);
    if (verdict.kind == Decision::Kept || verdict.kind == Decision::Delivered) {
        errors_ = junk_ = 0;
        return {250, "2.0.0", util::concat("Ok: queued as ", id)};
    }
    // Whatever the text, the class of the code follows the kind: a 4xx never becomes a bounce.
    bool refused = verdict.kind == Decision::Refused;
    int code = verdict.code / 100 == (refused ? 5 : 4) ? verdict.code : refused ? 550 : 451;
    mail::Reply reply{code, verdict.dsn, verdict.text.empty() ? "Error: message not accepted" : verdict.text};
    if (reply.dsn.empty() || reply.dsn[0] != (refused ? '5' : '4'))
        reply.dsn = refused ? "5.0.0" : "4.3.0";
    transaction_->queue_id = id;
    log_reject("END-OF-MESSAGE", reply);
    return reply;
}

mail::Reply Session::bdat(std::string_view argument)
{
    return take_bdat(argument, {});
}

// `refusal`: the command may not come now, but its chunk is on its way all the same.
mail::Reply Session::take_bdat(std::string_view argument, std::optional<mail::Reply> refusal)
{
    auto words = util::split_words(argument, " \t");
    bool last = words.size() == 2 && util::equal_nocase(words[1], "LAST");
    auto size = words.empty() ? util::Result<std::uint64_t>(util::invalid("")) : util::parse_unsigned(words[0], INT64_MAX);
    if (!size.ok() || words.size() > 2 || (words.size() == 2 && !last)) {
        // Where the chunk ends nobody knows: going on would take its bytes for commands.
        return {521, "5.5.4", "Syntax: BDAT count [LAST]"};
    }
    if (!offers("CHUNKING")) {
        return {521, "5.5.1", "Error: command not implemented"};
    }
    if (*size == 0 && !last)
        junk();
    return take_chunk(*size, last, std::move(refusal));
}

// Reads a chunk past; false when the connection ended, or the chunk is not worth reading.
bool Session::pass(std::uint64_t bytes)
{
    std::uint64_t limit = *common_.message_size_limit;
    if (bytes > limit + std::max(limit, smallest_overrun) && limit) {
        closing_ = true;
        return true;
    }
    while (bytes > 0) {
        auto input = stream_.fill();
        if (!input.ok()) {
            end("BDAT", input.error());
            return false;
        }
        std::size_t used = std::size_t(std::min<std::uint64_t>(input->size(), bytes));
        stream_.consume(used);
        credit(used);
        bytes -= used;
    }
    return true;
}

mail::Reply Session::take_chunk(std::uint64_t size, bool last, std::optional<mail::Reply> refusal)
{
    // A refused chunk is read past before it is answered, and all chunks after it are refused until
    // the transaction ends (RFC 3030 §2).
    auto refuse = [&](mail::Reply reply) -> mail::Reply {
        bool here = pass(size);
        if (transaction_) {
            services_.intake.abandon();
            if (last || gone_)
                transaction_.reset();
            else {
                if (!transaction_->chunks)
                    transaction_->chunks.emplace(content_rules());
                transaction_->chunks->failed = true;
            }
        }
        return here ? reply : mail::Reply{};
    };
    if (refusal)
        return refuse(std::move(*refusal));
    if (!transaction_)
        return refuse({503, "5.5.1", "Error: need MAIL command"});
    if (transaction_->recipients.empty())
        return transaction_->refused ? refuse({554, "5.5.1", "Error: no valid recipients"})
                                     : refuse({503, "5.5.1", "Error: need RCPT command"});
    if (transaction_->chunks && transaction_->chunks->failed)
        return refuse({503, "5.5.1", "Error: a BDAT before this one failed; say RSET"});
    if (!transaction_->chunks) {
        if (auto ruled_out = before_content())
            return refuse(std::move(*ruled_out));
        begin_message();
        transaction_->chunks.emplace(content_rules());
    }
    Chunks& chunks = *transaction_->chunks;
    std::uint64_t limit = *common_.message_size_limit;
    if (limit && (size > limit || chunks.size + size > limit)) {
        mail::Reply reply{552, "5.3.4", "Error: message file too big"};
        log_reject("BDAT", reply);
        return refuse(std::move(reply));
    }
    std::string& buffer = services_.intake.buffer();
    for (std::uint64_t left = size; left > 0;) {
        auto input = stream_.fill();
        if (!input.ok()) {
            end(util::concat("BDAT (", chunks.size + size - left, " bytes)"), input.error());
            services_.intake.abandon();
            transaction_.reset();
            return {};
        }
        std::size_t used = std::size_t(std::min<std::uint64_t>(input->size(), left));
        chunks.decoder.decode(input->substr(0, used), buffer);
        stream_.consume(used);
        credit(used);
        left -= used;
        if (transaction_->orders.discard)
            buffer.clear();
        else
            services_.intake.flow();
    }
    chunks.size += size;
    ++chunks.count;
    if (!last)
        return {250, "2.0.0", util::concat("Ok: ", size, " bytes")};
    chunks.decoder.finish(buffer);
    transaction_->parameters.size = chunks.size;
    return finish_message(chunks.decoder.saw_bare_lf());
}

}  // namespace smtpd
