// The commands (see commands.h).
#include "tools/ternbox/commands.h"

#include "libutil/standard_fds.h"
#include "libconf/quota.h"
#include "libmail/imap_render.h"
#include "libsearch/files.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternbox/mailbox_names.h"

#include <sysexits.h>
#include <unistd.h>

#include <ctime>
#include <map>

namespace ternbox {

namespace {

constexpr std::size_t index_memory = 256U << 20;   // of a batch

std::string_view name_of(store::SpecialUse use)
{
    constexpr std::string_view names[] = {"-",     "\\All",  "\\Archive", "\\Drafts", "\\Flagged",
                                          "\\Junk", "\\Sent", "\\Trash"};
    return names[std::size_t(use)];
}

std::string local_time(std::int64_t seconds)
{
    std::time_t time = seconds;
    std::tm parts{};
    char text[32] = "-";
    if (::localtime_r(&time, &parts))
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    return text;
}

}  // namespace

util::Result<int> list(store::Store& store)
{
    util::print_out("messages  unseen       bytes    uidnext uidvalidity use       name\n");
    auto column = [](const auto& value, std::size_t width) {
        std::string text = util::concat(value);
        return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
    };
    for (const auto& [name, id] : store.mailboxes()) {
        const store::Mailbox* box = TRY(store.mailbox(id));
        std::string use(name_of(box->special_use));
        use.resize(std::max<std::size_t>(use.size(), 9), ' ');
        util::print_out(util::concat(column(box->entries.size(), 8), " ", column(box->unseen, 7), " ", column(box->bytes, 11),
                                     " ", column(box->uid_next, 10), " ", column(box->uid_validity, 11), " ", use, " ",
                                     shown(name), "\n"));
    }
    store::QuotaUsage used = store.usage();
    util::print_out(util::concat("total: ", used.messages, " messages, ", used.bytes, " bytes\n"));
    return 0;
}

util::Result<int> list_deleted(store::Store& store)
{
    auto deleted = TRY(store.deleted_messages());
    for (const auto& message : deleted) {
        auto texts = store.read_rendered(message.entry);
        std::string_view preview = texts.ok() ? std::string_view(texts->preview).substr(0, 60) : "(damaged)";
        util::print_out(util::concat(local_time(message.seconds), " ", shown(message.mailbox_name), " uid=", message.entry.uid,
                           " size=", message.entry.size, " ", util::printable(preview), "\n"));
    }
    return 0;
}

util::Result<int> check(store::Store& store)
{
    auto report = TRY(store.check());
    for (const auto& problem : report.problems)
        util::print_out(util::concat(problem, "\n"));
    util::print_out(util::concat(report.segments, " segments, ", report.records, " records, ", report.messages, " messages, ",
                       report.bytes, " bytes: ", report.problems.size(), " problems\n"));
    return report.problems.empty() ? 0 : 1;
}

util::Result<int> restore(store::Store& store, const Restoration& wanted)
{
    auto deleted = TRY(store.deleted_messages());
    // A mailbox that is gone is made again under its name.
    std::map<std::pair<store::MailboxId, std::string>, std::vector<std::uint32_t>> batches;
    for (const auto& message : deleted)
        if (message.seconds >= wanted.since && message.entry.save_seconds <= wanted.existed_at &&
            (wanted.mailbox.empty() || message.mailbox_name == wanted.mailbox))
            batches[{message.mailbox, message.mailbox_name}].push_back(message.entry.uid);
    std::size_t count = 0;
    for (const auto& [from, uids] : batches) {
        std::string name = from.second.empty() ? "Restored" : from.second;
        if (!store.mailboxes().contains(name))
            TRY(store.create_mailbox(name, store::SpecialUse::None));
        auto copied = TRY(store.restore(from.first, uids, store.mailboxes().find(name)->second));
        count += copied.target.size();
        util::print_out(util::concat(copied.target.size(), " messages put back into ", name, "\n"));
    }
    TRY(store.sync());
    if (count == 0)
        util::print_out("nothing to put back\n");
    return 0;
}

util::Result<int> purge(store::Store& store, bool now)
{
    auto deleted = TRY(store.deleted_messages());
    TRY(store.purge_deleted(INT64_MAX, now));
    TRY(store.sync());
    for (auto left = store::Chores::More; left != store::Chores::Done;) {
        left = store.housekeep(1U << 20);
        if (left == store::Chores::Waiting)
            TRY(store.sync());
    }
    util::print_out(util::concat(deleted.size(), " deleted messages are gone for good\n"));
    return 0;
}

// --- limits -----------------------------------------------------------------------------------------

util::Result<int> show_limits(store::Store& store)
{
    util::print_out("     bytes      limit messages    limit set by name\n");
    auto column = [](const auto& value, std::size_t width) {
        std::string text = util::concat(value);
        return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
    };
    auto number = [](const std::optional<std::uint64_t>& value) { return value ? util::concat(*value) : std::string("none"); };
    for (const auto& [name, id] : store.mailboxes()) {
        const store::Mailbox* box = TRY(store.mailbox(id));
        if (box->limits.any())
            util::print_out(util::concat(column(box->bytes, 10), " ", column(number(box->limits.bytes), 10), " ",
                                         column(box->entries.size(), 8), " ", column(number(box->limits.messages), 8),
                                         box->limits_fixed ? " admin  " : " user   ", shown(name), "\n"));
    }
    return 0;
}

util::Result<int> limit(store::Store& store, const std::string& mailbox, const std::string& storage,
                        const std::string& messages)
{
    auto value = [](std::uint64_t number) { return number == conf::no_limit ? std::nullopt : std::optional(number); };
    store::Limits limits{.bytes = value(TRY(conf::parse_quota_size(storage))),
                         .messages = value(TRY(conf::parse_quota_number(messages)))};
    const store::Mailbox* box = TRY(store.mailbox(mailbox));
    TRY(store.limit_mailbox(box->id, limits, limits.any()));
    TRY(store.sync());
    return 0;
}

// --- export -----------------------------------------------------------------------------------------

util::Result<int> send_mail(store::Store& store, const std::vector<std::string>& mailboxes, int fd)
{
    std::vector<std::string> names = mailboxes;
    if (names.empty())
        for (const auto& [name, id] : store.mailboxes())
            names.push_back(name);
    int status = 0;
    for (const auto& name : names) {
        const store::Mailbox* box = TRY(store.mailbox(name));
        Item head;
        head.kind = Item::Kind::Mailbox;
        head.mailbox = box->name;
        head.uid_validity = box->uid_validity;
        head.uid_next = box->uid_next;
        head.subscribed = box->subscribed;
        TRY(send_item(fd, head));
        for (const auto& entry : box->entries) {
            auto content = store.read_content(entry);
            if (!content.ok()) {
                util::log::error(box->name, ", uid ", entry.uid, ": ", content.error().text);
                status = 1;
                continue;
            }
            Item item;
            item.uid = entry.uid;
            item.flags = entry.flags;
            for (std::size_t bit = 0; bit < box->keywords.size(); ++bit)
                if (entry.keywords >> bit & 1)
                    item.keywords.push_back(box->keywords[bit]);
            item.date = entry.internal_date;
            item.content = content.take();
            TRY(send_item(fd, item));
        }
    }
    Item end;
    end.kind = Item::Kind::End;
    TRY(send_item(fd, end));
    return status;
}

// --- import -----------------------------------------------------------------------------------------

namespace {

store::Rendered rendered(std::string_view content)
{
    mail::RenderedMessage texts = mail::render_message(content);
    store::Rendered out;
    out.envelope = std::move(texts.envelope);
    out.body_structure = std::move(texts.body_structure);
    out.body = std::move(texts.body);
    out.header_cache = std::move(texts.header_cache);
    out.preview = std::move(texts.preview);
    out.sent_seconds = texts.date ? texts.date->seconds : 0;
    out.header_size = std::uint32_t(texts.header_size);
    return out;
}

class Import {
public:
    Import(store::Store& store, bool adopt) : store_(store), adopt_(adopt) {}

    util::Result<void> take(const Item& item)
    {
        if (item.kind == Item::Kind::Mailbox) {
            TRY(end_mailbox());
            return open_mailbox(item);
        }
        store::Rendered texts = rendered(item.content);
        store::NewMessage message;
        message.content = item.content;
        message.flags = item.flags;
        message.keywords = item.keywords;
        if (message.keywords.size() > store::max_keywords)
            message.keywords.resize(store::max_keywords);
        message.internal_date = item.date;
        message.rendered = &texts;
        if (adopt_ && keeps_uids_)
            message.uid = item.uid;
        auto stored = store_.append(mailbox_, message);
        // A mailbox has room for so many keywords only; the message is worth more.
        if (!stored.ok() && !message.keywords.empty() && stored.error().kind != util::Kind::Temporary) {
            util::log::warning(item.source, ": ", stored.error().text, "; stored without keywords");
            message.keywords.clear();
            stored = store_.append(mailbox_, message);
        }
        if (!stored.ok())
            return std::move(stored.take_error()).in(item.source);
        ++count;
        store_.flush(false);
        return store_.collect();
    }

    // Uids that were given there and are gone are not given again here.
    util::Result<void> end_mailbox()
    {
        if (keeps_uids_ && uid_next_ > 0)
            TRY(store_.adopt_identity(mailbox_, uid_validity_, uid_next_));
        return {};
    }

    std::uint64_t count = 0;

private:
    util::Result<void> open_mailbox(const Item& item)
    {
        if (!store_.mailbox(item.mailbox).ok())
            TRY(store_.create_mailbox(item.mailbox, store::SpecialUse::None));
        if (item.subscribed)
            TRY(store_.subscribe(item.mailbox, true));
        mailbox_ = TRY(store_.mailbox(item.mailbox))->id;
        keeps_uids_ = false;
        if (!adopt_ || item.uid_validity == 0)
            return {};
        auto adopted = store_.adopt_identity(mailbox_, item.uid_validity, 1);
        if (!adopted.ok())
            return std::move(adopted.take_error()).in(item.mailbox);
        keeps_uids_ = true;
        uid_validity_ = item.uid_validity;
        uid_next_ = item.uid_next;
        return {};
    }

    store::Store& store_;
    bool adopt_;
    bool keeps_uids_ = false;
    std::uint32_t uid_validity_ = 0;
    std::uint32_t uid_next_ = 0;
    store::MailboxId mailbox_ = 0;
};

}  // namespace

util::Result<int> receive_mail(store::Store& store, bool adopt, int fd)
{
    Import import(store, adopt);
    bool ended = false;
    while (auto item = TRY(receive_item(fd))) {
        ended = item->kind == Item::Kind::End;
        if (ended)
            break;
        TRY(import.take(*item));
    }
    TRY(import.end_mailbox());
    TRY(store.sync());
    util::print_out(util::concat(import.count, " messages stored\n"));
    return ended ? 0 : EX_IOERR;
}

util::Result<int> index(store::Store& store, const std::string& directory, IndexWork work)
{
    auto files = TRY(search::Files::open(directory));
    if (work != IndexWork::Complete)
        TRY(files.remove_all());
    if (work == IndexWork::Remove)
        return 0;
    TRY(store.sync());
    TRY(store.collect());
    std::uint64_t added = 0;
    for (bool complete = false; !complete;) {
        auto before = TRY(files.read());
        auto target = TRY(files.begin());
        auto report = TRY(search::feed(store, *before, target.get(), {.memory = index_memory, .opaque = {}}));
        TRY(files.adopt(report, *before));
        added += report.added;
        complete = report.complete;
    }
    files.note_complete(store.last());
    auto made = TRY(files.read());
    util::print_out(util::concat(made->size(), " messages in ", made->parts().size(), " segments of ", made->bytes(),
                                 " bytes; ", added, " added\n"));
    return 0;
}

}  // namespace ternbox
