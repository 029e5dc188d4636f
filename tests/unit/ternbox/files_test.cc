// Maildir and mbox: names, flags, uids and texts survive the way out and in.
#include "tests/unit/suite.h"

#include "libutil/sys.h"
#include "libutil/text.h"
#include "tools/ternbox/mbox.h"

#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <vector>

namespace {

using namespace ternbox;

class Directory {
public:
    Directory()
    {
        std::string pattern = "/tmp/ternbox-XXXXXX";
        path = mkdtemp(pattern.data());
    }
    ~Directory() { remove(path); }
    static void remove(const std::string& name)
    {
        auto fd = util::sys::open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (fd.ok())
            for (const auto& child : util::sys::list_directory(fd->get()).value_or({}))
                remove(name + "/" + child);
        if (!util::sys::unlink(name).ok())
            (void)util::sys::rmdir(name);
    }
    std::string path;
};

Item mailbox(std::string name)
{
    Item item;
    item.kind = Item::Kind::Mailbox;
    item.mailbox = std::move(name);
    item.uid_validity = 77;
    item.uid_next = 10;
    item.subscribed = true;
    return item;
}

Item message(std::uint32_t uid, store::Flags flags, std::vector<std::string> keywords, std::string content)
{
    Item item;
    item.uid = uid;
    item.flags = flags;
    item.keywords = std::move(keywords);
    item.content = std::move(content);
    item.date.seconds = 1'700'000'000 + uid;
    return item;
}

const std::vector<Item>& sample()
{
    static const std::vector<Item> items = {
        mailbox("INBOX"),
        message(3, store::Seen | store::Answered, {"$Forwarded", "Work"}, "Subject: a\r\n\r\nFrom me\r\n>From you\r\n"),
        message(5, 0, {"Other", "Work"}, "Subject: b\r\n\r\nbody\r\n\r\n"),
        mailbox("Lists/T\xc3\xa4st v1.0"),
        message(1, store::Flagged | store::Deleted | store::Draft, {}, "Subject: c\r\n\r\n"),
    };
    return items;
}

void compare(const std::vector<Item>& got, const std::vector<Item>& wanted, bool uids)
{
    EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        EQ(got[i].kind, wanted[i].kind);
        EQ(got[i].mailbox, wanted[i].mailbox);
        EQ(got[i].flags, wanted[i].flags);
        auto a = got[i].keywords;
        auto b = wanted[i].keywords;
        std::ranges::sort(a);
        std::ranges::sort(b);
        THAT(a == b);
        EQ(got[i].content, wanted[i].content);
        EQ(got[i].date.seconds, wanted[i].date.seconds);
        if (uids) {
            EQ(got[i].uid, wanted[i].uid);
            EQ(got[i].uid_validity, wanted[i].uid_validity);
            EQ(got[i].subscribed, wanted[i].subscribed);
        }
    }
}

TEST(maildir_goes_out_and_in)
{
    Directory directory;
    auto writer = MaildirWriter::create(directory.path + "/out");
    OK(writer);
    for (const auto& item : sample())
        OK(writer->take(item));
    OK(writer->finish());
    std::vector<Item> got;
    std::vector<std::string> problems;
    auto take = [&](Item item) -> util::Result<void> { got.push_back(std::move(item)); return {}; };
    OK(read_maildir(directory.path + "/out", {.with_uids = true, .into = {}}, take, problems));
    EQ(problems.size(), 0U);
    compare(got, sample(), true);
}
END_TEST

TEST(mbox_goes_out_and_in)
{
    Directory directory;
    auto writer = MboxWriter::create(directory.path + "/out");
    OK(writer);
    for (const auto& item : sample())
        OK(writer->take(item));
    std::vector<Item> got;
    auto take = [&](Item item) -> util::Result<void> { got.push_back(std::move(item)); return {}; };
    OK(read_mbox_tree(directory.path + "/out", take));
    compare(got, sample(), false);
    THAT(!writer->take(mailbox("../evil")).ok());
    THAT(!writer->take(mailbox("a.d")).ok());
}
END_TEST

TEST(names_of_folders_are_unambiguous)
{
    EQ(maildir_folder("INBOX"), "");
    EQ(maildir_folder("a/b"), ".a.b");
    EQ(maildir_folder("a.b"), ".a&AC4-b");
    for (const char* name : {"a/b", "a.b", "..", "\xc3\xa4/&", "x&AC4-y", "INBOX/sub"})
        EQ(*mailbox_of_folder(maildir_folder(name)), name);
    THAT(!mailbox_of_folder(".&zz").ok());
}
END_TEST

TEST(reads_a_uidlist)
{
    auto list = parse_uidlist("3 V1234 N99 Gabc\n5 :one\n8 W123 S55 :two:2,S\n");
    OK(list);
    EQ(list->uid_validity, 1234U);
    EQ(list->uid_next, 99U);
    EQ(list->uids.find("two")->second, 8U);
    for (const char* bad : {"", "1 1234 99\n", "3 N99\n", "3 V1\nx :one\n", "3 V1\n0 :one\n", "3 V1\n5 one\n",
                            "3 V99999999999\n"})
        THAT(!parse_uidlist(bad).ok());
}
END_TEST

TEST(reads_flags_from_file_names)
{
    Item item;
    parse_info("1.M2.host,S=5:2,FPSacz", {"one", "", "three"}, item);
    EQ(item.flags, store::Flagged | store::Seen);
    THAT(item.keywords == std::vector<std::string>({"$Forwarded", "one", "three"}));
    Item none;
    parse_info("1.M2.host", {}, none);
    EQ(none.flags, 0U);
    auto keywords = parse_keywords("0 a\n2 c\n99 no\nbad\n");
    EQ(keywords.size(), 3U);
}
END_TEST

TEST(mends_line_ends)
{
    EQ(with_crlf("a\nb\r\nc\n\n"), "a\r\nb\r\nc\r\n\r\n");
    EQ(with_lf("a\r\nb\rc\n\r"), "a\nb\rc\n\r");
}
END_TEST

TEST(refuses_what_is_no_mailbox)
{
    Directory directory;
    std::vector<std::string> problems;
    auto take = [](const Item&) -> util::Result<void> { return {}; };
    EQ(read_maildir(directory.path, {}, take, problems).error().kind, util::Kind::Invalid);
    OK(util::sys::replace_file(directory.path + "/x", "no mbox\n"));
    EQ(read_mbox_tree(directory.path + "/x", take).error().kind, util::Kind::Invalid);
}
END_TEST

SUITE(files, maildir_goes_out_and_in, mbox_goes_out_and_in, names_of_folders_are_unambiguous, reads_a_uidlist,
      reads_flags_from_file_names, mends_line_ends, refuses_what_is_no_mailbox)

}  // namespace
