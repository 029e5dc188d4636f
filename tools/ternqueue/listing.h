// How ternqueue(1) shows the queue: for people as Postfix's postqueue -p does, for programs as JSON.
#pragma once

#include "libipc/queue_control.h"

#include <string>

namespace ternqueue {

// Writes items as they come; the text goes to standard output in pieces.
class Listing {
public:
    explicit Listing(bool json) : json_(json) {}
    ~Listing() { flush(); }
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;

    void add(const ipc::QueueItem& item);
    void finish();

    // The text that is not yet written, for tests.
    const std::string& text() const { return out_; }
    void clear() { out_.clear(); }

private:
    void add_text(const ipc::QueueItem& item);
    void add_json(const ipc::QueueItem& item);
    void end_json();
    void flush();

    bool json_;
    bool open_ = false;        // a JSON object whose recipients may go on
    bool first_recipient_ = true;
    std::uint64_t count_ = 0;
    std::uint64_t bytes_ = 0;
    std::string out_;
};

}  // namespace ternqueue
