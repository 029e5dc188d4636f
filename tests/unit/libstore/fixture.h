// A directory for stores, gone at the end, and short words for what tests do with stores.
#pragma once

#include "libstore/store.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

// In libstore's own tests (crash_test.cc): so many more calls that change the disk, then the process dies with this status.
extern std::atomic<int> calls_left;
constexpr int died = 99;

inline void remove_tree(const std::string& path)
{
    auto fd = util::sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd.ok())
        for (const auto& name : util::sys::list_directory(fd->get()).value_or({}))
            remove_tree(path + "/" + name);
    if (!util::sys::unlink(path).ok())
        (void)util::sys::rmdir(path);
}

inline void copy_tree(const std::string& from, const std::string& to)
{
    OK(util::sys::mkdir(to, 0700));
    auto fd = util::sys::open(from, O_RDONLY | O_DIRECTORY);
    OK(fd);
    for (const auto& name : util::sys::list_directory(fd->get()).take()) {
        // The store's helper may rename or remove files while they are copied, as in a real crash.
        auto status = util::sys::lstat(from + "/" + name);
        if (status.ok() && S_ISDIR(status->st_mode)) {
            copy_tree(from + "/" + name, to + "/" + name);
            continue;
        }
        auto content = util::sys::read_file(from + "/" + name, 1U << 30);
        if (!content.ok())
            continue;
        auto out = util::sys::open(to + "/" + name, O_WRONLY | O_CREAT | O_TRUNC);
        OK(out);
        OK(util::sys::write_all(out->get(), *content));
    }
}

class Directory {
public:
    Directory()
    {
        // In memory where that is to be had: thousands of stores are opened and synced here.
        std::string pattern = "/dev/shm/tern-store-XXXXXX";
        if (const char* made = mkdtemp(pattern.data()))
            path = made;
        if (path.empty()) {
            pattern = "/tmp/tern-store-XXXXXX";
            path = mkdtemp(pattern.data());
        }
    }
    ~Directory() { remove_tree(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    // Another directory beside the store's.
    std::string beside(std::string_view name) const { return util::concat(path, "/", name); }

    std::string path;
};

inline std::unique_ptr<store::Store> open(const std::string& path, store::Options options = {})
{
    (void)util::sys::mkdir(path, 0700);
    auto opened = store::Store::open(path, std::move(options));
    OK(opened);
    return opened.take();
}

inline store::Rendered rendered(std::string_view name)
{
    store::Rendered out;
    out.envelope = util::concat("(env ", name, ")");
    out.body_structure = util::concat("(bs ", name, ")");
    out.body = util::concat("(body ", name, ")");
    out.header_cache = util::concat("Subject: ", name, "\r\n");
    out.preview = util::concat("preview ", name);
    out.sent_seconds = 77;
    out.header_size = 10;
    return out;
}

inline std::string text_of(std::string_view name, std::size_t size = 200)
{
    std::string text = util::concat("Subject: ", name, "\r\n\r\n");
    while (text.size() < size)
        text += util::concat(name, " says this line\r\n");
    text.resize(size);
    return text;
}

inline store::MailboxId id_of(store::Store& store, std::string_view name)
{
    auto found = store.mailboxes().find(name);
    ck_assert_msg(found != store.mailboxes().end(), "no mailbox %s", std::string(name).c_str());
    return found->second;
}

inline const store::Mailbox& mailbox(store::Store& store, std::string_view name)
{
    auto found = store.mailbox(name);
    OK(found);
    return **found;
}

inline store::Stored add(store::Store& store, std::string_view where, std::string_view name,
                         store::Flags flags = 0, std::vector<std::string> keywords = {},
                         std::size_t size = 200)
{
    store::Rendered texts = rendered(name);
    std::string content = text_of(name, size);
    store::NewMessage message;
    message.content = content;
    message.flags = flags;
    message.keywords = std::move(keywords);
    message.rendered = &texts;
    auto stored = store.append(id_of(store, where), message);
    OK(stored);
    return *stored;
}

// Idle-time work to its end, in slices of so many steps.
inline void tidy(store::Store& store, std::uint64_t steps = 1U << 20)
{
    store::Chores left = store::Chores::More;
    while ((left = store.housekeep(steps)) != store::Chores::Done)
        if (left == store::Chores::Waiting)
            OK(store.sync());
}

inline store::Options two_mailboxes()
{
    store::Options options;
    options.segment_size = 64U << 10;
    options.default_mailboxes = {{"Sent", store::SpecialUse::Sent}};
    return options;
}

// By name.
inline std::vector<std::string> files(const std::string& path, std::string_view prefix)
{
    auto fd = util::sys::open(path, O_RDONLY | O_DIRECTORY);
    std::vector<std::string> found;
    for (const auto& name : util::sys::list_directory(fd->get()).take())
        if (name.starts_with(prefix))
            found.push_back(name);
    std::ranges::sort(found);
    return found;
}

// All that a client can see of a store, as text.
inline std::string picture(store::Store& store, bool modseqs = true)
{
    std::string out;
    for (const auto& [name, id] : store.mailboxes()) {
        const store::Mailbox& box = mailbox(store, name);
        util::append(out, name, " id=", box.id, " validity=", box.uid_validity, " next=", box.uid_next,
                     " use=", int(box.special_use), " sub=", box.subscribed, " unseen=", box.unseen,
                     " deleted=", box.deleted, " bytes=", box.bytes, " recent=", box.first_recent_uid);
        if (modseqs)
            util::append(out, " modseq=", box.highest_modseq);
        for (const auto& keyword : box.keywords)
            util::append(out, " ", keyword);
        for (const auto& [key, annotation] : box.annotations)
            util::append(out, " ", key, "=", annotation.value, "@", annotation.lsn);
        for (const auto& [reader, ranges] : box.readers)
            for (const auto& entry : box.entries)
                if (box.seen_by(reader, entry.uid))
                    util::append(out, " ", reader, ":", entry.uid);
        out += "\n";
        for (const auto& entry : box.entries) {
            util::append(out, "  ", entry.uid, " flags=", entry.flags, " kw=", entry.keywords,
                         " size=", entry.size, " content=", entry.content, " date=",
                         entry.internal_date.seconds, " zone=", entry.internal_date.zone_minutes,
                         " saved=", entry.save_seconds, " guid=",
                         util::hex({reinterpret_cast<const char*>(entry.guid.bytes.data()), 16}));
            if (modseqs)
                util::append(out, " modseq=", entry.modseq);
            auto content = store.read_content(entry);
            auto texts = store.read_rendered(entry);
            util::append(out, " ", content.ok() ? *content : content.error().text, " ",
                         texts.ok() ? util::concat(texts->envelope, texts->header_cache) : texts.error().text, "\n");
        }
    }
    for (const auto& name : store.subscriptions())
        util::append(out, "subscribed ", name, "\n");
    for (const auto& [key, annotation] : store.annotations())
        util::append(out, key, "=", annotation.value, "@", annotation.lsn, "\n");
    util::append(out, "usage ", store.usage().bytes, " ", store.usage().messages, "\n");
    return out;
}

inline void reopens_the_same(const std::string& path, std::unique_ptr<store::Store>& store)
{
    std::string before = picture(*store);
    store.reset();
    store = open(path);
    EQ(picture(*store), before);
}

}  // namespace test
