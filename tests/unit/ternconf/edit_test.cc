// tools/ternconf/edit.h
#include "tools/ternconf/edit.h"

#include "libutil/text.h"

#include "tests/unit/suite.h"

using namespace ternconf;

namespace {

std::string text_of(util::Result<std::string> result) { return result ? *result : "!" + result.error().text; }

constexpr std::string_view main_cf = "# head\n"
                                     "a = 1\n"
                                     "b = two\n"
                                     "# between\n"
                                     "   words\n"
                                     "\n"
                                     "a = 3\n"
                                     "# tail";

TEST(settings_change_in_their_place_and_comments_stay)
{
    EQ(text_of(edit_main(main_cf, Action::Set, {"b = x y"})),
       "# head\na = 1\nb = x y\n# between\n\na = 3\n# tail\n");
    EQ(text_of(edit_main(main_cf, Action::Set, {"a=4", "c=", "a = 5"})),
       "# head\nb = two\n# between\n   words\n\na = 5\n# tail\nc =\n");
    EQ(text_of(edit_main("", Action::Set, {"a=b=c"})), "a = b=c\n");
}
END_TEST

TEST(settings_are_removed_and_commented_out)
{
    EQ(text_of(edit_main(main_cf, Action::Remove, {"b"})), "# head\na = 1\n# between\n\na = 3\n# tail\n");
    EQ(text_of(edit_main(main_cf, Action::CommentOut, {"b"})),
       "# head\na = 1\n#b = two\n# between\n#   words\n\na = 3\n# tail\n");
    EQ(text_of(edit_main(main_cf, Action::Remove, {"x"})), "!x is not set");
}
END_TEST

TEST(what_cannot_stand_in_a_file_is_refused)
{
    EQ(text_of(edit_main("", Action::Set, {"novalue"})), "!name=value is wanted, not \"novalue\"");
    EQ(text_of(edit_main("", Action::Set, {"a b=c"})), "!\"a b\" is not the name of a setting");
    EQ(text_of(edit_main("", Action::Set, {"a=b\nc=d"})), "!the value of a has a control byte");
    EQ(text_of(edit_main("", Action::Set, {"config_directory=/x"})), "!\"config_directory\" is not the name of a setting");
}
END_TEST

constexpr std::string_view master_cf = "# services\n"
                                       "smtp inet n - n - - smtpd\n"
                                       "  -o a=b\n"
                                       "# mine\n"
                                       "  -o { c = d e } -v\n"
                                       "qmgr unix n - - 300 1 qmgr\n";

TEST(services_are_added_replaced_and_removed)
{
    EQ(text_of(edit_master(master_cf, Target::Service, Action::Set, {"qmgr/unix=qmgr unix - - - - 1 qmgr -o x=y"})),
       "# services\nsmtp inet n - n - - smtpd\n  -o a=b\n# mine\n  -o { c = d e } -v\n"
       "qmgr       unix  -       -       -       -       1       qmgr\n    -o x=y\n");
    EQ(text_of(edit_master("", Target::Service, Action::Set, {"a/unix = a unix - - - - - b c"})),
       "a          unix  -       -       -       -       -       b c\n");
    EQ(text_of(edit_master(master_cf, Target::Service, Action::Remove, {"smtp/inet"})),
       "# services\n# mine\nqmgr unix n - - 300 1 qmgr\n");
    EQ(text_of(edit_master(master_cf, Target::Service, Action::CommentOut, {"*/unix"})),
       util::concat(master_cf.substr(0, master_cf.find("qmgr")), "#qmgr unix n - - 300 1 qmgr\n"));
    EQ(text_of(edit_master(master_cf, Target::Service, Action::Remove, {"x/unix"})), "!nothing in master.cf is x/unix");
    EQ(text_of(edit_master(master_cf, Target::Service, Action::Set, {"x/unix=y unix - - - - - z"})),
       "!the entry for x/unix begins with y unix");
}
END_TEST

TEST(fields_are_set)
{
    EQ(text_of(edit_master("a unix - - - - - b -o c=d\n", Target::Field, Action::Set,
                           {"a/unix/process_limit=5", "*/*/command = x {y z}"})),
       "a          unix  -       -       -       -       5       x {y z}\n");
    THAT(text_of(edit_master(master_cf, Target::Field, Action::Set, {"smtp/inet/nosuch=5"})).starts_with("!there is no field"));
    THAT(text_of(edit_master(master_cf, Target::Field, Action::Set, {"smtp/inet/wakeup=often"})).find("wakeup: a number") !=
         std::string::npos);
    THAT(text_of(edit_master(master_cf, Target::Field, Action::Set, {"smtp/inet/wakeup=1 2"})).find("one word") !=
         std::string::npos);
    THAT(text_of(edit_master(master_cf, Target::Field, Action::Remove, {"smtp/inet/wakeup"})).starts_with("!"));
}
END_TEST

TEST(service_settings_are_set_and_removed)
{
    EQ(text_of(edit_master("a unix - - - - - b -o c=d -o e=f -oc=g\n", Target::Parameter, Action::Set,
                           {"a/unix/c=h i", "a/unix/k="})),
       "a          unix  -       -       -       -       -       b\n    -o e=f\n    -o { c = h i }\n    -o k=\n");
    EQ(text_of(edit_master("a unix - - - - - b -o c=d -o e=f x\n", Target::Parameter, Action::Remove, {"a/unix/c"})),
       "a          unix  -       -       -       -       -       b\n    -o e=f x\n");
    // Before the program's own words, which are no settings.
    std::string piped =
        text_of(edit_master("a unix - n - - - pipe user=x argv=y -o c=d\n", Target::Parameter, Action::Set, {"a/unix/c=e"}));
    THAT(piped.find("-o c=e") < piped.find("user=x argv=y -o c=d"));
    EQ(text_of(edit_master("a unix - - - - - b\n", Target::Parameter, Action::Remove, {"a/unix/c"})),
       "!nothing in master.cf is a/unix/c");
    EQ(text_of(edit_master("a unix - - - - - b -o c=d\n", Target::Parameter, Action::Remove, {"*/*/*"})),
       "a          unix  -       -       -       -       -       b\n");
}
END_TEST

TEST(what_was_not_touched_is_the_same_bytes)
{
    for (std::string_view text : {main_cf, master_cf, std::string_view("\n\n  # x\n"), std::string_view("  stray\na=b")}) {
        std::string out = FileText(text).text();
        EQ(out, text.ends_with('\n') ? std::string(text) : util::concat(text, '\n'));
    }
}
END_TEST

}  // namespace

SUITE(edit, settings_change_in_their_place_and_comments_stay, settings_are_removed_and_commented_out,
      what_cannot_stand_in_a_file_is_refused, services_are_added_replaced_and_removed, fields_are_set,
      service_settings_are_set_and_removed, what_was_not_touched_is_the_same_bytes)
