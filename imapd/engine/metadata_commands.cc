// GETMETADATA and SETMETADATA: RFC 5464; what LIST tells of annotations: RFC 9590.
#include "imapd/engine/metadata.h"

#include "imapd/engine/session.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>

namespace imapd::engine {

using syntax::Scanner;

// --- names of entries ----------------------------------------------------------------------------

namespace {

bool is_scope(std::string_view entry)
{
    return entry == "/private" || entry == "/shared";
}

// RFC 5464 §3.2: of a vendor there are at least four components.
bool may_have_a_value(std::string_view entry)
{
    auto levels = std::count(entry.begin(), entry.end(), '/');
    std::string_view rest = entry.substr(entry.find('/', 1) + 1);
    return levels >= 2 && ((rest != "vendor" && !rest.starts_with("vendor/")) || levels >= 4);
}

bool is_private(std::string_view entry)
{
    return entry.starts_with("/private");
}

void append_entry(std::string& out, std::string_view entry)
{
    if (std::all_of(entry.begin(), entry.end(), syntax::is_astring_char))
        out += entry;
    else
        syntax::append_string(out, entry);
}

}  // namespace

util::Result<std::string> annotation_entry(std::string_view given)
{
    std::string entry(given);
    for (char& c : entry) {
        if (c == '*' || c == '%' || std::uint8_t(c) < ' ' || std::uint8_t(c) >= 0x7f)
            return util::invalid("There is a character in the entry name that may not be there");
        if (c >= 'A' && c <= 'Z')
            c = char(c - 'A' + 'a');
    }
    if (entry.size() > max_entry_name)
        return util::invalid("The entry name is too long");
    bool scoped = is_scope(entry) || entry.starts_with("/private/") || entry.starts_with("/shared/");
    if (!scoped || entry.ends_with('/') || entry.find("//") != entry.npos)
        return util::invalid("An entry name is /private/.. or /shared/.., without empty components");
    return entry;
}

void append_annotation_value(std::string& out, const std::optional<std::string>& value)
{
    if (!value) {
        out += "NIL";
    } else if (value->find('\0') != value->npos) {   // RFC 5464 §5: literal8
        util::append(out, "~{", value->size(), "}\r\n", *value);
    } else {
        syntax::append_string(out, *value);
    }
}

bool AnnotationWish::covers(std::string_view entry, std::string_view name) const
{
    if (name == entry)
        return true;
    if (depth == Depth::Zero || !name.starts_with(entry) || name.size() <= entry.size() || name[entry.size()] != '/')
        return false;
    return depth == Depth::Infinity || name.find('/', entry.size() + 1) == name.npos;
}

util::Result<std::vector<std::string>> parse_entries(Scanner& arguments)
{
    std::vector<std::string> entries;
    auto add = [&]() -> util::Result<void> {
        if (entries.size() >= max_entries)
            return util::invalid("Too many entries");
        auto given = TRY(arguments.astring());
        auto entry = TRY(annotation_entry(given));
        entries.push_back(std::move(entry));
        return {};
    };
    if (!arguments.skip('(')) {
        TRY(add());
        return entries;
    }
    do
        TRY(add());
    while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    return entries;
}

namespace {

util::Result<void> parse_options(Scanner& arguments, AnnotationWish& wish)
{
    do {
        auto option = TRY(arguments.atom());
        TRY(arguments.space());
        if (util::equal_nocase(option, "MAXSIZE")) {
            wish.max_size = TRY(arguments.number(UINT32_MAX));
        } else if (util::equal_nocase(option, "DEPTH")) {
            auto depth = TRY(arguments.atom());
            if (depth == "0")
                wish.depth = AnnotationWish::Depth::Zero;
            else if (depth == "1")
                wish.depth = AnnotationWish::Depth::One;
            else if (util::equal_nocase(depth, "infinity"))
                wish.depth = AnnotationWish::Depth::Infinity;
            else
                return util::invalid("DEPTH is 0, 1 or infinity");
        } else {
            return util::invalid("Unknown GETMETADATA option");
        }
    } while (arguments.skip(' '));
    return arguments.expect(')');
}

// Is this the beginning of options, rather than of a list of entries?
bool are_options(const Scanner& arguments)
{
    auto rest = arguments.rest();
    return util::starts_with_nocase(rest, "(MAXSIZE ") || util::starts_with_nocase(rest, "(DEPTH ");
}

}  // namespace

// The options stand before the mailbox by the grammar (RFC 5464 §5), behind it in the examples (§4.2.1).
util::Result<AnnotationWish> parse_getmetadata(Scanner& arguments)
{
    AnnotationWish wish;
    TRY(arguments.space());
    if (arguments.skip('(')) {
        TRY(parse_options(arguments, wish));
        TRY(arguments.space());
    }
    wish.mailbox = TRY(arguments.mailbox());
    TRY(arguments.space());
    if (are_options(arguments)) {
        arguments.skip('(');
        TRY(parse_options(arguments, wish));
        TRY(arguments.space());
    }
    wish.entries = TRY(parse_entries(arguments));
    while (arguments.skip(' ')) {   // as in the examples of §4.4.1
        auto more = TRY(parse_entries(arguments));
        wish.entries.insert(wish.entries.end(), more.begin(), more.end());
        if (wish.entries.size() > max_entries)
            return util::invalid("Too many entries");
    }
    TRY(arguments.end());
    return wish;
}

// --- where they are kept -------------------------------------------------------------------------

// A guest's private entries lie beside the owner's, under his name.
std::string Session::annotation_key(std::string_view entry) const
{
    return is_guest() && is_private(entry) ? util::concat("guest ", facts_.guest, " ", entry) : std::string(entry);
}

std::string_view Session::entry_of(std::string_view key) const
{
    if (!is_guest())
        return key.starts_with('/') ? key : std::string_view();
    if (key.starts_with("/shared"))
        return key;
    auto own = util::concat("guest ", facts_.guest, " ");
    return key.starts_with(own) ? key.substr(own.size()) : std::string_view();
}

// Of the account: its own entries, and what the administrator says of the server (RFC 5464 §3.2.1.1).
store::Annotations Session::server_annotations() const
{
    auto all = store_.annotations();
    if (!facts_.server_comment.empty())
        all["/shared/comment"] = {.lsn = 0, .size = 0, .value = facts_.server_comment};
    if (!facts_.server_admin.empty())
        all["/shared/admin"] = {.lsn = 0, .size = 0, .value = facts_.server_admin};
    return all;
}

// RFC 5464 §3.3.
bool Session::may_annotate(const store::MailboxFacts& mailbox) const
{
    auto rights = rights_on(mailbox);
    return (rights & right::Lookup) &&
           (rights & (right::Read | right::KeepSeen | right::Write | right::Insert | right::Post));
}

std::uint64_t Session::tell_annotations(std::string_view mailbox, const store::Annotations& annotations,
                                        const AnnotationWish& wish)
{
    std::uint64_t longest = 0;
    std::string items;
    auto add = [&](std::string_view entry, const std::optional<std::string>& value) {
        if (value && value->size() > wish.max_size) {
            longest = std::max<std::uint64_t>(longest, value->size());
            return;
        }
        if (!items.empty())
            items += ' ';
        append_entry(items, entry);
        items += ' ';
        append_annotation_value(items, value);
    };
    for (const auto& entry : wish.entries) {
        if (wish.depth == AnnotationWish::Depth::Zero) {
            auto found = annotations.find(annotation_key(entry));
            add(entry, found == annotations.end() ? std::optional<std::string>() : found->second.value);
            continue;
        }
        for (const auto& [key, annotation] : annotations)
            if (auto name = entry_of(key); !name.empty() && wish.covers(entry, name))
                add(name, annotation.value);
    }
    if (items.empty())
        return longest;
    output_ += "* METADATA ";
    if (mailbox.empty())
        output_ += "\"\"";
    else
        append_name(output_, mailbox);
    util::append(output_, " (", items, ")\r\n");
    return longest;
}

// --- commands ------------------------------------------------------------------------------------

Session::Answer Session::get_metadata(Scanner& arguments)
{
    auto wish = TRY(parse_getmetadata(arguments));
    std::uint64_t longest = 0;
    if (wish.mailbox.empty()) {
        longest = tell_annotations({}, server_annotations(), wish);
    } else {
        const auto* mailbox = open_mailbox(wish.mailbox, "NONEXISTENT");
        if (!mailbox)
            return {};
        if (!may_annotate(*mailbox)) {
            deny(*mailbox);
            return {};
        }
        longest = tell_annotations(mailbox->name, mailbox->annotations, wish);
    }
    ok(longest ? util::concat("[METADATA LONGENTRIES ", longest, "] GETMETADATA completed") : "GETMETADATA completed");
    return {};
}

namespace {

struct SetArguments {
    std::string mailbox;
    std::vector<store::NewAnnotation> changes;
};

util::Result<SetArguments> parse_setmetadata(Scanner& arguments)
{
    SetArguments set;
    TRY(arguments.space());
    set.mailbox = TRY(arguments.mailbox());
    TRY(arguments.space());
    TRY(arguments.expect('('));
    do {
        if (set.changes.size() >= max_entries)
            return util::invalid("Too many entries");
        auto given = TRY(arguments.astring());
        auto entry = TRY(annotation_entry(given));
        if (!may_have_a_value(entry))
            return util::invalid("Entries of vendors have four components at least, others two");
        TRY(arguments.space());
        auto& change = set.changes.emplace_back();
        change.name = std::move(entry);
        if (arguments.peek() == '~' || arguments.peek() == '{') {
            auto literal = TRY(arguments.literal());
            change.value = std::string(literal.bytes);
            continue;
        }
        bool nil = false;
        auto value = TRY(arguments.nstring(nil));
        if (!nil)
            change.value = std::string(value);
    } while (arguments.skip(' '));
    TRY(arguments.expect(')'));
    TRY(arguments.end());
    return set;
}

std::string too_large()
{
    return util::concat("[METADATA MAXSIZE ", store::max_annotation_value, "] The value is too large");
}

}  // namespace

bool Session::value_may_begin(std::string_view verb, std::uint64_t size)
{
    if (!util::equal_nocase(verb, "SETMETADATA") || size <= store::max_annotation_value)
        return true;
    no(too_large());
    return false;
}

Session::Answer Session::set_metadata(Scanner& arguments)
{
    auto set = TRY(parse_setmetadata(arguments));
    store::MailboxId holder = 0;
    const store::Annotations* there = &store_.annotations();
    if (!set.mailbox.empty()) {
        const auto* mailbox = open_mailbox(set.mailbox, "NONEXISTENT");
        if (!mailbox)
            return {};
        if (!may_annotate(*mailbox)) {
            deny(*mailbox);
            return {};
        }
        holder = mailbox->id;
        there = &mailbox->annotations;
    }
    // Of the server the administrator speaks (RFC 5464 §3.3); a guest has no account here.
    auto reserved = [&](const store::NewAnnotation& change) { return is_guest() || !is_private(change.name); };
    if (holder == 0 && std::any_of(set.changes.begin(), set.changes.end(), reserved)) {
        no("[NOPERM] What is shared of the server is the administrator's to say");
        return {};
    }
    std::size_t count = std::size_t(
        std::count_if(there->begin(), there->end(), [&](const auto& item) { return !entry_of(item.first).empty(); }));
    for (auto& change : set.changes) {
        change.name = annotation_key(change.name);
        count += change.value && !there->contains(change.name);
    }
    bool grows =
        std::any_of(set.changes.begin(), set.changes.end(), [](const auto& change) { return change.value.has_value(); });
    if (grows && count > max_user_annotations) {
        no("[METADATA TOOMANY] There are too many annotations");
        return {};
    }
    auto before = store_.last();
    auto lsn = store_.annotate(holder, set.changes);
    if (lsn.ok()) {
        own_annotations_.push_back({before, store_.last()});
        await(*lsn, [this] { ok("SETMETADATA completed"); });
    } else if (lsn.error().code == EFBIG) {
        no(too_large());
    } else if (lsn.error().code == E2BIG) {
        no("[METADATA TOOMANY] There are too many annotations");
    } else {
        refuse(lsn.error());
    }
    return {};
}

// --- what others change --------------------------------------------------------------------------

void Session::watch_annotations()
{
    annotations_told_ = store_.visible();
    own_annotations_.clear();
}

// RFC 5464 §4.4.2.
void Session::tell_changed_annotations()
{
    bool by_notify = notifier_ && notifier_->wants_annotations();   // RFC 5465 §5.6, §5.7: without ENABLE, too
    bool by_enable = enabled_.metadata && !(notifier_ && notifier_->is_silent());
    if (!by_notify && !by_enable)
        return;
    auto horizon = store_.visible();
    for (const auto& change : store_.annotation_changes()) {
        auto entry = entry_of(change.name);
        if (change.lsn <= annotations_told_ || change.lsn > horizon || entry.empty())
            continue;
        if (std::any_of(own_annotations_.begin(), own_annotations_.end(),
                        [&](const auto& own) { return change.lsn > own.first && change.lsn <= own.second; }))
            continue;
        std::string response = "METADATA ";
        if (change.mailbox == 0) {
            if (!by_enable && !notifier_->wants_annotations_of({}))
                continue;
            response += "\"\"";
        } else {
            auto mailbox = store_.facts(change.mailbox);
            if (!mailbox.ok() || !may_annotate(**mailbox) || !(by_enable || notifier_->wants_annotations_of((*mailbox)->name)))
                continue;
            append_name(response, (*mailbox)->name);
        }
        response += ' ';
        append_entry(response, entry);
        untagged(response);
    }
    annotations_told_ = std::max(annotations_told_, horizon);
    std::erase_if(own_annotations_, [this](const auto& own) { return own.second <= annotations_told_; });
}

}  // namespace imapd::engine
