// Transaction: envelope, recipients, content, patches.
#include "cleanup/transaction.h"

#include "libmail/address.h"
#include "libmail/date.h"
#include "libqueue/queue_id.h"
#include "libutil/log.h"

#include <cerrno>
#include <ctime>

namespace cleanup {

using Kind = ipc::Verdict::Kind;

Failure failure(Kind kind, int code, std::string_view dsn, std::string_view text)
{
    Failure result;
    result.kind = kind;
    result.code = code;
    result.dsn = dsn;
    result.text = text;
    return result;
}

Failure queue_failure(const util::Error& error)
{
    if (error.code == ENOSPC || error.code == EDQUOT)
        return failure(Kind::Failed, 452, "4.3.1", "Insufficient system storage");
    return failure(Kind::Failed, 451, "4.3.0", "Error: queue file write error");
}

Transaction::Transaction(const Config& config, const conf::Common& common, const HeaderRules& rules,
                         const Expander& expander, queue::WriterOptions options)
    : config_(config), common_(common), rules_(rules), expander_(expander), directory_fd_(options.directory_fd),
      writer_(std::move(options))
{
}

namespace {

Failure logged(const std::string& id, const util::Error& error)
{
    util::log::warning(id, ": the queue file cannot be written: ", error.text);
    return queue_failure(error);
}

}  // namespace

std::optional<Failure> Transaction::begin(ipc::Envelope envelope)
{
    forget();
    envelope_ = std::move(envelope);
    complete_ = envelope_.complete_header || *config_.always_add_missing_headers;
    header_.emplace(rules_, complete_);
    stray_ = StrayFilter();
    if (*config_.queue_minfree > 0 && directory_fd_ >= 0) {
        auto space = util::sys::free_space(directory_fd_);
        if (space && space->bytes < *config_.queue_minfree) {
            util::log::warning(envelope_.queue_id, ": not enough free space in the queue: ", space->bytes, " bytes");
            return failure(Kind::Failed, 452, "4.3.1", "Insufficient system storage");
        }
    }
    if (auto begun = writer_.begin(envelope_); !begun)
        return logged(envelope_.queue_id, begun.error());
    return {};
}

void Transaction::forget()
{
    message_.reset();
    known_.clear();
    expanded_ = eight_bit_ = false;
}

std::optional<Failure> Transaction::add_recipients(const std::vector<ipc::Recipient>& recipients)
{
    for (const ipc::Recipient& recipient : recipients) {
        auto expansion = expander_(recipient.address);
        if (!expansion) {
            util::log::warning(envelope_.queue_id, ": cannot expand ", util::printable(recipient.address), ": ", expansion.error().text);
            if (expansion.error().kind == util::Kind::Temporary)
                return failure(Kind::Failed, 451, "4.3.0", "Error: alias lookup failure");
            return failure(Kind::Refused, 554, "5.4.6", "Error: alias expansion error");
        }
        for (const std::string& address : expansion->addresses)
            if (auto failed = add_one(recipient, address, expansion->expanded))
                return failed;
    }
    return {};
}

// A recipient that comes a second time, by another alias or from the client, counts once.
std::optional<Failure> Transaction::add_one(const ipc::Recipient& recipient, const std::string& address, bool expanded)
{
    if (!known_.insert(util::lower(address)).second)
        return {};
    if (known_.size() > *config_.recipient_limit)
        return failure(Kind::Refused, 554, "5.5.3", "Error: too many recipients after alias expansion");
    expanded_ = expanded_ || expanded;
    ipc::Recipient entry = recipient;
    if (expanded && entry.original.empty())
        entry.original = util::concat("rfc822;", recipient.address);
    entry.address = address;
    if (auto added = writer_.add_recipient(entry); !added)
        return logged(envelope_.queue_id, added.error());
    return {};
}

namespace {

// Compilers make wide steps of this.
bool has_eight_bit(std::string_view bytes)
{
    unsigned char all = 0;
    for (char byte : bytes)
        all = static_cast<unsigned char>(all | static_cast<unsigned char>(byte));
    return all >= 0x80;
}

}  // namespace

std::optional<Failure> Transaction::add_content(std::string& bytes)
{
    if (*config_.replace_stray_cr_lf)
        stray_.filter(bytes);
    return write_content(bytes);
}

std::optional<Failure> Transaction::write_content(std::string_view bytes)
{
    if (bytes.empty())
        return {};
    eight_bit_ = eight_bit_ || has_eight_bit(bytes);
    header_->feed(bytes);
    std::uint64_t limit = *common_.message_size_limit;
    if (limit > 0 && writer_.content_size() + bytes.size() > limit + ipc::trace_room)
        return failure(Kind::Refused, 552, "5.3.4", "Error: message file too big");
    if (auto written = writer_.add_content(bytes); !written)
        return logged(envelope_.queue_id, written.error());
    return {};
}

std::optional<Failure> Transaction::finish()
{
    if (auto failed = write_content(stray_.finish()))
        return failed;
    header_->finish();
    if (header_->hops() > *config_.hopcount_limit) {
        util::log::info(envelope_.queue_id, ": reject: too many hops (", header_->hops(), " Received: fields)");
        return failure(Kind::Refused, 554, "5.4.6", "Error: too many hops");
    }
    if (known_.empty())
        return failure(Kind::Refused, 554, "5.5.1", "Error: no valid recipients");
    if (auto failed = add_patches())
        return failed;
    queue::Summary summary;
    summary.eight_bit = eight_bit_;
    summary.expanded = expanded_;
    summary.message_id = header_->message_id();
    summary.body_offset = header_->body_offset();
    auto sealed = writer_.finish(summary);
    if (!sealed)
        return logged(envelope_.queue_id, sealed.error());
    message_ = sealed.take();
    util::log::info(envelope_.queue_id, ": message-id=",
                    header_->message_id().empty() ? "<>" : util::printable(header_->message_id(), 1000));
    return {};
}

std::optional<Failure> Transaction::add_patches()
{
    std::string added = complete_ ? header_->missing(missing_fields()) : std::string();
    if (header_->lacks_empty_line())
        added += "\r\n";
    for (const queue::Patch& patch : header_->patches())
        if (auto written = writer_.add_patch(patch); !written)
            return logged(envelope_.queue_id, written.error());
    if (added.empty())
        return {};
    // A last line without its end must not run into what is added.
    if (header_->ends_within_line())
        added.insert(0, "\r\n");
    if (auto written = writer_.add_patch({header_->header_end(), 0, std::move(added)}); !written)
        return logged(envelope_.queue_id, written.error());
    return {};
}

MissingFields Transaction::missing_fields() const
{
    MissingFields fields;
    fields.date = format_local_date(envelope_.arrival);
    std::string digits = util::concat(envelope_.arrival / 1'000'000);
    fields.message_id = util::concat('<', digits, '.', envelope_.queue_id, '@', *common_.myhostname, '>');
    fields.from = envelope_.sender.empty() ? util::concat("MAILER-DAEMON (Mail Delivery System)") : envelope_.sender;
    fields.recipients = *config_.undisclosed_recipients_header;
    return fields;
}

std::string format_local_date(std::int64_t microseconds)
{
    std::time_t seconds = microseconds / 1'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return mail::format_date({seconds, static_cast<std::int16_t>(local.tm_gmtoff / 60)});
}

}  // namespace cleanup
