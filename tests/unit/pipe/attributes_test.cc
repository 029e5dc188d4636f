// pipe/attributes.h: the words of master.cf.
#include "pipe/attributes.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using util::concat;

piping::Attributes good(std::vector<std::string> words)
{
    std::vector<std::string> complaints;
    auto out = piping::parse_attributes(words, complaints);
    EQ(complaints.empty() ? "" : complaints.front(), "");
    return out;
}

std::string complaint(std::vector<std::string> words)
{
    std::vector<std::string> complaints;
    (void)piping::parse_attributes(words, complaints);
    std::string out;
    for (const std::string& one : complaints)
        util::append(out, out.empty() ? "" : " | ", one);
    return out;
}

TEST(attributes_have_their_defaults)
{
    auto plain = good({"user=vmail", "argv=/usr/bin/cmd", "-x", "argv=y", "flags=Z"});
    EQ(plain.user, "vmail");
    EQ(plain.group, "");
    EQ(plain.null_sender, "MAILER-DAEMON");
    EQ(plain.size_limit, 0);
    EQ(plain.form.line_end, "\n");
    EQ(plain.final_delivery, false);
    EQ(plain.single_recipient(), false);
    EQ(plain.command.size(), 4);   // what stands behind argv= is the command's
    EQ(good({"user=x", "argv=", "cmd", "$$"}).command.size(), 2);
}
END_TEST

TEST(attributes_are_read)
{
    auto all = good({"flags=BDFORXhqu.>", "user=vmail:mail", "chroot=/jail", "directory=/var/x", "eol=\\r\\n",
                     "null_sender=", "size=1000", "argv=cmd"});
    EQ(all.group, "mail");
    EQ(all.chroot, "/jail");
    EQ(all.directory, "/var/x");
    EQ(all.form.line_end, "\r\n");
    EQ(all.null_sender, "");
    EQ(all.size_limit, 1000);
    const mail::LocalForm& form = all.form;
    THAT(form.empty_line && form.delivered_to && form.from_line && form.original_to && form.return_path && form.stuff_dots &&
         form.quote_from);
    THAT(all.final_delivery && all.folding.domain && all.folding.quote && all.folding.local_part && all.single_recipient());
    auto one = good({"flags=F", "user=x", "argv=cmd"});
    THAT(one.form.from_line && !one.form.return_path && !one.form.quote_from && !one.folding.quote && !one.single_recipient());
    THAT(good({"flags=O", "user=x", "argv=cmd"}).single_recipient());
}
END_TEST

TEST(all_that_is_wrong_is_told)
{
    EQ(complaint({}), "user= is missing");
    EQ(complaint({"user=x"}), "argv= with a command is missing");
    EQ(complaint({"user=x", "argv="}), "argv= with a command is missing");
    EQ(complaint({"user=:y", "argv=cmd"}), "user=:y: name or name:group is wanted | user= is missing");
    EQ(complaint({"user=x:", "argv=cmd"}), "user=x:: name or name:group is wanted | user= is missing");
    EQ(complaint({"flags=Z", "user=x", "argv=cmd"}), "flags=Z: there is no flag Z (there are B D F O R X h q u . >)");
    EQ(complaint({"size=1k", "user=x", "argv=cmd"}).find("size=1k: "), 0);
    EQ(complaint({"chroot=jail", "user=x", "argv=cmd"}), "chroot=jail: an absolute path is wanted");
    EQ(complaint({"eol=", "user=x", "argv=cmd"}), "eol=: 1 to 10 bytes are wanted");
    EQ(complaint({"usr=x", "argv=cmd"}).find("usr=x: there is no such attribute"), 0);
    EQ(complaint({"word", "user=x", "argv=cmd"}).find("word: there is no such attribute"), 0);
    EQ(complaint({"user=x", "argv=cmd", "${recipent}", "$"}),
       "argv=: ${recipent}: there is no $recipent | argv=: $: a $ without a name; $$ is a dollar");
    EQ(complaint({"user=x", "argv=${user}"}), "argv=: the name of the command must not come from a message");
}
END_TEST

TEST(escapes_are_those_of_c)
{
    EQ(*piping::unescape("\\r\\n\\t\\\\x\\0\\101\\1019"), std::string_view("\r\n\t\\x\0AA9", 9));
    EQ(*piping::unescape("\\a\\b\\f\\v"), "\a\b\f\v");
    EQ(piping::unescape("\\").ok(), false);
    EQ(piping::unescape("\\q").ok(), false);
    EQ(piping::unescape("\\777").ok(), false);
}
END_TEST

SUITE(attributes, attributes_have_their_defaults, attributes_are_read, all_that_is_wrong_is_told, escapes_are_those_of_c)

}  // namespace
