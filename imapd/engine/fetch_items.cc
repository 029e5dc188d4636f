// The arguments of FETCH.
#include "imapd/engine/fetch_items.h"

#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;
using Kind = FetchItem::Kind;

namespace {

util::Result<void> parse_part_numbers(Scanner& arguments, mail::Section& section, std::string& label,
                                      bool& more)
{
    more = false;
    while (util::is_digit(arguments.peek())) {
        auto number = TRY(arguments.number());
        if (number == 0)
            return util::invalid("Body parts are counted from 1");
        if (section.part.size() >= mail::max_section_depth)
            return util::invalid("The body part is nested too deeply");
        section.part.push_back(std::uint32_t(number));
        syntax::append_number(label, number);
        more = arguments.skip('.');
        if (more)
            label += '.';
        else
            break;
    }
    return {};
}

util::Result<void> parse_header_list(Scanner& arguments, mail::Section& section, std::string& label)
{
    TRY(arguments.space());
    TRY(arguments.expect('('));
    label += " (";
    do {
        auto name = TRY(arguments.astring());
        if (section.fields.size() >= max_header_fields)
            return util::invalid("Too many header fields");
        if (!section.fields.empty())
            label += ' ';
        // A name that is no atom goes back as a string.
        bool plain = !name.empty() && std::all_of(name.begin(), name.end(), syntax::is_astring_char);
        if (plain)
            label += name;
        else
            syntax::append_string(label, name);
        section.fields.emplace_back(name);
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    label += ')';
    return {};
}

// After "BODY[" or "BODY.PEEK[".
util::Result<void> parse_section(Scanner& arguments, FetchItem& item)
{
    auto& section = item.section;
    auto& label = item.label;
    bool after_dot = false;
    TRY(parse_part_numbers(arguments, section, label, after_dot));
    if (item.kind != Kind::Section && after_dot)
        return util::invalid("Invalid body part");
    bool wants_text = item.kind == Kind::Section && (section.part.empty() || after_dot);
    if (wants_text && arguments.skip_word("HEADER.FIELDS.NOT")) {
        section.what = mail::Section::What::HeaderFieldsNot;
        label += "HEADER.FIELDS.NOT";
        TRY(parse_header_list(arguments, section, label));
    } else if (wants_text && arguments.skip_word("HEADER.FIELDS")) {
        section.what = mail::Section::What::HeaderFields;
        label += "HEADER.FIELDS";
        TRY(parse_header_list(arguments, section, label));
        item.from_cache = section.part.empty() &&
                          std::all_of(section.fields.begin(), section.fields.end(), mail::is_cached_field);
    } else if (wants_text && arguments.skip_word("HEADER")) {
        section.what = mail::Section::What::Header;
        label += "HEADER";
    } else if (wants_text && arguments.skip_word("TEXT")) {
        section.what = mail::Section::What::Text;
        label += "TEXT";
    } else if (after_dot && arguments.skip_word("MIME")) {
        section.what = mail::Section::What::Mime;
        label += "MIME";
    } else if (after_dot) {
        return util::invalid("Invalid body section");
    }
    if (!arguments.skip(']'))
        return util::invalid("Invalid body section");
    label += ']';
    if (item.kind != Kind::BinarySize && arguments.skip('<')) {
        item.partial = true;
        item.offset = TRY(arguments.number(INT64_MAX));
        TRY(arguments.expect('.'));
        item.length = TRY(arguments.number(INT64_MAX));
        if (item.length == 0)
            return util::invalid("A partial fetch of nothing");
        TRY(arguments.expect('>'));
        util::append(label, "<", item.offset, ">");
    }
    return {};
}

FetchItem simple(Kind kind)
{
    FetchItem item;
    item.kind = kind;
    return item;
}

FetchItem whole(std::string_view label, mail::Section::What what)
{
    FetchItem item = simple(Kind::Section);
    item.label = label;
    item.section.what = what;
    return item;
}

// BINARY, after the word: RFC 3516 §4.2.
util::Result<FetchItem> binary(Scanner& arguments, Kind kind, std::string_view label)
{
    FetchItem item = simple(kind);
    item.label = label;
    TRY(arguments.expect('['));
    TRY(parse_section(arguments, item));
    return item;
}

util::Result<FetchItem> parse_item(Scanner& arguments, FetchItems& all)
{
    auto word = [&](std::string_view name) { return arguments.skip_word(name); };
    FetchItem item;
    if (word("FLAGS"))
        return simple(Kind::Flags);
    if (word("UID"))
        return simple(Kind::Uid);
    if (word("INTERNALDATE"))
        return simple(Kind::InternalDate);
    if (word("ENVELOPE"))
        return simple(Kind::Envelope);
    if (word("BODYSTRUCTURE"))
        return simple(Kind::BodyStructure);
    if (word("BODY.PEEK[")) {
        item.kind = Kind::Section;
        item.label = "BODY[";
        TRY(parse_section(arguments, item));
        return item;
    }
    if (word("BODY[")) {
        all.marks_seen = true;
        item.kind = Kind::Section;
        item.label = "BODY[";
        TRY(parse_section(arguments, item));
        return item;
    }
    if (word("BODY"))
        return simple(Kind::Body);
    if (word("BINARY.SIZE"))
        return binary(arguments, Kind::BinarySize, "BINARY.SIZE[");
    if (word("BINARY.PEEK"))
        return binary(arguments, Kind::Binary, "BINARY[");
    if (word("BINARY")) {
        all.marks_seen = true;
        return binary(arguments, Kind::Binary, "BINARY[");
    }
    if (word("MODSEQ"))
        return simple(Kind::Modseq);
    if (word("SAVEDATE"))
        return simple(Kind::SaveDate);
    if (word("EMAILID"))
        return simple(Kind::EmailId);
    if (word("THREADID"))
        return simple(Kind::ThreadId);
    if (word("PREVIEW")) {
        word(" (LAZY)");  // it is made when a message is stored, so there is nothing to be lazy about
        return simple(Kind::Preview);
    }
    if (word("RFC822.SIZE"))
        return simple(Kind::Size);
    if (word("RFC822.HEADER"))  // does not set \Seen
        return whole("RFC822.HEADER", mail::Section::What::Header);
    if (word("RFC822.TEXT")) {
        all.marks_seen = true;
        return whole("RFC822.TEXT", mail::Section::What::Text);
    }
    if (word("RFC822")) {
        all.marks_seen = true;
        return whole("RFC822", mail::Section::What::All);
    }
    return util::invalid("Unknown FETCH item");
}

bool parse_macro(Scanner& arguments, FetchItems& all)
{
    bool full = false;
    bool envelope = false;
    if (arguments.skip_word("FULL"))
        full = envelope = true;
    else if (arguments.skip_word("ALL"))
        envelope = true;
    else if (!arguments.skip_word("FAST"))
        return false;
    all.items.push_back(simple(Kind::Flags));
    all.items.push_back(simple(Kind::InternalDate));
    all.items.push_back(simple(Kind::Size));
    if (envelope)
        all.items.push_back(simple(Kind::Envelope));
    if (full)
        all.items.push_back(simple(Kind::Body));
    return true;
}

}  // namespace

util::Result<FetchItems> parse_fetch_items(Scanner& arguments, bool uid_form)
{
    FetchItems all;
    if (uid_form)
        all.items.push_back(simple(Kind::Uid));
    auto add = [&](FetchItem item) -> util::Result<void> {
        if (all.items.size() >= max_fetch_items)
            return util::invalid("Too many FETCH items");
        if (item.kind == Kind::Uid && uid_form)
            return {};
        all.items.push_back(std::move(item));
        return {};
    };
    if (arguments.skip('(')) {
        do {
            auto item = TRY(parse_item(arguments, all));
            TRY(add(std::move(item)));
        } while (arguments.skip(' '));
        TRY(arguments.expect(')'));
    } else if (!parse_macro(arguments, all)) {
        auto item = TRY(parse_item(arguments, all));
        TRY(add(std::move(item)));
    }
    for (const auto& item : all.items) {
        all.has_flags = all.has_flags || item.kind == Kind::Flags;
        all.has_modseq = all.has_modseq || item.kind == Kind::Modseq;
    }
    return all;
}

void FetchItems::add_modseq()
{
    if (!has_modseq)
        items.push_back(simple(Kind::Modseq));
    has_modseq = true;
}

util::Result<FetchModifiers> parse_fetch_modifiers(Scanner& arguments, bool uid_form)
{
    FetchModifiers modifiers;
    if (!arguments.skip(' '))
        return modifiers;
    TRY(arguments.expect('('));
    do {
        if (arguments.skip_atom("CHANGEDSINCE")) {
            TRY(arguments.space());
            modifiers.changed_since = TRY(arguments.number(INT64_MAX));
        } else if (uid_form && arguments.skip_atom("VANISHED")) {
            modifiers.vanished = true;
        } else if (uid_form && arguments.skip_atom("PARTIAL")) {
            TRY(arguments.space());
            modifiers.partial = TRY(parse_partial(arguments));
        } else {
            return util::invalid("Unknown FETCH modifier");
        }
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    if (modifiers.vanished && !modifiers.changed_since)
        return util::invalid("VANISHED needs CHANGEDSINCE");
    return modifiers;
}

}  // namespace imapd::engine
