// ManagerLink: offers over a standing connection.
#include "cleanup/manager_link.h"

#include "libutil/log.h"

#include <cerrno>
#include <poll.h>

namespace cleanup {

bool ManagerLink::connect()
{
    if (connection_.valid())
        return true;
    auto connection = ipc::Connection::connect(path_, timeout_);
    if (!connection) {
        lost(connection.error());
        return false;
    }
    connection_ = connection.take();
    complained_ = false;
    return true;
}

// Mail is kept while qmgr is away; one warning for that is enough.
void ManagerLink::lost(const util::Error& error)
{
    connection_.close();
    if (!complained_)
        util::log::warning("no qmgr, messages wait in incoming: ", error.text);
    complained_ = true;
}

ManagerLink::Answer ManagerLink::offer(const std::string& queue_id, int message, std::uint64_t size, bool race,
                                       bool expanded, int client_fd)
{
    Answer answer;
    answer.ruling.queue_id = queue_id;
    ipc::Offer offer;
    offer.queue_id = queue_id;
    offer.size = size;
    offer.race = race;
    offer.expanded = expanded;
    // A connection that qmgr has closed since the last message shows only now: once more, then.
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (!connect())
            return answer;
        offer.message = util::UniqueFd(message);
        auto sent = connection_.send(offer);
        (void)offer.message.release();
        if (sent)
            break;
        lost(sent.error());
        if (attempt > 0)
            return answer;
    }
    pollfd waiting[] = {{connection_.fd(), POLLIN, 0}, {client_fd, POLLRDHUP, 0}};
    int milliseconds = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count());
    int ready = 0;
    do {
        ready = ::poll(waiting, 2, milliseconds);
    } while (ready < 0 && errno == EINTR);
    if (waiting[0].revents == 0) {
        // qmgr takes the end of the connection for our end.
        answer.client_gone = waiting[1].revents != 0;
        if (answer.client_gone)
            connection_.close();
        else
            lost(util::temporary("no ruling in time"));
        return answer;
    }
    auto ruling = connection_.receive_as<ipc::Ruling>();
    if (ruling && ruling->queue_id == queue_id)
        answer.ruling = ruling.take();
    else
        lost(ruling ? util::invalid("a ruling about another message") : ruling.take_error());
    return answer;
}

void ManagerLink::named(const std::string& queue_id)
{
    if (!connection_.valid() && !connect())
        return;
    if (auto sent = connection_.send(ipc::Named{queue_id}); !sent)
        lost(sent.error());
}

void ManagerLink::not_named(const std::string& queue_id)
{
    if (!connection_.valid())
        return;
    if (auto sent = connection_.send(ipc::NotNamed{queue_id}); !sent)
        lost(sent.error());
}

}  // namespace cleanup
