// A fresh store in a directory of its own, gone at the end; for fuzzers, which have no Check.
#pragma once

#include "libmail/imap_render.h"
#include "libstore/store.h"
#include "libutil/check.h"
#include "libutil/sys.h"

#include <fcntl.h>
#include <stdlib.h>

#include <memory>
#include <string>

namespace test {

class ScratchStore {
public:
    ScratchStore()
    {
        path_ = "/tmp/tern-fuzz-XXXXXX";
        CHECK(::mkdtemp(path_.data()));
        reopen();
    }
    ~ScratchStore()
    {
        store_.reset();
        remove(path_);
    }
    ScratchStore(const ScratchStore&) = delete;
    ScratchStore& operator=(const ScratchStore&) = delete;

    store::Store& store() { return *store_; }

    // Nobody may use the store of before.  `snapshot`: there will be a fresh one at its end.
    void reopen(bool snapshot = false)
    {
        store_.reset();
        store::Options options;
        options.segment_size = 1U << 20;
        options.ignore_snapshot = snapshot;
        auto opened = store::Store::open(path_, options);
        CHECK(opened.ok());
        store_ = opened.take();
    }

    static void remove(const std::string& path)
    {
        if (auto fd = util::sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW); fd.ok())
            for (const auto& name : util::sys::list_directory(fd->get()).value_or({}))
                remove(path + "/" + name);
        if (!util::sys::unlink(path).ok())
            (void)util::sys::rmdir(path);
    }

private:
    std::string path_;
    std::unique_ptr<store::Store> store_;
};

inline void deliver(store::Store& store, std::string_view content)
{
    auto made = mail::render_message(content);
    store::Rendered rendered;
    rendered.envelope = made.envelope;
    rendered.body_structure = made.body_structure;
    rendered.body = made.body;
    rendered.header_cache = made.header_cache;
    rendered.header_size = std::uint32_t(made.header_size);
    store::NewMessage message;
    message.content = content;
    message.rendered = &rendered;
    auto inbox = store.mailbox("INBOX");
    CHECK(inbox.ok());
    CHECK(store.append((*inbox)->id, message).ok());
}

}  // namespace test
