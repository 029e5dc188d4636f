// Where sendmail(1) hands its message to: pickup(8) when it answers, else terndrop(1).
#pragma once

#include "libipc/submission.h"
#include "libutil/result.h"
#include "libutil/time.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sendmail {

// How long pickup may take to greet, and to answer for a message.
constexpr util::Duration greeting_timeout = std::chrono::seconds(5);
constexpr util::Duration verdict_timeout = std::chrono::minutes(10);

class Sink {
public:
    virtual ~Sink() = default;
    // The whole message, in order; errors wait for finish().
    virtual void begin(ipc::Envelope envelope, const std::vector<ipc::Recipient>& recipients) = 0;
    virtual void write(std::string_view bytes) = 0;
    // Says "accepted", or why not: Invalid or Permanent will not work the next time either.
    virtual util::Result<void> finish() = 0;
};

using OpenSink = std::function<util::Result<std::unique_ptr<Sink>>()>;

// Of a message so much is kept until pickup has answered for it.
constexpr std::size_t rescue_size = 1U << 20;

// pickup, over its public socket; an error when nobody greets there.  Where it goes without an answer, `otherwise` is
// opened for a message of at most rescue_size.
util::Result<std::unique_ptr<Sink>> open_pickup(const std::string& socket_path, OpenSink otherwise);
// A terndrop process; `config_directory` is empty for the built-in one.
util::Result<std::unique_ptr<Sink>> open_terndrop(const std::string& program, const std::string& config_directory);

}  // namespace sendmail
