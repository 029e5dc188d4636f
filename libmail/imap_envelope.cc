// ENVELOPE: RFC 9051 §7.5.2.
#include "libmail/envelope.h"

#include "libmail/imap_render.h"
#include "libutil/text.h"

#include <algorithm>
#include <iterator>

namespace mail {

namespace {

// (name adl mailbox host): a group begins with host NIL and ends with all NIL.
void append_entry(std::string& out, const ListEntry& entry)
{
    if (entry.kind == ListEntry::Kind::GroupEnd) {
        out += "(NIL NIL NIL NIL)";
        return;
    }
    out += '(';
    append_imap_nstring(out, entry.has_name ? std::string_view(entry.name) : std::string_view{});
    out += ' ';
    append_imap_nstring(out, entry.route.empty() ? std::string_view{} : std::string_view(entry.route));
    out += ' ';
    append_imap_string(out, entry.local_part);
    out += ' ';
    if (entry.kind == ListEntry::Kind::GroupStart)
        out += "NIL";
    else
        append_imap_string(out, entry.domain);
    out += ')';
}

void append_list(std::string& out, const std::vector<ListEntry>& entries)
{
    if (entries.empty()) {
        out += "NIL";
        return;
    }
    out += '(';
    for (const ListEntry& entry : entries)
        append_entry(out, entry);
    out += ')';
}

}  // namespace

void EnvelopeView::take(const FieldView& field)
{
    // Of a field that may come once, the first counts.
    auto text = [&](std::string_view name, std::string_view& slot) {
        if (!slot.data() && field.is(name))
            slot = field.value;
    };
    auto list = [&](std::string_view name, Addresses& slot) {
        if (slot.empty() && field.is(name))
            slot = parse_address_list(field.value);
    };
    // All fields of destinations count as one list (RFC 5322 §4.5.3).
    auto destinations = [&](std::string_view name, Addresses& slot) {
        if (!field.is(name) || slot.size() >= max_list_addresses)
            return;
        Addresses more = parse_address_list(field.value, max_list_addresses - slot.size());
        if (slot.empty())
            slot = std::move(more);
        else
            std::ranges::move(more, std::back_inserter(slot));
    };
    switch (field.name.size()) {
    case 2:
        destinations("to", to_);
        destinations("cc", cc_);
        break;
    case 3:
        destinations("bcc", bcc_);
        break;
    case 4:
        list("from", from_);
        text("date", date_);
        break;
    case 6:
        list("sender", sender_);
        break;
    case 7:
        text("subject", subject_);
        break;
    case 8:
        list("reply-to", reply_to_);
        break;
    case 10:
        text("message-id", message_id_);
        break;
    case 11:
        text("in-reply-to", in_reply_to_);
        break;
    default:
        break;
    }
}

std::string EnvelopeView::render() const
{
    std::string out;
    out.reserve(512);
    out += '(';
    append_imap_unfolded(out, date_);
    out += ' ';
    append_imap_unfolded(out, subject_);
    // Sender and Reply-To default to From, also when they are there and empty.
    for (const Addresses* list : {&from_, sender_.empty() ? &from_ : &sender_,
                                  reply_to_.empty() ? &from_ : &reply_to_, &to_, &cc_, &bcc_}) {
        out += ' ';
        append_list(out, *list);
    }
    out += ' ';
    append_imap_unfolded(out, in_reply_to_);
    out += ' ';
    append_imap_unfolded(out, message_id_);
    out += ')';
    return out;
}

std::string render_envelope(std::string_view header)
{
    EnvelopeView envelope;
    HeaderReader reader(header);
    FieldView field;
    while (reader.next(field))
        envelope.take(field);
    return envelope.render();
}

}  // namespace mail
