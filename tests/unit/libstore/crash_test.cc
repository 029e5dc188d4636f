// The process dies at the N-th call that changes the disk, for every N of a store's life with
// compaction and snapshots; and the disk is full, from one moment on.
//
// The calls are caught by standing in for those of the C library in this binary.
#include "tests/unit/libstore/fixture.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <map>

namespace {

std::atomic<int> calls_left{-1};   // die at 0
std::atomic<bool> full{false};     // no room for anything new

void step()
{
    if (calls_left >= 0 && calls_left-- == 0)
        ::_exit(99);
}

bool no_room()
{
    if (full)
        errno = ENOSPC;
    return full;
}

}  // namespace

extern "C" {

int openat(int directory, const char* path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (flags & O_CREAT) {
        step();
        if (full && ::syscall(SYS_faccessat, directory, path, F_OK) != 0 && no_room())
            return -1;
    }
    return int(::syscall(SYS_openat, directory, path, flags, mode));
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset)
{
    step();
    return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t writev(int fd, const iovec* pieces, int count)
{
    step();
    return ::syscall(SYS_writev, fd, pieces, count);
}

int fsync(int fd)
{
    step();
    return int(::syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
    step();
    return int(::syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t size) noexcept
{
    step();
    return int(::syscall(SYS_ftruncate, fd, size));
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    step();
    return no_room() ? -1 : int(::syscall(SYS_fallocate, fd, mode, offset, length));
}

int renameat(int from, const char* old_name, int to, const char* new_name) noexcept
{
    step();
    return int(::syscall(SYS_renameat2, from, old_name, to, new_name, 0));
}

int unlinkat(int directory, const char* name, int flags) noexcept
{
    step();
    return int(::syscall(SYS_unlinkat, directory, name, flags));
}

}  // extern "C"

namespace {

using namespace test;
using store::FlagOperation;

store::Options small()
{
    store::Options options;
    options.segment_size = 64U << 10;
    options.large_message = 3000;
    options.default_mailboxes = {{"Sent", store::SpecialUse::Sent}};
    return options;
}

// One line for each promise that was kept: "name" is stored as this uid.
struct Promise {
    char name[16];
    std::uint32_t uid;
    store::Lsn lsn;
};

class Life {
public:
    Life(std::string path, int promises) : path_(std::move(path)), promises_(promises) {}

    void live()
    {
        store_ = open(path_, small());
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 12; ++i)
                append(util::concat("r", round, "m", i), i == 5 ? 3500 : 2500);
            promise();
            expunge_most();
            OK(store_->purge_deleted(INT64_MAX, round > 0));
            OK(store_->sync());
            store_->housekeep(util::Duration::zero());
            OK(store_->sync());
            append(util::concat("r", round, "last"), 100);
            promise();
            store_->housekeep(util::Duration::zero());
            OK(store_->sync());
        }
        store_.reset();
    }

private:
    void append(const std::string& name, std::size_t size)
    {
        Promise fresh{};
        name.copy(fresh.name, sizeof fresh.name - 1);
        auto stored = add(*store_, "INBOX", name, 0, {}, size);
        fresh.uid = stored.uid;
        fresh.lsn = stored.lsn;
        open_.push_back(fresh);
    }

    // What is durable is promised; the parent holds us to it.
    void promise()
    {
        OK(store_->sync());
        for (const auto& item : open_) {
            THAT(item.lsn <= store_->durable());
            ck_assert(::write(promises_, &item, sizeof item) == sizeof item);
        }
        open_.clear();
    }

    // All but those whose name ends in 0 or "last".
    void expunge_most()
    {
        const store::Mailbox& box = mailbox(*store_, "INBOX");
        std::vector<std::uint32_t> uids;
        for (const auto& entry : box.entries) {
            auto texts = store_->read_rendered(entry);
            if (!texts->envelope.ends_with("m0)") && !texts->envelope.ends_with("last)"))
                uids.push_back(entry.uid);
        }
        OK(store_->expunge(box.id, uids));
    }

    std::string path_;
    int promises_;
    std::unique_ptr<store::Store> store_;
    std::vector<Promise> open_;
};

std::vector<Promise> read_promises(int fd)
{
    std::vector<Promise> promises;
    Promise one{};
    while (::read(fd, &one, sizeof one) == sizeof one)
        promises.push_back(one);
    return promises;
}

// What was promised and never expunged is there, whole; nothing has another's uid.
void hold_to(const std::vector<Promise>& promises, store::Store& store)
{
    const store::Mailbox& box = mailbox(store, "INBOX");
    std::map<std::uint32_t, std::string> by_uid;
    store::Lsn last = 0;
    std::uint32_t highest = 0;
    for (const auto& promise : promises) {
        by_uid[promise.uid] = promise.name;
        last = std::max(last, promise.lsn);
        highest = std::max(highest, promise.uid);
        std::string_view name = promise.name;
        if (!name.ends_with("m0") && !name.ends_with("last"))
            continue;
        const store::Entry* entry = box.find(promise.uid);
        ck_assert_msg(entry, "%s is lost", promise.name);
        auto content = store.read_content(*entry);
        OK(content);
        EQ(*content, text_of(name, entry->size));
    }
    for (const auto& entry : box.entries) {
        auto texts = store.read_rendered(entry);
        OK(texts);
        if (auto known = by_uid.find(entry.uid); known != by_uid.end())
            EQ(texts->envelope, util::concat("(env ", known->second, ")"));
    }
    auto report = store.check();
    OK(report);
    ck_assert_msg(report->problems.empty(), "%s", report->problems.empty() ? "" : report->problems[0].c_str());
    auto fresh = add(store, "INBOX", "fresh");
    THAT(fresh.uid > highest);
    THAT(fresh.lsn > last);
}

TEST(survives_death_at_every_call)
{
    Directory directory;
    int deaths = 0;
    for (int at = 0;; ++at) {
        std::string path = directory.beside(util::concat("store", at));
        int pipe[2];
        ck_assert(::pipe(pipe) == 0);
        pid_t child = ::fork();
        ck_assert(child >= 0);
        if (child == 0) {
            ::close(pipe[0]);
            OK(util::sys::mkdir(path, 0700));
            calls_left = at;
            Life(path, pipe[1]).live();
            ::_exit(0);
        }
        ::close(pipe[1]);
        auto promises = read_promises(pipe[0]);
        ::close(pipe[0]);
        int status = 0;
        ck_assert(::waitpid(child, &status, 0) == child);
        ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 99 || WEXITSTATUS(status) == 0),
                      "call %d: status %d", at, status);
        auto store = open(path, small());
        hold_to(promises, *store);
        store.reset();
        auto options = small();
        options.ignore_snapshot = true;
        store = open(path, options);
        hold_to(promises, *store);
        store.reset();
        remove_tree(path);
        if (WEXITSTATUS(status) == 0)
            break;
        ++deaths;
    }
    THAT(deaths > 80);
}
END_TEST

TEST(a_full_disk_refuses_mail_and_can_be_emptied)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small());
    for (int i = 0; i < 20; ++i)
        add(*store, "INBOX", util::concat("m", i), 0, {}, 2500);
    store->housekeep(util::Duration::zero());
    OK(store->sync());
    OK(store->sync());
    auto inbox = id_of(*store, "INBOX");
    full = true;
    store::Rendered texts = rendered("x");
    std::string content = text_of("x", 2500);
    store::NewMessage message;
    message.content = content;
    message.rendered = &texts;
    util::Result<store::Stored> refused = store::Stored();
    int accepted = 0;
    while ((refused = store->append(inbox, message)).ok())
        THAT(++accepted < 200);
    EQ(refused.error().kind, util::Kind::Temporary);
    EQ(refused.error().code, ENOSPC);
    content = text_of("big", 5000);
    message.content = content;
    EQ(store->append(inbox, message).error().code, ENOSPC);
    // Flags can be changed and mail expunged all the same, often.
    for (std::uint32_t uid = 1; uid <= 20; ++uid) {
        OK(store->change_flags(inbox, std::span(&uid, 1), {FlagOperation::Add, store::Deleted, {}, {}}));
        OK(store->expunge(inbox, std::span(&uid, 1)));
        OK(store->sync());
    }
    OK(store->purge_deleted(INT64_MAX, false));
    OK(store->sync());
    std::string before = picture(*store);
    store.reset();
    full = false;
    store = open(path, small());
    EQ(picture(*store), before);
    OK(store->append(inbox, message));
}
END_TEST

SUITE(crash, survives_death_at_every_call, a_full_disk_refuses_mail_and_can_be_emptied)

}  // namespace
