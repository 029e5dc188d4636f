// pipe/template.h: arguments of commands.
#include "pipe/template.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using util::concat;

mail::Address address(std::string_view text) { return *mail::parse_address(text); }

piping::Values message()
{
    piping::Values values;
    values.client_address = "192.0.2.1";
    values.client_helo = "helo.example";
    values.client_hostname = "client.example";
    values.client_port = "4711";
    values.client_protocol = "ESMTP";
    values.envelope_id = "QQ314159";
    values.nexthop = "Hop.Example";
    values.queue_id = "4XYZ";
    values.sasl_method = "PLAIN";
    values.sasl_sender = "s@example.org";
    values.sasl_username = "u@example.org";
    values.size = "1234";
    values.sender = address("From.Me@example.org");
    values.null_sender = "MAILER-DAEMON";
    values.recipients = {{address("Anna+News@example.com"), address("Old.Anna@example.net")},
                         {address("bert@example.com"), address("bert@example.com")}};
    return values;
}

// The arguments in brackets, or what is wrong.
std::string expanded(std::initializer_list<std::string_view> words, const piping::Values& values, piping::Folding folding = {})
{
    std::vector<piping::Template> command;
    for (std::string_view word : words) {
        auto argument = piping::Template::parse(word);
        if (!argument)
            return concat("!", argument.error().text);
        command.push_back(argument.take());
    }
    auto arguments = piping::expand(command, values, folding, "+");
    if (!arguments)
        return concat(util::name_of(arguments.error().kind), ": ", arguments.error().text);
    std::string out;
    for (const std::string& argument : *arguments)
        util::append(out, "[", argument, "]");
    return out;
}

TEST(every_name_has_its_value)
{
    EQ(expanded({"$client_address", "$client_helo", "$client_hostname", "$client_port", "$client_protocol", "$envid",
                 "$nexthop", "$queue_id", "$sasl_method", "$sasl_sender", "$sasl_username", "$sender", "$size"},
                message()),
       "[192.0.2.1][helo.example][client.example][4711][ESMTP][QQ314159][Hop.Example][4XYZ][PLAIN][s@example.org][u@example.org]"
       "[From.Me@example.org][1234]");
    piping::Values one = message();
    one.recipients.pop_back();
    EQ(expanded({"${domain}", "${extension}", "${mailbox}", "${original_recipient}", "${recipient}", "${user}"}, one),
       "[example.com][News][Anna+News][Old.Anna@example.net][Anna+News@example.com][Anna]");
}
END_TEST

TEST(what_differs_between_recipients_comes_for_each_of_them)
{
    EQ(expanded({"cmd", "-f", "${sender}", "--", "${recipient}"}, message()),
       "[cmd][-f][From.Me@example.org][--][Anna+News@example.com][bert@example.com]");
    EQ(expanded({"cmd", "${user}/${extension}@${queue_id}", "end"}, message()), "[cmd][Anna/News@4XYZ][bert/@4XYZ][end]");
    EQ(expanded({"${nexthop}${size}"}, message()), "[Hop.Example1234]");
}
END_TEST

TEST(dollars_and_brackets)
{
    EQ(expanded({"a$$b", "$$", "$(sender)x", "${sender}x", "$sender.x", ""}, message()),
       "[a$b][$][From.Me@example.orgx][From.Me@example.orgx][From.Me@example.org.x][]");
    EQ(expanded({"${sender"}, message()), "!a ${ without its end");
    EQ(expanded({"$(sender}"}, message()), "!a $( without its end");
    EQ(expanded({"x$"}, message()), "!a $ without a name; $$ is a dollar");
    EQ(expanded({"$-"}, message()), "!a $ without a name; $$ is a dollar");
    EQ(expanded({"${sendr}"}, message()), "!there is no $sendr");
    EQ(expanded({"${}"}, message()), "!there is no $");
    EQ(expanded({"${sender?x}"}, message()), "!there is no $sender?x");
}
END_TEST

TEST(flags_fold_and_quote)
{
    piping::Values values = message();
    values.recipients = {{address("\"Big Box+X\"@Example.COM"), address("Up@Example.NET")}};
    const std::initializer_list<std::string_view> words = {
        "$recipient", "$original_recipient", "$user", "$extension", "$mailbox", "$nexthop"};
    EQ(expanded(words, values), "[Big Box+X@example.com][Up@example.net][Big Box][X][Big Box+X][Hop.Example]");
    EQ(expanded(words, values, {.quote = true}),
       "[\"Big Box+X\"@example.com][Up@example.net][Big Box][X][Big Box+X][Hop.Example]");
    EQ(expanded(words, values, {.local_part = true}),
       "[big box+x@example.com][up@example.net][big box][x][big box+x][Hop.Example]");
    EQ(expanded({"$nexthop", "$sender"}, values, {.domain = true, .local_part = true}), "[hop.example][From.Me@example.org]");
    values.sender = address("\"a b\"@example.org");
    EQ(expanded({"$sender"}, values), "[a b@example.org]");
    EQ(expanded({"$sender"}, values, {.quote = true}), "[\"a b\"@example.org]");
}
END_TEST

TEST(the_null_sender_has_a_stand_in)
{
    piping::Values values = message();
    values.sender = {};
    EQ(expanded({"$sender"}, values), "[MAILER-DAEMON]");
    values.null_sender = "";
    EQ(expanded({"-f", "$sender"}, values), "[-f][]");
    EQ(expanded({"$sender"}, values, {.quote = true}), "[]");
    values.null_sender = "no body";
    EQ(expanded({"$sender"}, values, {.quote = true}), "[\"no body\"]");
}
END_TEST

TEST(a_message_gives_no_options)
{
    piping::Values values = message();
    values.recipients = {{address("-oQ/tmp@example.com"), address("-x@example.com")}};
    for (std::string_view word : {"$recipient", "${user}", "${extension}$mailbox", "$original_recipient"})
        THAT(expanded({"cmd", word}, values).starts_with("permanent: "));
    EQ(expanded({"cmd", "<$recipient>", "--to=$user"}, values), "[cmd][<-oQ/tmp@example.com>][--to=-oQ/tmp]");
    values = message();
    values.client_helo = "-C/tmp/x";
    values.sender = address("-bi@example.org");
    THAT(expanded({"$client_helo"}, values).starts_with("permanent: "));
    THAT(expanded({"$sender"}, values).starts_with("permanent: "));
    EQ(expanded({"-$sender"}, values), "[--bi@example.org]");
}
END_TEST

TEST(the_size_of_all_arguments_is_bounded)
{
    piping::Values values = message();
    values.envelope_id.assign(piping::max_arguments_size - 1, 'x');
    THAT(expanded({"$envid"}, values).starts_with("[xxx"));
    values.envelope_id += 'x';
    THAT(expanded({"$envid"}, values).starts_with("temporary: "));
}
END_TEST

SUITE(command_template, every_name_has_its_value, what_differs_between_recipients_comes_for_each_of_them, dollars_and_brackets,
      flags_fold_and_quote, the_null_sender_has_a_stand_in, a_message_gives_no_options, the_size_of_all_arguments_is_bounded)

}  // namespace
