// HeaderScan: line by line, field by field.
#include "cleanup/header_scan.h"

#include "libmail/header.h"
#include "libutil/text.h"

#include <algorithm>
#include <cstring>

namespace cleanup {

void HeaderScan::scan(std::string_view bytes)
{
    while (!bytes.empty() && !done_) {
        if (!in_line_) {
            line_start(bytes.front());
            if (done_)
                return;
        }
        std::size_t newline = bytes.find('\n');
        std::size_t length = newline == bytes.npos ? bytes.size() : newline + 1;
        std::string_view part = bytes.substr(0, length);
        std::string_view text = part.substr(0, newline == bytes.npos ? length : newline);
        line_empty_ = line_empty_ && (text.empty() || (text == "\r" && offset_ == line_offset_));
        if (field_.size() < rules_.field_limit)
            field_ += part.substr(0, rules_.field_limit - field_.size());
        offset_ += length;
        bytes.remove_prefix(length);
        if (text_ends_header_ && line_offset_ == field_offset_)
            end_at_text(newline != std::string_view::npos);
        if (done_)
            return;
        if (newline != std::string_view::npos)
            end_line();
    }
}

// A line that begins with a blank goes on with the field before it (RFC 5322 §2.2.3).
void HeaderScan::line_start(char first)
{
    if (!util::is_blank(first) && offset_ > field_offset_)
        end_field();
    in_line_ = true;
    line_empty_ = true;
    line_offset_ = offset_;
}

// The first line of a field tells whether it is one: its end, or as much of it as is kept.
void HeaderScan::end_at_text(bool line_ended)
{
    mail::FieldView field;
    if (line_empty_ || (!line_ended && field_.size() < rules_.field_limit))
        return;
    mail::HeaderReader(field_).next(field);
    if (!field.name.empty())
        return;
    done_ = lacks_empty_line_ = true;
    in_line_ = false;
    header_end_ = body_offset_ = field_offset_;
}

void HeaderScan::end_line()
{
    in_line_ = false;
    if (!line_empty_)
        return;
    // The empty line is no field of its own.
    done_ = true;
    header_end_ = line_offset_;
    body_offset_ = offset_;
}

void HeaderScan::finish()
{
    if (done_)
        return;
    if (text_ends_header_ && in_line_ && line_offset_ == field_offset_)
        end_at_text(true);
    if (done_)
        return;
    if (offset_ > field_offset_)
        end_field();
    done_ = true;
    header_end_ = body_offset_ = offset_;
}

// The field that ends at offset_.
void HeaderScan::end_field()
{
    std::uint64_t length = offset_ - field_offset_;
    mail::FieldView field;
    LineChange change;
    if (editor_ && mail::HeaderReader(field_).next(field))
        change = editor_->check(field);
    bool replaced = change.replacement.has_value();
    std::string_view text = replaced ? *change.replacement : field_;
    std::vector<mail::Edit> edits;
    if (!change.drop && mail::HeaderReader(text).next(field) && !field.name.empty()) {
        std::string name = util::lower(field.name);
        note_field(name, field.value);
        change.drop = is_dropped(name);
        if (editor_ && !change.drop)
            edits = editor_->edit(name, field);
    }
    patches_.add(field_offset_, 0, std::move(change.before));
    constexpr std::uint64_t line_end = 2;
    if (change.drop) {
        patches_.add(field_offset_, length, {});
    } else if (replaced) {
        patches_.add(field_offset_, length, mail::apply_edits(text, edits));
    } else {
        for (mail::Edit& edit : edits)
            patches_.add(field_offset_ + edit.offset, edit.length, std::move(edit.replacement));
        if (length > rules_.field_limit + line_end)
            patches_.add(field_offset_ + rules_.field_limit, length - rules_.field_limit, "\r\n");
    }
    field_.clear();
    field_offset_ = offset_;
}

bool HeaderScan::is_dropped(std::string_view name) const
{
    return std::find(rules_.drop.begin(), rules_.drop.end(), name) != rules_.drop.end();
}

unsigned HeaderScan::field_of(std::string_view name)
{
    struct Known {
        std::string_view name;
        unsigned field;
    };
    static constexpr Known known[] = {
        {"from", From}, {"sender", Sender}, {"date", Date}, {"message-id", MessageId}, {"to", To},
        {"cc", Cc}, {"bcc", Bcc}, {"resent-from", ResentFrom | Resent},
        {"resent-sender", ResentSender | Resent}, {"resent-date", ResentDate | Resent},
        {"resent-message-id", ResentMessageId | Resent}, {"resent-to", Resent}, {"resent-cc", Resent},
        {"resent-bcc", Resent},
    };
    for (const Known& item : known)
        if (item.name == name)
            return item.field;
    return 0;
}

void HeaderScan::note_field(std::string_view name, std::string_view value)
{
    if (name == "received") {
        ++hops_;
        return;
    }
    if (name == "tls-required")
        tls_optional_ = tls_optional_ || util::equal_nocase(util::trim(mail::unfold(value)), "No");
    unsigned field = field_of(name);
    if (field == MessageId && !(seen_ & MessageId))
        message_id_ = mail::unfold(value).substr(0, 1000);
    seen_ |= field;
}

bool HeaderScan::has(std::string_view name) const
{
    unsigned field = field_of(name);
    return field != 0 && (seen_ & field) == field;
}

// RFC 6409 §8: a submission server may complete a message.  With Resent- fields it is those that are
// completed (RFC 5322 §3.6.6).
std::string HeaderScan::complete(const MissingFields& fields)
{
    bool resent = seen_ & Resent;
    std::string_view prefix = resent ? "Resent-" : "";
    std::string out;
    if (!fields.message_id.empty() && !(seen_ & (resent ? ResentMessageId : MessageId))) {
        util::append(out, prefix, "Message-Id: ", fields.message_id, "\r\n");
        if (!resent)
            message_id_ = fields.message_id;
    }
    if (!fields.date.empty() && !(seen_ & (resent ? ResentDate : Date)))
        util::append(out, prefix, "Date: ", fields.date, "\r\n");
    if (!fields.from.empty() && !(seen_ & (resent ? ResentFrom : From)))
        util::append(out, prefix, "From: ", fields.from, "\r\n");
    if (!fields.recipients.empty() && !(seen_ & (To | Cc | Bcc)))
        util::append(out, fields.recipients, "\r\n");
    return out;
}

}  // namespace cleanup
