// URLAUTH: GENURLAUTH, RESETKEY, and who may have what a URL names (RFC 4467; RFC 5092 §6.1).
#include "imapd/engine/session.h"

#include "imapd/engine/message_content.h"
#include "imapd/engine/relay.h"
#include "imapd/engine/url_content.h"
#include "imapd/engine/url_fetch.h"
#include "imapd/engine/url_tokens.h"
#include "imapd/syntax/mailbox_name.h"
#include "libmail/normal_form.h"
#include "libutil/text.h"
#include "libutil/time.h"

#include <algorithm>

namespace imapd::engine {

using syntax::Scanner;

namespace {

bool is_expired(const syntax::MessageUrl& url)
{
    return url.expires && *url.expires < util::unix_seconds(util::wall_now());
}

// The mailbox behind a URL's name, which is its owner's own; 0: there is none.
store::MailboxId owners_mailbox(const store::Store& store, const std::string& name)
{
    auto found = store.mailboxes().find(name);
    if (found == store.mailboxes().end())
        found = store.mailboxes().find(mail::normal_form(name));
    return found == store.mailboxes().end() ? 0 : found->second;
}

// ":INTERNAL:01.."
constexpr std::size_t url_tail_size = url_mechanism.size() + url_token_size + 2;

store::NewAnnotation key_annotation(const UrlKey& key)
{
    return {.name = std::string(url_key_annotation), .value = url_key_text(key)};
}

}  // namespace

bool Session::offers_urls() const
{
    return !facts_.url_hosts.empty();
}

bool Session::is_here(const syntax::UrlServer& server) const
{
    auto with_port = util::concat(server.host, ":", server.port);
    return std::any_of(facts_.url_hosts.begin(), facts_.url_hosts.end(), [&](const auto& host) {
        return util::equal_nocase(host, with_port) ||
               (server.port == syntax::imap_port && util::equal_nocase(host, server.host));
    });
}

// Is this server meant, and this reader as its user?  `without_user`: a URL that names no user will do, too.
bool Session::is_own_server(const syntax::UrlServer& server, bool without_user) const
{
    if (!is_here(server) || server.user.empty())
        return is_here(server) && without_user;
    auto user = prepared_identifier(server.user, facts_.user);
    return user.ok() && *user == reader();
}

Rights Session::owner_rights(const store::MailboxFacts& mailbox) const
{
    return AccessList::of(mailbox).rights_of(facts_.user, facts_.user);
}

// --- RESETKEY ------------------------------------------------------------------------------------

store::Lsn Session::url_key_lsn() const
{
    const auto* mailbox = view_ && !is_guest() ? view_->facts() : nullptr;
    auto found = mailbox ? mailbox->annotations.find(url_key_annotation) : store::Annotations::const_iterator();
    return mailbox && found != mailbox->annotations.end() ? found->second.lsn : 0;
}

// RFC 4467 §7: whoever has the mailbox selected hears that its URLs are no good any more.
void Session::tell_changed_key()
{
    if (!view_ || !view_->facts())
        return;
    auto lsn = url_key_lsn();
    auto before = std::exchange(url_key_told_, lsn);
    if (before != 0 && before != lsn)
        untagged("OK [URLMECH INTERNAL] The key of this mailbox is another one");
}

Session::Answer Session::reset_key(Scanner& arguments)
{
    store::Lsn lsn = 0;
    if (arguments.at_end()) {
        const store::NewAnnotation none{.name = std::string(url_key_annotation), .value = std::nullopt};
        for (const auto& [name, id] : store_.mailboxes()) {
            if (!store_.annotations(id).contains(url_key_annotation))
                continue;
            auto removed = store_.annotate(id, std::span(&none, 1));
            if (!removed.ok()) {
                refuse(removed.error());
                return {};
            }
            lsn = std::max(lsn, *removed);
        }
        await(lsn, [this] { ok("RESETKEY completed, there are no keys any more"); });
        return {};
    }
    TRY(arguments.space());
    auto name = TRY(arguments.mailbox());
    while (!arguments.at_end()) {
        TRY(arguments.space());
        if (!arguments.skip_atom(url_mechanism))
            return util::invalid("INTERNAL is the only mechanism here");
    }
    if (other_owner(name)) {
        no("[CANNOT] Only the owner of a mailbox has a key to it");
        return {};
    }
    const auto* mailbox = open_mailbox(name, "NONEXISTENT", right::Read);
    if (!mailbox)
        return {};
    auto key = key_annotation(make_url_key(mailbox->uid_validity));
    auto stored = store_.annotate(mailbox->id, std::span(&key, 1));
    if (!stored.ok()) {
        refuse(stored.error());
        return {};
    }
    if (view_ && view_->id() == mailbox->id)
        url_key_told_ = url_key_lsn();   // the tagged answer says so
    await(*stored, [this] { ok("[URLMECH INTERNAL] RESETKEY completed"); });
    return {};
}

// --- GENURLAUTH ----------------------------------------------------------------------------------

// RFC 4467 §7.  Invalid: tagged BAD; Permanent: tagged NO.
util::Result<const store::Mailbox*> Session::check_rump(const std::string& text, const syntax::MessageUrl& url)
{
    if (!url.server || !is_own_server(*url.server, false))
        return util::invalid("The URL names another server, or not you as its user");
    if (!url.access)
        return util::invalid("The URL has no access identifier");
    if (!url.access->mechanism.empty() || url.access->rump != text.size())
        return util::invalid("The URL is authorized already");
    if (text.size() + url_tail_size > syntax::max_url_length)
        return util::invalid("The URL is too long");
    if (is_expired(url))
        return util::invalid("The URL has expired");
    if (other_owner(url.mailbox))
        return util::permanent("[CANNOT] Only the owner of a mailbox can authorize its URLs");
    auto id = owners_mailbox(store_, url.mailbox);
    if (id == 0)
        return util::invalid("There is no such mailbox");
    auto mailbox = store_.mailbox(id);
    if (!mailbox.ok())
        return util::permanent(refusal_text(mailbox.error()));
    if (!(owner_rights(**mailbox) & right::Read))
        return util::permanent("[NOPERM] You have no right to do that");
    bool stale = url.uid_validity && *url.uid_validity != (*mailbox)->uid_validity;
    if (stale || !(*mailbox)->find(url.uid) || !parse_url_section(url.section).ok())
        return util::invalid("There is no such message");
    return *mailbox;
}

// A key is on disk before the client sees what it has made: else a token could come to mean nothing, after a crash.
Session::Answer Session::generate_urls(Scanner& arguments)
{
    if (!offers_urls())
        return util::invalid("Unknown command GENURLAUTH");
    std::vector<std::string> urls;
    do {
        TRY(arguments.space());
        if (urls.size() >= max_urls)
            return util::invalid("Too many URLs");
        urls.emplace_back(TRY(arguments.astring()));
        TRY(arguments.space());
        if (!arguments.skip_atom(url_mechanism))
            return util::invalid("INTERNAL is the only mechanism here");
    } while (!arguments.at_end());
    // All or none: a key is not made for a command that fails.
    std::vector<const store::Mailbox*> mailboxes;
    for (const auto& text : urls) {
        auto url = TRY(syntax::parse_message_url(text));
        auto mailbox = check_rump(text, url);
        if (!mailbox.ok() && mailbox.error().kind == util::Kind::Invalid)
            return mailbox.take_error();
        if (!mailbox.ok()) {
            no(mailbox.error().text);
            return {};
        }
        mailboxes.push_back(*mailbox);
    }
    store::Lsn lsn = 0;
    std::string response = "GENURLAUTH";
    for (std::size_t i = 0; i < urls.size(); ++i) {
        const auto& mailbox = *mailboxes[i];
        auto key = url_key_of(mailbox.annotations);
        if (!key || key->uid_validity != mailbox.uid_validity) {
            key = make_url_key(mailbox.uid_validity);
            auto annotation = key_annotation(*key);
            auto stored = store_.annotate(mailbox.id, std::span(&annotation, 1));
            if (!stored.ok()) {
                refuse(stored.error());
                return {};
            }
        }
        // Another session may have made it just now.
        lsn = std::max(lsn, mailbox.annotations.find(url_key_annotation)->second.lsn);
        response += ' ';
        syntax::append_string(response, util::concat(urls[i], ":", url_mechanism, ":", url_token(*key, urls[i])));
    }
    await(lsn, [this, response] {
        untagged(response);
        ok("GENURLAUTH completed");
    });
    return {};
}

// --- URLFETCH ------------------------------------------------------------------------------------

Session::Answer Session::fetch_urls(Scanner& arguments)
{
    auto requests = TRY(parse_url_fetch(arguments));
    start(make_url_task(*this, std::move(requests)));
    return {};
}

// Who it is for, and until when.  There are no anonymous log-ins, and nobody who submits mail for others.
bool Session::may_redeem(const syntax::MessageUrl& url) const
{
    if (is_expired(url) || !util::equal_nocase(url.access->mechanism, url_mechanism) || !is_here(*url.server))
        return false;
    using Whom = syntax::UrlAccess::Whom;
    switch (url.access->whom) {
    case Whom::Anonymous:
    case Whom::AuthUser:
        return true;
    case Whom::User: {
        auto user = prepared_identifier(url.access->user, facts_.user);
        return user.ok() && *user == reader();
    }
    case Whom::Submit:
        break;
    }
    return false;
}

// RFC 4467 §6, §7: the token counts for what the owner himself may read now.  Where there is no key, one that nobody
// knows makes the answer take as long (§10).
bool Session::redeem_url(const std::string& text, const syntax::MessageUrl& url, MessageContent& message)
{
    auto owner = prepared_identifier(url.server->user, facts_.user);
    auto id = owners_mailbox(store_, url.mailbox);
    auto nobodys = make_url_key(0);
    auto key = id != 0 && owner.ok() && *owner == facts_.user ? url_key_of(store_.annotations(id)) : std::nullopt;
    auto rump = std::string_view(text).substr(0, url.access->rump);
    bool good = is_url_token(url.access->token, key ? *key : nobodys, rump);
    if (!good || !key || !may_redeem(url))
        return false;
    auto mailbox = store_.mailbox(id);
    if (!mailbox.ok() || !(owner_rights(**mailbox) & right::Read) || key->uid_validity != (*mailbox)->uid_validity ||
        (url.uid_validity && *url.uid_validity != (*mailbox)->uid_validity))
        return false;
    const auto* entry = (*mailbox)->find(url.uid);
    if (!entry)
        return false;
    message.open(*entry);
    return true;
}

std::string Session::remote_owner(const syntax::MessageUrl& url) const
{
    auto owner = prepared_identifier(url.server->user, facts_.user);
    return relay_ && owner.ok() && *owner != facts_.user && may_redeem(url) ? *owner : std::string();
}

}  // namespace imapd::engine
