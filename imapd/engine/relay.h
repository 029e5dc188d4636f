// Other users' mailboxes in a session: commands for them go to their owners' mailbox processes, and what these answer
// goes to the client.
//
// One command is under way at a time, as in any session; meanwhile the session waits as it does for the disk.
// A link that is neither selected nor the last one used is closed.
#pragma once

#include "imapd/engine/remotes.h"
#include "imapd/engine/response_reader.h"
#include "libutil/time.h"

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

// Of the messages that a COPY or MOVE carries from one user's mailbox to another's, together.
constexpr std::uint64_t max_carried_bytes = 64U << 20;
// Owners whose mailboxes one LIST asks for.
constexpr std::size_t max_listed_owners = 1000;

class Relay {
public:
    using Lines = std::function<void(std::string_view response)>;
    // The tagged answer behind its tag: "OK ..".
    using Done = std::function<void(std::string_view status)>;
    struct Host {
        std::function<void(std::string_view bytes)> forward;        // to the client
        std::function<bool()> wants;                                // has the client room for more?
        std::function<bool()> has_view;                             // is a mailbox of the user's own selected?
        std::function<void(std::string_view text)> selected_lost;   // BYE
        std::string setup;                                          // commands of a new link, without tags, each with CRLF
    };

    Relay(Remotes& remotes, Namespaces names, Host host);
    ~Relay();

    // Whose mailbox a name is by its prefix.
    std::optional<std::string> owner_of(std::string_view name) const;
    std::string prefix_of(std::string_view owner) const;
    const Namespaces& names() const { return names_; }

    // Is a mailbox of another user selected, and whose?
    bool selected() const { return !selected_.empty(); }
    const std::string& selected_owner() const { return selected_; }
    void set_selected(std::string owner);

    // A command without its tag, literals in it non-synchronizing; `collect` gets whole untagged responses, and returns
    // through its argument; without it they go to the client.
    void command(const std::string& owner, std::string text, Done done, Lines collect = {});
    // The end of an IDLE.
    void send_done();
    // To all links there are: what is answered nobody hears.
    void tell_all(const std::string& text);
    // Who shares with this user.
    void ask_owners(std::function<void(std::vector<std::string>)> then);
    // When anything was heard last.
    util::Instant last_heard() const { return last_heard_; }
    // Whoever has not answered yet is not waited for any longer.
    void give_up();
    // The client is in the middle of a response.
    bool in_response() const;
    void set_setup(std::string setup) { host_.setup = std::move(setup); }

private:
    struct Pending {
        std::string tag;
        Done done;
        Lines collect;
        bool silent = false;
    };
    struct Link {
        std::string owner;
        std::unique_ptr<RemoteLink> wire;
        ResponseReader reader;
        bool greeted = false;
        bool forwarding = false;     // in the middle of a response that goes to the client
        std::string collected;       // the response that is being collected
        std::deque<Pending> pending;
        bool over = false;
    };

    Link& link_to(const std::string& owner);
    void received(Link& link, std::string_view bytes);
    bool take(Link& link, const ResponseReader::Piece& piece);
    void tagged(Link& link, std::string_view line);
    void ended(Link& link, bool unknown, std::string_view reason);
    void tidy();

    Remotes& remotes_;
    Namespaces names_;
    Host host_;
    std::list<Link> links_;          // the last one used is the last
    std::unique_ptr<RemoteLink> question_;
    std::string selected_;
    std::uint64_t next_tag_ = 1;
    util::Instant last_heard_{};
    int busy_ = 0;                   // links are calling: none is destroyed
};

// The same command with literals for which nobody waits (RFC 7888).
std::string non_synchronizing(std::string_view text);

}  // namespace imapd::engine
