// A mailbox for tests: keeps the subjects of what it is sent in the file "delivered" of the user's
// directory, and is ended by a message whose header has "X-Crash: yes".  Serves no sessions.
#include "libipc/connection.h"
#include "libipc/mailbox.h"
#include "libutil/sys.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace {

constexpr int control_descriptor = 3;   // as usher arranges it

void must(bool good)
{
    if (!good)
        ::_exit(1);
}

void deliver(ipc::Connection& from, const ipc::Deliver& order, const std::string& path, std::uint64_t lsn)
{
    if (order.content.find("X-Crash: yes\r\n") != std::string::npos)
        std::abort();
    std::string_view rest = order.content;
    rest.remove_prefix(std::min(rest.size(), rest.find("Subject: ")));
    auto file = util::sys::open(path, O_WRONLY | O_CREAT | O_APPEND);
    must(file.ok() && util::sys::write_all(file->get(), util::concat(util::split_first(rest, '\r').first, "\n")).ok());
    ipc::DeliveryStored stored;
    stored.delivery = order.delivery;
    stored.lsn = lsn;
    must(from.send(stored).ok() && from.send(ipc::Durable{.lsn = lsn}).ok());
}

}  // namespace

int main()
{
    auto first = ipc::receive_packet(control_descriptor);
    must(first.ok() && *first);
    auto settings = ipc::decode<ipc::MailboxSettings>(**first);
    must(settings.ok());
    ipc::Connection control{util::UniqueFd(control_descriptor)};
    must(control.send(ipc::SessionCount{}).ok());
    std::vector<ipc::Connection> deliverers;
    for (std::uint64_t lsn = 1;;) {
        std::vector<pollfd> wanted{{.fd = control.fd(), .events = POLLIN, .revents = 0}};
        for (const auto& deliverer : deliverers)
            wanted.push_back({.fd = deliverer.fd(), .events = POLLIN, .revents = 0});
        must(::poll(wanted.data(), wanted.size(), -1) > 0);
        for (std::size_t i = wanted.size(); i-- > 1;) {
            if (!wanted[i].revents)
                continue;
            auto order = deliverers[i - 1].receive_as<ipc::Deliver>();
            if (order.ok())
                deliver(deliverers[i - 1], *order, settings->directory + "/delivered", lsn++);
            else
                deliverers.erase(deliverers.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
        if (!wanted[0].revents)
            continue;
        auto order = control.receive_as<ipc::NewDeliveries>();
        if (!order.ok())
            return 0;   // told to leave
        deliverers.emplace_back(std::move(order->connection));
        must(deliverers.back().send(ipc::DeliveriesWanted{}).ok());
    }
}
