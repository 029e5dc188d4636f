// ManagerLink: cleanup's end of the commit race with qmgr(8); see libipc/offer.h.
#pragma once

#include "libipc/connection.h"
#include "libipc/offer.h"

#include <optional>

namespace cleanup {

class ManagerLink {
public:
    // `timeout`: for a ruling; a qmgr that takes longer is not there.
    ManagerLink(std::string path, util::Duration timeout) : path_(std::move(path)), timeout_(timeout) {}

    struct Answer {
        ipc::Ruling ruling;          // Keep, when qmgr is not there to rule
        bool client_gone = false;    // the client has closed meanwhile: forget the message
    };
    // Offers a message and waits for the ruling, or for `client_fd` to be closed.
    Answer offer(const std::string& queue_id, int message, std::uint64_t size, bool race, bool expanded, int client_fd);

    // After keep.  When qmgr is gone it finds the file by itself.
    void named(const std::string& queue_id);
    void not_named(const std::string& queue_id);

private:
    bool connect();
    void lost(const util::Error& error);

    std::string path_;
    util::Duration timeout_;
    ipc::Connection connection_;
    bool complained_ = false;
};

}  // namespace cleanup
