#include "libmail/seven_bit.h"

#include "tests/unit/suite.h"

using mail::to_seven_bit;

namespace {

TEST(a_body_becomes_quoted_printable_and_its_field_says_so)
{
    EQ(to_seven_bit("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 8bit\r\nX-Last: y\r\n\r\ngr\303\274n = gut\r\n"),
       "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
       "Content-Transfer-Encoding: quoted-printable\r\nX-Last: y\r\n\r\ngr=C3=BCn =3D gut\r\n");
}
END_TEST

TEST(a_message_without_mime_fields_gets_them)
{
    EQ(to_seven_bit("Subject: x\r\n\r\n\374\r\n"),
       "Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n"
       "Content-Type: text/plain; charset=unknown-8bit\r\n\r\n=FC\r\n");
}
END_TEST

TEST(parts_are_encoded_one_by_one_and_their_frame_says_7bit)
{
    EQ(to_seven_bit(
           "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
           "--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: 8BIT\r\n\r\n<p>\303\274\r\n--b\r\n"
           "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b\r\n\r\n\303\266\r\n--b--\r\n"),
       "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
       "--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=BC\r\n--b\r\n"
       "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b\r\n"
       "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=B6\r\n--b--\r\n");
}
END_TEST

TEST(attached_messages_are_not_encoded_but_what_is_in_them)
{
    EQ(to_seven_bit("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                    "Subject: inner\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\303\274\r\n"),
       "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
       "Subject: inner\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n");
}
END_TEST

TEST(what_is_in_7_bits_stays_and_odd_messages_end)
{
    for (const char* text : {"Subject: x\r\n\r\nplain\r\n", "", "\r\n", "Subject: x", "no header at all"})
        EQ(to_seven_bit(text), text);
    for (const char* text :
         {"\303\274", "\r\n\303\274", "A: b\r\n\303\274", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\303\274"})
        THAT(!to_seven_bit(text).empty());
}
END_TEST

}  // namespace

SUITE(seven_bit, a_body_becomes_quoted_printable_and_its_field_says_so, a_message_without_mime_fields_gets_them,
      parts_are_encoded_one_by_one_and_their_frame_says_7bit, attached_messages_are_not_encoded_but_what_is_in_them,
      what_is_in_7_bits_stays_and_odd_messages_end)
