// The model: turns, the story of a failure, and what must be true after each.
#include "tests/unit/imapd/model_world.h"

#include "libutil/text.h"

#include <algorithm>
#include <iterator>

namespace model {

World::World(unsigned seed, Parking parking, bool follows, bool guests)
    : random_(seed), park_random_(seed), seed_(seed), parking_(parking), follows_(follows), guests_(guests)
{
    for (auto name : box_names)
        truth_[std::string(name)] = {std::string(name), (*scratch_.store().mailbox(name))->uid_validity, 1, {}, {}};
    add({}, "a");
    add({.rev2 = true}, "b");
    add({.qresync = true}, "c");
    add({.rev2 = true, .qresync = true}, "d");
    if (guests) {
        for (auto& [name, box] : truth_)
            for (auto guest : guest_names)
                set_access(*clients_.front(), box, std::string(guest), "lrswite");
        add({.guest = std::string(guest_names[0])}, "g");
        add({.rev2 = true, .qresync = true, .guest = std::string(guest_names[0])}, "h");
        add({.rev2 = true, .guest = std::string(guest_names[1])}, "i");
        add({.qresync = true, .guest = std::string(guest_names[1])}, "j");
    }
    if (follows)
        add({.deaf = true}, "k");
    listen();
}

void World::run(int steps)
{
    for (int step = 0; step < steps && !failed(); ++step) {
        auto& client = *clients_[pick(clients_.size())];
        client.status.clear();  // what is checked is an answer of this step
        act(client);
        settle();
        check(client);
        if (step % 25 == 24)
            check_all();
    }
}

std::string World::heard() const
{
    std::string all;
    for (const auto& client : clients_)
        util::append(all, client->name(), "\n", client->heard());
    for (const auto& [name, box] : truth_) {
        auto number = std::to_string(box.uid_validity);
        for (auto at = all.find(number); at != std::string::npos; at = all.find(number, at))
            all.replace(at, number.size(), name);
    }
    return all;
}

void World::listen()
{
    scratch_.store().on_change([this](store::MailboxId mailbox) {
        for (auto& client : clients_)
            client->session->store_changed(mailbox);
    });
}

void World::park_some()
{
    if (parking_ == Parking::Never || failed())
        return;
    if (parking_ == Parking::WithTheStore && park_random_() % 20 == 0 &&
        std::ranges::all_of(clients_, [](const auto& client) { return client->rest(); })) {
        for (auto& client : clients_)
            client->session.reset();
        scratch_.reopen();
        for (auto& client : clients_)
            client->restore(scratch_.store());
        listen();
        parked_ += clients_.size();
    }
    for (auto& client : clients_)
        if (park_random_() % 100 < 30)
            parked_ += client->park(scratch_.store());
}

void World::complain(const std::string& what)
{
    if (failed())
        return;
    complaint_ = util::concat("seed ", seed_, ": ", what);
    for (const auto& past : history_)
        util::append(complaint_, "\n  ", past);
}

void World::note(const std::string& what)
{
    history_.push_back(what);
    if (history_.size() > 60)
        history_.pop_front();
}

void World::add(Kind kind, std::string name)
{
    clients_.push_back(std::make_unique<Client>(scratch_.store(), truth_, kind, name,
                                                [this](const std::string& what) { complain(what); },
                                                [this](const std::string& what) { note(what); }));
    enable(*clients_.back());
}

void World::enable(Client& client)
{
    if (client.kind.rev2)
        say(client, "ENABLE IMAP4rev2", true);
    if (client.kind.qresync)
        say(client, "ENABLE QRESYNC", true);
    if (client.kind.deaf) {
        say(client, "ENABLE CONDSTORE", true);
        say(client, "NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge))", true);
    }
}

void World::say(Client& client, const std::string& command, bool expunges_allowed, bool marks)
{
    note(util::concat(client.name(), " (", client.kind.rev2 ? "rev2" : "rev1", client.kind.qresync ? ", qresync, " : ", ",
                      client.selected, ") ", command.substr(0, command.find('\r'))));
    client.fetches = command.starts_with("FETCH") || command.starts_with("UID FETCH") || command.starts_with("SELECT");
    client.marks = marks;
    client.send(command, expunges_allowed);
    settle();
    if (client.waits())
        complain("no answer");
}

// Until nobody has anything to do.
void World::settle()
{
    auto& store = scratch_.store();
    for (bool busy = true; busy && !failed();) {
        busy = false;
        for (auto& client : clients_) {
            client->hear();
            if (client->session->has_work()) {
                client->session->work();
                busy = true;
            }
        }
        if (store.last() > store.durable()) {
            busy = store.sync().ok() && store.collect().ok();
            for (auto& client : clients_)
                client->session->durable_grew();
        }
    }
    for (auto& client : clients_)
        client->hear();
    park_some();
    for (auto& client : clients_)
        client->hear();
    for (auto& client : clients_)
        for (auto uid : client->doubtful)
            if (client->box()->find(uid))
                complain(util::concat(client->name(), " was told other flags of uid ", uid));
}

// What a client was told of flags is true once its command is answered.
void World::check(Client& client)
{
    // After NO the server may wait for the next command to tell what is new.
    if (!client.box() || client.status != "OK")
        return;
    for (auto uid : client.kind.deaf ? std::vector<std::uint32_t>() : client.known) {
        auto* message = client.box()->find(uid);
        auto told = client.told.find(uid);
        if (message && told != client.told.end() && told->second != client.seen_flags(*message))
            complain(util::concat("flags of uid ", uid, " were changed untold: ", list(told->second), " is ",
                                  list(client.seen_flags(*message))));
    }
    std::string permanent;
    for (char right : {'s', 'w', 't'})
        if (!client.read_only && client.may(*client.box(), right))
            permanent += right;
    if (client.permanent != permanent)
        complain(util::concat(client.name(), " was told that it can change ", client.permanent, ", not ", permanent));
}

void World::check_all()
{
    for (auto& client : clients_) {
        if (!client->box() || failed() || leaves(*client))
            continue;
        say(*client, "NOOP", true);
        check(*client);
        std::vector<std::uint32_t> there;
        for (const auto& message : client->box()->messages)
            there.push_back(message.uid);
        std::set<std::uint32_t> unseen;
        for (const auto& message : client->box()->messages)
            if (!client->seen_flags(message).contains("\\Seen"))
                unseen.insert(message.uid);
        if (!client->followed_tag.empty() && client->followed != unseen)
            complain(util::concat(client->name(), " follows ", set_of({client->followed.begin(), client->followed.end()}),
                                  ", there are ", set_of({unseen.begin(), unseen.end()}), " unseen"));
        if (client->known != there)
            complain(util::concat("after NOOP known are ", set_of(client->known), ", there are ", set_of(there)));
    }
}

}  // namespace model
