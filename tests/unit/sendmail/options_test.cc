// The command line of sendmail(1).
#include "tests/unit/suite.h"
#include "tools/sendmail/options.h"

namespace {

util::Result<sendmail::Options> parse(std::vector<std::string> words, std::string_view program = "sendmail")
{
    std::vector<char*> pointers;
    for (auto& word : words)
        pointers.push_back(word.data());
    return sendmail::parse_options(program, pointers);
}

}  // namespace

TEST(programs_call_it_in_many_ways)
{
    auto options = parse({"-oi", "-t", "-f", "a@b", "-FFull Name", "-om", "-B", "8BITMIME", "--", "-odd@name"});
    OK(options);
    THAT(options->recipients_from_header && !options->dot_ends);
    EQ(*options->sender, "a@b");
    EQ(options->full_name, "Full Name");
    EQ(options->recipients.size(), 1U);
    EQ(options->recipients[0], "-odd@name");
    // Letters without a value share a word; those of other systems are swallowed with theirs.
    options = parse({"-itv", "-em", "-p", "esmtp:host", "-Am", "-o", "i", "-h5", "-x", "x@y"});
    OK(options);
    THAT(options->recipients_from_header && !options->dot_ends && options->report == ipc::Report::Delivery);
    EQ(options->recipients.size(), 1U);
}
END_TEST

TEST(the_null_sender_is_not_the_same_as_none)
{
    auto options = parse({"-f", "", "x"});
    OK(options);
    THAT(options->sender.has_value() && options->sender->empty());
    THAT(!parse({"x"})->sender);
}
END_TEST

TEST(modes_follow_from_options_and_from_the_name)
{
    THAT(parse({"-bp"})->mode == sendmail::Mode::ListQueue);
    THAT(parse({}, "mailq")->mode == sendmail::Mode::ListQueue);
    for (auto& options : {parse({"-bi"}), parse({"-I"}), parse({}, "newaliases")})
        THAT(options->mode == sendmail::Mode::NewAliases);
    THAT(parse({"-q"})->mode == sendmail::Mode::Flush);
    EQ(parse({"-qIabc"})->flush_id, "abc");
    EQ(parse({"-qRexample.org"})->flush_site, "example.org");
    THAT(parse({"-q15m"})->flush_id.empty());
    THAT(parse({"-bs"})->mode == sendmail::Mode::Smtp);
    THAT(parse({"-b", "d"})->mode == sendmail::Mode::Start);
    auto verify = parse({"-bv", "-v", "a@b"});
    THAT(verify->mode == sendmail::Mode::Deliver && verify->report == ipc::Report::Deliverability);
    EQ(parse({"-v"})->report, ipc::Report::Delivery);
}
END_TEST

TEST(delivery_status_options_are_checked)
{
    EQ(parse({"-N", "success,delay"})->notify, ipc::NotifySuccess | ipc::NotifyDelay);
    EQ(parse({"-N", "never"})->notify, ipc::NotifyNever);
    THAT(parse({"-R", "hdrs"})->return_part == ipc::ReturnPart::Headers);
    for (std::vector<std::string> bad : {std::vector<std::string>{"-N", "often"}, {"-R", "some"}, {"-f"},
                                         {"-bh"}, {"-Z"}, {"-bv", "-t"}, {"-itZ"}, {"-o"}})
        EQ(parse(bad).error().kind, util::Kind::Invalid);
}
END_TEST

SUITE(options, programs_call_it_in_many_ways, the_null_sender_is_not_the_same_as_none,
      modes_follow_from_options_and_from_the_name, delivery_status_options_are_checked)
