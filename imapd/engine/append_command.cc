// APPEND: RFC 3501 §6.3.11, RFC 4315 (APPENDUID).
#include "imapd/engine/session.h"

#include "libmail/date.h"
#include "libmail/imap_render.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

struct AppendArguments {
    std::string mailbox;
    FlagList flags;
    std::optional<store::Date> date;
};

// What stands before the literal.
util::Result<AppendArguments> parse_append(Scanner& arguments)
{
    AppendArguments append;
    TRY(arguments.space());
    append.mailbox = TRY(arguments.mailbox());
    TRY(arguments.space());
    if (arguments.peek() == '(') {
        append.flags = TRY(parse_flag_list(arguments, false));
        TRY(arguments.space());
    }
    if (arguments.peek() == '"') {
        auto text = TRY(arguments.string());
        auto date = mail::parse_internal_date(text);
        if (!date)
            return util::invalid("Invalid date");
        append.date = store::Date{date->seconds, date->zone_minutes};
        TRY(arguments.space());
    }
    return append;
}

store::Rendered store_form(mail::RenderedMessage message)
{
    store::Rendered rendered;
    rendered.envelope = std::move(message.envelope);
    rendered.body_structure = std::move(message.body_structure);
    rendered.body = std::move(message.body);
    rendered.header_cache = std::move(message.header_cache);
    rendered.preview = std::move(message.preview);
    rendered.sent_seconds = message.date ? message.date->seconds : 0;
    rendered.header_size = std::uint32_t(message.header_size);
    return rendered;
}

bool has_bare_lf(std::string_view text)
{
    for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
        if (at == 0 || text[at - 1] != '\r')
            return true;
    return false;
}

std::string with_crlf(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    std::size_t begin = 0;
    for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        bool bare = at == 0 || text[at - 1] != '\r';
        out.append(text, begin, at - begin);
        out += bare ? "\r\n" : "\n";
        begin = at + 1;
    }
    out.append(text, begin);
    return out;
}

}  // namespace

// Whatever can be refused is refused before the message is sent (RFC 3501 §6.3.11).
bool Session::append_may_begin(Scanner& arguments, std::uint64_t size, bool binary)
{
    // The mailbox name itself may be the literal.
    if (arguments.rest().starts_with(" {") && framer_.literal_bytes() == 0) {
        if (size <= facts_.limits.literal)
            return true;
        bad("[TOOBIG] The literal is too large");
        return false;
    }
    auto append = parse_append(arguments);
    if (!append.ok()) {
        bad(append.error().text);
        return false;
    }
    if (binary) {
        bad("A literal8 is not accepted here");
        return false;
    }
    if (size == 0) {
        no("[CANNOT] The message is empty");
        return false;
    }
    if (size > facts_.limits.message) {
        no("[TOOBIG] The message is larger than the limit");
        return false;
    }
    return open_mailbox(append->mailbox, "TRYCREATE") != nullptr;
}

Session::Answer Session::append(Scanner& arguments)
{
    auto append = TRY(parse_append(arguments));
    auto literal = TRY(arguments.literal());
    TRY(arguments.end());
    const auto* mailbox = open_mailbox(append.mailbox, "TRYCREATE");
    if (!mailbox)
        return {};
    if (literal.bytes.find('\0') != std::string_view::npos) {
        no("[CANNOT] The message holds a NUL byte");
        return {};
    }
    // Lines end with CRLF from here on: RFC822.SIZE and BODY[] then agree for ever.
    std::string converted;
    store::NewMessage message;
    message.content = literal.bytes;
    if (has_bare_lf(literal.bytes)) {
        converted = with_crlf(literal.bytes);
        message.content = converted;
        if (converted.size() > facts_.limits.message) {
            no("[TOOBIG] The message is larger than the limit");
            return {};
        }
    }
    auto rendered = store_form(mail::render_message(message.content));
    message.flags = append.flags.flags;
    message.keywords = std::move(append.flags.keywords);
    message.internal_date = append.date;
    message.rendered = &rendered;
    auto stored = store_.append(mailbox->id, message);
    if (!stored.ok()) {
        refuse(stored.error());
        return {};
    }
    ++appended_;
    auto text = util::concat("[APPENDUID ", stored->uid_validity, " ", stored->uid,
                             "] APPEND completed");
    await(stored->lsn, [this, text] { ok(text); });
    return {};
}

}  // namespace imapd::engine
