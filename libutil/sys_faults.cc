// The fault layer (see sys_hook.h); nothing in builds without -DTERN_FAULTS.
#ifdef TERN_FAULTS

#include "libutil/sys_hook.h"

#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace util::sys {

namespace {

// Above what daemons place at fixed numbers; the highest that the limit of open files allows.
constexpr int lowest_descriptors[] = {700, 200, 100};

enum Action : std::uint64_t { Fail = 1, Kill = 2, Tear = 3 };

struct Shared {
    std::atomic<std::uint64_t> sequence;
    std::atomic<std::uint64_t> counted;
    std::atomic<std::uint64_t> fired;
    std::atomic<std::uint64_t> at;
    std::atomic<std::uint64_t> action;
    std::atomic<std::uint64_t> code;
    char program[16];
};

struct Layer {
    Shared* shared = nullptr;
    bool no_sync = false;
    int journal = -1;
};

[[noreturn]] void give_up(std::string_view what)
{
    (void)!::write(STDERR_FILENO, what.data(), what.size());
    ::_exit(70);
}

std::string file_text(const char* path)
{
    int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    ssize_t got = fd < 0 ? -1 : ::read(fd, buffer, sizeof buffer);
    if (got < 0)
        give_up("TERN_FAULT_FILE cannot be read\n");
    ::close(fd);
    return std::string(buffer, static_cast<std::size_t>(got));
}

Shared* map_state(const std::string& path)
{
    int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) < 0 || status.st_size < off_t(sizeof(Shared)))
        give_up("TERN_FAULT_FILE: the state file is missing or too small\n");
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        give_up("TERN_FAULT_FILE: the state file cannot be mapped\n");
    ::close(fd);
    return static_cast<Shared*>(memory);
}

int open_journal(const std::string& directory)
{
    std::string path = concat(directory, "/", program_invocation_short_name, ".", ::getpid());
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int high = -1;
    for (int lowest : lowest_descriptors) {
        if (fd >= 0 && high < 0)
            high = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    }
    if (high < 0)
        give_up("TERN_FAULT_FILE: the journal cannot be opened\n");
    ::close(fd);
    return high;
}

void read_line(Layer& layer, std::string_view line)
{
    auto [name, value] = split_first(line, ' ');
    if (name == "state")
        layer.shared = map_state(std::string(value));
    else if (name == "journal")
        layer.journal = open_journal(std::string(value));
    else if (name == "no-sync")
        layer.no_sync = value == "yes";
    else if (!line.empty())
        give_up("TERN_FAULT_FILE: a line that means nothing\n");
}

Layer load()
{
    Layer layer;
    const char* path = ::secure_getenv("TERN_FAULT_FILE");
    if (!path)
        return layer;
    std::string text = file_text(path);
    for (std::string_view line : split(text, '\n'))
        read_line(layer, line);
    if (!layer.shared)
        give_up("TERN_FAULT_FILE: no state line\n");
    return layer;
}

// Loaded before main(): the sandbox would hide the files.
Layer& layer()
{
    static Layer instance = load();
    return instance;
}

__attribute__((constructor)) void load_early() { (void)layer(); }

bool is_on_disk(int fd)
{
    struct stat status {};
    if (::fstat(fd, &status) < 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return false;
    int seals = ::fcntl(fd, F_GET_SEALS);  // a memfd that is not sealed yet; files on tmpfs have F_SEAL_SEAL
    return seals < 0 || (seals & F_SEAL_SEAL) != 0;
}

std::string identity(const struct stat& status) { return concat(status.st_dev, ":", status.st_ino); }

// What a name is relative to.
std::string directory_of(int fd, std::string_view path)
{
    struct stat status {};
    bool relative = !path.empty() && path.front() != '/';
    bool known = relative && (fd == AT_FDCWD ? ::stat(".", &status) == 0 : fd >= 0 && ::fstat(fd, &status) == 0);
    return known ? identity(status) : "0:0";
}

bool works_on_names(const Operation& operation) { return !operation.path.empty(); }

void record(const Operation& operation, std::string_view name, const struct stat& file, std::uint64_t offset)
{
    Layer& self = layer();
    std::uint64_t sequence = self.shared->sequence.fetch_add(1) + 1;
    if (self.journal < 0)
        return;
    std::string out = concat(sequence, " ", name, " fd=", identity(file), " owner=", file.st_uid, ":", file.st_gid, ":",
                             file.st_mode, " dir=", directory_of(operation.fd, operation.path), " path=", hex(operation.path));
    append(out, " other=", directory_of(operation.other_fd, operation.other_path), " other_path=", hex(operation.other_path));
    append(out, " offset=", offset, " length=", operation.length, " data=", operation.data.size(), "\n", operation.data, "\n");
    // One write, at the end: records of a process and its forked children do not mix.
    if (::write(self.journal, out.data(), out.size()) != static_cast<ssize_t>(out.size()))
        give_up("the journal of calls cannot be written\n");
}

// Where a write without an offset goes.
std::uint64_t write_offset(int fd)
{
    struct stat status {};
    int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_APPEND) != 0 && ::fstat(fd, &status) == 0)
        return static_cast<std::uint64_t>(status.st_size);
    off_t at = ::lseek(fd, 0, SEEK_CUR);
    return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

[[noreturn]] void die(const Operation& operation, std::uint64_t offset, bool torn)
{
    if (torn && !operation.data.empty())
        (void)!::pwrite(operation.fd, operation.data.data(), operation.data.size() / 2, static_cast<off_t>(offset));
    ::raise(SIGKILL);
    ::_exit(70);
}

// The fault, if this is its call.
int fault(const Operation& operation, std::uint64_t offset)
{
    Shared& shared = *layer().shared;
    if (shared.program[0] && std::strncmp(shared.program, program_invocation_short_name, sizeof shared.program) != 0)
        return 0;
    std::uint64_t number = shared.counted.fetch_add(1) + 1;
    if (number != shared.at || shared.fired.exchange(1) != 0)
        return 0;
    if (shared.action == Fail)
        return static_cast<int>(shared.code);
    die(operation, offset, shared.action == Tear);
}

}  // namespace

int before(const Operation& operation)
{
    Layer& self = layer();
    if (!self.shared)
        return 0;
    bool sync = operation.name == "fsync" || operation.name == "fdatasync";
    if (!works_on_names(operation) && !is_on_disk(operation.fd))
        return 0;
    std::uint64_t offset = operation.offset + (operation.name == "write" ? write_offset(operation.fd) : 0);
    if (int code = fault(operation, offset); code != 0)
        return code;
    bool skipped = sync && self.no_sync;
    struct stat file {};
    if (operation.name != "open" && operation.name != "mkdir") {  // those are recorded when they have succeeded
        if (!works_on_names(operation))
            (void)::fstat(operation.fd, &file);
        record(operation, skipped ? "nosync" : operation.name, file, offset);
    }
    return skipped ? -1 : 0;
}

void opened(int fd, const Operation& operation)
{
    int flags = static_cast<int>(operation.length);
    bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    struct stat file {};
    if (layer().shared && operation.name == "open" && changes && is_on_disk(fd) && ::fstat(fd, &file) == 0)
        record(operation, "open", file, 0);
}

void made_directory(const Operation& operation)
{
    struct stat file {};
    if (layer().shared && ::fstatat(operation.fd, std::string(operation.path).c_str(), &file, AT_SYMLINK_NOFOLLOW) == 0)
        record(operation, operation.name, file, 0);
}

int fault_descriptor() { return layer().journal; }

}  // namespace util::sys

#endif
