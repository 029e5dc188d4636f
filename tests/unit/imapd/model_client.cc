// A client of the model test.
#include "tests/unit/imapd/model_client.h"

#include "imapd/syntax/sequence_set.h"
#include "libutil/text.h"

#include <algorithm>

namespace model {

namespace {

std::uint64_t number(std::string_view text)
{
    return util::parse_unsigned(text, UINT64_MAX).value_or(0);
}

// Takes the word before the next space.
std::string_view word(std::string_view& text)
{
    auto end = std::min(text.find(' '), text.size());
    auto taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

// Takes "(..)", which holds no further parentheses, and a space behind it.
std::string_view list(std::string_view& text)
{
    auto end = std::min(text.find(')'), text.size());
    auto taken = text.substr(1, end - 1);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (text.starts_with(' '))
        text.remove_prefix(1);
    return taken;
}

}  // namespace

std::vector<std::uint32_t> numbers_of(std::string_view set)
{
    std::vector<std::uint32_t> out;
    while (!set.empty()) {
        auto item = set.substr(0, set.find(','));
        set.remove_prefix(std::min(item.size() + 1, set.size()));
        auto colon = item.find(':');
        auto first = std::uint32_t(number(item.substr(0, colon)));
        auto last = colon == std::string_view::npos ? first : std::uint32_t(number(item.substr(colon + 1)));
        for (auto n = first; n <= last && n - first < 100'000; ++n)
            out.push_back(n);
    }
    return out;
}

std::string set_of(const std::vector<std::uint32_t>& numbers)
{
    std::string out;
    imapd::syntax::SetWriter set(out);
    for (auto n : numbers)
        set.add(n);
    set.finish();
    return out;
}

Flags flags_of(std::string_view list)
{
    Flags flags;
    while (!list.empty())
        flags.emplace(word(list));
    return flags;
}

Message* Box::find(std::uint32_t uid)
{
    auto found = std::find_if(messages.begin(), messages.end(), [uid](const Message& m) { return m.uid == uid; });
    return found == messages.end() ? nullptr : &*found;
}

Client::Client(store::Store& store, Truth& truth, Kind what, std::string name, Complain complain,
               Complain note)
    : kind(std::move(what)), truth_(truth), name_(std::move(name)), complain_(std::move(complain)), note_(std::move(note))
{
    restart(store);
}

void Client::restart(store::Store& store)
{
    imapd::engine::SessionFacts facts;
    facts.user = owner_name;
    facts.guest = kind.guest;
    if (is_guest())
        facts.guest_prefix = guest_prefix;
    session = std::make_unique<imapd::engine::Session>(store, std::move(facts));
}

std::string Client::named(const Box& box) const
{
    return util::concat(is_guest() ? guest_prefix : "", box.name);
}

bool Client::may(const Box& box, char right) const
{
    if (!is_guest())
        return true;
    auto rights = box.rights.find(kind.guest);
    return rights != box.rights.end() && rights->second.find(right) != std::string::npos;
}

Flags Client::seen_flags(const Message& message) const
{
    auto flags = message.flags;
    if (is_guest()) {
        flags.erase("\\Seen");
        if (message.seen_by.contains(kind.guest))
            flags.insert("\\Seen");
    }
    return flags;
}

Flags Client::changeable(const Box& box, const Flags& flags) const
{
    Flags some;
    for (const auto& flag : flags)
        if (may(box, flag == "\\Seen" ? 's' : flag == "\\Deleted" ? 't' : 'w'))
            some.insert(flag);
    return some;
}

void Client::complain(std::string_view what)
{
    complain_(util::concat(name_, ": ", what, "\n  at: ", last_));
}

std::string Client::tagged(std::string_view command)
{
    auto tag = util::concat(name_, ++tags_);
    other_tags_.insert(tag);
    return util::concat(tag, " ", command, "\r\n");
}

void Client::send(std::string_view command, bool expunges_allowed)
{
    tag_ = util::concat(name_, ++tags_);
    status.clear();
    text.clear();
    earlier.clear();
    fetched.clear();
    found.clear();
    extended.clear();
    counts.clear();
    has_found = false;
    updates_.clear();
    expunges_allowed_ = expunges_allowed;
    feed(util::concat(tag_, " ", command, "\r\n"));
}

void Client::feed(std::string_view bytes)
{
    session->feed(bytes);
}

bool Client::rest()
{
    auto resting = session->rest();
    if (resting)
        state_ = std::move(resting->state);
    return resting.has_value();
}

void Client::restore(store::Store& store)
{
    restart(store);
    if (!session->restore(state_).ok())
        complain("the session cannot be restored");
    session->catch_up();
}

bool Client::park(store::Store& store)
{
    if (!rest())
        return false;
    restore(store);
    return true;
}

void Client::hear()
{
    heard_ += session->output();
    waiting_ += session->output();
    session->output().clear();
    while (next_line()) {
        note_(util::concat("  ", name_, " hears ", last_.substr(0, 120)));
        line(last_);
    }
}

// Takes a line, and the literals in it.
bool Client::next_line()
{
    std::string taken;
    std::vector<std::string> literals;
    std::size_t at = 0;
    for (;;) {
        auto end = waiting_.find("\r\n", at);
        if (end == std::string::npos)
            return false;
        taken += waiting_.substr(at, end - at);
        at = end + 2;
        auto open = taken.rfind('{');
        if (!taken.ends_with('}') || open == std::string::npos)
            break;
        auto size = std::size_t(number(std::string_view(taken).substr(open + 1, taken.size() - open - 2)));
        if (waiting_.size() - at < size)
            return false;
        literals.push_back(waiting_.substr(at, size));
        at += size;
    }
    waiting_.erase(0, at);
    last_ = std::move(taken);
    literals_ = std::move(literals);
    return true;
}

void Client::line(std::string_view line)
{
    if (line.starts_with("+ "))
        return;
    if (line.starts_with("* "))
        return untagged(line.substr(2));
    auto tag = word(line);
    auto verdict = word(line);
    if (other_tags_.erase(std::string(tag)) > 0)
        return;
    if (tag != tag_)
        return complain("an answer to nothing");
    if (!status.empty())
        return complain("two answers");
    status = verdict;
    text = line;
    code(line);
}

void Client::code(std::string_view response)
{
    constexpr std::string_view highest = "[HIGHESTMODSEQ ";
    if (response.starts_with(highest))
        modseq = std::max(modseq, number(response.substr(highest.size(), response.find(']') - highest.size())));
}

void Client::untagged(std::string_view response)
{
    auto rest = response;
    auto what = word(rest);
    if (!what.empty() && util::is_digit(what.front()))
        return numbered(std::uint32_t(number(what)), rest);
    if (what == "OK" && rest.starts_with("[PERMANENTFLAGS (")) {
        rest.remove_prefix(16);
        auto flags = flags_of(list(rest));
        permanent.clear();
        for (auto [flag, right] : {std::pair("\\Seen", 's'), std::pair("\\Flagged", 'w'), std::pair("\\Deleted", 't')})
            if (flags.contains(flag))
                permanent += right;
        bool all = flags.contains("\\Flagged");
        if (flags.contains("\\*") != all || flags.contains("\\Answered") != all || flags.contains("\\Draft") != all)
            complain("PERMANENTFLAGS has some of what goes together");
        return;
    }
    if (what == "OK")
        return code(rest);
    if (what == "BYE") {
        if (!is_guest() || selected.empty() || may(truth_[selected], 'r'))
            complain("BYE without a reason");
        return;
    }
    if (what == "VANISHED")
        return vanished(rest);
    if (what == "SEARCH")
        return search(rest);
    if (what == "ESEARCH")
        return esearch(rest);
    if (what == "STATUS") {
        word(rest);
        auto items = list(rest);
        while (!items.empty()) {
            auto name = word(items);
            counts[std::string(name)] = number(word(items));
        }
        return;
    }
    if (what != "FLAGS" && what != "LIST" && what != "ENABLED")
        complain("an unknown response");
}

void Client::numbered(std::uint32_t n, std::string_view what)
{
    if (what == "EXISTS")
        return exists(n);
    if (what == "EXPUNGE")
        return expunge(n);
    if (what == "RECENT") {
        if (kind.rev2)
            complain("RECENT in IMAP4rev2");
        return;
    }
    if (!what.starts_with("FETCH ("))
        return complain("an unknown response");
    fetch(n, what.substr(7, what.size() - 8));
}

void Client::exists(std::uint32_t count)
{
    if (count < known.size())
        return complain("EXISTS shrinks");
    auto after = known.empty() ? 0 : known.back();
    for (const auto& message : truth_[selected].messages)
        if (message.uid > after && known.size() < count)
            known.push_back(message.uid);
    if (known.size() != count)
        complain("more messages than there are");
}

void Client::expunge(std::uint32_t n)
{
    if (kind.qresync)
        return complain("EXPUNGE with QRESYNC");
    if (!expunges_allowed_)
        return complain("EXPUNGE now");
    if (n == 0 || n > known.size())
        return complain("EXPUNGE of nothing");
    if (truth_[selected].find(known[n - 1]))
        return complain("EXPUNGE of what is there");
    told.erase(known[n - 1]);
    known.erase(known.begin() + n - 1);
}

void Client::vanished(std::string_view set)
{
    if (!kind.qresync)
        return complain("VANISHED without QRESYNC");
    bool is_earlier = set.starts_with("(EARLIER) ");
    if (is_earlier)
        set.remove_prefix(10);
    else if (!expunges_allowed_)
        complain("VANISHED now");
    for (auto uid : numbers_of(set)) {
        if (truth_[selected].find(uid))
            complain("VANISHED what is there");
        if (is_earlier) {
            earlier.insert(uid);
            told.erase(uid);
            continue;
        }
        auto at = std::find(known.begin(), known.end(), uid);
        if (at == known.end())
            return complain("VANISHED what was not known");
        known.erase(at);
        told.erase(uid);
    }
}

void Client::fetch(std::uint32_t n, std::string_view items)
{
    if (n == 0 || n > known.size())
        return complain("FETCH of nothing");
    auto uid = known[n - 1];
    auto* message = truth_[selected].find(uid);
    bool has_uid = false, has_modseq = false, has_flags = false;
    while (!items.empty()) {
        auto item = word(items);
        if (item == "UID") {
            has_uid = true;
            if (number(word(items)) != uid)
                complain("another UID");
        } else if (item == "FLAGS") {
            has_flags = true;
            auto flags = flags_of(list(items));
            if (flags.erase("\\Recent") && kind.rev2)
                complain("\\Recent in IMAP4rev2");
            doubtful.erase(uid);
            if (message && flags != seen_flags(*message)) {
                if (!(marks && kind.hears_modseqs()))
                    complain("other flags");
                doubtful.insert(uid);
            }
            told[uid] = flags;
        } else if (item == "MODSEQ") {
            has_modseq = true;
            if (number(list(items)) > session->store().visible())
                complain("a modseq that may not be shown");
        } else if (item == "RFC822.SIZE") {
            if (auto size = number(word(items)); message && size != message->size)
                complain("another size");
        } else if (auto size = word(items); size.starts_with('{')) {
            content(item, size, message);
        } else {
            return complain("an unknown item");
        }
    }
    // RFC 7162 §3.2.4; of FETCH itself MODSEQ is there only if it was asked for.
    if (kind.qresync && (!has_uid || (has_flags && !has_modseq && !fetches)))
        complain("UID or MODSEQ is missing");
    fetched.push_back(uid);
}

// The text of a message, or a part of it.
void Client::content(std::string_view item, std::string_view size, const Message* message)
{
    if (literals_.empty())
        return complain("a literal is missing");
    auto literal = std::move(literals_.front());
    literals_.erase(literals_.begin());
    if (size != util::concat("{", literal.size(), "}"))
        complain("a literal of another size");
    if (message && (item == "BODY[]" || item == "RFC822") &&
        (literal.size() != message->size || !literal.starts_with(util::concat("Subject: ", message->subject, "\r\n"))))
        complain("the text of another message");
}

void Client::search(std::string_view numbers)
{
    if (kind.rev2)
        complain("SEARCH in IMAP4rev2");
    has_found = true;
    while (!numbers.empty())
        found.push_back(std::uint32_t(number(word(numbers))));
}

void Client::begin_following(bool by_uid)
{
    followed_tag = tag_;
    followed_by_uid = by_uid;
    followed.clear();
    for (auto n : found)
        followed.insert(by_uid ? n : known.at(n - 1));
    for (const auto& update : std::exchange(updates_, {}))
        follow(update);
}

// RFC 5267 §4.3: what comes and what goes, each once.
void Client::follow(std::string_view data)
{
    if (followed_by_uid != (data == "UID" || data.starts_with("UID ")))
        return complain("a followed search changed its form");
    if (followed_by_uid)
        word(data);
    while (!data.empty()) {
        auto name = word(data);
        auto value = list(data);
        if (word(value) != "0" || (name != "ADDTO" && name != "REMOVEFROM"))
            return complain("another position, or something else");
        for (auto n : numbers_of(value)) {
            if (!followed_by_uid && (n == 0 || n > known.size()))
                return complain("a number beyond the mailbox in a followed search");
            auto uid = followed_by_uid ? n : known[n - 1];
            if (name == "ADDTO" ? !followed.insert(uid).second : followed.erase(uid) == 0)
                return complain("a followed search was told a second time");
        }
    }
}

void Client::esearch(std::string_view data)
{
    // What is new may be told right behind the answer.
    bool update = data.find(" ADDTO (") != std::string_view::npos || data.find(" REMOVEFROM (") != std::string_view::npos;
    if (update && data.starts_with(util::concat("(TAG \"", followed_tag.empty() ? tag_ : followed_tag, "\")"))) {
        (void)list(data);
        if (!followed_tag.empty())
            return follow(data);
        updates_.emplace_back(data);
        return;
    }
    has_found = true;
    if (!data.starts_with("(TAG \"") || list(data) != util::concat("TAG \"", tag_, "\""))
        return complain("ESEARCH without its tag");
    if (data == "UID" || data.starts_with("UID "))
        word(data);
    while (!data.empty()) {
        auto name = word(data);
        auto value = data.starts_with('(') ? list(data) : word(data);
        if (name == "ALL")
            found = numbers_of(value);
        else
            extended[std::string(name)] = value;
    }
}

std::uint32_t Client::sequence_of(std::uint32_t uid) const
{
    auto at = std::lower_bound(known.begin(), known.end(), uid);
    return at != known.end() && *at == uid ? std::uint32_t(at - known.begin() + 1) : 0;
}

void Client::forget_mailbox()
{
    selected.clear();
    followed_tag.clear();
    followed.clear();
    known.clear();
    told.clear();
    modseq = 0;
    permanent.clear();
    doubtful.clear();
}

}  // namespace model
