// A socket below OpenSSL that never waits, in whatever mode it is.
//
// O_NONBLOCK belongs to what a descriptor stands for, not to the descriptor: another process that has, or had, the same
// connection can take it away at any time, and with it everybody whom a multiplexer serves.
#pragma once

#include "libutil/unique_fd.h"

#include <openssl/bio.h>

namespace net {

// Reads and writes `socket`, which is the caller's and outlives what is returned; null: there is no memory.
BIO* new_nowait_bio(util::UniqueFd& socket);

}  // namespace net
