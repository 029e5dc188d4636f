#include "libnet/dns_name.h"

#include "tests/unit/suite.h"

namespace {

using namespace net::dns;

std::string asked(std::string_view text)
{
    return question_name(text).value_or("none");
}

TEST(a_question_has_a_lower_case_name_without_final_dot)
{
    EQ(asked("Mail.Example.ORG."), "mail.example.org");
    EQ(asked("_25._tcp.mx-1.example"), "_25._tcp.mx-1.example");
    EQ(asked("9.0/25.2.0.192.in-addr.arpa"), "9.0/25.2.0.192.in-addr.arpa");
}
END_TEST

TEST(other_texts_are_no_names)
{
    for (std::string_view text : {"", ".", "..", "a..b", ".a", "a b", "a\\.b", "a\n", "*.a", "a.b.."})
        EQ(asked(text), "none");
}
END_TEST

TEST(names_beyond_ascii_become_a_labels)
{
    EQ(asked("B\xc3\xbc" "cher.example"), "xn--bcher-kva.example");
    EQ(asked("fu\xc3\x9f.example."), "xn--fu-hia.example");  // not "fuss"
    EQ(asked("\xe4\xbe\x8b\xe3\x80\x82test"), "xn--fsq.test");  // an ideographic full stop
    for (std::string_view text : {"\xff.example", "\xe2\x80\x8b.example", "a\xcc\x81..b"})
        EQ(asked(text), "none");
    EQ(asked(std::string("\xc3\xbc\0x", 4)), "none");
    EQ(asked(std::string(2000, '\xc3')), "none");
}
END_TEST

TEST(labels_have_63_bytes_and_names_253)
{
    std::string label(63, 'a');
    EQ(asked(label), label);
    EQ(asked(label + "a"), "none");
    std::string name = label + "." + label + "." + label + "." + std::string(61, 'b');
    EQ(name.size(), 253);
    EQ(asked(name), name);
    EQ(asked(name + "."), name);
    EQ(asked(name + "b"), "none");
}
END_TEST

TEST(wire_names_become_text_if_text_can_show_them)
{
    using namespace std::string_view_literals;
    EQ(name_from_wire("\4MAIL\7example\0"sv).value_or("none"), "mail.example");
    EQ(name_from_wire("\0"sv).value_or("none"), "");
    for (std::string_view wire :
         {""sv, "\1"sv, "\1a"sv, "\3a.b\0"sv, "\2a\\\0"sv, "\2a \0"sv, "\2a\n\0"sv, "\1\xe4\0"sv, "\1a\0x"sv, "\xc0\0"sv})
        EQ(name_from_wire(wire).value_or("none"), "none");
}
END_TEST

TEST(hosts_have_letters_digits_hyphens_and_underscores)
{
    for (std::string_view name : {"a", "mx_1.a-b.example", "192.0.2.1"})
        THAT(is_host_name(name));
    for (std::string_view name : {"", "a/b", "a..b", "a b", "*.example", "a\"b"})
        THAT(!is_host_name(name));
}
END_TEST

TEST(addresses_have_reverse_names)
{
    EQ(reverse_name(conf::IpAddress::parse("192.0.2.9").take()), "9.2.0.192.in-addr.arpa");
    EQ(reverse_name(conf::IpAddress::parse("2001:db8::a1").take()),
       "1.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}
END_TEST

}  // namespace

SUITE(dns_name, a_question_has_a_lower_case_name_without_final_dot, other_texts_are_no_names,
      names_beyond_ascii_become_a_labels, labels_have_63_bytes_and_names_253, wire_names_become_text_if_text_can_show_them,
      hosts_have_letters_digits_hyphens_and_underscores, addresses_have_reverse_names)
