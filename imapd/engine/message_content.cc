// One message as FETCH and SEARCH read it.
#include "imapd/engine/message_content.h"

#include "libmail/surrogate.h"
#include "libutil/text.h"

namespace imapd::engine {

namespace {

// The bytes of a message larger than this are given back with it.
constexpr std::size_t kept_capacity = 256U << 10;

}  // namespace

void MessageContent::open(const store::Entry& entry)
{
    close();
    entry_ = entry;
}

void MessageContent::close()
{
    rendered_.reset();
    surrogate_.reset();
    tree_.reset();
    has_header_ = has_whole_ = false;
    header_.clear();
    if (whole_.capacity() > kept_capacity)
        whole_ = {};
    whole_.clear();
}

util::Result<const store::RenderedView*> MessageContent::rendered()
{
    if (surrogate_ && !rendered_) {
        rendered_.emplace();
        rendered_->envelope = surrogate_->envelope;
        rendered_->body_structure = surrogate_->body_structure;
        rendered_->body = surrogate_->body;
        rendered_->header_cache = surrogate_->header_cache;
        rendered_->preview = surrogate_->preview;
        rendered_->header_size = std::uint32_t(surrogate_->header_size);
    }
    if (!rendered_) {
        auto rendered = TRY(store_.read_rendered(entry_));
        // The store may be damaged: no offset of it is taken on trust.
        if (rendered.header_size > entry_.size)
            return util::permanent("The rendered header is larger than its message");
        rendered_ = rendered;
    }
    return &*rendered_;
}

util::Result<bool> MessageContent::needs_surrogate()
{
    if (surrogate_)
        return false;
    // A short message is about to be read as a whole.
    if (entry_.size <= kept_capacity) {
        TRY(load());
        if (util::is_ascii(whole_))   // most are: nothing else need be read
            return false;
    }
    auto text = TRY(header());
    return mail::may_need_surrogate(text, TRY(rendered())->body_structure);
}

util::Result<bool> MessageContent::use_surrogate()
{
    if (surrogate_)
        return true;
    TRY(load());
    auto made = mail::make_surrogate(whole_);
    if (!made)
        return false;
    rendered_.reset();
    tree_.reset();
    has_header_ = false;
    header_.clear();
    whole_ = std::move(*made);
    surrogate_ = mail::render_message(whole_);
    return true;
}

util::Result<std::string_view> MessageContent::header()
{
    if (has_header_)
        return std::string_view(header_);
    std::size_t size = TRY(rendered())->header_size;
    if (has_whole_)
        return std::string_view(whole_).substr(0, size);
    TRY(append(0, size, header_));
    has_header_ = true;
    return std::string_view(header_);
}

util::Result<void> MessageContent::load()
{
    if (!has_whole_)
        TRY(append(0, entry_.size, whole_));
    has_whole_ = true;
    return {};
}

util::Result<const mail::MimeTreeView*> MessageContent::tree()
{
    TRY(load());
    if (!tree_)
        tree_ = mail::parse_mime(whole_);
    return &*tree_;
}

util::Result<void> MessageContent::append(std::uint64_t offset, std::uint64_t size, std::string& out)
{
    if (has_whole_) {
        out.append(whole_, std::size_t(offset), std::size_t(size));
        return {};
    }
    rendered_.reset();
    auto before = out.size();
    TRY(store_.append_content(entry_, offset, size, out));
    if (out.size() - before == size)
        return {};
    out.resize(before);
    return util::permanent("The message is shorter than its size");
}

}  // namespace imapd::engine
