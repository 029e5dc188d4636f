#include "smtp/body_checks.h"

#include "libmail/header.h"
#include "libutil/log.h"

namespace smtp {

namespace {

mail::MimeLimits limits_of(const Config& config)
{
    mail::MimeLimits limits;
    limits.nesting = std::size_t(*config.mime_nesting_limit);
    limits.boundary_length = std::size_t(*config.mime_boundary_length_limit);
    limits.field_length = std::size_t(*config.header_size_limit);
    return limits;
}

}  // namespace

BodyChecks::BodyChecks(const Config& config, HeaderChecks& checks, std::string_view queue_id, std::string_view header)
    : config_(config), checks_(checks), queue_id_(queue_id), mime_(limits_of(config), *this)
{
    std::string_view type, encoding;
    mail::HeaderReader reader(header);
    mail::FieldView field;
    while (reader.next(field)) {
        if (field.is("Content-Type") && type.empty())
            type = field.value;
        else if (field.is("Content-Transfer-Encoding") && encoding.empty())
            encoding = field.value;
    }
    mime_.begin(type, encoding, 0);
}

util::Result<void> BodyChecks::feed(std::string_view bytes, std::string& out)
{
    out_ = &out;
    waiting_ += bytes;
    mime_.feed(bytes);
    std::uint64_t settled = mime_.settled(), end = begin_ + waiting_.size();
    return end_slice(end - settled > max_waiting ? end : settled);
}

util::Result<void> BodyChecks::finish(std::string& out)
{
    out_ = &out;
    mime_.finish();
    return end_slice(begin_ + waiting_.size());
}

util::Result<void> BodyChecks::end_slice(std::uint64_t settled)
{
    if (error_)
        return *error_;
    pass(settled);
    waiting_.erase(0, std::size_t(passed_ - begin_));
    begin_ = passed_;
    return {};
}

void BodyChecks::pass(std::uint64_t end)
{
    if (end <= passed_)
        return;
    out_->append(waiting_, std::size_t(passed_ - begin_), std::size_t(end - passed_));
    passed_ = end;
}

void BodyChecks::apply(util::Result<CheckedLine> change, std::uint64_t offset, std::uint64_t length)
{
    if (!change.ok()) {
        error_ = change.take_error();
        return;
    }
    if (change->before.empty() && !change->drop && !change->replacement)
        return;
    if (offset < passed_) {
        util::log::warning(queue_id_, ": a field of more than ", max_waiting, " bytes is not changed");
        return;
    }
    pass(offset);
    *out_ += change->before;
    if (change->drop || change->replacement)
        passed_ = offset + length;
    if (change->replacement)
        *out_ += *change->replacement;
}

void BodyChecks::field(mail::FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length)
{
    if (!error_)
        apply(checks_.check_field(field_class, text, queue_id_), offset, length);
}

void BodyChecks::line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position)
{
    std::uint64_t limit = *config_.body_checks_size_limit;
    if (error_ || (limit > 0 && position >= limit))
        return;
    auto change = checks_.check_line(text, queue_id_);
    // The line's end stays where there is something instead of the line.
    bool replaced = change.ok() && change->replacement;
    apply(std::move(change), offset, replaced ? text.size() : length);
}

}  // namespace smtp
