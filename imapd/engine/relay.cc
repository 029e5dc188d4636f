// Links to other users' mailbox processes.
#include "imapd/engine/relay.h"

#include "imapd/syntax/bye.h"
#include "imapd/syntax/framer.h"
#include "libutil/text.h"

#include <algorithm>

namespace imapd::engine {

namespace {

constexpr std::string_view unavailable = "NO [UNAVAILABLE] The other user's mailboxes are not available now";
constexpr std::string_view nonexistent = "NO [NONEXISTENT] There is no such mailbox";
constexpr std::size_t max_collected = max_carried_bytes + (4U << 20);   // of one response

// Of mailboxes by their names, or of none: nothing of that changes what numbers of messages mean to the client.
bool is_of_no_selected(std::string_view response)
{
    response.remove_prefix(2);
    auto [word, rest] = util::split_first(util::trim(response), ' ');
    if (util::equal_nocase(word, "OK"))
        return util::starts_with_nocase(rest, "[INPROGRESS");
    constexpr std::string_view words[] = {"NO",       "LIST",       "LSUB",     "STATUS", "ACL",
                                          "MYRIGHTS", "LISTRIGHTS", "METADATA", "QUOTA",  "QUOTAROOT"};
    return std::ranges::any_of(words, [word = word](std::string_view one) { return util::equal_nocase(word, one); });
}

}  // namespace

Relay::Relay(Remotes& remotes, Namespaces names, Host host)
    : remotes_(remotes), names_(std::move(names)), host_(std::move(host))
{
}

Relay::~Relay() = default;

std::optional<std::string> Relay::owner_of(std::string_view name) const
{
    if (!names_.shared.empty() && !names_.shared_owner.empty() && name.starts_with(names_.shared))
        return names_.shared_owner;
    if (names_.others.empty() || !name.starts_with(names_.others))
        return std::nullopt;
    name.remove_prefix(names_.others.size());
    auto end = name.find('/');
    if (end == name.npos || end == 0)
        return std::nullopt;   // the user alone is no mailbox
    return std::string(name.substr(0, end));
}

std::string Relay::prefix_of(std::string_view owner) const
{
    return owner == names_.shared_owner ? names_.shared : util::concat(names_.others, owner, "/");
}

void Relay::set_selected(std::string owner)
{
    selected_ = std::move(owner);
    tidy();
}

bool Relay::in_response() const
{
    return std::any_of(links_.begin(), links_.end(), [](const Link& link) { return link.forwarding; });
}

Relay::Link& Relay::link_to(const std::string& owner)
{
    auto found =
        std::find_if(links_.begin(), links_.end(), [&](const Link& link) { return link.owner == owner && !link.over; });
    if (found != links_.end()) {
        links_.splice(links_.end(), links_, found);
        return links_.back();
    }
    Link& link = links_.emplace_back();
    link.owner = owner;
    link.wire = remotes_.open(owner, {.received = [this, &link](std::string_view bytes) { received(link, bytes); },
                                      .closed =
                                          [this, &link](bool unknown) {
                                              ++busy_;
                                              ended(link, unknown, "The other user's mailboxes have gone away");
                                              --busy_;
                                              tidy();
                                          },
                                      .wants = host_.wants});
    std::string_view rest = host_.setup;
    while (!rest.empty()) {
        auto [line, more] = util::split_first(rest, '\n');
        rest = more;
        auto tag = util::concat("r", next_tag_++);
        link.wire->send(util::concat(tag, " ", line, "\n"));
        link.pending.push_back({.tag = tag, .done = {}, .collect = {}, .silent = true});
    }
    return link;
}

void Relay::command(const std::string& owner, std::string text, Done done, Lines collect)
{
    tidy();
    Link& link = link_to(owner);
    auto tag = util::concat("r", next_tag_++);
    link.pending.push_back({.tag = tag, .done = std::move(done), .collect = std::move(collect), .silent = false});
    link.wire->send(util::concat(tag, " ", text, "\r\n"));
}

void Relay::send_done()
{
    for (Link& link : links_)
        if (link.owner == selected_ && !link.over)
            link.wire->send("DONE\r\n");
}

void Relay::tell_all(const std::string& text)
{
    for (Link& link : links_) {
        if (link.over)
            continue;
        auto tag = util::concat("r", next_tag_++);
        link.pending.push_back({.tag = tag, .done = {}, .collect = {}, .silent = true});
        link.wire->send(util::concat(tag, " ", text, "\r\n"));
    }
}

void Relay::ask_owners(std::function<void(std::vector<std::string>)> then)
{
    question_ = remotes_.ask_owners(std::move(then));
}

void Relay::received(Link& link, std::string_view bytes)
{
    if (link.over)
        return;
    last_heard_ = util::now();
    ++busy_;
    bool good = link.reader.feed(bytes, [&](const ResponseReader::Piece& piece) { return take(link, piece); });
    if (!good && !link.over)
        ended(link, false, "The other user's mailboxes cannot be understood");
    --busy_;
    tidy();
}

// False when the link is over.
bool Relay::take(Link& link, const ResponseReader::Piece& piece)
{
    if (link.forwarding) {
        host_.forward(piece.bytes);
        link.forwarding = !piece.last;
        return !link.over;
    }
    if (!link.collected.empty()) {
        if (link.collected.size() + piece.bytes.size() > max_collected) {
            ended(link, false, "The other user's mailboxes say too much");
            return false;
        }
        link.collected += piece.bytes;
        if (piece.last && !link.pending.empty() && link.pending.front().collect)
            link.pending.front().collect(std::exchange(link.collected, {}));
        return !link.over;
    }
    if (!piece.first)
        return true;   // the rest of what is passed over
    auto line = piece.bytes;
    if (line.starts_with(syntax::bye_prefix)) {
        ended(link, false, util::trim(line.substr(syntax::bye_prefix.size())));
        return false;
    }
    if (!link.greeted) {
        link.greeted = line.starts_with("* PREAUTH");
        if (!link.greeted)
            ended(link, false, "The other user's mailboxes do not answer");
        return !link.over;
    }
    if (line.starts_with("+ "))
        return true;   // of IDLE; this side has said its own
    if (!line.starts_with("* ")) {
        tagged(link, line);
        return !link.over;
    }
    bool silent = link.pending.empty() ? link.owner != selected_ : link.pending.front().silent;
    if (silent)
        return true;
    if (!link.pending.empty() && link.pending.front().collect) {
        if (piece.last)
            link.pending.front().collect(line);
        else
            link.collected = std::string(line);
        return !link.over;
    }
    // Whose mailbox is not selected has nothing to say of the one that is: an EXPUNGE of his would shift its numbers.
    if (link.owner != selected_ && (selected() || host_.has_view()) && !is_of_no_selected(line))
        return true;
    host_.forward(line);
    link.forwarding = !piece.last;
    return !link.over;
}

void Relay::tagged(Link& link, std::string_view line)
{
    auto [tag, status] = util::split_first(util::trim(line), ' ');
    if (link.pending.empty() || tag != link.pending.front().tag)
        return ended(link, false, "The other user's mailboxes cannot be understood");
    Pending pending = std::move(link.pending.front());
    link.pending.pop_front();
    if (pending.done)
        pending.done(std::string(status));
}

// The link stays in the list until nothing of it is in use.
void Relay::ended(Link& link, bool unknown, std::string_view reason)
{
    if (std::exchange(link.over, true))
        return;
    std::string text(reason);
    bool was_selected = link.owner == selected_;
    auto pending = std::exchange(link.pending, {});
    if (was_selected || link.forwarding) {
        selected_.clear();
        return host_.selected_lost(text);
    }
    for (auto& item : pending)
        if (item.done)
            item.done(unknown ? nonexistent : unavailable);
}

void Relay::give_up()
{
    ++busy_;
    std::vector<Link*> silent;   // what they hear may make new ones
    for (auto& link : links_)
        if (!link.pending.empty())
            silent.push_back(&link);
    for (auto* link : silent)
        ended(*link, false, "The other user's mailboxes do not answer");
    --busy_;
    tidy();
}

// Closes what is not needed any more; never while a link is calling.
void Relay::tidy()
{
    if (busy_ > 0)
        return;
    for (auto link = links_.begin(); link != links_.end();) {
        bool last = std::next(link) == links_.end();
        bool needed = !link->over && (!link->pending.empty() || link->owner == selected_ || last);
        link = needed ? std::next(link) : links_.erase(link);
    }
}

std::string non_synchronizing(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + 16);
    while (!text.empty()) {
        auto end = text.find("\r\n");
        syntax::Framer::LiteralStart literal;
        if (end == text.npos || syntax::find_literal(text.substr(0, end), literal) != syntax::LiteralMark::Literal)
            return out.append(text);
        out.append(text, 0, end);
        if (literal.synchronizing)
            out.insert(out.size() - 1, "+");
        auto count = std::min<std::uint64_t>(literal.size + 2, text.size() - end);
        out.append(text, end, std::size_t(count));
        text.remove_prefix(end + std::size_t(count));
    }
    return out;
}

}  // namespace imapd::engine
