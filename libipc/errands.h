// local(8) -> errands(8): what is done with the rights of users.
//
//   local: ReadList    errands: ListPart, one or several, the last with `last`
//   local: RunEntry    errands: ErrandDone
//   local: ForgetErrand, when it waited too long
//
// local never says what is to be run or opened: it names a place that the administrator, or the user,
// has written to, and errands reads there itself.  What it answered of a list has a version; an order
// for an entry of another version is not carried out.
#pragma once

#include "libipc/delivery.h"
#include "libmail/destinations.h"

namespace ipc {

constexpr std::size_t max_list_steps = 100;        // :include: in :include: ...
constexpr std::size_t list_part_size = 60'000;     // bytes of destinations in one ListPart, about

// A list of destinations.
struct Place {
    enum class Kind : std::uint8_t {
        Alias,     // the entry `name` of $alias_maps
        Forward,   // the .forward file of the user `name`
        Mailbox,   // the mailbox of the user `name`: not a list, it has one entry
        Virtual,   // the mailbox of the address `name`, by $virtual_mailbox_maps; the same
        last_ = Virtual
    };
    Kind kind = Kind::Alias;
    std::string name;
    std::string extension;   // of the user's address: $extension
    // The index of an :include: in that list, of one in what that names, and so on.
    std::vector<std::uint32_t> steps;

    bool operator==(const Place&) const = default;

    static void fields(auto& message, auto& visit)
    {
        visit("kind", message.kind);
        visit("name", message.name);
        visit("extension", message.extension);
        visit("step", message.steps);
    }
};

struct ReadList {
    static constexpr std::string_view message_name = "read-list";
    std::uint64_t request = 0;
    Place place;
    std::string recipient;     // for $recipient and $domain of forward_path

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("place", message.place);
        visit("recipient", message.recipient);
    }
};

struct ListPart {
    static constexpr std::string_view message_name = "list-part";
    enum class Result : std::uint8_t {
        Found,
        None,      // the user has no .forward file, or none that may be used
        NoUser,    // there is no such user
        Failed,    // `status` says why
        last_ = Failed
    };
    std::uint64_t request = 0;
    Result result = Result::Failed;
    std::vector<mail::Destination> destinations;
    std::uint64_t version = 0;
    DeliveryStatus status;
    bool last = true;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("result", message.result);
        visit("destination", message.destinations);
        visit("version", message.version);
        visit("status", message.status);
        visit("last", message.last);
    }
};

// Run a command, write to a file or a maildir: what the entry says.
struct RunEntry {
    static constexpr std::string_view message_name = "run-entry";
    std::uint64_t request = 0;
    Place place;
    std::uint32_t entry = 0;
    std::uint64_t version = 0;       // of the list; of a mailbox 0
    std::string queue_id;
    std::string sender;
    std::string recipient;           // with its extension: the one whose list or mailbox it is
    std::string delivered_to;        // for the field of that name
    std::string original_recipient;  // address of ORCPT, or empty
    std::string client_name, client_address, helo_name, protocol_name, sasl_method, sasl_username;
    std::string content;             // as Deliver has it
    util::UniqueFd message;
    std::uint64_t size = 0;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("place", message.place);
        visit("entry", message.entry);
        visit("version", message.version);
        visit("queue_id", message.queue_id);
        visit("sender", message.sender);
        visit("recipient", message.recipient);
        visit("delivered_to", message.delivered_to);
        visit("original_recipient", message.original_recipient);
        visit("client_name", message.client_name);
        visit("client_address", message.client_address);
        visit("helo_name", message.helo_name);
        visit("protocol_name", message.protocol_name);
        visit("sasl_method", message.sasl_method);
        visit("sasl_username", message.sasl_username);
        visit("content", message.content);
        visit("message", message.message);
        visit("size", message.size);
    }
};

struct ErrandDone {
    static constexpr std::string_view message_name = "errand-done";
    std::uint64_t request = 0;
    bool no_user = false;     // of a mailbox: there is no such user, or no such entry
    DeliveryStatus status;

    static void fields(auto& message, auto& visit)
    {
        visit("request", message.request);
        visit("no_user", message.no_user);
        visit("status", message.status);
    }
};

// local -> errands: nobody waits for the answer any more.  What has not begun is not done; there is no answer.
struct ForgetErrand {
    static constexpr std::string_view message_name = "forget-errand";
    std::uint64_t request = 0;

    static void fields(auto& message, auto& visit) { visit("request", message.request); }
};

// What tells a list from one that was changed since.
std::uint64_t version_of(const std::vector<mail::Destination>& destinations);

}  // namespace ipc
