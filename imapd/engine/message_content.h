// One message as FETCH and SEARCH read it: what was rendered, its header, its bytes, its MIME
// tree; each read from the store when it is first wanted, and forgotten with the message.
//
// What was rendered is a view into the store: it holds until the next call of this class, and
// whoever lets others use the store while a message is open calls pause().
#pragma once

#include "libmail/imap_render.h"
#include "libmail/mime.h"
#include "libstore/store.h"

#include <optional>
#include <string>
#include <string_view>

namespace imapd::engine {

class MessageContent {
public:
    explicit MessageContent(store::Store& store) : store_(store) {}

    // The entry is copied: a message that is expunged while it is read stays readable.
    void open(const store::Entry& entry);
    void close();
    void pause() { rendered_.reset(); }

    const store::Entry& entry() const { return entry_; }
    // From here on, what is read is the message's surrogate (libmail/surrogate.h), if it has one: then
    // true.
    util::Result<bool> use_surrogate();
    // May it be that there is an address in a header, its own or a part's, that only clients with UTF-8 may see?
    util::Result<bool> needs_surrogate();
    // Bytes of what is read.
    std::uint64_t size() const { return surrogate_ ? whole_.size() : entry_.size; }
    util::Result<const store::RenderedView*> rendered();
    // The header with its empty line.
    util::Result<std::string_view> header();
    util::Result<const mail::MimeTreeView*> tree();
    // All bytes, once tree() or load() has read them.
    std::string_view whole() const { return whole_; }
    util::Result<void> load();
    // Appends a part of the bytes, all of it or nothing.
    util::Result<void> append(std::uint64_t offset, std::uint64_t size, std::string& out);

private:
    store::Store& store_;
    store::Entry entry_;
    std::optional<store::RenderedView> rendered_;
    std::optional<mail::RenderedMessage> surrogate_;
    // Strings keep their memory from message to message.
    bool has_header_ = false;
    bool has_whole_ = false;
    std::string header_;
    std::string whole_;
    std::optional<mail::MimeTreeView> tree_;
};

}  // namespace imapd::engine
