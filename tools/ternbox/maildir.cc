// Maildir++ (see maildir.h).
#include "tools/ternbox/maildir.h"

#include "libmail/encoding.h"
#include "libutil/random.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <fcntl.h>

#include <algorithm>

namespace ternbox {

namespace {

constexpr std::size_t max_list_size = 256U << 20;
constexpr std::size_t max_message_size = 1U << 30;
constexpr std::size_t max_letters = 26;

struct Letter {
    char letter;
    store::Flags flag;
};
// maildir(5): P (passed) has no IMAP system flag and becomes $Forwarded.
constexpr Letter letters[] = {{'D', store::Draft}, {'F', store::Flagged}, {'R', store::Answered},
                              {'S', store::Seen}, {'T', store::Deleted}};

util::Result<std::vector<std::string>> names_in(const std::string& path)
{
    auto directory = TRY(util::sys::open(path, O_RDONLY | O_DIRECTORY));
    auto names = TRY(util::sys::list_directory(directory.get()));
    std::ranges::sort(names);
    return names;
}

std::string_view base_name(std::string_view name)
{
    return name.substr(0, name.find(':'));
}

std::string text_or_nothing(const std::string& path)
{
    return util::sys::read_file(path, max_list_size).value_or({});
}

}  // namespace

util::Result<UidList> parse_uidlist(std::string_view text)
{
    UidList list;
    auto lines = util::split(text, '\n');
    auto words = util::split(lines.front(), ' ');
    if (words.front() != "3")
        return util::invalid("dovecot-uidlist is not of version 3");
    for (std::string_view word : std::span(words).subspan(1)) {
        if (word.starts_with('V'))
            list.uid_validity = std::uint32_t(TRY(util::parse_unsigned(word.substr(1), UINT32_MAX)));
        else if (word.starts_with('N'))
            list.uid_next = std::uint32_t(TRY(util::parse_unsigned(word.substr(1), UINT32_MAX)));
    }
    if (list.uid_validity == 0)
        return util::invalid("dovecot-uidlist has no uid validity");
    for (std::string_view line : std::span(lines).subspan(1)) {
        if (line.empty())
            continue;
        // "uid [extension...] :file name"
        std::size_t colon = line.find(" :");
        auto uid = util::parse_unsigned(line.substr(0, line.find(' ')), UINT32_MAX - 1);
        if (colon == line.npos || !uid.ok() || *uid == 0)
            return util::invalid(util::concat("dovecot-uidlist has a bad line: ", util::printable(line, 100)));
        list.uids.insert_or_assign(std::string(base_name(line.substr(colon + 2))), std::uint32_t(*uid));
    }
    return list;
}

std::vector<std::string> parse_keywords(std::string_view text)
{
    std::vector<std::string> keywords;
    for (std::string_view line : util::split(text, '\n')) {
        auto [number, name] = util::split_first(line, ' ');
        auto index = util::parse_unsigned(number, max_letters - 1);
        if (!index.ok() || name.empty())
            continue;
        if (keywords.size() <= *index)
            keywords.resize(*index + 1);
        keywords[*index] = name;
    }
    return keywords;
}

void parse_info(std::string_view name, const std::vector<std::string>& keywords, Item& item)
{
    std::size_t info = name.rfind(":2,");
    if (info == name.npos)
        return;
    for (char letter : name.substr(info + 3)) {
        for (const auto& known : letters)
            if (known.letter == letter)
                item.flags |= known.flag;
        if (letter == 'P')
            item.keywords.emplace_back("$Forwarded");
        if (letter >= 'a' && letter <= 'z' && std::size_t(letter - 'a') < keywords.size() &&
            !keywords[std::size_t(letter - 'a')].empty())
            item.keywords.push_back(keywords[std::size_t(letter - 'a')]);
    }
}

std::string maildir_folder(std::string_view mailbox)
{
    if (mailbox == "INBOX")
        return "";
    std::string folder;
    for (std::string_view level : util::split(mailbox, store::hierarchy_separator)) {
        folder += '.';
        for (char byte : mail::encode_modified_utf7(level))
            if (byte == '.')
                folder += "&AC4-";
            else
                folder += byte;
    }
    return folder;
}

util::Result<std::string> mailbox_of_folder(std::string_view folder)
{
    std::string name;
    for (std::string_view level : util::split(folder.substr(1), '.')) {
        std::string plain;
        for (std::size_t at = 0; at < level.size();) {
            std::size_t dot = level.find("&AC4-", at);
            plain += TRY(mail::decode_modified_utf7(level.substr(at, dot - at)));
            if (dot == level.npos)
                break;
            plain += '.';
            at = dot + 5;
        }
        if (!name.empty())
            name += store::hierarchy_separator;
        name += plain;
    }
    return name;
}

namespace {

struct File {
    std::string directory;   // "cur" or "new"
    std::string name;
    std::uint32_t uid = 0;
};

class FolderReader {
public:
    FolderReader(std::string path, const MaildirOptions& options, const TakeItem& take,
                 std::vector<std::string>& problems)
        : path_(std::move(path)), options_(options), take_(take), problems_(problems)
    {
    }

    util::Result<void> read(Item mailbox)
    {
        UidList list;
        if (options_.with_uids) {
            auto parsed = parse_uidlist(text_or_nothing(path_ + "/dovecot-uidlist"));
            if (parsed.ok())
                list = parsed.take();
            else
                problems_.push_back(util::concat(path_, ": ", parsed.error().text, "; uids are given anew"));
        }
        mailbox.uid_validity = list.uid_validity;
        mailbox.uid_next = list.uid_next;
        auto files = find_files(list);
        TRY(take_(mailbox));
        auto keywords = parse_keywords(text_or_nothing(path_ + "/dovecot-keywords"));
        for (const auto& file : files)
            TRY(read_message(file, keywords));
        return {};
    }

private:
    // Those with uids first, in their order; the others behind them, by name (that is, by time).
    std::vector<File> find_files(const UidList& list)
    {
        std::vector<File> files;
        for (const char* directory : {"cur", "new"}) {
            auto names = names_in(util::concat(path_, "/", directory));
            if (!names.ok())
                continue;
            for (auto& name : *names) {
                if (name.starts_with('.'))
                    continue;
                auto uid = list.uids.find(base_name(name));
                files.push_back({directory, std::move(name), uid == list.uids.end() ? 0 : uid->second});
            }
        }
        std::ranges::stable_sort(files, [](const File& a, const File& b) {
            return a.uid - 1 < b.uid - 1 || (a.uid == b.uid && a.name < b.name);
        });
        return files;
    }

    util::Result<void> read_message(const File& file, const std::vector<std::string>& keywords)
    {
        std::string path = util::concat(path_, "/", file.directory, "/", file.name);
        auto content = util::sys::read_file(path, max_message_size);
        if (!content.ok()) {
            problems_.push_back(content.error().text);
            return {};
        }
        Item item;
        item.kind = Item::Kind::Message;
        item.uid = file.uid;
        item.source = path;
        item.content = with_crlf(*content);
        item.date.seconds = TRY(util::sys::stat(path)).st_mtim.tv_sec;
        parse_info(file.name, keywords, item);
        return take_(std::move(item));
    }

    std::string path_;
    const MaildirOptions& options_;
    const TakeItem& take_;
    std::vector<std::string>& problems_;
};

bool is_maildir(const std::string& path)
{
    auto status = util::sys::stat(path + "/cur");
    return status.ok() && S_ISDIR(status->st_mode);
}

}  // namespace

util::Result<void> read_maildir(const std::string& path, const MaildirOptions& options, const TakeItem& take,
                                std::vector<std::string>& problems)
{
    if (!is_maildir(path))
        return util::invalid(util::concat(path, ": not a Maildir (it has no directory cur)"));
    std::string subscribed = text_or_nothing(path + "/subscriptions");
    std::vector<std::string> subscriptions;
    for (std::string_view name : util::split(subscribed, '\n')) {
        std::string folder = util::concat(".", name);
        std::ranges::replace(folder, '/', '.');
        auto mailbox = mailbox_of_folder(folder);
        if (!name.empty() && mailbox.ok() && !name.starts_with("V\t"))
            subscriptions.push_back(mailbox.take());
    }
    Item inbox;
    inbox.kind = Item::Kind::Mailbox;
    inbox.mailbox = options.into.empty() ? "INBOX" : options.into;
    inbox.subscribed = true;
    TRY(FolderReader(path, options, take, problems).read(inbox));
    for (const auto& name : TRY(names_in(path))) {
        std::string folder = util::concat(path, "/", name);
        if (!name.starts_with('.') || !is_maildir(folder))
            continue;
        auto mailbox = mailbox_of_folder(name);
        if (!mailbox.ok()) {
            problems.push_back(util::concat(folder, ": ", mailbox.error().text));
            continue;
        }
        Item item;
        item.kind = Item::Kind::Mailbox;
        item.mailbox = mailbox.take();
        item.subscribed = std::ranges::find(subscriptions, item.mailbox) != subscriptions.end();
        TRY(FolderReader(folder, options, take, problems).read(item));
    }
    return {};
}

// --- writing ----------------------------------------------------------------------------------------

util::Result<MaildirWriter> MaildirWriter::create(std::string path)
{
    TRY(util::sys::mkdir(path, 0700));
    return MaildirWriter(std::move(path));
}

util::Result<void> MaildirWriter::end_mailbox()
{
    if (mailbox_.mailbox.empty())
        return {};
    std::string head = util::concat("3 V", mailbox_.uid_validity, " N", mailbox_.uid_next, " G",
                                    util::hex(util::random_string(16)), "\n");
    TRY(util::sys::replace_file(folder_ + "/dovecot-uidlist", head + uidlist_, 0600));
    std::string names;
    for (std::size_t i = 0; i < keywords_.size(); ++i)
        util::append(names, i, " ", keywords_[i], "\n");
    if (!names.empty())
        TRY(util::sys::replace_file(folder_ + "/dovecot-keywords", names, 0600));
    return {};
}

util::Result<void> MaildirWriter::take(const Item& item)
{
    if (item.kind == Item::Kind::Mailbox) {
        TRY(end_mailbox());
        mailbox_ = item;
        uidlist_.clear();
        keywords_.clear();
        std::string folder = maildir_folder(item.mailbox);
        folder_ = folder.empty() ? root_ : util::concat(root_, "/", folder);
        if (!folder.empty())
            TRY(util::sys::mkdir(folder_, 0700));
        for (const char* part : {"/cur", "/new", "/tmp"})
            TRY(util::sys::mkdir(folder_ + part, 0700));
        if (!folder.empty())
            TRY(util::sys::replace_file(folder_ + "/maildirfolder", "", 0600));
        if (item.subscribed && item.mailbox != "INBOX")
            subscriptions_.push_back(folder.substr(1));
        return {};
    }
    std::string flags;
    for (const auto& known : letters)
        if (item.flags & known.flag)
            flags += known.letter;
    std::string keyword_letters;
    for (const auto& keyword : item.keywords) {
        if (util::equal_nocase(keyword, "$Forwarded")) {
            flags += 'P';
            continue;
        }
        auto found = std::ranges::find(keywords_, keyword);
        std::size_t index = std::size_t(found - keywords_.begin());
        if (index >= max_letters)
            continue;  // Maildir names have room for 26
        if (found == keywords_.end())
            keywords_.push_back(keyword);
        keyword_letters += char('a' + index);
    }
    std::ranges::sort(flags);
    std::ranges::sort(keyword_letters);
    std::string base = util::concat(item.date.seconds, ".M", ++count_, ".tern");
    std::string path = util::concat(folder_, "/cur/", base, ":2,", flags, keyword_letters);
    auto fd = TRY(util::sys::open(path, O_WRONLY | O_CREAT | O_EXCL));
    TRY(util::sys::write_all(fd.get(), with_lf(item.content)));
    TRY(util::sys::set_times(fd.get(), item.date.seconds * 1'000'000));
    util::append(uidlist_, item.uid, " :", base, "\n");
    return {};
}

util::Result<void> MaildirWriter::finish()
{
    TRY(end_mailbox());
    std::string names;
    for (const auto& name : subscriptions_)
        util::append(names, name, "\n");
    return util::sys::replace_file(root_ + "/subscriptions", names, 0600);
}

}  // namespace ternbox
