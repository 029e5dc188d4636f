// ENVELOPE: RFC 9051 §7.5.2.
#include "libmail/imap_render.h"

#include "libmail/address_list.h"
#include "libmail/header.h"
#include "libutil/text.h"

namespace mail {

namespace {

// One of the address fields of an ENVELOPE; all fields of the name count as one list
// (RFC 5322 §4.5.3).
class AddressField {
public:
    void add(std::string_view value)
    {
        if (!entries_.empty() && entries_.size() >= max_list_addresses)
            return;
        for (ListEntry& entry : parse_address_list(value, max_list_addresses - entries_.size()))
            entries_.push_back(std::move(entry));
    }
    bool empty() const { return entries_.empty(); }

    void append(std::string& out) const
    {
        if (entries_.empty()) {
            out += "NIL";
            return;
        }
        out += '(';
        for (const ListEntry& entry : entries_)
            append_entry(out, entry);
        out += ')';
    }

private:
    // (name adl mailbox host): a group begins with host NIL and ends with all NIL.
    static void append_entry(std::string& out, const ListEntry& entry)
    {
        if (entry.kind == ListEntry::Kind::GroupEnd) {
            out += "(NIL NIL NIL NIL)";
            return;
        }
        out += '(';
        append_imap_nstring(out, entry.has_name ? std::string_view(entry.name) : std::string_view{});
        out += ' ';
        append_imap_nstring(out, entry.route.empty() ? std::string_view{} : entry.route);
        out += ' ';
        append_imap_string(out, entry.local_part);
        out += ' ';
        if (entry.kind == ListEntry::Kind::GroupStart)
            out += "NIL";
        else
            append_imap_string(out, entry.domain);
        out += ')';
    }

    std::vector<ListEntry> entries_;
};

void append_unfolded(std::string& out, std::string_view value)
{
    if (value.data() && value.find('\n') != std::string_view::npos)
        append_imap_string(out, unfold(value));
    else
        append_imap_nstring(out, value);
}

struct EnvelopeFields {
    std::string_view date, subject, in_reply_to, message_id;  // data() == nullptr: absent
    AddressField from, sender, reply_to, to, cc, bcc;

    void take(const FieldView& field)
    {
        // Of a field that may come once, the first counts.
        auto text = [&](std::string_view name, std::string_view& slot) {
            if (!slot.data() && field.is(name))
                slot = field.value;
        };
        auto list = [&](std::string_view name, AddressField& slot) {
            if (field.is(name))
                slot.add(field.value);
        };
        switch (field.name.size()) {
        case 2: list("to", to); list("cc", cc); break;
        case 3: list("bcc", bcc); break;
        case 4: list("from", from); text("date", date); break;
        case 6: list("sender", sender); break;
        case 7: text("subject", subject); break;
        case 8: list("reply-to", reply_to); break;
        case 10: text("message-id", message_id); break;
        case 11: text("in-reply-to", in_reply_to); break;
        default: break;
        }
    }

    std::string render() const
    {
        std::string out;
        out.reserve(512);
        out += '(';
        append_unfolded(out, date);
        out += ' ';
        append_unfolded(out, subject);
        // Sender and Reply-To default to From, also when they are there and empty.
        for (const AddressField* list :
             {&from, sender.empty() ? &from : &sender, reply_to.empty() ? &from : &reply_to, &to, &cc, &bcc}) {
            out += ' ';
            list->append(out);
        }
        out += ' ';
        append_unfolded(out, in_reply_to);
        out += ' ';
        append_unfolded(out, message_id);
        out += ')';
        return out;
    }
};

}  // namespace

std::string render_envelope(std::string_view header)
{
    EnvelopeFields fields;
    HeaderReader reader(header);
    FieldView field;
    while (reader.next(field))
        fields.take(field);
    return fields.render();
}

}  // namespace mail
