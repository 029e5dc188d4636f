// A client of the model test: it believes what the server tells it, and checks each response against what
// it knows and against the truth.
#pragma once

#include "imapd/engine/session.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace model {

using Flags = std::set<std::string>;

struct Message {
    std::uint32_t uid = 0;
    Flags flags;
    std::string subject;
    std::uint64_t size = 0;
    std::set<std::string> seen_by;   // guests, whose \Seen is their own
};

struct Box {
    std::string name;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid_next = 1;
    std::vector<Message> messages;   // by uid
    std::map<std::string, std::string> rights;   // of guests, in letters

    Message* find(std::uint32_t uid);
};

using Truth = std::map<std::string, Box>;

struct Kind {
    bool rev2 = false;
    bool qresync = false;
    std::string guest = {};           // the owner, if empty
    bool deaf = false;                // CONDSTORE, and by NOTIFY it hears nothing of flags that others change

    bool hears_modseqs() const { return qresync || deaf; }
};

constexpr std::string_view owner_name = "owner@example.org";
constexpr std::string_view guest_prefix = "Others/";

// What a client keeps of a mailbox it has left.
struct Memory {
    std::uint32_t uid_validity = 0;
    std::uint64_t modseq = 0;
    std::map<std::uint32_t, Flags> flags;
};

class Client {
public:
    using Complain = std::function<void(const std::string&)>;

    Client(store::Store& store, Truth& truth, Kind kind, std::string name, Complain complain, Complain note);

    // Sends a command.  The answer is in `status` when hear() has seen it.
    void send(std::string_view command, bool expunges_allowed);
    // More of it, with a tag of its own, before the first is answered.
    std::string tagged(std::string_view command);
    void feed(std::string_view bytes);
    // For IDLE, which has no answer yet.
    void send_allowed(bool expunges) { expunges_allowed_ = expunges; }
    // Reads what the session has said.
    void hear();
    bool waits() const { return status.empty(); }

    Box* box() { return selected.empty() ? nullptr : &truth_[selected]; }
    const std::string& name() const { return name_; }
    // The results of the search that was just answered.
    void begin_following(bool by_uid);
    std::uint32_t sequence_of(std::uint32_t uid) const;
    bool is_guest() const { return !kind.guest.empty(); }
    // A mailbox as this client names it.
    std::string named(const Box& box) const;
    // Has it this right, by its letter?
    bool may(const Box& box, char right) const;
    // The flags of a message as it sees them.
    Flags seen_flags(const Message& message) const;
    // The flags among these that it may change in that mailbox.
    Flags changeable(const Box& box, const Flags& flags) const;
    // A session anew.
    void restart(store::Store& store);
    void forget_mailbox();

    // Puts the session into a form that outlives it, and makes another of that.  False: it does not wait.
    bool park(store::Store& store);
    // In two steps, for a store that is opened anew between them.
    bool rest();
    void restore(store::Store& store);
    // All that was heard, in the order in which it was.
    const std::string& heard() const { return heard_; }

    std::unique_ptr<imapd::engine::Session> session;
    const Kind kind;
    std::string selected;
    bool read_only = false;
    bool fetches = false;                           // the command is a FETCH
    bool marks = false;                             // it sets \Seen, and who hears of modseqs is told so in a second response
    std::vector<std::uint32_t> known;               // by sequence number
    std::map<std::uint32_t, Flags> told;
    std::map<std::string, Memory> memories;
    std::uint64_t modseq = 0;                       // HIGHESTMODSEQ as told
    std::set<std::uint32_t> earlier;                // VANISHED (EARLIER) of this command
    std::vector<std::uint32_t> fetched;             // uids of FETCH responses of this command
    std::vector<std::uint32_t> found;               // SEARCH, or ALL of ESEARCH
    std::map<std::string, std::string> extended;    // of ESEARCH: MIN, MAX, COUNT, PARTIAL, MODSEQ
    bool has_found = false;
    std::string followed_tag;                       // of a SEARCH with UPDATE,
    bool followed_by_uid = false;
    std::set<std::uint32_t> followed;               // and the uids that it has found
    std::map<std::string, std::uint64_t> counts;    // of STATUS
    std::string status;                             // "OK", "NO", "BAD" once answered
    std::string text;                               // behind it
    std::set<std::uint32_t> doubtful;               // told with other flags than they have once all is told
    std::string permanent;                          // PERMANENTFLAGS as told last: of swt what can be changed

private:
    bool next_line();
    void line(std::string_view line);
    void untagged(std::string_view text);
    void numbered(std::uint32_t number, std::string_view what);
    void fetch(std::uint32_t number, std::string_view items);
    void content(std::string_view item, std::string_view size, const Message* message);
    void expunge(std::uint32_t number);
    void vanished(std::string_view text);
    void exists(std::uint32_t count);
    void search(std::string_view text);
    void esearch(std::string_view text);
    void follow(std::string_view text);
    void code(std::string_view text);
    void complain(std::string_view what);

    Truth& truth_;
    std::string name_;
    Complain complain_;
    Complain note_;                                 // for the story of a failure
    std::string waiting_;                           // input that is no line yet
    std::vector<std::string> literals_;             // of last_, which has only their sizes
    std::string tag_;
    std::set<std::string> other_tags_;
    unsigned tags_ = 0;
    bool expunges_allowed_ = false;
    std::string last_;
    std::string heard_;
    std::vector<std::string> updates_;
    std::string state_;
};

// "1:3,5" as numbers.
std::vector<std::uint32_t> numbers_of(std::string_view set);
std::string set_of(const std::vector<std::uint32_t>& numbers);
Flags flags_of(std::string_view list);

}  // namespace model
