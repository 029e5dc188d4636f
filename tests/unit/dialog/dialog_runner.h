// Runs the dialogues of tests/dialog in memory: protocol sessions over one store.
#pragma once

#include "libipc/protocol_session.h"
#include "libstore/store.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace test {

struct DialogSetup {
    std::uint64_t message_limit = 10'240'000;
    std::size_t messages = 0;   // RFC 9738
    std::string session;    // its name
};

using MakeSession =
    std::function<std::unique_ptr<ipc::ProtocolSession>(store::Store&, const DialogSetup&)>;

class DialogRunner {
public:
    DialogRunner(std::unique_ptr<store::Store> store, MakeSession make);
    ~DialogRunner();

    // Runs a file; the empty string, or "file:line: what is wrong".
    std::string run(const std::string& path);

    // Lets everything happen that can happen without input.
    void settle();

private:
    struct Peer {
        std::unique_ptr<ipc::ProtocolSession> session;
        std::string received;
    };

    std::string line(std::string_view text);
    std::string expect(Peer& peer, char kind, std::string_view wanted);
    std::string directive(std::string_view text);
    Peer& peer(const std::string& name);
    void send(Peer& peer, std::string_view bytes);
    void listen();
    bool take_line(Peer& peer, std::string& line);
    bool fits(std::string_view line, std::string_view pattern);
    std::string substitute(std::string_view text);

    std::unique_ptr<store::Store> store_;
    MakeSession make_;
    DialogSetup setup_;
    std::map<std::string, Peer> peers_;
    std::map<std::string, std::string> variables_;
};

// Runs all dialogues in a directory, each over a fresh store; what is wrong, or the empty string.
std::string run_dialogs(const std::string& directory, const MakeSession& make);

// "\r\n\x00" and "\*3(ab)".
std::string unescape(std::string_view text);

// A message of tests/dialog/messages with CRLF line ends.
std::string load_message(std::string_view name);
// Stores it as a delivery would.
void deliver(store::Store& store, std::string_view content, std::string_view mailbox = "INBOX",
             store::Flags flags = 0);

}  // namespace test
