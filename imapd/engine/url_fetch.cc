// URLFETCH.
//
// A task with one response for each URL, in their order.  One message at a time is in memory; its bytes go to the client
// in pieces, as those of FETCH do.
#include "imapd/engine/url_fetch.h"

#include "imapd/engine/message_content.h"
#include "imapd/engine/url_content.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

using UrlContent = UrlRequest::Content;

namespace {

constexpr std::size_t url_piece = 256U << 10;

class UrlTask final : public Task {
public:
    UrlTask(Session& session, std::vector<UrlRequest> requests)
        : session_(session), requests_(std::move(requests)), message_(session.store())
    {
    }

    bool step(util::Instant until) override;
    bool in_literal() const override { return !rest_.empty(); }

private:
    void begin();
    util::Result<void> write(const UrlRequest& request, const syntax::MessageUrl& url);
    void begin_literal(bool binary, std::string_view bytes, std::string_view behind);
    void nil(const UrlRequest& request);
    void send_piece();
    bool ask(const UrlRequest& request, const syntax::MessageUrl& url);

    Session& session_;
    std::vector<UrlRequest> requests_;
    std::size_t at_ = 0;
    MessageContent message_;
    std::string text_;              // content that is not as it stands in the message
    std::string_view rest_;         // what is still to be sent of it, or of message_
    std::string behind_;            // what follows it
    std::vector<std::string> owners_;
    bool later_ = false;            // something could not be had now
    bool unreadable_ = false;
};

bool UrlTask::step(util::Instant until)
{
    message_.pause();   // other sessions have used the store
    do {
        if (!rest_.empty())
            send_piece();
        else if (at_ < requests_.size())
            begin();
        else
            break;
        if (session_.waits_for_remote())
            return false;
    } while (!session_.output_full() && util::now() < until);
    if (!rest_.empty() || at_ < requests_.size())
        return false;
    if (session_.finished())
        return true;
    // RFC 4467 §7: NO may change to OK when the command is repeated.
    if (later_)
        session_.no("[UNAVAILABLE] Some of these URLs cannot be looked up now");
    else if (unreadable_)
        session_.no("[CORRUPTION] Some of these messages cannot be read");
    else
        session_.ok("URLFETCH completed");
    return true;
}

void UrlTask::begin()
{
    const auto& request = requests_[at_++];
    auto url = syntax::parse_message_url(request.url);
    if (!url.ok() || !url->access || url->access->token.empty())
        return nil(request);
    if (!session_.redeem_url(request.url, *url, message_)) {
        if (!ask(request, *url))
            nil(request);
        return;
    }
    auto before = session_.output().size();
    auto written = write(request, *url);
    if (!written.ok()) {
        session_.output().resize(before);
        if (written.error().kind == util::Kind::Permanent) {
            util::log::error("uid=", message_.entry().uid, ": ", written.error().text);
            unreadable_ = true;
        }
        nil(request);
    }
    if (rest_.empty())
        message_.close();
}

// True: his own process answers, or will.
bool UrlTask::ask(const UrlRequest& request, const syntax::MessageUrl& url)
{
    auto owner = session_.remote_owner(url);
    if (owner.empty())
        return false;
    if (std::find(owners_.begin(), owners_.end(), owner) == owners_.end()) {
        if (owners_.size() >= max_url_owners)
            return false;
        owners_.push_back(owner);
    }
    session_.ask_for_url(owner, request, [this, &request](bool told, bool later) {
        later_ = later_ || later;
        if (!told)
            nil(request);
    });
    return true;
}

void UrlTask::nil(const UrlRequest& request)
{
    auto& out = session_.output();
    out += "* URLFETCH ";
    syntax::append_string(out, request.url);
    out += " NIL\r\n";
}

// RFC 5524 §3.2: a part whose encoding is not known has a structure, and NIL for a content.
util::Result<void> UrlTask::write(const UrlRequest& request, const syntax::MessageUrl& url)
{
    // As in FETCH (RFC 6855 §8).
    if (!session_.accepts_utf8() && TRY(message_.needs_surrogate()))
        TRY(message_.use_surrogate());
    auto& out = session_.output();
    out += "* URLFETCH ";
    syntax::append_string(out, request.url);
    bool binary = request.content == UrlContent::Binary;
    if (request.structure)
        util::append(out, " (BODYPARTSTRUCTURE ", TRY(url_structure(message_, url, binary)), ")");
    if (request.content == UrlContent::None) {
        TRY(url_bytes(message_, url, false, text_));   // there must be such a part
        out += "\r\n";
        return {};
    }
    if (request.content != UrlContent::Plain)
        out += binary ? " (BINARY" : " (BODY";
    out += ' ';
    std::string_view behind = request.content == UrlContent::Plain ? "\r\n" : ")\r\n";
    auto bytes = url_bytes(message_, url, binary, text_);
    if (!bytes.ok() && binary && bytes.error().kind == util::Kind::Permanent && url_bytes(message_, url, false, text_).ok()) {
        util::append(out, "NIL", behind);
        return {};
    }
    begin_literal(binary, TRY(std::move(bytes)), behind);
    return {};
}

void UrlTask::begin_literal(bool binary, std::string_view bytes, std::string_view behind)
{
    auto& out = session_.output();
    // RFC 3516 §4.2: only a literal8 may hold NUL.
    bool has_nul = binary && bytes.find('\0') != std::string_view::npos;
    util::append(out, has_nul ? "~{" : "{", bytes.size(), "}\r\n");
    rest_ = bytes;
    behind_ = behind;
    send_piece();
}

void UrlTask::send_piece()
{
    auto& out = session_.output();
    auto piece = rest_.substr(0, url_piece);
    out += piece;
    rest_.remove_prefix(piece.size());
    if (!rest_.empty())
        return;
    out += behind_;
    message_.close();
    text_ = {};
}

// --- arguments -------------------------------------------------------------------------------------

util::Result<void> parse_wanted(syntax::Scanner& arguments, UrlRequest& request)
{
    while (arguments.skip(' ')) {
        auto name = TRY(arguments.atom());
        bool free = request.content == UrlContent::Plain;
        if (util::equal_nocase(name, "BODYPARTSTRUCTURE") && !request.structure)
            request.structure = true;
        else if (util::equal_nocase(name, "BODY") && free)
            request.content = UrlContent::Body;
        else if (util::equal_nocase(name, "BINARY") && free)
            request.content = UrlContent::Binary;
        else
            return util::invalid("BODYPARTSTRUCTURE, and either BODY or BINARY, are what can be had");
    }
    if (request.structure && request.content == UrlContent::Plain)
        request.content = UrlContent::None;
    return arguments.expect(')');
}

}  // namespace

util::Result<std::vector<UrlRequest>> parse_url_fetch(syntax::Scanner& arguments)
{
    std::vector<UrlRequest> requests;
    do {
        TRY(arguments.space());
        if (requests.size() >= max_urls)
            return util::invalid("Too many URLs");
        auto& request = requests.emplace_back();
        bool extended = arguments.skip('(');
        request.url = TRY(arguments.astring());
        if (extended)
            TRY(parse_wanted(arguments, request));
    } while (!arguments.at_end());
    return requests;
}

std::string url_fetch_text(const UrlRequest& request)
{
    std::string text = "URLFETCH (";
    syntax::append_string(text, request.url);
    if (request.structure)
        text += " BODYPARTSTRUCTURE";
    if (request.content == UrlContent::Body)
        text += " BODY";
    if (request.content == UrlContent::Binary)
        text += " BINARY";
    return text + ")";
}

std::unique_ptr<Task> make_url_task(Session& session, std::vector<UrlRequest> requests)
{
    return std::make_unique<UrlTask>(session, std::move(requests));
}

}  // namespace imapd::engine
