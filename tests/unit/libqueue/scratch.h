// A directory for one test, removed with what is in it.
#pragma once

#include "libutil/sys.h"

#include <cstdlib>
#include <fcntl.h>
#include <string>

namespace test {

class Scratch {
public:
    Scratch()
    {
        char name[] = "/tmp/tern-queue-test.XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~Scratch()
    {
        auto directory = util::sys::open(path_, O_RDONLY | O_DIRECTORY);
        if (auto names = util::sys::list_directory(directory->get()); names.ok())
            for (const auto& name : *names)
                (void)util::sys::unlink(path_ + "/" + name);
        (void)util::sys::rmdir(path_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::string& path() const { return path_; }
    std::size_t count() const
    {
        auto directory = util::sys::open(path_, O_RDONLY | O_DIRECTORY);
        return util::sys::list_directory(directory->get())->size();
    }

private:
    std::string path_;
};

}  // namespace test
