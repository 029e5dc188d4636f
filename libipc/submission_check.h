// SubmissionCheck: the order and the sanity of a submission's records, for those who take them from
// local people: terndrop(1) and pickup(8).
#pragma once

#include "libipc/submission.h"

namespace ipc {

class SubmissionCheck {
public:
    // Begin first, then More, then Content until one is the last; addresses without control bytes.
    // Invalid: what is wrong.
    util::Result<void> begin(const Begin& message);
    util::Result<void> more(const More& message);
    util::Result<void> content(const Content& message);

    // Decodes the record and checks it, for who only passes records on.
    util::Result<void> record(Packet& packet);

    bool complete() const { return state_ == State::Complete; }
    std::uint64_t size() const { return size_; }

private:
    enum class State { Start, Recipients, Content, Complete };

    util::Result<void> recipients(const std::vector<Recipient>& recipients);
    util::Result<void> bytes(std::string_view content, bool last);

    State state_ = State::Start;
    std::uint64_t size_ = 0;
};

}  // namespace ipc
