// Runs a fuzzer's corpus under any compiler: every file named, and every file in a directory
// named, goes through LLVMFuzzerTestOneInput once.  A crash names the file it came from.
#include "libutil/log.h"
#include "libutil/sys.h"

#include <cstdint>
#include <cstdio>
#include <fcntl.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int count = 0;

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
    std::fprintf(stderr, "\r%s\033[K", path.c_str());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content->data()), content->size());
    ++count;
}

}  // namespace

int main(int argc, char** argv)
{
    util::log::to_nowhere();
    LLVMFuzzerTestOneInput(nullptr, 0);
    for (int i = 1; i < argc; ++i)
        run(argv[i]);
    std::fprintf(stderr, "\r\033[K");
    std::printf("%s: %d inputs\n", argv[0], count);
    return 0;
}
