// An IMAP session upon a user's store, for commands of ternbox: a client that waits.
#pragma once

#include "libutil/unique_fd.h"
#include "tools/ternbox/response.h"

#include <functional>

namespace ternbox {

constexpr std::size_t max_response = (std::size_t(1) << 30) + (64U << 20);   // a message, and what is around it

class ImapSession {
public:
    // A connection that is logged in.
    explicit ImapSession(util::UniqueFd fd) : fd_(std::move(fd)) {}
    ~ImapSession();

    // Names and texts in UTF-8 from here on.
    util::Result<void> begin();

    using Take = std::function<util::Result<void>(const Response&)>;
    // Sends a command, hands over what is told meanwhile, and answers with the tagged response.  A
    // refusal is an error: NotFound, Temporary, Invalid (EEXIST: it is there already) or Permanent.
    util::Result<Response> command(std::string_view text, const Take& take = {});

private:
    util::Result<std::string> read_response();
    util::Result<void> fill();

    util::UniqueFd fd_;
    std::string input_;
    std::size_t tags_ = 0;
};

// "a \"b\"" as a quoted string.
std::string quoted(std::string_view utf8);

}  // namespace ternbox
