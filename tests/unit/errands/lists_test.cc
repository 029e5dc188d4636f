// errands/lists.h, errands/worker.h: what lists say, and whose they are.
#include "errands/lists.h"
#include "errands/walk.h"

#include "errands/worker.h"
#include "tests/unit/libconf/temp_dir.h"
#include "tests/unit/suite.h"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using ipc::Place;
using util::concat;

struct House {
    explicit House(std::string alias_maps = "inline:{x=y}")
    {
        auto opened = conf::Tables::open({std::move(alias_maps)});
        OK(opened);
        aliases = opened.take();
        rules.aliases = &aliases;
        rules.users.own_uid = true;
        rules.default_user.uid = ::geteuid();
        rules.forward_path = "$home/.forward${recipient_delimiter}${extension}, $home/.forward";
        rules.forward_filter = "abcdefghijklmnopqrstuvwxyz0123456789@.+-/";
        rules.recipient_delimiter = "+-";
    }

    std::string paths(const std::string& extension, std::string_view recipient = "dora@example.org")
    {
        Place place{.kind = Place::Kind::Forward, .name = "dora", .extension = extension, .steps = {}};
        auto found = errands::forward_paths(
            place, recipient, {.name = "dora", .uid = 5, .gid = 5, .home = "/home/dora", .shell = "/bin/sh"}, rules);
        if (!found.ok())
            return "!" + found.error().text;
        std::string out;
        for (const std::string& path : *found)
            util::append(out, out.empty() ? "" : " ", path);
        return out;
    }

    std::string find(Place place)
    {
        auto found = errands::find_list(place, "x@example.org", rules);
        if (!found.ok())
            return "!" + found.error().text;
        if (found->result != ipc::ListPart::Result::Found)
            return found->result == ipc::ListPart::Result::NoUser ? "no user" : "none";
        std::string out;
        for (const mail::Destination& one : found->list.destinations)
            util::append(out, out.empty() ? "" : "; ", one.text);
        return out;
    }

    conf::Tables aliases;
    errands::ListRules rules;
};

TEST(forward_path_has_what_the_address_has)
{
    House h;
    EQ(h.paths("lists"), "/home/dora/.forward+lists /home/dora/.forward");
    EQ(h.paths(""), "/home/dora/.forward");
    EQ(h.paths("a b;c"), "/home/dora/.forward+a_b_c /home/dora/.forward");
    h.rules.forward_path = "/var/forward/$user";
    EQ(h.paths("x"), "/var/forward/dora");
    h.rules.forward_path = "/f/$domain/${user}${extension?{-$extension}}/$local";
    EQ(h.paths("x", "dora+x@example.org"), "/f/example.org/dora-x/dora+x");
    h.rules.forward_path = "relative/$user, $home/$extension";
    EQ(h.paths("../../etc"), "");
    h.rules.forward_path = "$home/$unknown";
    THAT(h.paths("").starts_with("!forward_path: "));
}
END_TEST

TEST(files_count_only_when_nobody_else_could_have_written_them)
{
    test::TempDir dir;
    std::string path = dir.write("list", "a@example.org\n");
    auto read = [&](mode_t mode, bool group = false, std::size_t limit = 1000, uid_t owner = ::geteuid()) {
        CHECK(::chmod(path.c_str(), mode) == 0);
        auto text = errands::read_list_file(path, owner, group, limit);
        return text.ok() ? text.take() : concat("!", std::size_t(text.error().kind));
    };
    EQ(read(0644), "a@example.org\n");
    EQ(read(0664), concat("!", std::size_t(util::Kind::Permanent)));
    EQ(read(0664, true), "a@example.org\n");
    EQ(read(0646, true), concat("!", std::size_t(util::Kind::Permanent)));
    EQ(read(0644, false, 14), "a@example.org\n");
    EQ(read(0644, false, 13), concat("!", std::size_t(util::Kind::Permanent)));
    if (::geteuid() != 0)
        EQ(read(0644, false, 1000, ::geteuid() + 1), concat("!", std::size_t(util::Kind::Permanent)));
    EQ(errands::read_list_file(dir / "nowhere", ::geteuid(), false, 1000).error().kind, util::Kind::NotFound);
    EQ(errands::read_list_file(dir.path(), ::geteuid(), false, 1000).error().kind, util::Kind::Permanent);
    CHECK(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    EQ(errands::read_list_file(dir / "pipe", ::geteuid(), false, 1000).error().kind, util::Kind::Permanent);
}
END_TEST

TEST(steps_lead_from_list_to_list)
{
    test::TempDir dir;
    dir.write("inner", "c@example.org\n");
    dir.write("outer", concat("a@example.org, :include:", dir / "inner", "\n|cmd\n"));
    House h(concat("inline:{{x=b@example.org, :include:", dir / "outer", "} {bad=\"unclosed}}"));
    Place place{.kind = Place::Kind::Alias, .name = "x", .extension = {}, .steps = {}};
    EQ(h.find(place), concat("b@example.org; ", dir / "outer"));
    place.steps = {1};
    EQ(h.find(place), concat("a@example.org; ", dir / "inner", "; cmd"));
    place.steps = {1, 1};
    EQ(h.find(place), "c@example.org");
    // Not an :include:, not there at all.
    for (std::vector<std::uint32_t> steps : {std::vector<std::uint32_t>{0}, {7}, {1, 0}, {1, 2}}) {
        place.steps = steps;
        EQ(h.find(place), "!the list was changed meanwhile");
    }
    place.steps.assign(ipc::max_list_steps + 1, 1);
    EQ(h.find(place), "!too many :include: in each other");
    place = {.kind = Place::Kind::Alias, .name = "nobody", .extension = {}, .steps = {}};
    EQ(h.find(place), "none");
    place.name = "bad";
    THAT(h.find(place).starts_with("!alias bad: "));
    place = {.kind = Place::Kind::Forward, .name = "no-such-user-here", .extension = {}, .steps = {}};
    EQ(h.find(place), "no user");
    place.kind = Place::Kind::Virtual;
    EQ(h.find(place), "!that place is no list");
}
END_TEST

TEST(only_roots_links_lead_to_a_list)
{
    test::TempDir dir;
    dir.write("list", "a@example.org\n");
    std::string link = dir / "link", loop = dir / "loop";
    EQ(::symlink("../../../../../../../../../..//proc/../.", link.c_str()), 0);
    EQ(errands::find_named(link)->status.st_ino, util::sys::stat("/")->st_ino);
    EQ(::symlink("loop", loop.c_str()), 0);
    EQ(errands::find_named(loop).error().text, concat(loop, ": too many symbolic links"));
    EQ(errands::find_named(dir / "list")->status.st_ino, util::sys::stat(dir / "list")->st_ino);
    EQ(errands::find_named(dir / "nothing").error().kind, util::Kind::NotFound);
    EQ(errands::find_named("relative").ok(), false);
    if (::geteuid() != 0)
        return;
    // Of a directory, or of the file itself.
    EQ(::lchown(link.c_str(), 12345, 12345), 0);
    for (const std::string& path : {link, link + "/etc"})
        EQ(errands::find_named(path).error().text, concat(path, ": link is a symbolic link of uid 12345"));
}
END_TEST

TEST(patterns_name_addresses_only)
{
    test::TempDir dir;
    dir.write("patterns",
              "/^run-(.*)$/ \"|echo $1\"\n/^file-(.*)$/ /tmp/$1\n/^list-(.*)$/ :include:/tmp/$1\n/^to-(.*)$/ $1@example.org\n");
    House h(concat("regexp:", dir / "patterns"));
    for (const char* name : {"run-x;id", "file-../x", "list-x"}) {
        Place place{.kind = Place::Kind::Alias, .name = name, .extension = {}, .steps = {}};
        EQ(h.find(place),
           concat("!alias ", name, ": commands, files and :include: are not taken from regexp: and pcre: tables"));
    }
    EQ(h.find({.kind = Place::Kind::Alias, .name = "to-dora", .extension = {}, .steps = {}}), "dora@example.org");
}
END_TEST

TEST(rights_of_root_and_of_low_uids_are_nobodys)
{
    util::UserRules rules{.minimum_uid = 100, .own_uid = false};
    util::User user{.name = "x", .uid = 100, .gid = 100, .home = {}, .shell = {}};
    OK(util::may_become(user, rules));
    for (auto [uid, gid] : {std::pair<uid_t, gid_t>{0, 100}, {99, 100}, {100, 0}}) {
        user.uid = uid;
        user.gid = gid;
        EQ(util::may_become(user, rules).ok(), false);
    }
    rules.own_uid = true;
    user.uid = ::geteuid() + 1;
    EQ(util::may_become(user, rules).ok(), false);
}
END_TEST

TEST(long_lists_are_sent_in_parts)
{
    errands::Search search;
    search.result = ipc::ListPart::Result::Found;
    for (int i = 0; i < 5000; ++i)
        search.list.destinations.push_back(
            {.kind = mail::Destination::Kind::Address, .text = concat("user", i, "@example.org"), .plain = false});
    std::uint64_t version = ipc::version_of(search.list.destinations);
    auto parts = errands::parts_of(7, std::move(search));
    THAT(parts.size() > 1);
    std::size_t count = 0;
    for (const ipc::ListPart& part : parts) {
        std::vector<int> none;
        THAT(ipc::encode(part, none).size() < ipc::max_packet_size);
        EQ(part.request, 7u);
        EQ(part.version, version);
        EQ(part.last, &part == &parts.back());
        count += part.destinations.size();
    }
    EQ(count, 5000u);
}
END_TEST

TEST(versions_tell_lists_apart)
{
    using mail::Destination;
    std::vector<Destination> list = {{.kind = Destination::Kind::Address, .text = "a", .plain = false}};
    auto version = ipc::version_of(list);
    list[0].plain = true;
    THAT(ipc::version_of(list) != version);
    list[0] = {.kind = Destination::Kind::Command, .text = "a", .plain = false};
    THAT(ipc::version_of(list) != version);
    list.push_back(list[0]);
    THAT(ipc::version_of(list) != version);
}
END_TEST

TEST(commands_have_a_clean_environment)
{
    ipc::RunEntry order;
    order.recipient = "dora+ext@example.org";
    order.sender = "";
    order.client_name = std::string("evil\0X=1", 8);
    errands::Rules rules;
    rules.recipient_delimiter = "+";
    rules.environment = {"TZ=UTC"};
    rules.command_filter = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@.+/:";
    auto variables = errands::command_environment(
        order, {.name = "dora", .uid = 5, .gid = 5, .home = "/home/dora", .shell = "/bin/sh"}, rules);
    std::sort(variables.begin(), variables.end());
    std::string out;
    for (const std::string& one : variables)
        util::append(out, one, ";");
    EQ(out,
       "CLIENT_HOSTNAME=evil_X__;DOMAIN=example.org;EXTENSION=ext;HOME=/home/dora;LOCAL=dora+ext;LOGNAME=dora;PATH=/usr/bin:/bin;"
       "RECIPIENT=dora+ext@example.org;SENDER=;SHELL=/bin/sh;TZ=UTC;USER=dora;");
}
END_TEST

SUITE(lists, forward_path_has_what_the_address_has, files_count_only_when_nobody_else_could_have_written_them,
      steps_lead_from_list_to_list, only_roots_links_lead_to_a_list, patterns_name_addresses_only,
      rights_of_root_and_of_low_uids_are_nobodys, long_lists_are_sent_in_parts,
      versions_tell_lists_apart, commands_have_a_clean_environment)

}  // namespace
