// A mailbox process without exec: Host in a child, the test in usher's place.
#pragma once

#include "libipc/connection.h"
#include "libutil/log.h"
#include "mailbox/host.h"
#include "tests/unit/libstore/fixture.h"

#include <csignal>
#include <sys/socket.h>
#include <sys/wait.h>

namespace test {

inline store::Rendered plain_rendering(std::string_view)
{
    return rendered("x");
}

// Leaves its connection at "leave".  Waits for the disk after "make".  Says what it is fed in capitals, works for a while at "work", ends at
// "quit", and can be parked after "wait" and what it has to remember.
class ShoutingSession : public ipc::ProtocolSession {
public:
    ShoutingSession(store::Store& store, std::string_view state) : store_(store), memory_(state) {}

    Waits waits() const override { return memory_.empty() ? Waits::No : Waits::ForNews; }
    std::optional<ipc::Resting> rest() const override
    {
        ipc::Resting resting{.state = memory_, .watches = {}, .late = "late\n", .farewell = "bye\n"};
        const auto* inbox = *store_.mailbox("INBOX");
        resting.watches.push_back({inbox->id, inbox->highest_modseq});
        return resting;
    }
    void catch_up() override { output_ += "caught up\n"; }
    void set_groups(const std::vector<std::string>& groups) override
    {
        util::append(output_, "in ", groups.size(), " groups\n");
    }

    void feed(std::string_view bytes) override
    {
        input_ += bytes;
        for (auto end = input_.find('\n'); end != std::string::npos && awaited_ == 0; end = input_.find('\n')) {
            std::string line = input_.substr(0, end);
            input_.erase(0, end + 1);
            execute(line);
        }
    }
    bool wants_input() const override { return slices_ == 0; }
    void end_of_input() override { finished_ = true; }
    std::string& output() override { return output_; }
    bool has_work() const override { return slices_ > 0; }
    void work() override
    {
        if (--slices_ == 0)
            output_ += "worked\n";
    }
    void store_changed(std::uint64_t) override { output_ += "changed\n"; }
    void durable_grew() override
    {
        if (awaited_ != 0 && store_.durable() >= awaited_) {
            awaited_ = 0;
            output_ += "made\n";
            feed({});
        }
    }
    bool waits_for_disk() const override { return awaited_ != 0; }
    std::optional<util::Instant> deadline() const override { return deadline_; }
    void deadline_passed(util::Instant) override
    {
        output_ += "late\n";
        finished_ = true;
    }
    bool finished() const override { return finished_; }
    std::optional<std::string> left_over() const override { return leaves_ ? std::optional(left_ + input_) : std::nullopt; }
    std::string farewell() const override { return "farewell\n"; }
    void terminate(std::string_view reason) override
    {
        util::append(output_, "bye ", reason, "\n");
        finished_ = true;
    }
    std::string summary() const override { return "in=0, out=0"; }

private:
    void execute(const std::string& line)
    {
        if (finished_)
            util::append(left_, line, "\n");
        else if (line == "quit")
            finished_ = true;
        else if (line == "leave")
            finished_ = leaves_ = true, output_ += "left\n";
        else if (line == "work")
            slices_ = 1000;
        else if (line == "soon")
            deadline_ = util::now() + util::Duration(1000);
        else if (line.starts_with("wait "))
            memory_ = line.substr(5);
        else if (line == "remember")
            util::append(output_, memory_, "\n");
        else if (line == "much")
            output_.append(1U << 20, 'x');
        else if (line.starts_with("make ")) {
            OK(store_.create_mailbox(line.substr(5), store::SpecialUse::None));
            awaited_ = store_.last();
        } else if (line == "count")
            util::append(output_, (*store_.mailbox("INBOX"))->entries.size(), "\n");
        else
            util::append(output_, util::upper(line), "\n");
    }

    store::Store& store_;
    std::string memory_;
    std::string input_;
    std::string output_;
    int slices_ = 0;
    store::Lsn awaited_ = 0;
    bool finished_ = false;
    bool leaves_ = false;
    std::string left_;
    std::optional<util::Instant> deadline_;
};

// It has a search index if its settings name the directory.
class MailboxProcess {
public:
    // `buffer`: of the control socket, for what the process says; 0: the system's.
    explicit MailboxProcess(const std::string& directory, ipc::MailboxSettings settings = quick_settings(),
                            store::Options options = {}, int buffer = 0)
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        OK(pair);
        if (buffer)
            ::setsockopt(pair->second.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        pid_ = ::fork();
        ck_assert(pid_ >= 0);
        if (pid_ == 0) {
            pair->first.reset();
            ::_exit(run(directory, std::move(settings), std::move(options), std::move(pair->second)));
        }
        control = ipc::Connection(std::move(pair->first));
        OK(control.set_timeout(std::chrono::seconds(100)));
        OK(control.receive_as<ipc::SessionCount>());   // it is up
    }
    ~MailboxProcess()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            (void)wait();
        }
    }

    static ipc::MailboxSettings quick_settings()
    {
        ipc::MailboxSettings settings;
        settings.account = "user@example.org";
        return settings;
    }

    // A connection that delivers.
    ipc::Connection deliverer()
    {
        auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
        OK(pair);
        ipc::NewDeliveries order;
        order.connection = std::move(pair->first);
        OK(control.send(order));
        ipc::Connection connection(std::move(pair->second));
        OK(connection.set_timeout(std::chrono::seconds(100)));
        OK(connection.receive_as<ipc::DeliveriesWanted>());
        return connection;
    }

    // The client's end of a new session.
    util::UniqueFd session(std::string greeting = {}, std::string pending = {},
                           ipc::Service service = ipc::Service::Imap, std::uint64_t number = 0)
    {
        auto pair = util::sys::socket_pair(SOCK_STREAM);
        OK(pair);
        ipc::NewSession order;
        order.order = number;
        order.facts.service = service;
        order.facts.session = "s1";
        order.client = std::move(pair->first);
        order.greeting = std::move(greeting);
        order.pending = std::move(pending);
        OK(control.send(order));
        timeval limit{.tv_sec = 100, .tv_usec = 0};
        ::setsockopt(pair->second.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        return std::move(pair->second);
    }

    pid_t pid() const { return pid_; }
    // The status that wait() gives, when it ends by itself.
    int wait()
    {
        int status = -1;
        ck_assert(::waitpid(pid_, &status, 0) == pid_);
        pid_ = -1;
        return status;
    }

    ipc::Connection control;

private:
    static int run(const std::string& directory, ipc::MailboxSettings settings, store::Options options,
                   util::UniqueFd control_end)
    {
        auto opened = store::Store::open(directory, std::move(options), std::chrono::seconds(100));
        auto loop = util::EventLoop::create();
        if (!opened.ok() || !loop.ok())
            return 3;
        std::optional<mailbox::SearchRoom> search;
        if (!settings.directory.empty()) {
            util::Sandbox copies;
            if (!copies.read(settings.directory).prepare(util::Sandbox::Mode::Yes).ok())
                return 4;
            search.emplace(*loop, settings, **opened, std::move(copies));
        }
        mailbox::Host host(*loop, std::move(control_end), settings, **opened, plain_rendering,
                           [](const ipc::SessionFacts& facts, store::Store& of_user,
                              std::string_view state) -> std::unique_ptr<ipc::ProtocolSession> {
                               if (facts.service != ipc::Service::Imap)
                                   return nullptr;
                               return std::make_unique<ShoutingSession>(of_user, state);
                           },
                           search ? &*search : nullptr);
        util::SignalWatch terminate(*loop, SIGTERM, [&host] { host.leave("server shutting down"); });
        if (!host.run().ok())
            return 1;
        return host.has_untold_news() ? ipc::untold_news_status : 0;
    }

    pid_t pid_ = -1;
};

inline ipc::Deliver order(std::uint64_t number, std::string_view queue_id, std::string_view content)
{
    ipc::Deliver deliver;
    deliver.delivery = number;
    deliver.queue_id = queue_id;
    deliver.recipient = "user@example.org";
    deliver.arrival = 1'800'000'000'000'000;
    deliver.prefix = "Return-Path: <a@b>\r\n";
    deliver.content = content;
    deliver.size = content.size();
    return deliver;
}

// A line from a session, without its end; "" when it was closed.
inline std::string line_of(int fd)
{
    std::string line;
    char byte;
    while (::recv(fd, &byte, 1, 0) == 1) {
        if (byte == '\n')
            return line;
        line += byte;
    }
    return line;
}

inline void say(int fd, std::string_view text)
{
    ck_assert(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size()));
}

// Reads answers until everything is durable up to the highest lsn stored.
struct Answers {
    std::size_t stored = 0;
    std::size_t duplicates = 0;
    std::uint64_t highest = 0;
    std::uint64_t durable = 0;
    std::size_t told_apart = 0;   // records that say nothing else
};
inline Answers collect(ipc::Connection& connection, std::size_t orders)
{
    Answers answers;
    while (answers.stored < orders || answers.durable < answers.highest) {
        auto packet = connection.receive();
        OK(packet);
        if (packet->name() == ipc::DeliveryStored::message_name) {
            auto stored = ipc::decode<ipc::DeliveryStored>(*packet);
            OK(stored);
            ++answers.stored;
            answers.duplicates += stored->duplicate;
            answers.highest = std::max(answers.highest, stored->lsn);
            answers.durable = std::max(answers.durable, stored->durable);
        } else {
            auto durable = ipc::decode<ipc::Durable>(*packet);
            OK(durable);
            answers.durable = durable->lsn;
            ++answers.told_apart;
        }
    }
    return answers;
}

}  // namespace test
