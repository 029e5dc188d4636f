// Runs a fuzzer's corpus under any compiler: every file named, and every file in a directory
// named, goes through LLVMFuzzerTestOneInput once.  A crash is preceded by the file's name.
#include "libutil/log.h"
#include "libutil/sys.h"

#include <cstdint>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int count = 0;
char current[4096];  // the file that runs, for the handler below

void show_current(int)
{
    ssize_t ignored = ::write(STDERR_FILENO, current, std::strlen(current));
    (void)ignored;
}

void run(const std::string& path)
{
    auto content = util::sys::read_file(path, 64U << 20);
    if (!content.ok()) {
        auto directory = util::sys::open(path, O_RDONLY | O_DIRECTORY);
        if (!directory.ok())
            return;
        auto names = util::sys::list_directory(directory->get());
        if (names.ok())
            for (const auto& name : *names)
                run(path + "/" + name);
        return;
    }
    std::snprintf(current, sizeof current, "crash in: %s\n", path.c_str());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content->data()), content->size());
    ++count;
}

}  // namespace

int main(int argc, char** argv)
{
    util::log::to_nowhere();
    struct sigaction action{};
    action.sa_handler = show_current;
    action.sa_flags = int(SA_RESETHAND);
    for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL})
        sigaction(signal, &action, nullptr);
    LLVMFuzzerTestOneInput(nullptr, 0);
    for (int i = 1; i < argc; ++i)
        run(argv[i]);
    std::printf("%s: %d inputs\n", argv[0], count);
    return 0;
}
