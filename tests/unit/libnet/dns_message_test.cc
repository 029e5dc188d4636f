#include "libnet/dns_message.h"

#include "libutil/text.h"
#include "tests/unit/cpu_time.h"
#include "tests/unit/libnet/dns_server.h"
#include "tests/unit/suite.h"

namespace {

using namespace net::dns;
using namespace std::string_literals;

const Question mail{"mail.example", Type::A};

std::string query_for(const Question& question)
{
    return encode_query(question, 7, {});
}

// All that an answer's records say, for comparing.
std::string show_message(const Message& message)
{
    std::string text;
    for (const Record& record : message.answer) {
        util::append(text, record.owner, ' ', name_of(record.type), ' ', record.ttl);
        if (record.broken)
            text += " broken";
        for (auto number : record.numbers)
            if (number != 0)
                util::append(text, ' ', number);
        util::append(text, record.text.empty() ? "" : " ", util::printable(record.text), '\n');
    }
    return text;
}

std::string decoded(const Question& question, const std::string& wire)
{
    auto message = decode(wire, question);
    return message.ok() ? show_message(*message) : message.error().text;
}

// One record of a type with this data.
std::string data_of(Type type, std::string data)
{
    Question question{"a.example", type};
    return decoded(question,
                   test::Reply(query_for(question)).answer({"a.example", unsigned(type), 60, std::move(data)}).bytes());
}

TEST(a_query_is_header_question_and_edns)
{
    EQ(util::hex(encode_query({"a.example", Type::Mx}, 0x1234, {})),
       "123401200001000000000001" "0161076578616d706c6500" "000f0001" "00002904d0000000000000");
    EQ(util::hex(encode_query({"", Type::Ns}, 1, {.edns = false})), "000101200001000000000000" "00" "00020001");
    // DO and CD.
    EQ(util::hex(encode_query({"", Type::Ns}, 1, {.dnssec = true})), "000101300001000000000001"
                                                                     "00"
                                                                     "00020001"
                                                                     "00002904d0000080000000");
}
END_TEST

TEST(an_answer_has_the_id_and_the_question)
{
    std::string query = query_for(mail);
    THAT(is_answer(test::Reply(query).bytes(), mail, 7));
    THAT(is_answer(test::Reply(query).question("MAIL.example", 1).bytes(), mail, 7));
    THAT(!is_answer(test::Reply(query).bytes(), mail, 8));
    THAT(!is_answer(test::Reply(query).question("mail.exampl", 1).bytes(), mail, 7));
    THAT(!is_answer(test::Reply(query).question("mail.example", 28).bytes(), mail, 7));
    THAT(!is_answer(query, mail, 7));  // a query
    THAT(!is_answer(test::Reply(query).bytes().substr(0, 20), mail, 7));
    THAT(!is_answer(test::Reply(query).bytes().substr(0, 11), mail, 7));
    THAT(!is_answer("", mail, 7));
}
END_TEST

TEST(only_errors_may_lack_the_question)
{
    std::string query = query_for(mail);
    THAT(is_answer(test::Reply(query).no_question().code(1).bytes(), mail, 7));
    THAT(!is_answer(test::Reply(query).no_question().bytes(), mail, 7));
    THAT(!is_answer(test::Reply(query).no_question().code(3).bytes(), mail, 7));
}
END_TEST

TEST(records_of_each_type_are_read)
{
    EQ(data_of(Type::A, test::a_data("192.0.2.1")), "a.example A 60 192.0.2.1\n");
    EQ(data_of(Type::Aaaa, test::a_data("2001:db8::1")), "a.example AAAA 60 2001:db8::1\n");
    EQ(data_of(Type::Mx, test::mx_data(10, "MX.example")), "a.example MX 60 10 mx.example\n");
    EQ(data_of(Type::Mx, test::mx_data(0, "")), "a.example MX 60\n");
    EQ(data_of(Type::Ns, test::wire_name("ns.example")), "a.example NS 60 ns.example\n");
    EQ(data_of(Type::Ptr, test::wire_name("h.example")), "a.example PTR 60 h.example\n");
    EQ(data_of(Type::Cname, test::wire_name("1.0/25.example")), "a.example CNAME 60 1.0/25.example\n");
    EQ(data_of(Type::Soa, test::soa_data("example", 60)), "a.example SOA 60 ns.example\n");
    EQ(data_of(Type::Srv, test::srv_data(1, 2, 3, "s.example")), "a.example SRV 60 1 2 3 s.example\n");
    EQ(data_of(Type::Txt, test::txt_data({"v=spf1 ", "", "-all"})), "a.example TXT 60 v=spf1 -all\n");
    EQ(data_of(Type::Tlsa, test::tlsa_data(3, 1, 1, "abc")), "a.example TLSA 60 3 1 1 abc\n");
}
END_TEST

TEST(data_that_cannot_be_is_broken)
{
    struct { Type type; std::string data; } wrong[] = {
        {Type::A, ""}, {Type::A, "abc"}, {Type::A, "abcde"}, {Type::Aaaa, "abcd"},
        {Type::Mx, ""}, {Type::Mx, "\1"}, {Type::Mx, "ab"}, {Type::Mx, test::mx_data(1, "a") + "x"},
        {Type::Mx, test::mx_data(1, "a b.example")}, {Type::Mx, test::mx_data(1, "a\nb.example")},
        {Type::Ns, test::wire_name("")}, {Type::Ptr, test::wire_name("")}, {Type::Ptr, test::wire_name("a/b")},
        {Type::Cname, test::wire_name("")}, {Type::Cname, test::wire_name("a b")},
        {Type::Srv, "abcdef"}, {Type::Srv, "abcde"},
        {Type::Txt, ""}, {Type::Txt, "\5abc"}, {Type::Txt, "\1a\2"},
        {Type::Tlsa, ""}, {Type::Tlsa, "\3"}, {Type::Tlsa, "\3\1"}, {Type::Tlsa, "\3\1\1"},
        {Type::Soa, test::wire_name("a")},
    };
    for (const auto& each : wrong)
        EQ(data_of(each.type, each.data), util::concat("a.example ", name_of(each.type), " 60 broken\n"));
}
END_TEST

TEST(long_tlsa_data_is_kept_for_the_caller_to_judge)
{
    EQ(data_of(Type::Tlsa, test::tlsa_data(3, 1, 1, std::string(5000, 'x'))).size(),
       1000 + sizeof "a.example TLSA 60 3 1 1 ...");
    THAT((Tlsa{3, 1, 1, std::string(32, 'x')}).usable());
    THAT((Tlsa{2, 0, 2, std::string(64, 'x')}).usable());
    THAT((Tlsa{3, 0, 0, "certificate"}).usable());
    THAT(!(Tlsa{3, 1, 1, std::string(33, 'x')}).usable());
    THAT(!(Tlsa{3, 1, 2, std::string(32, 'x')}).usable());
    THAT(!(Tlsa{1, 1, 1, std::string(32, 'x')}).usable());
    THAT(!(Tlsa{3, 2, 1, std::string(32, 'x')}).usable());
    THAT(!(Tlsa{3, 1, 3, std::string(32, 'x')}).usable());
}
END_TEST

TEST(names_may_be_compressed)
{
    // The owner is the question's name, the host "mx" and that.
    std::string record = "\xc0\x0c"s + test::wire_number(15) + test::wire_number(1) + test::wire_number(0) +
                         test::wire_number(60) + test::wire_number(7) + test::wire_number(10) + "\2mx\xc0\x0c";
    Question question{"a.example", Type::Mx};
    EQ(decoded(question, test::Reply(query_for(question)).raw_answer(record).bytes()), "a.example MX 60 10 mx.a.example\n");
}
END_TEST

TEST(pointers_that_lead_nowhere_end)
{
    std::string rest = test::wire_number(1) + test::wire_number(1) + test::wire_number(0) + test::wire_number(60) +
                       test::wire_number(4) + "abcd";
    std::string query = query_for(mail);
    std::size_t begin = test::Reply(query).bytes().size();
    auto pointer_to = [](std::size_t to) { return test::wire_number(0xc000 | unsigned(to)); };
    // To itself; to behind the message; to a name that runs into it again.
    for (const std::string& owner : {pointer_to(begin), pointer_to(0x3fff), "\1a" + pointer_to(begin)}) {
        auto message = decode(test::Reply(query).raw_answer(owner + rest).bytes(), mail);
        OK(message);
        EQ(message->answer.size(), 0);
        THAT(message->other_records);
    }
}
END_TEST

TEST(a_bomb_of_pointers_costs_little)
{
    // As many records as are taken, whose owners are a chain of 8,000 pointers.
    std::string chain;
    std::string query = query_for(mail);
    std::size_t at = test::Reply(query).bytes().size() + 11;
    chain = test::wire_number(0xc00c);
    while (at + chain.size() < 0x3ff0)
        chain += test::wire_number(0xc000 | unsigned(at + chain.size() - 2));
    std::string last = test::wire_number(0xc000 | unsigned(at + chain.size() - 2));
    test::Reply reply(query);
    reply.raw_answer("\0"s + test::wire_number(16) + test::wire_number(1) + test::wire_number(0) + test::wire_number(0) +
                     test::wire_number(unsigned(chain.size())) + chain);
    for (std::size_t i = 1; i < max_message_records; ++i)
        reply.raw_answer(last + test::wire_number(5) + test::wire_number(1) + test::wire_number(0) +
                         test::wire_number(60) + test::wire_number(2) + last);
    double begin = test::cpu_seconds();
    OK(decode(reply.bytes(), mail));
    THAT(test::cpu_seconds() - begin < 2);
}
END_TEST

TEST(a_message_has_at_most_a_thousand_records)
{
    test::Reply reply(query_for(mail));
    for (std::size_t i = 0; i < max_message_records; ++i)
        reply.answer({"mail.example", 1, 60, "abcd"});
    EQ(decode(reply.bytes(), mail)->answer.size(), max_message_records);
    reply.answer({"mail.example", 1, 60, "abcd"});
    EQ(decoded(mail, reply.bytes()), "message with too many records");
}
END_TEST

TEST(a_message_that_is_cut_short_anywhere_is_invalid)
{
    std::string whole = test::Reply(query_for(mail)).answer({"mail.example", 1, 60, "abcd"}).bytes();
    OK(decode(whole, mail));
    for (std::size_t size = 0; size < whole.size(); ++size)
        EQ(decoded(mail, whole.substr(0, size)), "message is cut short");
    EQ(decoded(mail, test::Reply(query_for(mail)).count_answers(1).bytes()), "message is cut short");
}
END_TEST

TEST(records_of_other_types_and_classes_are_passed_over)
{
    std::string chaos = test::wire_name("mail.example") + test::wire_number(1) + test::wire_number(3) + test::wire_number(0) +
                        test::wire_number(60) + test::wire_number(4) + "abcd";
    auto message = decode(test::Reply(query_for(mail)).answer({"mail.example", 99, 60, "x"}).raw_answer(chaos).bytes(), mail);
    OK(message);
    EQ(message->answer.size(), 0);
    THAT(message->other_records);
}
END_TEST

TEST(header_and_edns_give_the_code)
{
    auto reply = test::Reply(query_for(mail)).code(3).authentic();
    auto message = decode(reply.bytes(), mail).take();
    EQ(message.code, 3);
    THAT(message.authentic);
    // BADVERS: the upper eight bits are in the OPT record's TTL.
    std::string opt = "\0\0\x29\x04\xd0\x01\0\0\0\0\0"s;
    std::string wire = test::Reply(query_for(mail)).bytes() + opt;
    wire[11] = 1;
    EQ(decode(wire, mail)->code, 16);
}
END_TEST

TEST(a_negative_answer_is_kept_for_the_smaller_of_two_times)
{
    auto ttl = [&](unsigned record, unsigned minimum) {
        auto wire = test::Reply(query_for(mail)).authority({"example", 6, record, test::soa_data("example", minimum)}).bytes();
        return decode(wire, mail)->negative_ttl.value_or(0);
    };
    EQ(ttl(300, 60), 60);
    EQ(ttl(30, 60), 30);
    EQ(ttl(0x80000000, 60), 0);  // RFC 2181 §8
    auto broken = test::Reply(query_for(mail)).authority({"example", 6, 60, "x"}).bytes();
    THAT(!decode(broken, mail)->negative_ttl);
}
END_TEST

}  // namespace

SUITE(dns_message, a_query_is_header_question_and_edns, an_answer_has_the_id_and_the_question,
      only_errors_may_lack_the_question, records_of_each_type_are_read, data_that_cannot_be_is_broken,
      long_tlsa_data_is_kept_for_the_caller_to_judge, names_may_be_compressed, pointers_that_lead_nowhere_end,
      a_bomb_of_pointers_costs_little, a_message_has_at_most_a_thousand_records,
      a_message_that_is_cut_short_anywhere_is_invalid, records_of_other_types_and_classes_are_passed_over,
      header_and_edns_give_the_code, a_negative_answer_is_kept_for_the_smaller_of_two_times)
