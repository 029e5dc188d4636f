// APPEND: RFC 9051 §6.3.12, MULTIAPPEND (RFC 3502), CATENATE (RFC 4469); REPLACE (RFC 8508).
#include "imapd/engine/session.h"

#include "imapd/engine/relay.h"
#include "imapd/engine/url_content.h"
#include "imapd/syntax/imap_url.h"
#include "libmail/header.h"
#include "libmail/imap_render.h"
#include "libutil/text.h"

#include <algorithm>
#include <deque>
#include <span>

namespace imapd::engine {

using syntax::Scanner;

namespace {

// Of one command, when a single message may not be larger.
constexpr std::uint64_t max_append_bytes = 64U << 20;   // of literals, and of messages that URLs name
constexpr std::uint64_t min_url_cost = 4096;            // what the search for a message counts as

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

// What a URL names (RFC 4469 §3).
util::Result<std::string> url_content(store::Store& store, const store::Mailbox& mailbox,
                                      const syntax::MessageUrl& url)
{
    if (url.uid_validity && *url.uid_validity != mailbox.uid_validity)
        return util::invalid("another UIDVALIDITY");
    const auto* entry = mailbox.find(url.uid);
    if (!entry)
        return util::invalid("no such message");
    MessageContent message(store);
    message.open(*entry);
    std::string text;
    return std::string(TRY(url_bytes(message, url, false, text)));
}

// RFC 4469 §5 url-resp-text: without quotes, and without what would end the code.
util::Error bad_url(std::string_view url)
{
    auto text = util::printable(url, 200);
    std::replace_if(text.begin(), text.end(), [](char c) { return c == ']' || c == '\\'; }, '?');
    return util::permanent(util::concat("[BADURL ", text.empty() ? "?" : text, "] This URL names nothing here"));
}

// Is this one literal that is stored as it came?
bool is_plain(const AppendMessage& message)
{
    if (message.parts.size() != 1 || message.parts.front().is_url)
        return false;
    auto bytes = message.parts.front().bytes;
    return !bytes.empty() && bytes.find('\0') == std::string_view::npos && !has_bare_lf(bytes);
}

util::Error too_big()
{
    return util::permanent("[TOOBIG] The message is larger than the limit");
}

}  // namespace

// Whatever can be refused is refused before the message is sent (RFC 3501 §6.3.11).
bool Session::append_may_begin(Scanner& arguments, bool replace, std::uint64_t size)
{
    LiteralUse use = LiteralUse::Mailbox;
    auto append = parse_append(arguments, replace, append_limit(), &use);
    if (!append.ok()) {
        refuse_append(append.error());
        return false;
    }
    if (replace && !view_ && !(relay_ && relay_->selected())) {
        bad("No mailbox is selected");
        return false;
    }
    if (use == LiteralUse::Mailbox || use == LiteralUse::Url) {
        if (size <= facts_.limits.literal)
            return true;
        bad("[TOOBIG] The literal is too large");
        return false;
    }
    if (size == 0 && use == LiteralUse::Message) {
        no("[CANNOT] The message is empty");
        return false;
    }
    if (size > facts_.limits.message) {
        no(too_big().text);
        return false;
    }
    if (framer_.literal_bytes() + size > std::max(facts_.limits.message, max_append_bytes)) {
        no("[LIMIT] These messages together are too large for one command");
        return false;
    }
    // Of another user's mailbox his own process will say whether it may be.
    return other_owner(append->mailbox) || open_mailbox(append->mailbox, "TRYCREATE", right::Insert);
}

// Messages of one APPEND.  Where there is a MESSAGELIMIT the client hears of max_append_messages in the same way, if that
// is less (RFC 9738 §3.1); where there is none, parse_append() has its own limit, and answers BAD.
std::size_t Session::append_limit() const
{
    auto limit = message_limit();
    return limit > 0 ? std::min(limit, max_append_messages) : SIZE_MAX;
}

void Session::refuse_append(const util::Error& error)
{
    if (error.kind == util::Kind::Permanent)
        no(util::concat("[MESSAGELIMIT ", append_limit(), "] These are too many messages for one command"));
    else
        bad(error.text);
}

// The bytes of a message as they are stored.  Permanent: with its response code.
util::Result<std::string> Session::assemble(const AppendMessage& message, std::uint64_t& read)
{
    auto enough = [&](std::uint64_t size) { return (read += size) <= std::max(facts_.limits.message, max_append_bytes); };
    std::string content;
    bool binary = false;
    for (const auto& part : message.parts) {
        if (!part.is_url) {
            content += part.bytes;
            binary = binary || part.binary;
            continue;
        }
        auto url = syntax::parse_message_url(part.url);
        // A token gives nothing here that this reader had not himself.
        if (url.ok() && url->server && (url->access || !is_own_server(*url->server, true)))
            return bad_url(part.url);
        const store::Mailbox* mailbox = url.ok() && url->mailbox.empty() && view_ ? view_->mailbox() : nullptr;
        if (url.ok() && !url->mailbox.empty())
            if (auto found = store_.mailbox(known_name(url->mailbox)); found.ok() && (rights_on(**found) & right::Read))
                mailbox = *found;
        // A short command may name the same large message many times, whole or in part.
        const store::Entry* entry = mailbox ? mailbox->find(url->uid) : nullptr;
        if (!enough(entry ? entry->size : min_url_cost))
            return util::permanent("[LIMIT] These messages together are too large for one command");
        auto text = mailbox ? url_content(store_, *mailbox, *url) : util::Result<std::string>(util::invalid("none"));
        if (!text.ok())
            return bad_url(part.url);
        if (content.size() + text->size() > facts_.limits.message)
            return too_big();
        content += *text;
    }
    if (content.find('\0') != std::string::npos)  // RFC 3516 §4.4: what cannot be stored as it is
        return util::permanent(binary ? "[UNKNOWN-CTE] A message with NUL bytes is not kept here"
                                      : "[CANNOT] The message holds a NUL byte");
    // Lines end with CRLF from here on: RFC822.SIZE and BODY[] then agree for ever.
    if (has_bare_lf(content))
        content = with_crlf(content);
    if (content.size() > facts_.limits.message)
        return too_big();
    if (content.empty())
        return util::permanent("[CANNOT] The message is empty");
    return content;
}

// All or none (RFC 3502 §6.3.11).  The errors' texts begin with their response codes.
util::Result<std::vector<store::Stored>> Session::append_messages(const store::MailboxFacts& mailbox,
                                                                  AppendArguments& append)
{
    std::deque<std::string> contents;
    std::deque<store::Rendered> rendered;
    std::vector<store::NewMessage> messages;
    auto rights = rights_on(mailbox);
    std::vector<std::size_t> seen;   // by a guest, who has this flag for himself
    std::uint64_t read = 0;          // of messages that URLs name
    for (auto& message : append.messages) {
        auto& stored = messages.emplace_back();
        if (is_plain(message)) {
            stored.content = message.parts.front().bytes;
        } else {
            contents.push_back(TRY(assemble(message, read)));
            stored.content = contents.back();
        }
        if (facts_.strict_append && !accepts_utf8() &&
            !util::is_ascii(stored.content.substr(0, mail::header_size(stored.content))))
            return util::permanent("[CANNOT] The header has characters beyond ASCII, and UTF8=ACCEPT is not enabled");
        rendered.push_back(store_form(mail::render_message(stored.content)));
        stored.rendered = &rendered.back();
        stored.flags = message.flags.flags & changeable_flags(rights);
        if (rights & right::Write)
            stored.keywords = std::move(message.flags.keywords);
        if (is_guest() && (stored.flags & store::Seen)) {
            seen.push_back(messages.size() - 1);
            stored.flags &= ~store::Seen;
        }
        stored.internal_date = message.date;
    }
    auto stored = [&] {
        Own own(*this, mailbox.id);
        return store_.append_all(mailbox.id, messages);
    }();
    if (!stored.ok())
        return util::permanent(refusal_text(stored.error()));
    std::vector<std::uint32_t> seen_uids;
    for (auto index : seen)
        seen_uids.push_back((*stored)[index].uid);
    if (!seen_uids.empty())
        (void)mark_seen(mailbox.id, seen_uids);   // a flag is no reason to fail (RFC 4314 §4)
    appended_ += messages.size();
    std::vector<std::uint32_t> uids;
    for (const auto& one : *stored)
        uids.push_back(one.uid);
    made_here(mailbox.id, uids);
    return stored;
}

std::string Session::append_code(const std::vector<store::Stored>& stored) const
{
    auto code = util::concat("[APPENDUID ", stored.front().uid_validity, " ");
    syntax::SetWriter set(code);
    for (const auto& message : stored)
        set.add(message.uid);
    set.finish();
    return code + "]";
}

Session::Answer Session::append(Scanner& arguments)
{
    auto parsed = parse_append(arguments, false, append_limit());
    if (!parsed.ok()) {
        refuse_append(parsed.error());
        return {};
    }
    auto append = parsed.take();
    const auto* mailbox = open_mailbox(append.mailbox, "TRYCREATE", right::Insert);
    if (!mailbox)
        return {};
    auto stored = append_messages(*mailbox, append);
    if (!stored.ok()) {
        no(stored.error().text);
        return {};
    }
    auto text = util::concat(append_code(*stored), " APPEND completed");
    await(stored->back().lsn, [this, text] { ok(text); });
    return {};
}

std::uint32_t Session::replaced_uid(const syntax::SequenceSet& set)
{
    auto ranges = select(set);
    if (!ranges.ok()) {
        bad(ranges.error().text);
        return 0;
    }
    bool missing = false;
    auto uids = present_uids(*ranges, missing);
    if (uids.empty())
        no(missing ? "[EXPUNGEISSUED] The message no longer exists" : "[NONEXISTENT] There is no such message");
    return uids.empty() ? 0 : uids.front();
}

// RFC 8508: the new message is there before the old one goes, and both reach the disk together.
Session::Answer Session::replace(Scanner& arguments)
{
    auto append = TRY(parse_append(arguments, true, append_limit()));
    if (!writable() || !selected_permits(right::DeleteMessages | right::Expunge))
        return {};
    auto uid = replaced_uid(*append.replaced);
    if (uid == 0)
        return {};
    const auto* mailbox = open_mailbox(append.mailbox, "TRYCREATE", right::Insert);
    if (!mailbox)
        return {};
    auto stored = append_messages(*mailbox, append);
    if (!stored.ok()) {
        no(stored.error().text);
        return {};
    }
    auto lsn = store_.expunge(view_->id(), std::span(&uid, 1));
    if (!lsn.ok()) {
        refuse(lsn.error());
        return {};
    }
    ++expunged_;
    // RFC 8508 §3.4: APPENDUID comes before EXPUNGE.
    await(std::max(*lsn, stored->back().lsn), [this, code = append_code(*stored)] {
        untagged(util::concat("OK ", code, " The replacement is there"));
        tell_news(true, true);
        ok(enabled_.qresync && view_->facts()
               ? util::concat("[HIGHESTMODSEQ ", told_modseq(), "] REPLACE completed")
               : "REPLACE completed");
    });
    return {};
}

}  // namespace imapd::engine
