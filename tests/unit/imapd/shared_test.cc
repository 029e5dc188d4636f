// Mailboxes of other users: a session and the guest's sessions that it has with their owners, without processes.
#include "imapd/engine/relay.h"
#include "imapd/engine/response_reader.h"
#include "imapd/engine/session.h"
#include "imapd/engine/url_fetch.h"
#include "libutil/text.h"
#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/unhurried.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <deque>
#include <map>

namespace {

using imapd::engine::AccessList;
using imapd::engine::RemoteEvents;
using imapd::engine::RemoteLink;
using imapd::engine::Remotes;
using imapd::engine::ResponseReader;
using imapd::engine::Session;
using imapd::engine::SessionFacts;

constexpr std::string_view guest = "alice@example.org";

// A user with a store, and the sessions upon it.
struct User {
    explicit User(std::string account) : name(std::move(account))
    {
        store.on_change([this](store::MailboxId id) {
            for (auto* session : sessions)
                session->store_changed(id);
        });
    }
    ~User() { store.on_change({}); }

    std::string name;
    test::ScratchStore scratch;
    store::Store& store = scratch.store();
    std::vector<Session*> sessions;
};

class Users : public Remotes {
public:
    Users()
    {
        for (const char* name : {"alice@example.org", "bob@example.org", "carol@example.org", "public@example.org"})
            users.emplace(name, std::make_unique<User>(name));
    }
    ~Users() override { clients.clear(); }

    User& user(std::string_view name) { return *users.find(std::string(name) + "@example.org")->second; }

    Session& log_in(std::string_view name)
    {
        SessionFacts facts = test::unhurried();
        facts.user = std::string(name) + "@example.org";
        facts.remotes = this;
        facts.url_hosts = {"h"};
        facts.limits.messages = limit;
        facts.namespaces = {.others = "Other Users/", .shared = "Shared/", .shared_owner = "public@example.org"};
        clients.push_back(std::make_unique<Session>(user(name).store, facts));
        user(name).sessions.push_back(clients.back().get());
        return *clients.back();
    }

    std::unique_ptr<RemoteLink> open(const std::string& owner, RemoteEvents events) override
    {
        ++opened;
        auto link = std::make_unique<Link>(*this);
        link->events = std::move(events);
        auto found = users.find(owner);
        auto sharers =
            found == users.end() ? std::vector<std::string>() : imapd::engine::sharers_of(found->second->store, owner);
        bool shares =
            std::any_of(sharers.begin(), sharers.end(), [](const auto& one) { return one == guest || one == "anyone"; });
        if (shares) {
            SessionFacts facts = test::unhurried();
            facts.user = owner;
            facts.guest = guest;
            facts.url_hosts = {"h"};
            facts.limits.messages = limit;
            facts.guest_prefix = owner == "public@example.org" ? "Shared/" : "Other Users/" + owner + "/";
            link->owner = found->second.get();
            link->session = std::make_unique<Session>(found->second->store, facts);
            link->session->output() = "* PREAUTH Here they are\r\n";
            link->owner->sessions.push_back(link->session.get());
        }
        return link;
    }

    std::unique_ptr<RemoteLink> ask_owners(std::function<void(std::vector<std::string>)> then) override
    {
        auto link = std::make_unique<Link>(*this);
        link->then = std::move(then);
        return link;
    }

    // Everything that can happen without the client's doing; what the client hears.
    std::string settle(Session& session)
    {
        std::string out;
        for (bool busy = true; busy;) {
            busy = false;
            for (auto& [name, one] : users) {
                auto before = one->store.durable();
                OK(one->store.sync());
                if (one->store.durable() != before) {
                    busy = true;
                    auto sessions_now = one->sessions;
                    for (auto* each : sessions_now)
                        each->durable_grew();
                }
            }
            for (auto& client : clients)
                if (client->has_work() && client->output().size() < 100'000) {
                    busy = true;
                    client->work();
                }
            busy = pump() || busy;
            if (!session.output().empty()) {
                busy = true;
                out += session.output();
                session.output().clear();
            }
        }
        return out;
    }

    std::string say(Session& session, std::string_view line)
    {
        session.feed(util::concat(line, "\r\n"));
        return settle(session);
    }

    // Cuts all connections to an owner.
    void cut(std::string_view name)
    {
        for (auto* link : links)
            if (link->owner == &user(name)) {
                link->ended = true;
            }
    }

    std::map<std::string, std::unique_ptr<User>> users;
    std::vector<std::unique_ptr<Session>> clients;
    int opened = 0;
    std::string stopped;   // whose process hears and does nothing
    std::size_t limit = 0; // of messages, by each command
    std::function<void(std::string&)> corrupt;   // what processes of others say

private:
    struct Link : RemoteLink {
        explicit Link(Users& of) : world(of) { world.links.push_back(this); }
        ~Link() override
        {
            std::erase(world.links, this);
            if (owner)
                std::erase(owner->sessions, session.get());
        }
        void send(std::string_view bytes) override { input += bytes; }

        Users& world;
        RemoteEvents events;
        std::function<void(std::vector<std::string>)> then;
        User* owner = nullptr;
        std::unique_ptr<Session> session;
        std::string input;
        bool ended = false;
    };

    bool alive(Link* link) const { return std::find(links.begin(), links.end(), link) != links.end(); }

    bool pump()
    {
        bool busy = false;
        auto now = links;
        for (auto* link : now) {
            if (!alive(link) || link->ended || (link->owner && link->owner->name == stopped))
                continue;
            if (link->then) {
                busy = true;
                auto then = std::exchange(link->then, {});
                link->ended = true;
                std::vector<std::string> owners;
                for (auto& [name, one] : users) {
                    auto sharers = imapd::engine::sharers_of(one->store, name);
                    if (name != guest && std::any_of(sharers.begin(), sharers.end(),
                                                     [](const auto& who) { return who == guest || who == "anyone"; }))
                        owners.push_back(name);
                }
                then(owners);
                continue;
            }
            if (!link->session) {
                busy = true;
                link->ended = true;
                auto closed = link->events.closed;
                closed(true);
                continue;
            }
            if (!link->input.empty()) {
                busy = true;
                auto input = std::exchange(link->input, {});
                link->session->feed(input);
            }
            if (link->session->has_work()) {
                busy = true;
                link->session->work();
            }
            if (!link->session->output().empty() && link->events.wants()) {
                busy = true;
                auto out = std::exchange(link->session->output(), {});
                if (corrupt)
                    corrupt(out);
                auto received = link->events.received;
                // In pieces of any size.
                std::size_t half = out.size() / 2;
                received(std::string_view(out).substr(0, half));
                if (alive(link))
                    received(std::string_view(out).substr(half));
            } else if (link->session->finished() && link->session->output().empty()) {
                busy = true;
                link->ended = true;
                auto closed = link->events.closed;
                closed(false);
            }
        }
        for (auto* link : now) {
            if (alive(link) && link->ended && link->session && link->events.closed) {
                auto closed = std::exchange(link->events.closed, {});
                busy = true;
                closed(false);
            }
        }
        return busy;
    }

    std::vector<Link*> links;
};

bool has(std::string_view text, std::string_view part)
{
    if (text.find(part) != text.npos)
        return true;
    std::fprintf(stderr, "[%.*s] is not in [%.*s]\n", int(part.size()), part.data(), int(text.size()), text.data());
    return false;
}

constexpr std::string_view bobs = "\"Other Users/bob@example.org/INBOX\"";

void share(Users& world, std::string_view owner, std::string_view mailbox, std::string_view who, std::string_view rights)
{
    auto& session = world.log_in(owner);
    THAT(has(world.say(session, util::concat("s SETACL ", mailbox, " ", who, " ", rights)), "s OK"));
}

}  // namespace

TEST(shows_where_the_mailboxes_of_others_are)
{
    Users world;
    auto& alice = world.log_in("alice");
    EQ(world.say(alice, "a NAMESPACE"),
       "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))\r\na OK NAMESPACE completed\r\n");
    auto all = world.say(alice, "b LIST \"\" *");
    THAT(all.find("Other") == all.npos && all.find("Shared") == all.npos);
    share(world, "bob", "INBOX", "alice", "lr");
    share(world, "public", "INBOX", "anyone", "lr");
    EQ(world.opened, 0);
    EQ(world.say(alice, "c LIST \"\" \"Other Users/%\""),
       "* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users/bob@example.org\"\r\nc OK LIST completed\r\n");
    EQ(world.opened, 0);   // the list of owners was enough
    all = world.say(alice, "d LIST \"\" *");
    THAT(has(all, "* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users\"\r\n"));
    THAT(has(all, "* LIST (\\Noselect \\HasChildren) \"/\" \"Other Users/bob@example.org\"\r\n"));
    THAT(has(all, util::concat("* LIST (\\HasNoChildren) \"/\" ", bobs, "\r\n")));
    THAT(has(all, "\"/\" Shared/INBOX\r\n"));
    THAT(all.ends_with("d OK LIST completed\r\n"));
    THAT(all.find("bob@example.org/Sent") == all.npos);
    auto top = world.say(alice, "e LIST \"\" %");
    THAT(has(top, "\"Other Users\"\r\n"));
    THAT(top.find("bob") == top.npos);
    THAT(has(world.say(alice, util::concat("f LIST \"\" ", bobs, " RETURN (MYRIGHTS STATUS (MESSAGES))")),
             util::concat("* MYRIGHTS ", bobs, " lr\r\n")));
    // Subscriptions are one's own, and ask nobody.
    int before = world.opened;
    THAT(has(world.say(alice, util::concat("g SUBSCRIBE ", bobs)), "g OK"));
    THAT(has(world.say(alice, "h LSUB \"\" *"), util::concat("* LSUB () \"/\" ", bobs)));
    THAT(has(world.say(alice, "i LIST (SUBSCRIBED) \"\" *"), util::concat("* LIST (\\Subscribed) \"/\" ", bobs)));
    EQ(world.opened, before);
}
END_TEST

TEST(what_is_not_shared_is_not_there)
{
    Users world;
    auto& alice = world.log_in("alice");
    share(world, "carol", "Sent", "alice", "lr");
    constexpr std::string_view nothing = " NO [NONEXISTENT] There is no such mailbox\r\n";
    int tag = 0;
    for (std::string_view name :
         {"Other Users/bob@example.org/INBOX", "Other Users/nobody@example.org/INBOX", "Other Users/carol@example.org/INBOX",
          "Other Users/carol@example.org/Nothing", "Other Users/alice@example.org/INBOX", "Shared/INBOX"}) {
        for (std::string_view command :
             {"SELECT \"%\"", "EXAMINE \"%\"", "STATUS \"%\" (MESSAGES)", "DELETE \"%\"", "GETACL \"%\"", "MYRIGHTS \"%\"",
              "SETACL \"%\" anyone lr", "GETMETADATA \"%\" /shared/comment", "SETMETADATA \"%\" (/shared/comment NIL)",
              "RENAME \"%\" \"%x\"", "APPEND \"%\" {5+}\r\na: b\n"}) {
            std::string text(command);
            for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + name.size()))
                text.replace(at, 1, name);
            auto id = util::concat("t", ++tag);
            EQ(world.say(alice, util::concat(id, " ", text)), util::concat(id, nothing));
        }
    }
    THAT(has(world.say(alice, "z NOOP"), "z OK"));
}
END_TEST

TEST(reads_another_mailbox_as_one_of_ones_own)
{
    Users world;
    auto& alice = world.log_in("alice");
    auto& bob = world.log_in("bob");
    for (int i = 0; i < 3; ++i)
        test::deliver(world.user("bob").store, "Subject: hello\r\n\r\nbody\r\n");
    test::deliver(world.user("alice").store, "Subject: own\r\n\r\nmine\r\n");
    share(world, "bob", "INBOX", "alice", "lrswite");
    THAT(has(world.say(alice, "a ENABLE CONDSTORE"), "a OK"));
    auto out = world.say(alice, util::concat("b SELECT ", bobs));
    THAT(has(out, "* 3 EXISTS\r\n"));
    THAT(has(out, "b OK [READ-WRITE] SELECT completed\r\n"));
    THAT(has(world.say(alice, "c UID FETCH 1:2 (FLAGS MODSEQ BODY[TEXT])"), " BODY[TEXT] {6}\r\nbody\r\n)\r\n"));
    THAT(has(world.say(alice, "d SEARCH UNSEEN"), "* SEARCH 3"));
    THAT(has(world.say(bob, "x SELECT INBOX"), "[UNSEEN 1]"));
    // What one does the other hears of; also in IDLE.
    THAT(has(world.say(alice, "e IDLE"), "+ idling\r\n"));
    THAT(has(world.say(bob, "y STORE 2 +FLAGS (\\Flagged)"), "y OK"));
    THAT(has(world.settle(alice), "* 2 FETCH (UID 2 FLAGS (\\Seen \\Flagged"));
    test::deliver(world.user("bob").store, "Subject: more\r\n\r\nbody\r\n");
    THAT(has(world.settle(alice), "* 4 EXISTS\r\n"));
    EQ(world.say(alice, "DONE"), "e OK IDLE completed\r\n");
    THAT(has(world.say(alice, "f STORE 1 +FLAGS.SILENT (\\Deleted)"), "f OK"));
    THAT(has(world.say(alice, "g EXPUNGE"), "* 1 EXPUNGE\r\n"));
    THAT(has(world.say(bob, "z NOOP"), "* 1 EXPUNGE\r\n"));
    THAT(has(world.say(alice, "h APPEND \"Other Users/bob@example.org/INBOX\" (\\Seen) {18}"), "+ OK"));
    THAT(has(world.say(alice, "Subject: a\r\n\r\nbc\r\n"), "h OK [APPENDUID "));
    THAT(has(world.say(alice, "i NOOP"), "i OK"));
    // Pipelined, and back to one's own mailbox.
    auto piped = world.say(alice, "j NOOP\r\nk SELECT INBOX\r\nl FETCH 1 BODY.PEEK[TEXT]");
    THAT(has(piped, "* OK [CLOSED]"));
    THAT(has(piped, "BODY[TEXT] {6}\r\nmine\r\n"));
    THAT(piped.find("j OK") < piped.find("k OK") && piped.find("k OK") < piped.find("l OK"));
    out = world.say(alice, util::concat("m SELECT ", bobs));
    THAT(has(out, "* OK [CLOSED]"));
    EQ(world.say(alice, "n CLOSE"), "n OK CLOSE completed\r\n");
    THAT(has(world.say(alice, "o FETCH 1 FLAGS"), "o BAD"));
    THAT(has(world.say(alice, "p STATUS \"Other Users/bob@example.org/INBOX\" (MESSAGES)"), "(MESSAGES 4)"));
    THAT(has(world.say(alice, "q SELECT \"Other Users/bob@example.org/None\""), "q NO [NONEXISTENT]"));
    THAT(has(world.say(alice, "r LOGOUT"), "r OK"));
}
END_TEST

TEST(carries_messages_from_one_user_to_another)
{
    Users world;
    auto& alice = world.log_in("alice");
    test::deliver(world.user("alice").store, "Subject: one\r\n\r\n1\r\n");
    test::deliver(world.user("alice").store, "Subject: two\r\n\r\n{5}\r\n2\r\n");
    share(world, "bob", "INBOX", "alice", "lrswite");
    share(world, "carol", "INBOX", "alice", "lri");
    THAT(has(world.say(alice, "a SELECT INBOX"), "a OK"));
    THAT(has(world.say(alice, "b STORE 1 +FLAGS.SILENT (\\Seen \\Flagged kw)"), "b OK"));
    THAT(has(world.say(alice, util::concat("c COPY 1:2 ", bobs)), " 1:2 1:2] COPY completed\r\n"));
    THAT(has(world.say(alice, "d UID MOVE 2 \"Other Users/bob@example.org/INBOX\""), "* OK [COPYUID "));
    THAT(has(world.say(alice, "e NOOP"), "e OK"));
    THAT(has(world.say(alice, util::concat("f SELECT ", bobs)), "* 3 EXISTS"));
    auto flags = world.say(alice, "g FETCH 1:3 (FLAGS BODY.PEEK[TEXT])");
    THAT(has(flags, "FLAGS (\\Seen \\Flagged kw"));
    THAT(has(flags, "BODY[TEXT] {8}\r\n{5}\r\n2\r\n)"));
    // To a third user, who gives no right to set flags; and to one's own mailbox.
    THAT(has(world.say(alice, "h COPY 1 \"Other Users/carol@example.org/INBOX\""), " 1 1] COPY completed\r\n"));
    auto moved = world.say(alice, "i MOVE 1:2 Archive");
    THAT(has(moved, "* OK [COPYUID "));
    THAT(has(moved, "* 1 EXPUNGE\r\n"));
    THAT(has(moved, "i OK MOVE completed"));
    THAT(has(world.say(alice, "j STATUS Archive (MESSAGES UNSEEN)"), "(MESSAGES 2 UNSEEN 1)"));
    THAT(has(world.say(alice, "k COPY 1 Nowhere"), "k NO [TRYCREATE]"));
    THAT(has(world.say(alice, "l COPY 1 \"Other Users/nobody@example.org/x\""), "l NO [NONEXISTENT]"));
    THAT(has(world.say(alice, "m COPY 9 Archive"), "m BAD"));
    THAT(has(world.say(alice, "n EXAMINE \"Other Users/carol@example.org/INBOX\""), "* 1 EXISTS"));
    THAT(has(world.say(alice, "o FETCH 1 FLAGS"), "* 1 FETCH (FLAGS ("));
    THAT(world.say(alice, "p FETCH 1 FLAGS").find("Flagged") == std::string::npos);
    THAT(has(world.say(alice, "q MOVE 1 Archive"), "q NO [NOPERM]"));
    THAT(has(world.say(alice, "r RENAME \"Other Users/carol@example.org/INBOX\" Mine"), "r NO [CANNOT]"));
    THAT(has(world.say(alice, "s REPLACE 1 Drafts {5+}\r\na: b\n"), "s NO [CANNOT]"));
    THAT(has(world.say(alice, "t NOOP"), "t OK"));
}
END_TEST

// One answer, at once, and with what is new as that of any COPY.
TEST(carries_nothing_to_another_user)
{
    Users world;
    auto& alice = world.log_in("alice");
    auto& store = world.user("alice").store;
    for (int i = 0; i < 2; ++i)
        test::deliver(store, "Subject: one\r\n\r\n1\r\n");
    share(world, "bob", "INBOX", "alice", "lrswite");
    THAT(has(world.say(alice, "a SELECT INBOX"), "a OK"));
    int opened = world.opened;
    EQ(world.say(alice, util::concat("b UID COPY 9 ", bobs)), "b OK COPY completed; there was nothing to do\r\n");
    EQ(world.say(alice, util::concat("c UID MOVE 9 ", bobs)), "c OK MOVE completed; there was nothing to do\r\n");
    const std::uint32_t first[] = {1};
    OK(store.expunge((*store.mailbox("INBOX"))->id, first));
    OK(store.sync());
    EQ(world.say(alice, util::concat("d UID COPY 9 ", bobs)),
       "* 1 EXPUNGE\r\nd OK COPY completed; there was nothing to do\r\n");
    EQ(world.say(alice, util::concat("e NOOP\r\nf UID COPY 9 ", bobs, "\r\ng NOOP")),
       "e OK NOOP completed\r\nf OK COPY completed; there was nothing to do\r\ng OK NOOP completed\r\n");
    EQ(world.opened, opened);
    THAT(has(world.say(alice, util::concat("h SELECT ", bobs)), "h OK"));
    EQ(world.say(alice, "i UID COPY 9 Archive"), "i OK COPY completed; there was nothing to do\r\n");
}
END_TEST

TEST(a_right_that_goes_ends_the_session_at_once)
{
    Users world;
    auto& alice = world.log_in("alice");
    test::deliver(world.user("bob").store, "Subject: hello\r\n\r\nbody\r\n");
    share(world, "bob", "INBOX", "alice", "lrs");
    THAT(has(world.say(alice, util::concat("a SELECT ", bobs)), "a OK [READ-ONLY]"));
    share(world, "bob", "INBOX", "alice", "l");
    THAT(has(world.settle(alice), "* BYE You may no longer read the selected mailbox\r\n"));
    THAT(alice.finished());
}
END_TEST

TEST(goes_on_when_the_other_side_is_gone)
{
    Users world;
    auto& alice = world.log_in("alice");
    share(world, "bob", "INBOX", "alice", "lrs");
    THAT(has(world.say(alice, util::concat("a STATUS ", bobs, " (MESSAGES)")), "a OK"));
    world.cut("bob");
    world.settle(alice);
    THAT(!alice.finished());
    THAT(has(world.say(alice, util::concat("b STATUS ", bobs, " (MESSAGES)")), "b OK"));
    THAT(has(world.say(alice, util::concat("c SELECT ", bobs)), "c OK"));
    world.cut("bob");
    THAT(has(world.settle(alice), "* BYE"));
    THAT(alice.finished());
}
END_TEST

// A user can stop his process: others do not wait for it for ever.
TEST(who_does_not_answer_holds_nobody_up)
{
    using namespace std::chrono_literals;
    Users world;
    auto& alice = world.log_in("alice");
    for (const char* name : {"bob", "carol"}) {
        auto& owner = world.log_in(name);
        world.say(owner, "o1 SETACL INBOX alice@example.org lr");
    }
    world.stopped = "bob@example.org";
    auto out = world.say(alice, "a1 LIST \"\" \"*\"");
    THAT(out.find("a1 ") == out.npos);
    auto due = alice.deadline();
    THAT(due && *due <= util::now() + imapd::engine::remote_list_patience);
    alice.deadline_passed(*due - 1us);
    THAT(alice.output().empty() && !alice.finished());
    alice.deadline_passed(*due);
    out = world.settle(alice);
    THAT(out.find("carol@example.org/INBOX") != out.npos);
    THAT(out.find("bob@example.org/INBOX") == out.npos);
    THAT(out.find("a1 OK") != out.npos);
    // A command for one mailbox has more time, and then the same end.
    out = world.say(alice, "a2 STATUS \"Other Users/bob@example.org/INBOX\" (MESSAGES)");
    EQ(out, "");
    due = alice.deadline();
    THAT(due && *due > util::now() + imapd::engine::remote_list_patience);
    alice.deadline_passed(*due);
    out = world.settle(alice);
    THAT(out.find("a2 NO [UNAVAILABLE]") != out.npos);
    THAT(!alice.finished());
}
END_TEST

// RFC 4467: by the way that there is to his mailboxes, and by no other.
TEST(a_url_of_another_user_is_looked_up_at_his)
{
    Users world;
    auto& alice = world.log_in("alice");
    auto& bob = world.log_in("bob");
    auto& carol = world.log_in("carol");
    test::deliver(world.user("bob").store, "Subject: hello\r\n\r\nbob's\r\n");
    test::deliver(world.user("carol").store, "Subject: hello\r\n\r\ncarol's\r\n");
    test::deliver(world.user("alice").store, "Subject: hello\r\n\r\nalice's\r\n");
    auto generate = [&](Session& session, std::string_view who, std::string_view access) {
        auto out = world.say(session, util::concat("g GENURLAUTH \"imap://", who,
                                                   "@h/INBOX/;uid=1/;section=TEXT;urlauth=", access, "\" INTERNAL"));
        THAT(out.starts_with("* GENURLAUTH \""));
        return out.substr(14, out.find('"', 14) - 14);
    };
    auto for_alice = generate(bob, "bob", "user+alice");
    auto for_carol = generate(bob, "bob%40example.org", "user+carol");
    auto for_all = generate(carol, "carol", "anonymous");
    auto own = generate(alice, "alice", "authuser");
    auto nil = [](std::string_view url) { return util::concat("* URLFETCH \"", url, "\" NIL\r\n"); };
    // Who shares nothing is as one who is not there.
    EQ(world.say(alice, util::concat("a URLFETCH ", for_alice, " imap://nobody", for_alice.substr(10), " ", for_all)),
       nil(for_alice) + nil("imap://nobody" + for_alice.substr(10)) + nil(for_all) + "a OK URLFETCH completed\r\n");
    share(world, "bob", "Sent", "alice", "l");
    share(world, "carol", "Sent", "alice", "l");
    EQ(world.say(alice, util::concat("b URLFETCH ", for_alice, " ", own, " \"", for_carol, "\" (", for_all,
                                     " BODYPARTSTRUCTURE BODY) (", for_alice, " BINARY)\r\nc NOOP")),
       util::concat("* URLFETCH \"", for_alice, "\" {7}\r\nbob's\r\n\r\n* URLFETCH \"", own, "\" {9}\r\nalice's\r\n\r\n",
                    nil(for_carol), nil(for_all), "* URLFETCH \"", for_alice,
                    "\" (BINARY {7}\r\nbob's\r\n)\r\nb OK URLFETCH completed\r\nc OK NOOP completed\r\n"));
    // From a mailbox of his, too; and the other rights are as they were.
    share(world, "bob", "Drafts", "alice", "lr");
    THAT(has(world.say(alice, "d SELECT \"Other Users/bob@example.org/Drafts\""), "d OK"));
    EQ(world.say(alice, util::concat("e URLFETCH ", for_alice)),
       util::concat("* URLFETCH \"", for_alice, "\" {7}\r\nbob's\r\n\r\ne OK URLFETCH completed\r\n"));
    THAT(has(world.say(alice, util::concat("f SELECT ", bobs)), "f NO [NONEXISTENT]"));
    // Keys are the owner's own.
    THAT(has(world.say(alice,
                       "g GENURLAUTH \"imap://alice@h/Other%20Users/bob@example.org/Drafts/;uid=1;urlauth=authuser\" INTERNAL"),
             "g NO [CANNOT]"));
    THAT(has(world.say(alice, "h RESETKEY \"Other Users/bob@example.org/Drafts\""), "h NO [CANNOT]"));
    THAT(has(world.say(bob, "i RESETKEY INBOX"), "i OK"));
    EQ(world.say(alice, util::concat("j URLFETCH ", for_alice)), nil(for_alice) + "j OK URLFETCH completed\r\n");
    EQ(world.opened, 6);   // nobody was asked for what is not for alice
}
END_TEST

TEST(a_url_that_cannot_be_looked_up_now_may_be_later)
{
    using namespace std::chrono_literals;
    Users world;
    auto& alice = world.log_in("alice");
    auto& bob = world.log_in("bob");
    test::deliver(world.user("bob").store, "Subject: hello\r\n\r\nbob's\r\n");
    share(world, "bob", "Sent", "alice", "l");
    auto out = world.say(bob, "g GENURLAUTH imap://bob@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser INTERNAL");
    auto url = out.substr(14, out.find('"', 14) - 14);
    world.stopped = "bob@example.org";
    EQ(world.say(alice, util::concat("a URLFETCH ", url, "\r\nb NOOP")), "");
    alice.deadline_passed(util::now() + imapd::engine::remote_patience + 1s);
    EQ(world.settle(alice),
       util::concat("* URLFETCH \"", url,
                    "\" NIL\r\na NO [UNAVAILABLE] Some of these URLs cannot be looked up now\r\nb OK NOOP completed\r\n"));
    world.stopped.clear();
    EQ(world.say(alice, util::concat("c URLFETCH ", url)),
       util::concat("* URLFETCH \"", url, "\" {7}\r\nbob's\r\n\r\nc OK URLFETCH completed\r\n"));
    // Whoever is asked for one URL answers for no other, and once.
    world.corrupt = [&](std::string& said) {
        if (auto at = said.find("* URLFETCH"); at != said.npos)
            said.insert(at, "* URLFETCH imap://alice@h/x \"lies\"\r\n* URLFETCH {3}\r\nabc NIL\r\n* URLFETCH \r\n");
        if (auto at = said.find(" OK URLFETCH"); at != said.npos)
            said.insert(said.rfind('\n', at) + 1, util::concat("* URLFETCH \"", url, "\" \"again\"\r\n"));
    };
    out = world.say(alice, util::concat("d URLFETCH ", url));
    EQ(out, util::concat("* URLFETCH \"", url, "\" {7}\r\nbob's\r\n\r\nd OK URLFETCH completed\r\n"));
    world.corrupt = [&](std::string& said) {
        for (auto at = said.find("* URLFETCH"); at != said.npos; at = said.find("* URLFETCH"))
            said.replace(at, 10, "* OK hello ");
    };
    out = world.say(alice, util::concat("e URLFETCH ", url));
    EQ(out, util::concat("* URLFETCH \"", url, "\" NIL\r\ne OK URLFETCH completed\r\n"));
}
END_TEST

// He could have the client remove other messages of its own than it means.
TEST(whose_mailbox_is_not_selected_says_nothing_of_the_one_that_is)
{
    Users world;
    auto& alice = world.log_in("alice");
    auto& bob = world.log_in("bob");
    test::deliver(world.user("alice").store, "Subject: a\r\n\r\nalice's\r\n");
    test::deliver(world.user("bob").store, "Subject: hello\r\n\r\nbob's\r\n");
    share(world, "bob", "INBOX", "alice", "lri");
    share(world, "carol", "INBOX", "alice", "lr");
    auto out = world.say(bob, "g GENURLAUTH imap://bob@h/INBOX/;uid=1/;section=TEXT;urlauth=authuser INTERNAL");
    auto url = out.substr(14, out.find('"', 14) - 14);
    auto answer = util::concat("* URLFETCH \"", url, "\" {7}\r\nbob's\r\n\r\nc OK URLFETCH completed\r\n");
    constexpr std::string_view lies = "* 1 EXPUNGE\r\n* 7 EXISTS\r\n* 1 FETCH (FLAGS () BODY[] {9}\r\n* 1 x\r\n* )\r\n"
                                      "* VANISHED 1:5\r\n* FLAGS ()\r\n* OK [UIDVALIDITY 7] x\r\n* ENABLED UTF8=ACCEPT\r\n";
    world.corrupt = [&](std::string& said) {
        for (std::string_view mark : {"* STATUS", "* URLFETCH"})
            if (auto at = said.find(mark); at != said.npos)
                return void(said.insert(at, lies));
    };
    const std::string status = "* STATUS \"Other Users/bob@example.org/INBOX\" (MESSAGES 1)\r\nb OK STATUS completed\r\n";
    for (std::string_view selected : {"INBOX", "\"Other Users/carol@example.org/INBOX\""}) {
        THAT(has(world.say(alice, util::concat("a SELECT ", selected)), "a OK"));
        EQ(world.say(alice, "b STATUS \"Other Users/bob@example.org/INBOX\" (MESSAGES)"), status);
        EQ(world.say(alice, util::concat("c URLFETCH ", url)), answer);
    }
    // Of his own he says what he likes.
    world.corrupt = {};
    THAT(has(world.say(alice, "a SELECT \"Other Users/bob@example.org/INBOX\""), "a OK"));
    world.corrupt = [&](std::string& said) {
        if (auto at = said.find("* URLFETCH"); at != said.npos)
            said.insert(at, "* 2 EXISTS\r\n");
    };
    EQ(world.say(alice, util::concat("c URLFETCH ", url)), "* 2 EXISTS\r\n" + answer);
}
END_TEST

TEST(one_more_other_user_than_may_be_is_not_asked)
{
    using imapd::engine::max_url_owners;
    for (std::size_t count : {max_url_owners, max_url_owners + 1}) {
        Users world;
        auto& alice = world.log_in("alice");
        std::string command = "a URLFETCH";
        for (std::size_t i = 0; i < count; ++i)
            util::append(command, " imap://user", i, "@h/INBOX/;uid=1;urlauth=authuser:INTERNAL:01", std::string(64, '0'));
        THAT(world.say(alice, command).ends_with("a OK URLFETCH completed\r\n"));
        EQ(world.opened, int(max_url_owners));
    }
}
END_TEST

TEST(so_many_other_users_are_asked_for_one_command)
{
    Users world;
    auto& alice = world.log_in("alice");
    std::string command = "a URLFETCH";
    for (int i = 0; i < 102; ++i)
        util::append(command, " imap://user", i, "@h/INBOX/;uid=1;urlauth=authuser:INTERNAL:01", std::string(64, '0'),
                     " imap://user0@h/INBOX/;uid=1;urlauth=authuser:INTERNAL:01", std::string(64, '1'));
    auto out = world.say(alice, command);
    THAT(out.ends_with("a OK URLFETCH completed\r\n"));
    std::size_t nils = 0;
    for (auto at = out.find("\" NIL\r\n"); at != out.npos; at = out.find("\" NIL\r\n", at + 1))
        ++nils;
    EQ(nils, 204u);
    EQ(world.opened, 100 + 102);   // user0 again and again
    // Nobody is asked for a URL that is not for alice, of another server, of another mechanism, or of a time that has passed.
    for (auto url :
         {"imap://bob@h/a/;uid=1;urlauth=user+carol:INTERNAL:%", "imap://bob@h/a/;uid=1;urlauth=submit+alice:INTERNAL:%",
          "imap://bob@elsewhere/a/;uid=1;urlauth=authuser:INTERNAL:%", "imap://bob@h/a/;uid=1;urlauth=authuser:XSAMPLE:%",
          "imap://bob@h/a/;uid=1;expire=2020-01-01T00:00:00Z;urlauth=authuser:INTERNAL:%",
          "imap://h/a/;uid=1;urlauth=authuser:INTERNAL:%"}) {
        std::string text(url);
        text.replace(text.find('%'), 1, std::string(64, '0'));
        EQ(world.say(alice, "b URLFETCH " + text),
           util::concat("* URLFETCH \"", text, "\" NIL\r\nb OK URLFETCH completed\r\n"));
    }
    EQ(world.opened, 100 + 102);
}
END_TEST

// RFC 9738, from one user's mailbox to another's.
TEST(what_is_carried_is_limited)
{
    Users world;
    world.limit = 2;
    auto& alice = world.log_in("alice");
    for (int i = 0; i < 3; ++i)
        test::deliver(world.user("alice").store, util::concat("Subject: ", i, "\r\n\r\nx\r\n"));
    share(world, "bob", "INBOX", "alice", "lrswite");
    THAT(has(world.say(alice, "a SELECT INBOX"), "a OK"));
    EQ(world.say(alice, util::concat("b COPY 1:3 ", bobs)),
       "b NO [MESSAGELIMIT 2 2] These are too many messages for one command\r\n");
    auto moved = world.say(alice, util::concat("c UID MOVE 1:3 ", bobs));
    THAT(has(moved, " 2:3 1:2] Moved\r\n"));
    THAT(has(moved, "c OK [MESSAGELIMIT 2 2] MOVE completed for the highest of these messages\r\n"));
    moved = world.say(alice, util::concat("d UID MOVE 1:3 ", bobs));
    THAT(has(moved, "d OK MOVE completed\r\n"));
    // And back, in their order.
    THAT(has(world.say(alice, util::concat("e SELECT ", bobs)), "* 3 EXISTS\r\n"));
    EQ(world.say(alice, "f COPY 1:3 INBOX"), "f NO [MESSAGELIMIT 2 2] These are too many messages for one command\r\n");
    moved = world.say(alice, "g MOVE 1:3 INBOX");
    THAT(has(moved, " 2:3 4:5] Moved\r\n"));
    THAT(has(moved, "g OK [MESSAGELIMIT 2 2] MOVE completed for the highest of these messages\r\n"));
    THAT(has(world.say(alice, "h FETCH 1:* (UID)"), "* 1 FETCH (UID 1)\r\nh OK"));
    THAT(has(world.say(alice, "i SELECT INBOX"), "* 2 EXISTS\r\n"));
    auto subjects = world.say(alice, "j FETCH 1:2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
    THAT(subjects.find("Subject: 2") < subjects.find("Subject: 0"));
}
END_TEST

TEST(cuts_responses_at_their_ends_wherever_the_pieces_are)
{
    constexpr std::string_view text = "* 1 FETCH (BODY[] {7}\r\na\r\nb {3 X {2}\r\n\r\n)\r\n* OK {x}\r\nr1 OK done\r\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        ResponseReader reader;
        std::string seen;
        for (std::size_t at = 0; at < text.size(); at += piece)
            THAT(reader.feed(text.substr(at, piece), [&](const ResponseReader::Piece& one) {
                util::append(seen, one.first ? "<" : "", one.bytes, one.last ? ">" : "");
                return true;
            }));
        EQ(seen, "<* 1 FETCH (BODY[] {7}\r\na\r\nb {3 X {2}\r\n\r\n)\r\n><* OK {x}\r\n><r1 OK done\r\n>");
        THAT(!reader.is_open());
    }
}
END_TEST

TEST(a_guest_beyond_the_limit_of_seen_hears_so_and_those_without_rights_make_room)
{
    Users world;
    auto& owner = world.log_in("bob");
    auto& store = world.user("bob").store;
    for (int i = 0; i < 2; ++i) {
        owner.feed("a APPEND INBOX {2+}\r\nx\n\r\n");
        world.settle(owner);
    }
    auto inbox = store.mailboxes().find("INBOX")->second;
    // Those of a group, who may still be in it.
    world.say(owner, "b SETACL INBOX alice@example.org lrs");
    world.say(owner, "c SETACL INBOX group=staff lrs");
    const std::vector<std::uint32_t> one = {1};
    for (std::size_t i = 0; i < store::max_readers; ++i)
        OK(store.mark_seen(inbox, util::concat("reader", i, "@example.org"), one, true));
    SessionFacts facts = test::unhurried();
    facts.user = "bob@example.org";
    facts.guest = guest;
    facts.guest_prefix = "Other Users/bob@example.org/";
    world.clients.push_back(std::make_unique<Session>(store, facts));
    auto& visit = *world.clients.back();
    world.say(visit, "d SELECT \"Other Users/bob@example.org/INBOX\"");
    EQ(world.say(visit, "e STORE 1 +FLAGS (\\Seen)"), "e NO [LIMIT] too many readers of this mailbox\r\n");
    THAT(world.say(visit, "f FETCH 1 BODY[]").find("\r\nf OK ") != std::string::npos);   // but it is not marked
    EQ(store.mailbox(inbox).take()->readers.size(), store::max_readers);
    // Who has rights stays, or none at all if those have none.
    world.say(owner, "g SETACL INBOX reader7@example.org r");
    world.say(owner, "h DELETEACL INBOX group=staff");
    THAT(world.say(visit, "i STORE 1 +FLAGS (\\Seen)").find("* 1 FETCH (FLAGS (\\Seen") != std::string::npos);
    auto readers = store.mailbox(inbox).take()->readers;
    EQ(readers.size(), 2U);
    THAT(readers.contains("reader7@example.org") && readers.contains(guest));
}
END_TEST

SUITE(shared, one_more_other_user_than_may_be_is_not_asked, whose_mailbox_is_not_selected_says_nothing_of_the_one_that_is,
      shows_where_the_mailboxes_of_others_are, what_is_not_shared_is_not_there, reads_another_mailbox_as_one_of_ones_own,
      carries_messages_from_one_user_to_another, carries_nothing_to_another_user, a_right_that_goes_ends_the_session_at_once,
      goes_on_when_the_other_side_is_gone, who_does_not_answer_holds_nobody_up, a_url_of_another_user_is_looked_up_at_his,
      a_url_that_cannot_be_looked_up_now_may_be_later, so_many_other_users_are_asked_for_one_command,
      what_is_carried_is_limited, cuts_responses_at_their_ends_wherever_the_pieces_are,
      a_guest_beyond_the_limit_of_seen_hears_so_and_those_without_rights_make_room)
