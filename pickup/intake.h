// Intake: takes one local submission at a time and passes it on to cleanup(8).
//
// What a local person says of his message is checked here; who he is says the kernel: the peer of
// a socket, or the owner of a file.
#pragma once

#include "libconf/common.h"
#include "libipc/submission_check.h"
#include "libipc/submitter.h"
#include "pickup/config.h"

namespace pickup {

class Intake {
public:
    Intake(const conf::Common& common, const Config& config, ipc::Submitter& submitter) :
        common_(common), config_(config), submitter_(submitter)
    {
    }

    // A new message from this person.  Temporary when cleanup cannot be reached.
    util::Result<void> start(uid_t uid);
    const std::string& queue_id() const { return queue_id_; }

    // The next record of the submission.  Invalid: the submission is worth nothing.
    util::Result<void> record(ipc::Packet& packet);
    bool complete() const { return check_.complete(); }
    // What cleanup says of the whole; Refused without asking it if that is above message_size_limit.
    util::Result<ipc::Verdict> finish();
    // Forgets a message that is not finished.
    void abandon();

private:
    void begin(ipc::Begin message);
    bool too_large() const;

    const conf::Common& common_;
    const Config& config_;
    ipc::Submitter& submitter_;
    uid_t uid_ = 0;
    std::string queue_id_;
    ipc::SubmissionCheck check_;
};

}  // namespace pickup
