// What one recipient becomes: by aliases(5), by :include: files, by a user's .forward.
//
// An Expansion walks these lists in their order and collects the ends that it comes to.  It does no I/O
// but to look into tables; where it needs a file of somebody's it asks, and goes on when the answer is there.
// Nothing is delivered before all is known: a list that cannot be read now defers the whole, and nobody
// gets a second copy for it.  The rules are those of Postfix's local(8):
//
//   an alias without owner-NAME is expanded at once, down to the mailboxes of its users;
//   names on a list with owner-NAME, in an :include: file, or in the .forward of another user are
//   forwarded: a new message with its own queue file, so that each is tried for itself;
//   so is whoever is not of this transport, or would be another after virtual(5) or canonical(5).
#pragma once

#include "libipc/errands.h"
#include "librouting/router.h"

#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace local {

// As Postfix's: a chain of aliases is this long at most.
constexpr int max_alias_depth = 100;

struct ExpansionRules {
    routing::Router* router = nullptr;
    // The account whose mailbox an address is, extensions considered.  NotFound: there is none.
    std::function<util::Result<std::string>(std::string_view address)> find_account;
    bool owner_request_special = true;
    bool expand_owner_alias = false;
    bool reset_owner_alias = false;
    bool frozen_delivered_to = true;
    std::size_t limit = 1000;               // local_expansion_limit
    conf::Tables* mailbox_transports = nullptr;
    std::string mailbox_transport;
    conf::Tables* fallback_transports = nullptr;
    std::string fallback_transport;
    std::string luser_relay;                // as main.cf has it
    bool virtual_mailboxes = false;         // mailboxes by virtual_mailbox_maps, besides accounts
};

// In what light a destination is seen.
struct Origin {
    enum class List : std::uint8_t { None, Alias, Forward, Include };
    int depth = 0;
    List list = List::None;
    ipc::Place place;               // of the list
    std::string alias;              // the name whose list it is on: it is not expanded again
    std::string owner;              // of the list, when it has one: others' addresses are forwarded
    std::string sender;             // of the envelope from here on
    std::string recipient;          // whose list it is
    std::string delivered_to;       // for the field of that name
    std::string extension;          // with its delimiter: for names on the list that have none
    bool luser = false;             // by luser_relay
    bool is_mailing_list = false;   // RFC 3461 §5.2.7.1: an alias with an owner
};

// Where it ends.
struct End {
    enum class Kind : std::uint8_t {
        Account,   // the mailbox of `account`
        Forward,   // `address`, in a new message
        Pass,      // `account` is the transport that delivers it
        Errand,    // entry `entry` of `origin.place`; of the kind Mailbox or Virtual, that mailbox
        Failure,   // `status`
    };
    Kind kind = Kind::Failure;
    std::string address;
    std::string account;
    std::uint32_t entry = 0;
    std::uint64_t version = 0;
    Origin origin;
    ipc::DeliveryStatus status;
};

class Expansion {
public:
    using HasLoop = std::function<bool(std::string_view address)>;
    using Ask = std::function<void(std::uint64_t question, const ipc::Place& place, const std::string& recipient)>;

    // `has_loop`: has the message been delivered to this address before?  `ask` has an answer(), later.
    Expansion(const ExpansionRules& rules, std::string transport, HasLoop has_loop, Ask ask)
        : rules_(rules), transport_(std::move(transport)), has_loop_(std::move(has_loop)), ask_(std::move(ask))
    {
    }

    void begin(const std::string& address, const std::string& sender);
    void answer(std::uint64_t question, ipc::ListPart list);

    // Are all questions answered?
    bool complete() const { return questions_.empty(); }
    // At least one.  With a temporary failure among them nothing else should be done.
    std::vector<End>& ends() { return ends_; }
    // Did anything but the recipient's own address and mailbox play a part?
    bool expanded() const { return expanded_; }

private:
    struct Question {
        ipc::Place place;
        mail::Address address;   // whose .forward it is, or who named the file
        Origin origin;
        bool plain = false;      // only whether there is such a user
    };

    void deliver(const mail::Address& address, bool plain, Origin origin);
    void deliver_user(const mail::Address& address, bool plain, const Origin& origin);
    void deliver_mailbox(const mail::Address& address, bool is_user, const Origin& origin);
    util::Result<bool> deliver_alias(const mail::Address& address, std::string_view name, const Origin& origin);
    util::Result<bool> deliver_by_aliases(const mail::Address& address, const Origin& origin);
    util::Result<std::string> owner_of(std::string_view name);
    void walk(const std::vector<mail::Destination>& list, std::uint64_t version, const Origin& origin);
    void walk_address(const mail::Destination& one, const Origin& origin);
    util::Result<bool> stays_here(const mail::Address& address, const Origin& origin);
    void ask(Question question);
    void unknown(const mail::Address& address, const Origin& origin);
    util::Result<bool> pass(const mail::Address& address, conf::Tables* tables, const std::string& otherwise,
                            const Origin& origin);
    util::Result<bool> relay_unknown(const mail::Address& address, const Origin& origin);
    void forward(const mail::Address& address, const Origin& origin);
    void end(End::Kind kind, std::string address, const Origin& origin, std::string key);
    // `address`: with whom it met, if that is not the recipient.
    void fail(ipc::Disposition disposition, std::string_view dsn, std::string text, std::string address = {});
    void defer(const util::Error& error) { fail(ipc::Disposition::Deferred, "4.3.0", error.text); }
    std::string_view user_of(const mail::Address& address) const;
    bool is_virtual(const mail::Address& address) const;

    const ExpansionRules& rules_;
    std::string transport_;
    HasLoop has_loop_;
    Ask ask_;
    std::string sender_;
    std::unordered_map<std::uint64_t, Question> questions_;
    std::uint64_t next_question_ = 1;
    std::vector<End> ends_;
    std::set<std::string, std::less<>> seen_;   // who has an end already
    std::size_t walked_ = 0;                    // entries of lists
    bool expanded_ = false;
};

}  // namespace local
