// The process dies at the N-th call that changes the disk, for every N of a store's life with
// compaction and snapshots; the power fails at each sync, and what no sync has covered is dropped,
// torn or kept; and the disk is full, from one moment on.
//
// The calls are caught by standing in for those of the C library in this binary.
#include "tests/unit/libstore/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <mutex>

std::atomic<int> test::calls_left{-1};

namespace {

using namespace test;

std::atomic<bool> full{false};     // no room for anything new

void step()
{
    if (calls_left >= 0 && calls_left-- == 0)
        ::_exit(died);
}

// What was done to the disk, in order, for the power cuts.
struct Operation {
    enum class Kind { Create, Write, Truncate, SyncFile, SyncDirectory, Rename, Unlink, Promise };
    Kind kind;
    int inode = 0;
    std::string path;
    std::string other;
    std::uint64_t offset = 0;
    std::string data;
};

struct Recorder {
    struct File {
        int inode = 0;
        std::string path;
        std::uint64_t position = 0;
    };
    std::mutex mutex;
    bool on = false;
    int inodes = 0;
    std::map<int, File> files;               // by descriptor
    std::map<std::string, int> names;        // of files, to inodes
    std::vector<Operation> operations;
};

Recorder& recorder()
{
    static Recorder one;
    return one;
}

template <typename Note>
void record(Note note)
{
    Recorder& log = recorder();
    std::lock_guard lock(log.mutex);
    if (log.on)
        note(log);
}

void record_open(int fd, const char* path, int flags)
{
    record([&](Recorder& log) {
        auto& file = log.files[fd] = {0, path, 0};
        if (flags & O_DIRECTORY)
            return;
        auto known = log.names.find(path);
        if (known == log.names.end()) {
            if (!(flags & O_CREAT))
                return;
            known = log.names.emplace(path, ++log.inodes).first;
            log.operations.push_back({Operation::Kind::Create, known->second, path, {}, 0, {}});
        }
        file.inode = known->second;
        if (flags & O_TRUNC)
            log.operations.push_back({Operation::Kind::Truncate, file.inode, path, {}, 0, {}});
    });
}

void record_write(int fd, std::uint64_t offset, std::string_view bytes)
{
    record([&](Recorder& log) {
        if (auto file = log.files.find(fd); file != log.files.end() && file->second.inode)
            log.operations.push_back({Operation::Kind::Write, file->second.inode, {}, {}, offset, std::string(bytes)});
    });
}

void record_sync(int fd)
{
    record([&](Recorder& log) {
        auto file = log.files.find(fd);
        if (file == log.files.end())
            return;
        auto kind = file->second.inode ? Operation::Kind::SyncFile : Operation::Kind::SyncDirectory;
        log.operations.push_back({kind, file->second.inode, file->second.path, {}, 0, {}});
    });
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
    int fd = int(::syscall(SYS_openat, directory, path, flags, mode));
    if (fd >= 0)
        record_open(fd, path, flags);
    return fd;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset)
{
    step();
    record_write(fd, std::uint64_t(offset), {static_cast<const char*>(bytes), size});
    return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t writev(int fd, const iovec* pieces, int count)
{
    step();
    for (int i = 0; i < count; ++i) {
        std::uint64_t at = 0;
        record([&](Recorder& log) { at = std::exchange(log.files[fd].position, log.files[fd].position + pieces[i].iov_len); });
        record_write(fd, at, {static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len});
    }
    return ::syscall(SYS_writev, fd, pieces, count);
}

int fsync(int fd)
{
    step();
    int result = int(::syscall(SYS_fsync, fd));
    record_sync(fd);
    return result;
}

int fdatasync(int fd)
{
    step();
    int result = int(::syscall(SYS_fdatasync, fd));
    record_sync(fd);
    return result;
}

int ftruncate(int fd, off_t size) noexcept
{
    step();
    record([&](Recorder& log) {
        log.operations.push_back({Operation::Kind::Truncate, log.files[fd].inode, {}, {}, std::uint64_t(size), {}});
    });
    return int(::syscall(SYS_ftruncate, fd, size));
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    step();
    bool gives_back = mode & FALLOC_FL_PUNCH_HOLE;
    return !gives_back && no_room() ? -1 : int(::syscall(SYS_fallocate, fd, mode, offset, length));
}

int fstatvfs(int fd, struct statvfs* status) noexcept
{
    struct statfs state {};
    if (::syscall(SYS_fstatfs, fd, &state) < 0)
        return -1;
    *status = {};
    status->f_frsize = static_cast<unsigned long>(state.f_frsize);
    status->f_bavail = full ? 0 : state.f_bavail;
    return 0;
}

int renameat(int from, const char* old_name, int to, const char* new_name) noexcept
{
    step();
    record([&](Recorder& log) {
        log.operations.push_back({Operation::Kind::Rename, log.names[old_name], old_name, new_name, 0, {}});
        log.names[new_name] = log.names[old_name];
        log.names.erase(old_name);
    });
    return int(::syscall(SYS_renameat2, from, old_name, to, new_name, 0));
}

int unlinkat(int directory, const char* name, int flags) noexcept
{
    step();
    record([&](Recorder& log) {
        if (log.names.erase(name))
            log.operations.push_back({Operation::Kind::Unlink, 0, name, {}, 0, {}});
    });
    return int(::syscall(SYS_unlinkat, directory, name, flags));
}

}  // extern "C"

namespace {

using store::FlagOperation;
using namespace std::string_literals;

store::Options small_store()
{
    store::Options options;
    options.segment_size = 64U << 10;
    options.large_message = 3000;
    options.zeros_ahead = true;
    options.default_mailboxes = {{"Sent", store::SpecialUse::Sent}};
    return options;
}

// One line for each promise that was kept: "name" is stored as this uid, has a flag, or is expunged; or (kind 'a') the
// annotation has at least this number as its value; or ('g') has none any more, and will have none.
struct Promise {
    char kind = 'm';
    char name[16];
    std::uint32_t uid;
    store::Lsn lsn;
    store::Flags flags;
    bool gone;
};

class Life {
public:
    Life(std::string path, int promises) : path_(std::move(path)), promises_(promises) {}

    void live()
    {
        store_ = open(path_, small_store());
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 12; ++i)
                append(util::concat("r", round, "m", i), i == 5 ? 3500 : 2500);
            promise();
            expunge_most();
            OK(store_->purge_deleted(INT64_MAX, round > 0));
            OK(store_->sync());
            for (int slice = 0; slice < 400; ++slice) {
                auto left = store_->housekeep(25);
                if (left == store::Chores::Done)
                    break;
                if (slice % 6 == 0)
                    meanwhile(round, slice);
                if (left == store::Chores::Waiting)
                    OK(store_->sync());
            }
            append(util::concat("r", round, "last"), 100);
            promise();
            tidy(*store_);
            OK(store_->sync());
        }
        store_.reset();
    }

private:
    // Between two slices of compaction mail comes and goes, flags change, a mailbox is removed.
    void meanwhile(int round, int slice)
    {
        std::string name = util::concat("r", round, "s", slice);
        auto inbox = id_of(*store_, "INBOX");
        append(name + "last", 300);
        append(name, 300);
        promise();
        const auto& entries = mailbox(*store_, "INBOX").entries;
        Promise flagged{};
        name.copy(flagged.name, sizeof flagged.name - 1);
        "last"s.copy(flagged.name + name.size(), 4);
        flagged.uid = entries[entries.size() - 2].uid;
        auto changed = store_->change_flags(inbox, std::span(&flagged.uid, 1), {FlagOperation::Add, store::Flagged, {}, {}});
        OK(changed);
        store::FlagChange read{FlagOperation::Add, store::Seen | store::Answered, {}, {}};
        read.reader = "guest";
        changed = store_->change_flags(inbox, std::span(&flagged.uid, 1), read);
        OK(changed);
        flagged.lsn = changed->lsn;
        flagged.flags = store::Flagged | store::Answered;
        Promise gone{};
        name.copy(gone.name, sizeof gone.name - 1);
        gone.uid = entries.back().uid;
        gone.lsn = *store_->expunge(inbox, std::span(&gone.uid, 1));
        gone.gone = true;
        open_ = {flagged, gone};
        promise();
        annotate(inbox, util::concat("/shared/gone", note_));

        if (auto old = store_->mailboxes().find("tmp"); old == store_->mailboxes().end()) {
            OK(store_->create_mailbox("tmp", store::SpecialUse::None));
            std::uint32_t uid = flagged.uid;
            OK(store_->copy(inbox, std::span(&uid, 1), id_of(*store_, "tmp")));
        } else {
            OK(store_->remove_mailbox("tmp"));
        }
    }

    // One annotation that changes again and again, and one that comes and goes; mail between them.
    void annotate(store::MailboxId inbox, const std::string& brief)
    {
        Promise note{};
        note.kind = 'a';
        note.uid = ++note_;
        std::vector<store::NewAnnotation> both = {{"/shared/note", util::concat(note_, std::string(1500, ' '))}, {brief, "x"}};
        note.lsn = *store_->annotate(inbox, both);
        open_.push_back(note);
        promise();
        Promise gone{};
        gone.kind = 'g';
        brief.substr(brief.size() > 15 ? brief.size() - 15 : 0).copy(gone.name, sizeof gone.name - 1);
        std::vector<store::NewAnnotation> none = {{brief, std::nullopt}};
        gone.lsn = *store_->annotate(inbox, none);
        open_.push_back(gone);
        promise();
    }

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
            record([&](Recorder& log) {
                log.operations.push_back({Operation::Kind::Promise, 0, {}, {}, 0,
                                          {reinterpret_cast<const char*>(&item), sizeof item}});
            });
            if (promises_ >= 0)
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
    std::uint32_t note_ = 0;
};

std::vector<Promise> read_promises(int fd)
{
    std::vector<Promise> promises;
    Promise one{};
    while (::read(fd, &one, sizeof one) == sizeof one)
        promises.push_back(one);
    return promises;
}

void hold_to(const Promise& promise, const store::Mailbox& box)
{
    for (const auto& [name, annotation] : box.annotations)
        ck_assert_msg(promise.kind != 'g' || !name.ends_with(promise.name), "%s is back", promise.name);
    if (promise.kind != 'a')
        return;
    auto found = box.annotations.find("/shared/note");
    ck_assert_msg(found != box.annotations.end(), "the annotation is lost");
    ck_assert_msg(std::strtoul(found->second.value.c_str(), nullptr, 10) >= promise.uid, "the annotation is an old one");
}

// What was promised and never expunged is there, whole; nothing has another's uid.
void hold_to(const std::vector<Promise>& promises, store::Store& store)
{
    const store::Mailbox& box = mailbox(store, "INBOX");
    std::map<std::uint32_t, std::string> by_uid;
    store::Lsn last = 0;
    std::uint32_t highest = 0;
    for (const auto& promise : promises) {
        last = std::max(last, promise.lsn);
        if (promise.kind != 'm') {
            hold_to(promise, box);
            continue;
        }
        by_uid[promise.uid] = promise.name;
        highest = std::max(highest, promise.uid);
        std::string_view name = promise.name;
        if (promise.gone)
            ck_assert_msg(!box.find(promise.uid), "%s is back", promise.name);
        if (!name.ends_with("m0") && !name.ends_with("last"))
            continue;
        const store::Entry* entry = box.find(promise.uid);
        ck_assert_msg(entry, "%s is lost", promise.name);
        EQ(entry->flags & promise.flags, promise.flags);
        auto content = store.read_content(*entry);
        OK(content);
        EQ(*content, text_of(name, entry->size));
    }
    for (const auto& entry : box.entries) {
        auto texts = store.read_rendered(entry);
        OK(texts);
        if (auto known = by_uid.find(entry.uid); known != by_uid.end())
            EQ(texts->envelope, util::concat("(env ", known->second, ")"));
        // A reader's change is whole or not there.
        EQ(bool(entry.flags & store::Answered), box.seen_by("guest", entry.uid));
        EQ(entry.flags & store::Seen, 0);
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
        ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == died || WEXITSTATUS(status) == 0),
                      "call %d: status %d", at, status);
        auto store = open(path, small_store());
        hold_to(promises, *store);
        store.reset();
        auto options = small_store();
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

// The disk as operations leave it: what it holds, and what it would hold after a sync.
class Disk {
public:
    void apply(const Operation& operation)
    {
        using enum Operation::Kind;
        switch (operation.kind) {
        case Create:
            names_[operation.path] = operation.inode;
            break;
        case Write: {
            std::string& content = volatile_[operation.inode];
            if (content.size() < operation.offset + operation.data.size())
                content.resize(operation.offset + operation.data.size());
            content.replace(operation.offset, operation.data.size(), operation.data);
            break;
        }
        case Truncate:
            volatile_[operation.inode].resize(operation.offset);
            break;
        case SyncFile:
            synced_[operation.inode] = volatile_[operation.inode];
            break;
        case SyncDirectory: {
            auto in_directory = [&](const auto& item) {
                return item.first.substr(0, item.first.rfind('/')) == operation.path;
            };
            std::erase_if(synced_names_, in_directory);
            for (const auto& item : names_)
                if (in_directory(item))
                    synced_names_.insert(item);
            break;
        }
        case Rename:
            names_.erase(operation.path);
            names_[operation.other] = operation.inode;
            break;
        case Unlink:
            names_.erase(operation.path);
            break;
        case Promise:
            break;
        }
    }

    enum class Data { Dropped, Torn, Kept };

    // Writes what a power cut now would leave to another directory.
    void build(const std::string& from, const std::string& to, bool names_kept, Data data)
    {
        OK(util::sys::mkdir(to, 0700));
        OK(util::sys::mkdir(to + "/bodies", 0700));
        for (const auto& [path, inode] : names_kept ? names_ : synced_names_) {
            const std::string& now = volatile_[inode];
            std::string content = data == Data::Kept ? now : synced_[inode];
            if (data == Data::Torn && now.size() > content.size())
                content = now.substr(0, content.size() + (now.size() - content.size()) / 2);
            auto fd = util::sys::open(to + path.substr(from.size()), O_WRONLY | O_CREAT | O_TRUNC);
            OK(fd);
            OK(util::sys::write_all(fd->get(), content));
        }
    }

private:
    std::map<std::string, int> names_;
    std::map<std::string, int> synced_names_;
    std::map<int, std::string> volatile_;
    std::map<int, std::string> synced_;
};

TEST(survives_a_power_cut_at_every_sync)
{
    Directory directory;
    std::string path = directory.beside("store");
    OK(util::sys::mkdir(path, 0700));
    recorder().on = true;
    Life(path, -1).live();
    recorder().on = false;
    Disk disk;
    std::vector<Promise> promises;
    std::string again = directory.beside("again");
    int cuts = 0;
    for (const auto& operation : recorder().operations) {
        bool sync = operation.kind == Operation::Kind::SyncFile || operation.kind == Operation::Kind::SyncDirectory;
        for (int when = 0; sync && when < 2; ++when) {
            // Just before the sync, and just after it.
            if (when == 1)
                disk.apply(operation);
            for (bool names : {false, true}) {
                for (auto data : {Disk::Data::Dropped, Disk::Data::Torn, Disk::Data::Kept}) {
                    disk.build(path, again, names, data);
                    auto store = open(again, small_store());
                    hold_to(promises, *store);
                    store.reset();
                    remove_tree(again);
                    ++cuts;
                }
            }
        }
        if (!sync)
            disk.apply(operation);
        if (operation.kind == Operation::Kind::Promise) {
            Promise promise{};
            operation.data.copy(reinterpret_cast<char*>(&promise), sizeof promise);
            promises.push_back(promise);
        }
    }
    THAT(std::ranges::count_if(promises, [](const Promise& promise) { return promise.gone; }) > 5);
    THAT(cuts > 400);
}
END_TEST

TEST(a_full_disk_refuses_mail_and_can_be_emptied)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_store());
    for (int i = 0; i < 20; ++i)
        add(*store, "INBOX", util::concat("m", i), 0, {}, 2500);
    tidy(*store);
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
    store = open(path, small_store());
    EQ(picture(*store), before);
    OK(store->append(inbox, message));
}
END_TEST

// Clients delete by moving to Trash; however often they do, room stays to remove what lies there.
TEST(a_full_disk_lets_mail_be_moved_and_then_removed)
{
    Directory directory;
    std::string path = directory.beside("store");
    auto store = open(path, small_store());
    auto inbox = id_of(*store, "INBOX");
    OK(store->create_mailbox("Trash", store::SpecialUse::Trash));
    auto trash = id_of(*store, "Trash");
    for (int i = 0; i < 20; ++i)
        add(*store, "INBOX", util::concat("m", i), 0, {}, 2500);
    tidy(*store);
    OK(store->sync());
    full = true;
    store::Rendered texts = rendered("x");
    std::string content = text_of("x", 2500);
    store::NewMessage message;
    message.content = content;
    message.rendered = &texts;
    for (int more = 0; store->append(inbox, message).ok(); ++more)
        THAT(more < 200);

    std::vector<std::uint32_t> uids = {1};
    while (store->copy(inbox, uids, trash).ok()) {
    }
    int moves = 0;
    util::Result<store::Copied> moved = store::Copied();
    std::pair<store::MailboxId, store::MailboxId> way(inbox, trash);
    while ((moved = store->move(way.first, uids, way.second)).ok()) {
        uids = moved->target;
        std::swap(way.first, way.second);
        THAT(++moves < 10'000);
    }
    EQ(moved.error().code, ENOSPC);
    THAT(moves > 50);
    OK(store->sync());
    OK(store->change_flags(way.first, uids, {FlagOperation::Add, store::Deleted, {}, {}}));
    OK(store->expunge(way.first, uids));
    for (std::uint32_t uid = 2; uid <= 20; ++uid)
        OK(store->expunge(inbox, std::span(&uid, 1)));
    OK(store->sync());
    std::string before = picture(*store);
    store.reset();
    full = false;
    EQ(picture(*open(path, small_store())), before);
}
END_TEST

// What the files of a store take up.
std::uint64_t blocks_of(const std::string& path)
{
    std::uint64_t blocks = 0;
    auto directory = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    for (const auto& name : util::sys::list_directory(directory->get()).take())
        if (name != "bodies")
            blocks += std::uint64_t(util::sys::stat(path + "/" + name)->st_blocks) * 512;
    return blocks;
}

// Nothing can be written anew, so what is dead goes where it lies: in sealed segments and in the last.
TEST(a_full_disk_gives_dead_mail_back_in_place)
{
    Directory directory;
    std::string path = directory.beside("store");
    store::Options options = small_store();
    options.segment_size = 1U << 20;
    options.large_message = 1U << 20;
    auto store = open(path, options);
    for (int i = 0; i < 30; ++i)
        add(*store, "INBOX", util::concat("m", i), 0, {}, 80'000);
    tidy(*store);
    OK(store->sync());
    std::uint64_t used = blocks_of(path);
    full = true;
    auto inbox = id_of(*store, "INBOX");
    std::vector<std::uint32_t> most;
    for (std::uint32_t uid = 1; uid <= 30; ++uid)
        if (uid % 3)
            most.push_back(uid);
    OK(store->expunge(inbox, most));
    tidy(*store);
    OK(store->sync());
    THAT(store->deleted_messages()->empty());
    THAT(used - blocks_of(path) > 20 * 70'000);
    EQ(store->check()->problems.size(), 0U);
    // It is not done again and again.
    std::uint64_t steps = store->housekeeping_steps();
    tidy(*store);
    EQ(store->housekeeping_steps(), steps);
    // Recovery finds all in order, with the snapshot and without it.
    std::string before = picture(*store);
    for (bool ignored : {false, true}) {
        store.reset();
        options.ignore_snapshot = ignored;
        store = open(path, options);
        EQ(picture(*store), before);
        EQ(store->check()->problems.size(), 0U);
    }
    // With room again all is as ever.
    full = false;
    add(*store, "INBOX", "after");
    OK(store->purge_deleted(INT64_MAX, true));
    tidy(*store);
    EQ(store->check()->problems.size(), 0U);
    before = picture(*store);
    store.reset();
    store = open(path, options);
    EQ(picture(*store), before);
}
END_TEST

SUITE(crash, a_full_disk_gives_dead_mail_back_in_place, survives_death_at_every_call, survives_a_power_cut_at_every_sync,
      a_full_disk_refuses_mail_and_can_be_emptied, a_full_disk_lets_mail_be_moved_and_then_removed)

}  // namespace
