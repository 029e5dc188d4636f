// Connections to other users' mailbox processes.
#include "mailbox/guests.h"

#include "libutil/text.h"

#include <cerrno>
#include <sys/socket.h>

namespace mailbox {

using imapd::engine::RemoteEvents;
using imapd::engine::RemoteLink;

namespace {

constexpr std::size_t link_piece = 64U << 10;

}  // namespace

// Shared by the table and the callbacks on the stack: the session may let go of it in one of them.
struct Guests::Wire {
    RemoteEvents events;
    util::UniqueFd fd;
    util::Watch watch;
    std::string output;
    std::size_t sent = 0;
    bool wanted = true;      // the session has it still
    bool over = false;

    void end(bool unknown)
    {
        if (std::exchange(over, true))
            return;
        watch.reset();
        fd.reset();
        output.clear();
        if (wanted)
            events.closed(unknown);
    }

    void write()
    {
        while (fd.valid() && sent < output.size()) {
            ssize_t count = ::send(fd.get(), output.data() + sent, output.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0 && errno == EAGAIN)
                break;
            if (count < 0)
                return;   // the other side is gone: what it has said is still to be read
            sent += std::size_t(count);
        }
        if (sent == output.size()) {
            output.clear();
            output.shrink_to_fit();
            sent = 0;
        }
    }

    void read()
    {
        char buffer[link_piece];
        ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (count > 0)
            return events.received({buffer, std::size_t(count)});
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        end(false);
    }
};

class Guests::WireLink final : public RemoteLink {
public:
    WireLink(Guests& guests, std::uint64_t request, std::shared_ptr<Wire> wire)
        : guests_(guests), request_(request), wire_(std::move(wire))
    {
    }
    ~WireLink() override
    {
        wire_->wanted = false;
        wire_->over = true;
        wire_->watch.reset();
        wire_->fd.reset();
        guests_.wires_.erase(request_);
    }
    void send(std::string_view bytes) override
    {
        if (!wire_->over)
            wire_->output += bytes;
    }

private:
    Guests& guests_;
    std::uint64_t request_;
    std::shared_ptr<Wire> wire_;
};

struct Guests::Question {
    std::function<void(std::vector<std::string>)> then;
    std::vector<std::string> owners;
};

class Guests::QuestionLink final : public RemoteLink {
public:
    QuestionLink(Guests& guests, std::uint64_t request) : guests_(guests), request_(request) {}
    ~QuestionLink() override { guests_.questions_.erase(request_); }
    void send(std::string_view) override {}

private:
    Guests& guests_;
    std::uint64_t request_;
};

std::unique_ptr<RemoteLink> Guests::open(const std::string& owner, RemoteEvents events)
{
    auto wire = std::make_shared<Wire>();
    wire->events = std::move(events);
    std::uint64_t request = next_request_++;
    wires_[request] = wire;
    usher_.open(ipc::OpenGuest{.request = request, .owner = owner});
    return std::make_unique<WireLink>(*this, request, std::move(wire));
}

std::unique_ptr<RemoteLink> Guests::ask_owners(std::function<void(std::vector<std::string>)> then)
{
    std::uint64_t request = next_request_++;
    questions_[request] = std::make_shared<Question>(Question{.then = std::move(then), .owners = {}});
    usher_.sharers(ipc::AskSharers{.request = request});
    return std::make_unique<QuestionLink>(*this, request);
}

bool Guests::answered(ipc::Packet& packet)
{
    if (packet.name() == ipc::Sharers::message_name) {
        auto answer = ipc::decode<ipc::Sharers>(packet);
        if (!answer.ok())
            return true;
        auto found = questions_.find(answer->request);
        if (found == questions_.end())
            return true;
        auto question = found->second;
        question->owners.insert(question->owners.end(), answer->owners.begin(), answer->owners.end());
        if (answer->last) {
            questions_.erase(found);
            question->then(std::move(question->owners));
        }
        return true;
    }
    bool opened = packet.name() == ipc::GuestOpened::message_name;
    if (!opened && packet.name() != ipc::GuestRefused::message_name)
        return false;
    std::uint64_t request = 0;
    util::UniqueFd connection;
    if (opened) {
        auto answer = packet.cut ? ipc::decode_cut<ipc::GuestOpened>(packet) : ipc::decode<ipc::GuestOpened>(packet);
        if (!answer.ok())
            return true;
        request = answer->request;
        connection = std::move(answer->connection);
    } else if (auto answer = ipc::decode<ipc::GuestRefused>(packet); answer.ok()) {
        request = answer->request;
    }
    auto found = wires_.find(request);
    if (found == wires_.end() || found->second->fd.valid())
        return true;
    auto wire = found->second;
    if (!connection.valid()) {
        wire->end(!opened);
        return true;
    }
    wire->fd = std::move(connection);
    // The wire is held by the table; its callback holds it while it runs.
    wire->watch = util::Watch(loop_, wire->fd.get(), util::Watch::Read, [weak = std::weak_ptr<Wire>(wire)](unsigned what) {
        if (auto held = weak.lock(); held && !held->over && (what & util::Watch::Read))
            held->read();
    });
    return true;
}

void Guests::settle()
{
    std::vector<std::shared_ptr<Wire>> all;
    for (const auto& [request, wire] : wires_)
        all.push_back(wire);
    for (const auto& wire : all) {
        if (wire->output.size() - wire->sent > max_guest_output)
            wire->end(false);
        if (wire->over || !wire->fd.valid())
            continue;
        wire->write();
        bool reads = wire->wanted && wire->events.wants();
        wire->watch.want((reads ? util::Watch::Read : util::Watch::None) |
                         (wire->output.empty() ? util::Watch::None : util::Watch::Write));
    }
}

}  // namespace mailbox
