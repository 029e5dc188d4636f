// A directory that goes with its object.
#pragma once

#include "libutil/check.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <stdlib.h>

#include <string>

namespace test {

class TempDir {
public:
    TempDir()
    {
        char name[] = "/tmp/tern-test-XXXXXX";
        CHECK(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir()
    {
        auto directory = util::sys::open(path_, O_RDONLY | O_DIRECTORY);
        if (directory) {
            auto names = util::sys::list_directory(directory->get());
            if (names) {
                for (const auto& name : *names)
                    (void)util::sys::unlinkat(directory->get(), name);
            }
        }
        (void)util::sys::rmdir(path_);
    }

    std::string operator/(std::string_view name) const { return util::concat(path_, '/', name); }
    const std::string& path() const { return path_; }
    // Writes a file by way of a new one, as a careful person would; returns its path.
    std::string write(std::string_view name, std::string_view content) const
    {
        std::string file = *this / name;
        CHECK(util::sys::replace_file(file, content).ok());
        return file;
    }

private:
    std::string path_;
};

}  // namespace test
