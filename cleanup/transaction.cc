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

Failure lookup_failure(const util::Error& error)
{
    if (error.code == ELOOP)
        return failure(Kind::Failed, 451, "4.6.0", "Alias expansion error");
    return failure(Kind::Failed, 451, "4.3.0", "Error: alias lookup failure");
}

Transaction::Transaction(const Config& config, const conf::Common& common, const HeaderRules& rules,
                         const Expander& expander, queue::WriterOptions options, Treatment treatment)
    : config_(config), common_(common), rules_(rules), expander_(expander), treatment_(treatment),
      directory_fd_(options.directory_fd), writer_(std::move(options))
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
    if (auto failed = map_sender())
        return failed;
    complete_ = envelope_.complete_header || *config_.always_add_missing_headers;
    inspector_.emplace(config_, envelope_, treatment_.checks, treatment_.addresses);
    header_.emplace(rules_, inspector_->wants_header() ? &*inspector_ : nullptr, complete_);
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
    writer_.forget();   // its file takes up room until it is closed, named or not
    known_.clear();
    copies_.clear();
    aliases_.clear();
    expanded_ = eight_bit_ = false;
}

std::optional<Failure> Transaction::look_up_failed(std::string_view address, const util::Error& error) const
{
    util::log::warning(envelope_.queue_id, ": cannot expand ", util::printable(address), ": ", error.text);
    if (error.kind == util::Kind::Temporary)
        return lookup_failure(error);
    return failure(Kind::Refused, 554, "5.4.6", "Error: alias expansion error");
}

// Canonical form, then canonical(5) and masquerading; for whom that does nothing it costs nothing.
std::optional<Failure> Transaction::map_sender()
{
    AddressRules* rules = treatment_.addresses;
    bool mapped = !(envelope_.overrides & ipc::NoAddressMappings);
    std::string& sender = envelope_.sender;
    if (!rules || sender.empty())
        return {};
    bool complete = sender.find('@') != std::string::npos;
    bool copied = copies_wanted() && rules->has_sender_copies();
    if (complete && !copied && !(mapped && rules->maps(AddressPlace::EnvelopeSender)))
        return {};
    auto address = rules->envelope_address(AddressPlace::EnvelopeSender, sender, mapped);
    if (!address)
        return look_up_failed(sender, address.error());
    sender = mail::to_text(*address);
    if (!copied)
        return {};
    auto copy = rules->sender_copy(*address);
    if (!copy)
        return look_up_failed(sender, copy.error());
    if (*copy)
        copies_.push_back(std::move(**copy));
    return {};
}

bool Transaction::copies_wanted() const
{
    return (envelope_.origin == ipc::Origin::Smtp || envelope_.origin == ipc::Origin::Local) &&
           !(envelope_.overrides & ipc::NoAddressMappings);
}

// A notification; or a probe, which asks whether one would arrive.
bool Transaction::comes_back() const
{
    return envelope_.sender.empty() || envelope_.report == ipc::Report::Probe;
}

std::optional<Failure> Transaction::add_recipients(const std::vector<ipc::Recipient>& recipients)
{
    for (const ipc::Recipient& recipient : recipients)
        if (auto failed = add_recipient(recipient))
            return failed;
    return {};
}

std::optional<Failure> Transaction::add_recipient(const ipc::Recipient& recipient)
{
    AddressRules* rules = treatment_.addresses;
    bool mapped = !(envelope_.overrides & ipc::NoAddressMappings);
    bool copied = rules && copies_wanted() && rules->has_recipient_copies();
    inspector_->note_recipient(recipient.address);
    std::string address = recipient.address;
    bool replaced = false;
    if (rules && (copied || !mapped || rules->maps(AddressPlace::EnvelopeRecipient))) {
        auto result = rules->envelope_address(AddressPlace::EnvelopeRecipient, address, mapped);
        if (!result)
            return look_up_failed(address, result.error());
        std::string text = mail::to_text(*result);
        replaced = !util::equal_nocase(text, address);
        address = std::move(text);
        if (copied) {
            auto copy = rules->recipient_copy(*result);
            if (!copy)
                return look_up_failed(address, copy.error());
            if (*copy && copies_.size() < *config_.recipient_limit)
                copies_.push_back(std::move(**copy));
        }
    }
    if (!mapped)
        return add_one(recipient, address, replaced);
    auto expansion = expander_(address, comes_back());
    if (!expansion)
        return look_up_failed(address, expansion.error());
    const bool expanded = expansion->expanded || replaced;
    // RFC 3461 §5.2.7.3: of success the sender hears once, for the alias.
    if (expansion->addresses.size() > 1 && (recipient.notify & ipc::NotifySuccess)) {
        aliases_.push_back({address, recipient.original, ipc::NotifySuccess});
        ipc::Recipient member = recipient;
        member.notify &= static_cast<std::uint8_t>(~ipc::NotifySuccess);
        if (member.notify == ipc::NotifyDefault)
            member.notify = ipc::NotifyNever;
        return add_all(member, expansion->addresses, expanded);
    }
    return add_all(recipient, expansion->addresses, expanded);
}

std::optional<Failure> Transaction::add_all(const ipc::Recipient& recipient, const std::vector<std::string>& addresses,
                                            bool expanded)
{
    for (const std::string& one : addresses)
        if (auto failed = add_one(recipient, one, expanded))
            return failed;
    return {};
}

// Copies are nobody's business but their recipients': the sender never hears of them.
std::optional<Failure> Transaction::add_copies()
{
    if (!known_.empty() && copies_wanted() && !config_.always_bcc->empty())
        copies_.push_back(*config_.always_bcc);
    copies_.insert(copies_.end(), envelope_.bcc.begin(), envelope_.bcc.end());
    copies_.insert(copies_.end(), inspector_->copies().begin(), inspector_->copies().end());
    for (const std::string& copy : copies_)
        if (auto failed = add_copy(copy))
            return failed;
    return {};
}

std::optional<Failure> Transaction::add_copy(const std::string& address)
{
    auto parsed = mail::parse_address(util::trim(address));
    if (!parsed || parsed->is_null()) {
        util::log::warning(envelope_.queue_id, ": no copy to ", util::printable(address), ": that is no address");
        return {};
    }
    ipc::Recipient recipient;
    recipient.address = mail::to_text(*parsed);
    recipient.notify = ipc::NotifyNever;
    AddressRules* rules = treatment_.addresses;
    if (rules) {
        auto mapped = rules->envelope_address(AddressPlace::EnvelopeRecipient, recipient.address,
                                              !(envelope_.overrides & ipc::NoAddressMappings));
        if (!mapped)
            return look_up_failed(recipient.address, mapped.error());
        recipient.address = mail::to_text(*mapped);
    }
    auto expansion = expander_(recipient.address, false);
    if (!expansion)
        return look_up_failed(recipient.address, expansion.error());
    return add_all(recipient, expansion->addresses, true);
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
    if (expanded && entry.original.empty() && *config_.enable_original_recipient)
        entry.original = util::concat("rfc822;", recipient.address);
    entry.address = address;
    entry.forwarded = recipient.forwarded || expanded;
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
    inspector_->filter_characters(bytes);
    if (*config_.replace_stray_cr_lf)
        stray_.filter(bytes);
    return write_content(bytes);
}

std::optional<Failure> Transaction::write_content(std::string_view bytes)
{
    if (bytes.empty())
        return {};
    eight_bit_ = eight_bit_ || has_eight_bit(bytes);
    std::uint64_t limit = *common_.message_size_limit;
    if (limit > 0 && writer_.content_size() + bytes.size() > limit + ipc::trace_room)
        return failure(Kind::Refused, 552, "5.3.4", "Error: message file too big");
    if (auto failed = inspect(bytes))
        return failed;
    // What is thrown away in the end needs no room.
    if (inspector_->discard())
        return {};
    if (auto written = writer_.add_content(bytes); !written)
        return logged(envelope_.queue_id, written.error());
    return {};
}

std::optional<Failure> Transaction::inspect(std::string_view bytes)
{
    if (header_->done()) {
        inspector_->feed_body(bytes);
        return inspector_->failed();
    }
    std::uint64_t before = header_->offset();
    header_->feed(bytes);
    if (header_->done()) {
        begin_body(before);
        std::uint64_t body = header_->body_offset();
        inspector_->feed_body(bytes.substr(body > before ? body - before : 0));
    }
    return inspector_->failed();
}

// A body without an empty line before it may have begun in an earlier piece: up to `seen`.
void Transaction::begin_body(std::uint64_t seen)
{
    std::uint64_t body = header_->body_offset();
    inspector_->begin_body(body);
    if (body < seen)
        inspector_->feed_body(header_->early_body().substr(0, seen - body));
}

std::optional<Failure> Transaction::finish()
{
    if (auto failed = write_content(stray_.finish()))
        return failed;
    bool in_header = !header_->done();
    header_->finish();
    if (in_header && header_->lacks_empty_line())
        begin_body(header_->offset());
    inspector_->finish();
    if (auto failed = check_end())
        return failed;
    if (inspector_->discard())
        return failure(Kind::Delivered, 250, "2.0.0", util::concat("Ok: queued as ", envelope_.queue_id));
    if (auto failed = add_copies())
        return failed;
    for (const ipc::Recipient& alias : aliases_)
        if (auto added = writer_.add_alias(alias); !added)
            return logged(envelope_.queue_id, added.error());
    if (auto failed = add_patches())
        return failed;
    auto sealed = writer_.finish(summary());
    if (!sealed)
        return logged(envelope_.queue_id, sealed.error());
    message_ = sealed.take();
    util::log::info(envelope_.queue_id, ": message-id=",
                    header_->message_id().empty() ? "<>" : util::printable(header_->message_id(), 1000));
    return {};
}

std::optional<Failure> Transaction::check_end() const
{
    if (inspector_->failed())
        return inspector_->failed();
    if (header_->hops() >= *config_.hopcount_limit) {
        util::log::info(envelope_.queue_id, ": reject: too many hops (", header_->hops(), " Received: fields)");
        return failure(Kind::Refused, 554, "5.4.6", "Error: too many hops");
    }
    if (known_.empty())
        return failure(Kind::Refused, 554, "5.5.1", "Error: no valid recipients");
    if (header_->changes().overflow() || inspector_->body_changes().overflow()) {
        util::log::info(envelope_.queue_id, ": reject: too many lines to change");
        return failure(Kind::Refused, 554, "5.6.0", "Error: too many lines to change");
    }
    return {};
}

queue::Summary Transaction::summary() const
{
    queue::Summary summary;
    summary.eight_bit = eight_bit_;
    summary.expanded = expanded_;
    summary.message_id = header_->message_id();
    summary.body_offset = header_->body_offset();
    summary.tls_optional = header_->tls_optional();
    summary.hold = inspector_->hold();
    summary.content_filter = inspector_->content_filter();
    // header_checks(5): the recipients' own routes, and the filter, do not count then.
    if (auto redirect = mail::parse_address(inspector_->redirect()); redirect && !redirect->is_null()) {
        summary.redirect = mail::to_text(*redirect);
        summary.content_filter.clear();
        summary.expanded = true;
    }
    return summary;
}

std::optional<Failure> Transaction::add_patches()
{
    std::string added = complete_ ? header_->complete(missing_fields()) : std::string();
    if (header_->lacks_empty_line())
        added += "\r\n";
    if (auto failed = add_patches(header_->patches()))
        return failed;
    // A last line without its end must not run into what is added.
    if (!added.empty() && header_->ends_within_line())
        added.insert(0, "\r\n");
    if (!added.empty())
        if (auto written = writer_.add_patch({header_->header_end(), 0, std::move(added)}); !written)
            return logged(envelope_.queue_id, written.error());
    return add_patches(inspector_->body_changes().patches());
}

std::optional<Failure> Transaction::add_patches(const std::vector<queue::Patch>& patches)
{
    for (const queue::Patch& patch : patches)
        if (auto written = writer_.add_patch(patch); !written)
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
