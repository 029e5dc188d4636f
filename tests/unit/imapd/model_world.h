// Several sessions that do random things to one store, and what there is for certain: a simple model of RFC 9051, against
// which each response is checked.
#pragma once

#include "tests/unit/dialog/scratch_store.h"
#include "tests/unit/imapd/model_client.h"

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace model {

constexpr std::string_view flag_names[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "work", "later"};
constexpr std::string_view guest_names[] = {"gina@example.org", "hugo@example.org"};
constexpr std::string_view box_names[] = {"INBOX", "Archive", "Drafts"};

// What is done with sessions that wait.
enum class Parking { Never, Often, WithTheStore };

class World {
public:
    explicit World(unsigned seed, Parking parking = Parking::Never, bool follows = false, bool guests = false);
    ~World() { scratch_.store().on_change({}); }

    void run(int steps);
    const std::string& complaint() const { return complaint_; }
    std::size_t parked() const { return parked_; }
    // What all clients have heard; the one thing in which two worlds may differ has one form.
    std::string heard() const;

private:
    // model_world.cc
    void listen();
    void park_some();
    std::size_t pick(std::size_t below) { return below == 0 ? 0 : random_() % below; }
    bool chance(unsigned percent) { return random_() % 100 < percent; }
    bool failed() const { return !complaint_.empty(); }
    void complain(const std::string& what);
    void note(const std::string& what);
    void add(Kind kind, std::string name);
    void enable(Client& client);
    void say(Client& client, const std::string& command, bool expunges_allowed, bool marks = false);
    void settle();
    void check(Client& client);
    void check_all();

    // model_commands.cc
    bool leaves(Client& client);
    void come_again(Client& client);
    void set_access(Client& client, Box& box, const std::string& guest, std::string_view rights);
    void change_access(Client& client);
    void act(Client& client);
    Flags some_flags();
    Box& some_box();
    static std::string list(const Flags& flags);
    std::vector<std::uint32_t> some_uids(const Client& client);
    std::string set_for(Client& client, const std::vector<std::uint32_t>& uids, bool uid_form);
    void append(Client& client);
    void refused(Client& client, const std::string& command);
    void expect(Client& client, std::string_view text);
    static void set_flags(Client& client, Message& message, Flags flags);
    void store_flags(Client& client);
    void expunge(Client& client);
    void transfer(Client& client);
    void fetch(Client& client);
    void fetch_content(Client& client);
    void status(Client& client);
    void pipeline(Client& client);
    void idle(Client& client);
    void act_quietly(Client& client);
    void leave(Client& client);
    void remember(Client& client);
    void select(Client& client);
    void follow(Client& client);

    // model_search.cc
    using Test = std::function<bool(const Message&)>;
    Test key(Client& client, std::string& text, int depth);
    std::vector<std::uint32_t> hits(Client& client, const Test& test);
    void search(Client& client);
    void use_saved(Client& client, const std::vector<std::uint32_t>& uids, bool min, bool max, bool count, bool page);

    std::mt19937 random_;
    std::mt19937 park_random_;   // of its own, so that the rest is the same without
    unsigned seed_;
    Parking parking_;
    bool follows_;
    bool guests_;
    std::size_t parked_ = 0;
    test::ScratchStore scratch_;
    Truth truth_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::deque<std::string> history_;
    std::string complaint_;
};

}  // namespace model
