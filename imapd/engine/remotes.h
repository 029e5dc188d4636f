// The way to other users' mailboxes: connections to their owners' mailbox processes, which usher(8) makes.
//
// What the two processes speak is IMAP: the owner's runs a session that knows whose guest it serves
// (SessionFacts::guest), checks his rights, and gives names as he sees them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace imapd::engine {

// Where others' mailboxes are among the names; an empty prefix: nowhere.
struct Namespaces {
    std::string others;         // "Other Users/"
    std::string shared;         // "Shared/": public folders,
    std::string shared_owner;   // which are this account's mailboxes
};

// A connection, or a question; when it is destroyed nothing is called back any more.
class RemoteLink {
public:
    virtual ~RemoteLink() = default;
    virtual void send(std::string_view bytes) = 0;
};

struct RemoteEvents {
    std::function<void(std::string_view bytes)> received;
    // It is over.  `unknown`: there is no such owner, or none who shares anything with this user.
    std::function<void(bool unknown)> closed;
    // May more be received now?
    std::function<bool()> wants;
};

class Remotes {
public:
    virtual ~Remotes() = default;
    // Never calls back from within.
    virtual std::unique_ptr<RemoteLink> open(const std::string& owner, RemoteEvents events) = 0;
    // Who shares something with this user.
    virtual std::unique_ptr<RemoteLink> ask_owners(std::function<void(std::vector<std::string>)> then) = 0;
};

}  // namespace imapd::engine
