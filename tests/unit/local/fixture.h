// Agent in the test's own loop; the test is qmgr, usher and the mailboxes.
#pragma once

#include "libconf/common.h"
#include "libconf/main_cf.h"
#include "libipc/connection.h"
#include "libqueue/writer.h"
#include "local/agent.h"
#include "tests/unit/libstore/fixture.h"

#include <cstring>
#include <map>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace test {

// A Router over settings; local domains are mail.example.net, example.org is virtual.
struct Routes {
    explicit Routes(std::string_view text = "")
    {
        conf::Problems problems;
        auto settings = conf::MainCf::parse(
            util::concat("myhostname = mail.example.net\nmyorigin = mail.example.net\nmydestination = $myhostname\n"
                         "recipient_delimiter = +\ninet_interfaces = 192.0.2.25\nvirtual_mailbox_domains = example.org\n"
                         "virtual_mailbox_maps = static:x\nlocal_recipient_maps =\n", text),
            "main.cf", "/nonexistent", problems);
        settings.fill({&common, &config}, problems);
        ck_assert_msg(!problems.any(), "%s", problems.to_text().c_str());
        auto opened = routing::Router::open(common, config);
        OK(opened);
        router = opened.take();
    }

    conf::Common common;
    routing::Config config;
    std::unique_ptr<routing::Router> router;
};

class Office {
public:
    explicit Office(local::AgentSettings settings = {}, std::string_view routing = "")
        : routes(routing), loop(util::EventLoop::create().take()), path(directory.beside("usher")),
          listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        ck_assert(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        ck_assert(::listen(listener.get(), 5) == 0);
        settings.usher_socket = path;
        settings.errands_socket = directory.beside("errands");
        settings.forward.cleanup_socket = directory.beside("cleanup");
        settings.forward.hostname = "mail.example.net";
        settings.forward.mail_name = "Tern";
        settings.rules.router = routes.router.get();
        settings.rules.find_account = [](std::string_view name) { return find(name); };
        agent = std::make_unique<local::Agent>(loop, std::move(settings));
        qmgr = manager();
        auto greeting = next<ipc::AgentGreeting>(qmgr);
        capacity = greeting.capacity;
    }

    static util::Result<std::string> find(std::string_view address)
    {
        if (address.starts_with("broken"))
            return util::temporary("the accounts cannot be read");
        if (address.starts_with("refusing"))
            return util::permanent("mailbox disabled");
        if (address.starts_with("nobody") || address.find("@elsewhere") != std::string_view::npos)
            return util::not_found("no such account");
        auto [user, extension] = util::split_first(address, '+');
        return extension.empty() ? std::string(address) : util::concat(user, "@example.org");
    }

    ipc::Connection manager()
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        OK(pair);
        agent->accept(std::move(pair->first), [this] { ++gone; });
        return ipc::Connection(std::move(pair->second));
    }

    std::optional<ipc::Packet> receive(const ipc::Connection& from)
    {
        for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(20)); !limit.passed();) {
            auto packet = ipc::receive_packet(from.fd(), MSG_DONTWAIT);
            if (packet.ok())
                return packet.take();
            if (packet.error().code != EAGAIN)
                return {};
            loop.run_for(std::chrono::milliseconds(2));
        }
        ck_abort_msg("nothing came");
    }

    template <typename Message>
    Message next(const ipc::Connection& from)
    {
        auto packet = receive(from);
        ck_assert_msg(packet.has_value(), "closed instead of %s", std::string(Message::message_name).c_str());
        auto message = ipc::decode<Message>(*packet);
        OK(message);
        return message.take();
    }

    void until(const std::function<bool()>& condition)
    {
        for (util::Deadline limit = util::Deadline::in(std::chrono::seconds(20)); !limit.passed();) {
            if (condition())
                return;
            loop.run_for(std::chrono::milliseconds(2));
        }
        ck_abort_msg("it did not become so");
    }

    // In usher's place: the next order for a mailbox.
    ipc::OpenMailbox wanted()
    {
        if (!usher.valid()) {
            until([&] {
                usher = ipc::Connection(util::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
                return usher.valid();
            });
        }
        return next<ipc::OpenMailbox>(usher);
    }

    // Fulfils the next order: the mailbox's end of the connection.
    ipc::Connection mailbox(std::string* account = nullptr)
    {
        auto order = wanted();
        if (account)
            *account = order.account;
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        OK(pair);
        ipc::MailboxOpened opened;
        opened.request = order.request;
        opened.connection = std::move(pair->first);
        OK(usher.send(opened));
        return ipc::Connection(std::move(pair->second));
    }

    util::UniqueFd queue_file(std::string_view content)
    {
        queue::Writer writer({.directory = directory.path, .memory_limit = 64 * 1024});
        ipc::Envelope envelope;
        envelope.queue_id = "Q1";
        OK(writer.begin(envelope));
        OK(writer.add_recipient({.address = "user@example.org"}));
        OK(writer.add_content(content));
        auto fd = writer.finish({});
        OK(fd);
        return fd.take();
    }

    ipc::Job job(std::uint64_t number, std::vector<std::string> recipients,
                 std::string_view content = "Subject: x\r\n\r\nbody\r\n")
    {
        ipc::Job made;
        made.job = number;
        made.queue_id = util::concat("Q", number);
        made.transport = "local";
        made.sender = "from@example.com";
        made.arrival = util::wall_now().time_since_epoch().count() - 1'000'000;
        made.activated = made.arrival + 500'000;
        made.message = queue_file(content);
        for (std::size_t i = 0; i < recipients.size(); ++i)
            made.recipients.push_back({.index = std::uint32_t(i + 10), .recipient = {.address = recipients[i]}});
        return made;
    }

    static void store(ipc::Connection& mailbox, std::uint64_t delivery, std::uint64_t lsn)
    {
        ipc::DeliveryStored stored;
        stored.delivery = delivery;
        stored.lsn = lsn;
        OK(mailbox.send(stored));
    }
    static void durable(ipc::Connection& mailbox, std::uint64_t lsn)
    {
        ipc::Durable made;
        made.lsn = lsn;
        OK(mailbox.send(made));
    }

    Routes routes;
    Directory directory;
    util::EventLoop loop;
    std::string path;
    util::UniqueFd listener;
    ipc::Connection usher;
    std::unique_ptr<local::Agent> agent;
    ipc::Connection qmgr;
    std::uint32_t capacity = 0;
    std::size_t gone = 0;
};

}  // namespace test
