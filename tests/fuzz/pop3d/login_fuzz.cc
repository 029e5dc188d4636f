// The POP3 dialogue before log-in.
#include "pop3d/login.h"
#include "tests/fuzz/login.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return fuzz::run_login<pop3d::Login>(data, size);
}
