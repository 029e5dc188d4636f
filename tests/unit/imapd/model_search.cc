// The model: SEARCH and what it saves.
#include "tests/unit/imapd/model_world.h"

#include "libutil/text.h"

#include <algorithm>
#include <utility>

namespace model {

World::Test World::key(Client& client, std::string& text, int depth)
{
    switch (pick(depth > 3 ? 7 : 10)) {
    case 0: {
        auto flag = std::string(flag_names[pick(5)]);
        bool set = chance(50);
        util::append(text, set ? "" : "UN", util::upper(flag.substr(1)));
        return [flag, set, &client](const Message& message) { return client.seen_flags(message).contains(flag) == set; };
    }
    case 1: {
        auto word = std::string(flag_names[5 + pick(2)]);
        util::append(text, "KEYWORD ", word);
        return [word](const Message& message) { return message.flags.contains(word); };
    }
    case 2: {
        auto subject = util::concat("s", pick(6));
        util::append(text, "SUBJECT ", subject);
        return [subject](const Message& message) { return message.subject == subject; };
    }
    case 3: {
        auto size = 14 + pick(50);
        util::append(text, "LARGER ", size);
        return [size](const Message& message) { return message.size > size; };
    }
    case 4:
    case 5: {
        auto uids = some_uids(client);
        if (uids.empty())
            break;
        bool uid_form = chance(50);
        util::append(text, uid_form ? "UID " : "", set_for(client, uids, uid_form));
        return [uids](const Message& message) { return std::ranges::find(uids, message.uid) != uids.end(); };
    }
    case 7: {
        text += "NOT ";
        auto inner = key(client, text, depth + 1);
        return [inner](const Message& message) { return !inner(message); };
    }
    case 8: {
        text += "OR ";
        auto one = key(client, text, depth + 1);
        text += ' ';
        auto two = key(client, text, depth + 1);
        return [one, two](const Message& message) { return one(message) || two(message); };
    }
    case 9: {
        text += '(';
        auto one = key(client, text, depth + 1);
        text += ' ';
        auto two = key(client, text, depth + 1);
        text += ')';
        return [one, two](const Message& message) { return one(message) && two(message); };
    }
    default:
        break;
    }
    text += "ALL";
    return [](const Message&) { return true; };
}

std::vector<std::uint32_t> World::hits(Client& client, const Test& test)
{
    std::vector<std::uint32_t> uids;
    for (auto uid : client.known)
        if (auto* message = client.box()->find(uid); message && test(*message))
            uids.push_back(uid);
    return uids;
}

void World::search(Client& client)
{
    bool uid_form = chance(50), extended = chance(60);
    std::string text;
    auto test = key(client, text, 0);
    auto uids = hits(client, test);
    std::vector<std::uint32_t> wanted;
    for (auto uid : uids)
        wanted.push_back(uid_form ? uid : client.sequence_of(uid));
    bool min = chance(40), max = chance(40), count = chance(40), save = chance(40), page = chance(30);
    std::string returns;
    for (auto [on, name] : {std::pair(min, "MIN "), std::pair(max, "MAX "), std::pair(count, "COUNT "),
                            std::pair(save, "SAVE "), std::pair(page, "PARTIAL -1:-3 "),
                            std::pair(!page, "ALL ")})
        returns += on ? name : "";
    returns.pop_back();
    say(client, util::concat(uid_form ? "UID " : "", "SEARCH ", extended ? util::concat("RETURN (", returns, ") ") : "", text),
        uid_form);
    if (client.status != "OK" || !client.has_found)
        return complain(util::concat("SEARCH answered ", client.status, " ", client.text));
    if (!extended || !page) {
        if (client.found != wanted)
            complain(util::concat("SEARCH found ", set_of(client.found), ", not ", set_of(wanted)));
    }
    if (!extended)
        return;
    std::map<std::string, std::string> all;
    if (min && !wanted.empty())
        all["MIN"] = util::concat(wanted.front());
    if (max && !wanted.empty())
        all["MAX"] = util::concat(wanted.back());
    if (count)
        all["COUNT"] = util::concat(wanted.size());
    std::vector<std::uint32_t> last(wanted.end() - std::ptrdiff_t(std::min<std::size_t>(3, wanted.size())), wanted.end());
    if (page)
        all["PARTIAL"] = util::concat("-1:-3 ", last.empty() ? "NIL" : set_of(last));
    if (client.extended != all)
        complain("ESEARCH told other numbers");
    if (save)
        use_saved(client, uids, min, max, count, page);
}

// `$` is what RFC 5182 §2.1 and RFC 9394 §3.2 say.
void World::use_saved(Client& client, const std::vector<std::uint32_t>& uids, bool min, bool max, bool count, bool page)
{
    std::set<std::uint32_t> wanted(uids.begin(), uids.end());
    if (page && !count) {
        wanted.clear();
        wanted.insert(uids.end() - std::ptrdiff_t(std::min<std::size_t>(3, uids.size())), uids.end());
        if (min && !uids.empty())
            wanted.insert(uids.front());
        if (max && !uids.empty())
            wanted.insert(uids.back());
    }
    bool uid_form = chance(50);
    say(client, uid_form ? "UID FETCH $ (UID FLAGS)" : "FETCH $ (UID FLAGS)", uid_form);
    std::set<std::uint32_t> fetched(client.fetched.begin(), client.fetched.end());
    std::erase_if(wanted, [&](std::uint32_t uid) { return !client.box()->find(uid); });
    for (auto uid : wanted)
        if (!fetched.contains(uid))
            complain(util::concat("$ has no ", uid));
    if (!uid_form && fetched != wanted)
        complain("$ has more than it should");
}

}  // namespace model
