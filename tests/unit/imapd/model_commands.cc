// The model: what its clients do, and what must come of it.
#include "tests/unit/imapd/model_world.h"

#include "libutil/text.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace model {

// One who may no longer read his mailbox is sent away, with his next command at the latest, and comes again.
bool World::leaves(Client& client)
{
    if (!client.box() || (client.may(*client.box(), 'r') && !client.session->finished()))
        return false;
    remember(client);
    note(util::concat(client.name(), " NOOP, without the right to read"));
    client.send("NOOP", true);
    come_again(client);
    return true;
}

void World::come_again(Client& client)
{
    settle();
    if (!client.session->finished())
        complain(util::concat(client.name(), " may go on without the right to read"));
    client.forget_mailbox();
    client.restart(scratch_.store());
    enable(client);
}

void World::set_access(Client& client, Box& box, const std::string& guest, std::string_view rights)
{
    box.rights[guest] = rights;
    say(client, util::concat("SETACL ", box.name, " ", guest, " \"", rights, "\""), true);
    expect(client, "");
}

void World::change_access(Client& client)
{
    constexpr std::string_view some[] = {"lrswite", "lrswite", "lrs", "lr", "lrsw", "lri", "lrste",
                                         "lrswt", "rwi", "lrte", "l", "", "lrswipkxtea"};
    auto& box = some_box();
    set_access(client, box, std::string(guest_names[pick(std::size(guest_names))]), some[pick(std::size(some))]);
}

void World::act(Client& client)
{
    if (leaves(client))
        return;
    if (!client.is_guest() && guests_ && chance(8))
        return change_access(client);
    if (!client.box() || chance(4))
        return select(client);
    switch (pick(14)) {
    case 0:
    case 1:
        return append(client);
    case 2:
    case 3:
        return store_flags(client);
    case 4:
        return expunge(client);
    case 5:
        return transfer(client);
    case 6:
    case 7:
        return search(client);
    case 8:
        return chance(40) ? fetch(client) : fetch_content(client);
    case 9:
        return status(client);
    case 10:
        return pipeline(client);
    case 11:
        return leave(client);
    case 12:
        return idle(client);
    default:
        return say(client, "NOOP", true);
    }
}

Flags World::some_flags()
{
    Flags flags;
    for (auto name : flag_names)
        if (chance(25))
            flags.emplace(name);
    return flags;
}

Box& World::some_box()
{
    return truth_[std::string(box_names[pick(std::size(box_names))])];
}

std::string World::list(const Flags& flags)
{
    std::string out = "(";
    for (const auto& flag : flags)
        util::append(out, out.size() > 1 ? " " : "", flag);
    return out + ")";
}

std::vector<std::uint32_t> World::some_uids(const Client& client)
{
    std::vector<std::uint32_t> uids;
    auto percent = unsigned(10 + pick(60));
    for (auto uid : client.known)
        if (chance(percent))
            uids.push_back(uid);
    return uids;
}

// The messages as a set, in one form or the other; "UID " or "" stands before the verb.
std::string World::set_for(Client& client, const std::vector<std::uint32_t>& uids, bool uid_form)
{
    std::vector<std::uint32_t> numbers;
    for (auto uid : uids)
        numbers.push_back(uid_form ? uid : client.sequence_of(uid));
    return set_of(numbers);
}

void World::append(Client& client)
{
    auto& box = some_box();
    auto flags = some_flags();
    auto subject = util::concat("s", pick(5));
    auto content = util::concat("Subject: ", subject, "\r\n\r\n", std::string(pick(40), 'x'), "\r\n");
    auto command = util::concat("APPEND ", client.named(box), " ", list(flags), " {", content.size(), "+}\r\n", content);
    if (!client.may(box, 'i'))
        return refused(client, command);
    // The truth comes first: responses are checked as they come.
    auto uid = box.uid_next++;
    Message message{uid, client.changeable(box, flags), subject, content.size(), {}};
    if (client.is_guest() && message.flags.erase("\\Seen"))
        message.seen_by.insert(client.kind.guest);
    box.messages.push_back(std::move(message));
    say(client, command, true);
    expect(client, util::concat("[APPENDUID ", box.uid_validity, " ", uid, "]"));
}

void World::refused(Client& client, const std::string& command)
{
    say(client, command, true);
    if (client.status != "NO")
        complain(util::concat("without the right to it answered ", client.status, " ", client.text));
}

void World::expect(Client& client, std::string_view text)
{
    if (client.status != "OK" || client.text.find(text) == std::string::npos)
        complain(util::concat("answered ", client.status, " ", client.text, ", not ", text));
}

// The flags of a message as this client sees them become these.
void World::set_flags(Client& client, Message& message, Flags flags)
{
    if (client.is_guest()) {
        if (flags.erase("\\Seen"))
            message.seen_by.insert(client.kind.guest);
        else
            message.seen_by.erase(client.kind.guest);
        if (message.flags.contains("\\Seen"))   // the owner's
            flags.insert("\\Seen");
    }
    message.flags = std::move(flags);
}

void World::store_flags(Client& client)
{
    auto uids = some_uids(client);
    if (uids.empty())
        return;
    bool uid_form = chance(50), silent = chance(40);
    auto flags = some_flags();
    auto operation = pick(3);
    auto* box = client.box();
    auto allowed = client.changeable(*box, flags);
    auto change = [&](Flags& of) {
        if (operation == 0)
            for (const auto& flag : client.changeable(*box, of))
                of.erase(flag);
        for (const auto& flag : allowed) {
            if (operation != 2)
                of.insert(flag);
            else
                of.erase(flag);
        }
    };
    // RFC 4314 §4: a right to some of it is enough.
    bool any = !client.changeable(*box, {"\\Seen", "\\Deleted", "work"}).empty();
    bool may = flags.empty() || !allowed.empty() || (operation == 0 && any);
    if (client.read_only)
        may = false;
    bool missing = false;
    for (auto uid : uids) {
        auto* message = box->find(uid);
        missing = missing || !message;
        if (!message || !may)
            continue;
        auto now = client.seen_flags(*message);
        change(now);
        set_flags(client, *message, std::move(now));
        if (silent && client.told.contains(uid))
            change(client.told[uid]);
    }
    constexpr std::string_view operations[] = {"", "+", "-"};
    say(client,
        util::concat(uid_form ? "UID " : "", "STORE ", set_for(client, uids, uid_form), " ", operations[operation],
                     "FLAGS", silent ? ".SILENT " : " ", list(flags)),
        uid_form);
    if (client.status != (!may || (missing && !uid_form) ? "NO" : "OK"))
        complain(util::concat("STORE answered ", client.status, " ", client.text));
}

void World::expunge(Client& client)
{
    auto* box = client.box();
    bool by_uid = chance(40);
    auto uids = by_uid ? some_uids(client) : client.known;
    if (by_uid && uids.empty())
        return;
    bool may = !client.read_only && client.may(*box, 'e');
    if (may)
        std::erase_if(box->messages, [&](const Message& message) {
            return message.flags.contains("\\Deleted") && std::ranges::find(uids, message.uid) != uids.end();
        });
    say(client, by_uid ? util::concat("UID EXPUNGE ", set_of(uids)) : "EXPUNGE", true);
    if (client.status != (may ? "OK" : "NO"))
        complain(util::concat("EXPUNGE answered ", client.status));
}

void World::transfer(Client& client)
{
    auto uids = some_uids(client);
    if (uids.empty())
        return;
    bool uid_form = chance(50), moving = chance(50);
    auto* from = client.box();
    auto& to = some_box();
    std::vector<Message> present;
    for (auto uid : uids)
        if (auto* message = from->find(uid))
            present.push_back(*message);
    bool may_move = !client.read_only && client.may(*from, 't') && client.may(*from, 'e');
    bool refused = (moving && !may_move) || !client.may(to, 'i') || (!uid_form && present.size() < uids.size());
    if (!refused) {
        if (moving)
            std::erase_if(from->messages, [&](const Message& message) {
                return std::ranges::any_of(present, [&](const Message& m) { return m.uid == message.uid; });
            });
        for (auto message : present) {
            message.uid = to.uid_next++;
            // What a guest has no right to set does not come along; of other readers nothing is known there.
            auto seen = std::exchange(message.seen_by, {});
            if (client.is_guest()) {
                bool owner_has = message.flags.erase("\\Seen");
                message.flags = client.changeable(to, message.flags);
                if (owner_has)
                    message.flags.insert("\\Seen");
                if (seen.contains(client.kind.guest) && client.may(to, 's'))
                    message.seen_by.insert(client.kind.guest);
            }
            to.messages.push_back(message);
        }
    }
    say(client,
        util::concat(uid_form ? "UID " : "", moving ? "MOVE " : "COPY ", set_for(client, uids, uid_form), " ",
                     client.named(to)),
        true);
    if (client.status != (refused ? "NO" : "OK"))
        complain(util::concat("COPY or MOVE answered ", client.status, " ", client.text));
}

void World::fetch(Client& client)
{
    auto uids = some_uids(client);
    if (uids.empty())
        return;
    bool uid_form = chance(50);
    say(client,
        util::concat(uid_form ? "UID " : "", "FETCH ", set_for(client, uids, uid_form), " (FLAGS UID RFC822.SIZE",
                     client.kind.qresync ? " MODSEQ" : "", ")"),
        uid_form);
    // Each that is there was told (UID forms may tell of others behind them).
    for (auto uid : uids)
        if (client.box()->find(uid) && std::ranges::find(client.fetched, uid) == client.fetched.end())
            complain(util::concat("FETCH left out ", uid));
}

// RFC 9051 §6.4.5: most of it sets \Seen; RFC 4314 §4: for those who have the right to.
void World::fetch_content(Client& client)
{
    struct Item {
        std::string_view text;
        bool marks;
    };
    constexpr Item some[] = {{"BODY[]", true}, {"BODY[]<3.7>", true}, {"BODY[HEADER]", true}, {"BODY[TEXT]", true},
                             {"BINARY[]", true}, {"RFC822", true}, {"RFC822.TEXT", true}, {"RFC822.HEADER", false},
                             {"BODY.PEEK[]", false}, {"BINARY.PEEK[]", false}};
    auto uids = some_uids(client);
    if (uids.empty())
        return;
    bool uid_form = chance(50);
    const auto& item = some[pick(std::size(some))];
    bool marks = item.marks && !client.read_only && client.may(*client.box(), 's');
    std::vector<std::uint32_t> marked;
    for (auto uid : uids) {
        auto* message = client.box()->find(uid);
        if (!message || !marks)
            continue;
        auto flags = client.seen_flags(*message);
        if (flags.insert("\\Seen").second)
            marked.push_back(uid);
        set_flags(client, *message, std::move(flags));
    }
    constexpr std::string_view before[] = {"", "FLAGS ", "UID "};
    constexpr std::string_view behind[] = {"", " FLAGS"};
    say(client,
        util::concat(uid_form ? "UID " : "", "FETCH ", set_for(client, uids, uid_form), " (", before[pick(3)], item.text,
                     behind[pick(2)], client.kind.qresync && chance(50) ? " MODSEQ)" : ")"),
        uid_form, marks);
    for (auto uid : uids)
        if (client.box()->find(uid) && std::ranges::find(client.fetched, uid) == client.fetched.end())
            complain(util::concat("FETCH left out ", uid));
    for (auto uid : marked)
        if (!client.told[uid].contains("\\Seen"))
            complain(util::concat("FETCH has marked uid ", uid, " and does not say so"));
}

void World::status(Client& client)
{
    auto& box = some_box();
    auto command = util::concat("STATUS ", client.named(box), " (MESSAGES UIDNEXT UNSEEN DELETED SIZE)");
    if (!client.may(box, 'r'))
        return refused(client, command);
    say(client, command, true);
    std::uint64_t unseen = 0, deleted = 0, size = 0;
    for (const auto& message : box.messages) {
        unseen += !client.seen_flags(message).contains("\\Seen");
        deleted += message.flags.contains("\\Deleted");
        size += message.size;
    }
    std::map<std::string, std::uint64_t> wanted = {{"MESSAGES", box.messages.size()}, {"UIDNEXT", box.uid_next},
                                                   {"UNSEEN", unseen}, {"DELETED", deleted}, {"SIZE", size}};
    if (client.counts != wanted)
        complain(util::concat("STATUS of ", box.name, " is wrong"));
}

// Two commands at once: numbers of the second mean what they meant when it was sent.
void World::pipeline(Client& client)
{
    auto uids = some_uids(client);
    if (uids.empty())
        return;
    client.feed(client.tagged("NOOP").append(""));
    say(client, util::concat("FETCH ", set_for(client, uids, false), " (UID FLAGS)"), true);
}

void World::idle(Client& client)
{
    auto bytes = client.tagged("IDLE");
    note(util::concat(client.name(), " IDLE"));
    client.send_allowed(true);
    client.feed(bytes);
    settle();
    auto& other = *clients_[pick(clients_.size())];
    if (&other != &client && guests_ && !other.is_guest() && chance(50))
        change_access(other);
    else if (&other != &client)
        act_quietly(other);
    if (client.box() && !client.may(*client.box(), 'r'))
        return come_again(client);   // at once
    client.feed("DONE\r\n");
    settle();
    say(client, "NOOP", true);
}

void World::act_quietly(Client& client)
{
    if (leaves(client))
        return;
    if (!client.box())
        return select(client);
    switch (pick(4)) {
    case 0:
    case 1:
        return store_flags(client);
    case 2:
        return fetch_content(client);
    default:
        return expunge(client);
    }
}

void World::leave(Client& client)
{
    remember(client);
    bool closing = chance(50);
    if (closing && !client.read_only && client.may(*client.box(), 'e'))
        std::erase_if(client.box()->messages, [&](const Message& message) {
            return message.flags.contains("\\Deleted") && std::ranges::find(client.known, message.uid) != client.known.end();
        });
    say(client, closing ? "CLOSE" : "UNSELECT", false);
    client.forget_mailbox();
}

void World::remember(Client& client)
{
    if (client.kind.qresync && client.box() && client.modseq > 0)
        client.memories[client.selected] = {client.box()->uid_validity, client.modseq, client.told};
}

void World::select(Client& client)
{
    if (client.box())
        remember(client);
    auto& box = some_box();
    const auto& name = box.name;
    client.forget_mailbox();
    if (!client.may(box, 'r'))
        return refused(client, util::concat("SELECT ", client.named(box)));
    client.selected = name;
    client.read_only = chance(15);
    auto memory = client.memories.find(name);
    bool resync = memory != client.memories.end() && chance(80);
    std::string parameters;
    if (resync) {
        client.told = memory->second.flags;
        parameters = util::concat(" (QRESYNC (", memory->second.uid_validity, " ", memory->second.modseq, "))");
    }
    say(client, util::concat(client.read_only ? "EXAMINE " : "SELECT ", client.named(box), parameters), false);
    bool changes = false;
    for (char right : {'i', 'e', 'w', 't'})
        changes = changes || (!client.read_only && client.may(box, right));
    expect(client, changes ? "[READ-WRITE]" : "[READ-ONLY]");
    if (client.known.size() != client.box()->messages.size())
        complain("SELECT told another number of messages");
    if (resync) {
        // With what it knew and what it was told it knows all there is but new mail.
        for (const auto& [uid, flags] : client.told) {
            auto* message = client.box()->find(uid);
            if (!message || client.seen_flags(*message) != flags)
                complain(util::concat("after QRESYNC uid ", uid, message ? " has other flags" : " is gone untold"));
        }
    }
    if (!client.known.empty())
        say(client, client.kind.qresync ? "FETCH 1:* (UID FLAGS MODSEQ)" : "FETCH 1:* (UID FLAGS)", false);
    if (follows_ && chance(60))
        follow(client);
}

// The results of a search are followed for as long as the mailbox is selected.
void World::follow(Client& client)
{
    bool by_uid = chance(50);
    say(client, util::concat(by_uid ? "UID " : "", "SEARCH RETURN (UPDATE ALL) UNSEEN"), by_uid);
    client.begin_following(by_uid);
}

}  // namespace model
