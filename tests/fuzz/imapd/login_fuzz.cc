// The IMAP dialogue before log-in.
#include "imapd/login.h"
#include "tests/fuzz/login.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return fuzz::run_login<imapd::Login>(data, size);
}
