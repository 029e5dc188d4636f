// What is made of a message when it is stored.
#include "libmail/imap_render.h"

#include "libmail/envelope.h"
#include "libutil/text.h"

#include <algorithm>

namespace mail {

namespace {

// Sorted.  What mail programs fetch for a list of messages, and what threading and filters ask for.
constexpr std::string_view cached_fields[] = {
    "bcc",          "cc",           "content-type", "date",           "from",        "importance",
    "in-reply-to",  "list-id",      "list-post",    "list-unsubscribe", "message-id", "priority",
    "references",   "reply-to",     "sender",       "subject",        "to",          "x-priority",
};

}  // namespace

bool is_cached_field(std::string_view name)
{
    constexpr std::size_t longest = 16;
    if (name.empty() || name.size() > longest)
        return false;
    char lower[longest];
    std::ranges::transform(name, lower, util::to_lower);
    return std::ranges::binary_search(cached_fields, std::string_view(lower, name.size()));
}

RenderedMessage render_message(std::string_view message)
{
    MimeTreeView tree = parse_mime(message);
    RenderedMessage rendered;
    rendered.header_size = tree.root().body;
    rendered.body_structure = render_body_structure(message, tree, true);
    rendered.body = render_body_structure(message, tree, false);

    EnvelopeView envelope;
    HeaderReader reader(message.substr(0, rendered.header_size));
    FieldView field;
    rendered.header_cache.reserve(1024);
    bool too_long = false;
    while (reader.next(field)) {
        if (!is_cached_field(field.name))
            continue;
        envelope.take(field);  // all of its fields are among the cached ones
        too_long |= rendered.header_cache.size() + field.text.size() > max_header_cache;
        if (!too_long)
            rendered.header_cache += field.text;
    }
    rendered.envelope = envelope.render();
    rendered.date = parse_date(envelope.date());
    if (too_long)
        rendered.header_cache.clear();
    rendered.preview = make_preview(message, tree);
    return rendered;
}

}  // namespace mail
