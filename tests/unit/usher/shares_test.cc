// Who shares with whom.
#include "usher/shares.h"

#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <unistd.h>

namespace {

using Names = std::vector<std::string>;

std::string fresh_path()
{
    std::string path = "/tmp/tern-shares-XXXXXX";
    int fd = ::mkstemp(path.data());
    ::close(fd);
    ::unlink(path.c_str());
    return path;
}

TEST(knows_who_shares_with_whom)
{
    usher::Shares shares("");
    THAT(!shares.permits("bob", "alice"));
    THAT(shares.set("bob", {"alice", "carl"}));
    THAT(!shares.set("bob", {"carl", "alice"}));
    THAT(shares.set("public", {"anyone"}));
    THAT(shares.permits("bob", "alice"));
    THAT(!shares.permits("bob", "dora"));
    THAT(shares.permits("public", "dora"));
    THAT(!shares.permits("public", "public"));   // one's own are no others'
    EQ(shares.owners_for("alice"), (Names{"bob", "public"}));
    EQ(shares.owners_for("dora"), Names{"public"});
    THAT(shares.set("bob", {}));
    THAT(!shares.set("bob", {}));
    EQ(shares.owners_for("alice"), Names{"public"});
}
END_TEST

TEST(groups_are_shared_with_by_those_who_are_in_them)
{
    usher::Shares shares("");
    shares.set("bob", {"group=staff"});
    shares.set("carl", {"alice", "group=chiefs"});
    THAT(!shares.permits("bob", "alice"));
    THAT(!shares.permits("bob", "alice", {"chiefs", "staf"}));
    THAT(shares.permits("bob", "alice", {"chiefs", "staff"}));
    THAT(!shares.permits("bob", "group=staff"));   // whose name that is
    THAT(!shares.permits("bob", "bob", {"staff"}));
    EQ(shares.owners_for("dora", {"staff", "chiefs"}), (Names{"bob", "carl"}));
    EQ(shares.owners_for("alice"), Names{"carl"});
}
END_TEST

TEST(what_is_known_survives_a_restart)
{
    auto path = fresh_path();
    {
        usher::Shares shares(path);
        shares.set("bob@example.org", {"alice@example.org", "a name with spaces"});
        shares.set("carl@example.org", {"anyone"});
        shares.set("carl@example.org", {});
    }
    usher::Shares again(path);
    EQ(again.owners_for("alice@example.org"), Names{"bob@example.org"});
    EQ(again.owners_for("a name with spaces"), Names{"bob@example.org"});
    EQ(again.owners_for("dora@example.org"), Names{});
    ::unlink(path.c_str());
}
END_TEST

// A mailbox process says what it likes of its own account, and nothing else comes of it.
TEST(takes_no_name_that_would_be_more_than_one)
{
    auto path = fresh_path();
    {
        usher::Shares shares(path);
        shares.set("bob", {"alice\nmallory\teve", "x\ty", "", std::string(400, 'x'), "carl"});
        THAT(!shares.permits("mallory", "eve"));
    }
    usher::Shares again(path);
    THAT(!again.permits("mallory", "eve"));
    THAT(!again.permits("bob", "y"));
    THAT(again.permits("bob", "carl"));
    ::unlink(path.c_str());
}
END_TEST

TEST(passes_over_a_damaged_file)
{
    auto path = fresh_path();
    auto fd = util::sys::open(path, O_WRONLY | O_CREAT);
    OK(fd);
    OK(util::sys::write_all(fd->get(), "\n\t\nbob\nbob\t\ncarl\talice\n\tx\ndora\talice"));
    usher::Shares shares(path);
    EQ(shares.owners_for("alice"), (Names{"carl", "dora"}));
    ::unlink(path.c_str());
}
END_TEST

SUITE(shares, groups_are_shared_with_by_those_who_are_in_them, knows_who_shares_with_whom, what_is_known_survives_a_restart,
      takes_no_name_that_would_be_more_than_one, passes_over_a_damaged_file)

}  // namespace
