// Transaction: the content, by DATA or BDAT, and what the server says of it.
#include "libmail/line.h"
#include "smtp/chunks.h"
#include "smtp/transaction.h"

namespace smtp {

// Before the end is sent the server has no message, and nothing is lost by giving it up.
std::optional<Transaction::End> Transaction::stopped(Step step)
{
    if (!dialog_.stream().stopping())
        return {};
    return give_up(step, {util::Kind::Temporary, "interrupted", net::interrupted_code});
}

// per_request_deadline: what was sent buys time.
bool Transaction::in_time(std::uint64_t sent)
{
    if (letter_.end.passed())
        return false;
    if (!*config_.per_request_deadline)
        return true;
    auto earned = std::chrono::seconds(sent / *config_.min_data_rate);
    return util::now() - data_began_ <= *config_.data_xfer_timeout + earned;
}

// What the server says of the content, or of a part of it.
util::Result<mail::Reply> Transaction::content_reply()
{
    return end_sent_ ? dialog_.verdict(*config_.data_done_timeout) : dialog_.reply(*config_.data_done_timeout);
}

void Transaction::begin_content()
{
    net::Stream& stream = dialog_.stream();
    data_began_ = util::now();
    stream.set_timeout(*config_.data_xfer_timeout);
    stream.set_deadline(util::Deadline::never());
    stream.limit_whole_writes(*config_.per_request_deadline);
}

// The server must not take half a message for a whole one: the connection ends before its end.
Transaction::End Transaction::broken_source(const util::Error& error)
{
    fail_open(dialog_.unfit(ipc::Disposition::Deferred, "4.3.0", util::concat("queue file: ", error.text)));
    return End::Over;
}

// --- DATA --------------------------------------------------------------------------------------------

// Nothing when all is sent but for the end.
std::optional<Transaction::End> Transaction::send_pieces()
{
    net::Stream& stream = dialog_.stream();
    LineBreaker lines(*config_.line_length_limit);
    mail::DotWriter dots;
    std::string broken, stuffed;
    std::uint64_t sent = 0;
    for (;;) {
        if (auto ended = stopped(Step::Body))
            return ended;
        auto piece = source_->next();
        if (!piece)
            return broken_source(piece.error());
        if (piece->empty())
            break;
        broken.clear();
        stuffed.clear();
        lines.feed(*piece, broken);
        dots.feed(broken, stuffed);
        stream.write(stuffed);
        sent += stuffed.size();
        if (sent <= net::Stream::output_size)
            continue;
        // A server that speaks now does not want the rest.
        if (stream.has_input()) {
            auto early = dialog_.reply(*config_.data_done_timeout);
            fail_open(early ? dialog_.refused(Step::Body, *early) : dialog_.lost(Step::Body, early.error()));
            return End::Over;
        }
        if (auto written = stream.flush(); !written)
            return give_up(Step::Body, written.error());
        if (!in_time(sent))
            return give_up(Step::Body, {util::Kind::Temporary, "timeout", net::timeout_code});
    }
    std::string end;
    dots.finish(end);
    stream.write(end);
    end_sent_ = true;
    return {};
}

Transaction::End Transaction::send_content()
{
    begin_content();
    auto ended = send_pieces();
    dialog_.stream().limit_whole_writes(false);
    return ended ? *ended : take_verdicts();
}

// --- BDAT --------------------------------------------------------------------------------------------

// A middle box that passes EHLO's reply on and BDAT not, or a server that promises too much: it reads the chunk as commands.
bool Transaction::denies_bdat(const mail::Reply& reply)
{
    misses_bdat_ = !chunk_taken_ && (reply.code == 500 || reply.code == 502);
    return misses_bdat_;
}

// RFC 3030 §2: the transaction has failed, and what is under way of it will be refused, too.
Transaction::End Transaction::refuse_chunk(const mail::Reply& reply)
{
    if (denies_bdat(reply))
        return End::Over;
    fail_open(dialog_.refused(Step::Chunk, reply));
    // How many replies an LMTP server gives to a last chunk that it does not want is not said anywhere.
    if (reply.code == 421 || (end_sent_ && config_.lmtp()))
        return End::Over;
    for (; open_chunks_ > 0; --open_chunks_)
        if (auto more = dialog_.reply(*config_.data_done_timeout); !more || more->code == 421)
            return End::Over;
    return End::NeedsReset;
}

std::optional<Transaction::End> Transaction::take_chunk_reply()
{
    auto reply = content_reply();
    if (!reply)
        return give_up(end_sent_ ? Step::LastChunk : Step::Chunk, reply.error());
    --open_chunks_;
    bool good = reply->code / 100 == 2;
    chunk_taken_ = chunk_taken_ || good;
    return good ? std::optional<End>() : refuse_chunk(*reply);
}

// Nothing when all is sent, and only the last chunk has no reply.
std::optional<Transaction::End> Transaction::send_chunks()
{
    net::Stream& stream = dialog_.stream();
    Chunks chunks(*source_, *config_.line_length_limit, *config_.bdat_chunk_size);
    std::uint64_t sent = 0;
    while (!end_sent_) {
        if (auto ended = stopped(Step::Chunk))
            return ended;
        auto chunk = chunks.next();
        if (!chunk)
            return broken_source(chunk.error());
        while (open_chunks_ > 0 && (!server_.pipelining || open_chunks_ == max_open_chunks || stream.has_input()))
            if (auto ended = take_chunk_reply())
                return ended;
        stream.set_timeout(*config_.data_xfer_timeout);
        dialog_.send(util::concat("BDAT ", chunk->bytes.size(), chunk->last ? " LAST" : ""));
        stream.write(chunk->bytes);
        sent += chunk->bytes.size();
        if (auto written = stream.flush(); !written)
            return give_up(Step::Chunk, written.error());
        ++open_chunks_;
        end_sent_ = chunk->last;
        if (!end_sent_ && !in_time(sent))
            return give_up(Step::Chunk, {util::Kind::Temporary, "timeout", net::timeout_code});
    }
    while (open_chunks_ > 1)
        if (auto ended = take_chunk_reply())
            return ended;
    return {};
}

Transaction::End Transaction::send_chunked()
{
    begin_content();
    auto ended = send_chunks();
    dialog_.stream().limit_whole_writes(false);
    return ended ? *ended : take_verdicts();
}

// --- what the server says of it ----------------------------------------------------------------------

// One for all; LMTP: one for each (RFC 2033 §4.2).
Transaction::End Transaction::take_verdicts()
{
    Step step = chunked_ ? Step::LastChunk : Step::Dot;
    std::size_t replies = config_.lmtp() ? accepted_.size() : 1;
    bool all_good = true;
    for (std::size_t i = 0; i < replies; ++i) {
        auto reply = content_reply();
        if (!reply)
            return give_up(step, reply.error());
        if (chunked_ && i == 0 && denies_bdat(*reply))
            return End::Over;
        bool good = reply->code / 100 == 2;
        all_good = all_good && good;
        for (std::size_t n = i; n < (config_.lmtp() ? i + 1 : accepted_.size()); ++n) {
            if (good)
                accepted_[n]->status = delivered(*reply);
            else
                fail(*accepted_[n], dialog_.refused(step, *reply));
        }
        if (reply->code == 421) {
            fail_open(dialog_.refused(step, *reply));
            return End::Over;
        }
    }
    // RFC 3030 §2: what a server remembers after a refused BDAT is not known.
    return chunked_ && !all_good ? End::NeedsReset : End::Clean;
}

}  // namespace smtp
