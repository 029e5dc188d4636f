#include "libmail/media_type.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

std::string read_media_type(std::string_view value)
{
    auto media = mail::parse_media_type(value);
    if (!media)
        return "none";
    std::string out = util::concat(media->type, '/', media->subtype);
    for (const mail::MimeParameter& parameter : media->parameters)
        util::append(out, ' ', parameter.name, parameter.encoded ? "*" : "", '=',
                     parameter.encoded ? parameter.extended_value() : parameter.value);
    return out;
}

}  // namespace

TEST(reads_types_and_parameters)
{
    EQ(read_media_type("text/plain"), "text/plain");
    EQ(read_media_type("Text/Plain; Charset=\"utf-8\"; format=flowed"), "Text/Plain Charset=utf-8 format=flowed");
    EQ(read_media_type("text/plain; charset=us-ascii (Plain text)"), "text/plain charset=us-ascii");
    EQ(read_media_type("text (a) / (b) plain (c) ; (d) charset (e) = (f) utf-8"), "text/plain charset=utf-8");
    EQ(read_media_type("text/plain;\r\n\tcharset=x;\r\n name=\"a \\\"b\\\" c\""), "text/plain charset=x name=a \"b\" c");
    EQ(read_media_type("text/plain;;; charset=x;"), "text/plain charset=x");
    EQ(read_media_type("text/plain; charset="), "text/plain charset=");
    for (std::string_view bad : {"", "text", "text/", "/plain", ";", "(text/plain)", "\"text\"/plain"})
        EQ(read_media_type(bad), "none");
}
END_TEST

TEST(bears_with_the_usual_faults)
{
    EQ(read_media_type("text/plain charset=utf-8"), "text/plain charset=utf-8");
    EQ(read_media_type("text/plain; charset=utf-8\r\n name=x"), "text/plain charset=utf-8 name=x");
    EQ(read_media_type("image/png; name=my file.png; x=y"), "image/png name=my file.png x=y");
    EQ(read_media_type("multipart/mixed; boundary=a=b/c?d:e"), "multipart/mixed boundary=a=b/c?d:e");
    EQ(read_media_type("text/plain; name=\"unclosed; x=y"), "text/plain name=unclosed; x=y");
    EQ(read_media_type("text/plain; =x; y=z"), "text/plain y=z");
    EQ(read_media_type("text/plain; flag; y=z"), "text/plain y=z");
    EQ(read_media_type("text/x-\303\266"), "text/x-\303\266");
}
END_TEST

TEST(joins_continued_parameters)
{
    // RFC 2231 §3, §4, §4.1.
    EQ(read_media_type("message/external-body; access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub/moore\""),
       "message/external-body access-type=URL URL=ftp://cs.utk.edu/pub/moore");
    EQ(read_media_type("application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
       "application/x-stuff title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A");
    EQ(read_media_type(
           "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\""),
       "application/x-stuff title*=us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!");
    EQ(read_media_type("a/b; x*1=b; x*0=a; y=z; X*2=c"), "a/b x=abc y=z");
    EQ(read_media_type("a/b; x*0=a; x*2=c"), "a/b x=a");
    EQ(read_media_type("a/b; x*1=b"), "a/b x=b");
    EQ(read_media_type("a/b; x*0=a; x*0=b; x*1=c"), "a/b x=ac");
    EQ(read_media_type("a/b; x=p; x*0=a; x*1=b"), "a/b x=p x=ab");
    EQ(read_media_type("a/b; x*=utf-8''%e2%82; x*y=1; *=2; x**=3"), "a/b x*=utf-8''%E2%82 x*y=1 *=2 x**=''3");
    EQ(read_media_type("a/b; x*=no quotes%zz"), "a/b x*=''no%20quotes%25zz");
    EQ(read_media_type("a/b; x*99999999999999999999=1"), "a/b x*99999999999999999999=1");
}
END_TEST

TEST(floods_are_bounded)
{
    std::string flood = "a/b";
    for (int i = 50'000; i > 0; --i)
        util::append(flood, "; x*", i, "*=%41");
    THAT(mail::parse_media_type(flood)->parameters.size() <= mail::max_mime_parameters);
    flood = "a/b";
    for (int i = 0; i < 50'000; ++i)
        util::append(flood, "; x", i, "=1");
    EQ(mail::parse_media_type(flood)->parameters.size(), mail::max_mime_parameters);
}
END_TEST

TEST(reads_dispositions)
{
    auto disposition = mail::parse_disposition("attachment; filename=\"a.txt\"; size=3");
    THAT(disposition && disposition->type == "attachment");
    EQ(disposition->parameters.size(), 2U);
    EQ(disposition->parameters[0].value, "a.txt");
    THAT(!mail::parse_disposition(""));
    EQ(mail::first_token(" (c) base64 x"), "base64");
    EQ(mail::first_token(""), "");
}
END_TEST

SUITE(media_type, reads_types_and_parameters, bears_with_the_usual_faults, joins_continued_parameters, floods_are_bounded,
      reads_dispositions)
