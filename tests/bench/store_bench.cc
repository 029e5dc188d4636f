// How fast a store is: append, open, flags, reading.  Prints one figure a line; asserts nothing.
//
//   store_bench DIRECTORY [MESSAGES]      the directory is made and must not exist
#include "libstore/store.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <malloc.h>

#include <cstdio>
#include <cstdlib>

namespace {

class Stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(util::now() - start_).count(); }

private:
    util::Instant start_ = util::now();
};

std::unique_ptr<store::Store> open(const std::string& path, const store::Options& options)
{
    auto store = store::Store::open(path, options);
    if (!store.ok()) {
        std::fprintf(stderr, "%s\n", store.error().text.c_str());
        std::exit(1);
    }
    return store.take();
}

store::Rendered rendered()
{
    store::Rendered out;
    out.envelope = "(" + std::string(400, 'e') + ")";
    out.body_structure = "(" + std::string(300, 's') + ")";
    out.body = "(" + std::string(200, 'b') + ")";
    out.header_cache = std::string(300, 'h');
    out.preview = std::string(150, 'p');
    return out;
}

void fill(const std::string& path, const store::Options& options, std::uint32_t messages)
{
    auto store = open(path, options);
    auto inbox = store->mailboxes().find("INBOX")->second;
    store::Rendered texts = rendered();
    std::string content(4096, 'x');
    store::NewMessage message;
    message.content = content;
    message.rendered = &texts;
    Stopwatch each;
    std::uint32_t synced = std::min(messages, 2000U);
    for (std::uint32_t i = 0; i < synced; ++i)
        if (!store->append(inbox, message).ok() || !store->sync().ok())
            std::exit(1);
    std::printf("append, each synced: %.0f/s\n", synced / each.seconds());
    Stopwatch bulk;
    for (std::uint32_t i = synced; i < messages; ++i) {
        if (!store->append(inbox, message).ok())
            std::exit(1);
        if (i % 100 == 0) {
            store->flush(false);
            if (!store->collect().ok())
                std::exit(1);
        }
    }
    if (!store->sync().ok())
        std::exit(1);
    if (messages > synced)
        std::printf("append, shared syncs: %.0f/s\n", (messages - synced) / bulk.seconds());
}

void read_all(store::Store& store, std::uint32_t messages)
{
    const store::Mailbox& box = **store.mailbox("INBOX");
    for (const char* pass : {"first", "second"}) {
        Stopwatch time;
        std::size_t bytes = 0;
        std::size_t count = std::min<std::size_t>(box.entries.size(), 10'000);
        for (std::size_t i = 0; i < count; ++i)
            bytes += store.read_rendered(box.entries[i])->envelope.size();
        std::printf("read_rendered, %s: %.0f/s\n", pass, double(count) / time.seconds());
    }
    Stopwatch time;
    std::size_t bytes = 0;
    for (const auto& entry : box.entries)
        bytes += store.read_content(entry)->size();
    std::printf("read_content: %.0f/s\n", messages / time.seconds());
}

void change_flags(store::Store& store)
{
    const store::Mailbox& box = **store.mailbox("INBOX");
    store::FlagChange change;
    change.flags = store::Seen;
    Stopwatch one;
    std::uint32_t uid = 1;
    for (; uid <= 10'000 && uid <= box.entries.size(); ++uid)
        if (!store.change_flags(box.id, std::span(&uid, 1), change).ok())
            std::exit(1);
    std::printf("flag change, one message each: %.0f/s\n", (uid - 1) / one.seconds());
    std::vector<std::uint32_t> uids;
    for (const auto& entry : box.entries)
        uids.push_back(entry.uid);
    Stopwatch all;
    change.flags = store::Flagged;
    if (!store.change_flags(box.id, uids, change).ok())
        std::exit(1);
    std::printf("flag change, all at once: %.1f ms\n", all.seconds() * 1e3);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2)
        return 2;
    std::string path = argv[1];
    auto messages = std::uint32_t(argc > 2 ? std::atoi(argv[2]) : 100'000);
    if (!util::sys::mkdir(path, 0700).ok())
        return 2;
    store::Options options;
    fill(path, options, messages);
    for (int i = 0; i < 3; ++i) {
        std::size_t before = mallinfo2().uordblks;
        Stopwatch time;
        auto store = open(path, options);
        double opened = time.seconds();
        std::size_t count = (*store->mailbox("INBOX"))->entries.size();
        std::printf("open: %.2f ms, with INBOX: %.2f ms (%zu messages)\n", opened * 1e3, time.seconds() * 1e3, count);
        if (i < 2)
            continue;
        (void)store->read_rendered((*store->mailbox("INBOX"))->entries[0]);
        std::printf("memory: %.1f bytes a message\n",
                    double(mallinfo2().uordblks + mallinfo2().hblkhd - before) / double(count));
        read_all(*store, messages);
        change_flags(*store);
    }
    options.ignore_snapshot = true;
    Stopwatch scan;
    auto store = open(path, options);
    std::printf("open by scan: %.0f ms\n", scan.seconds() * 1e3);
}
