#include "mailbox/deliveries.h"

#include "tests/unit/mailbox/fixture.h"

#include <cerrno>

namespace {

using namespace test;

const ipc::DeliveryRefused& refused(const mailbox::Deliveries::Answer& answer)
{
    ck_assert(std::holds_alternative<ipc::DeliveryRefused>(answer));
    return std::get<ipc::DeliveryRefused>(answer);
}

const ipc::DeliveryStored& stored(const mailbox::Deliveries::Answer& answer)
{
    ck_assert_msg(std::holds_alternative<ipc::DeliveryStored>(answer), "%s",
                  std::holds_alternative<ipc::DeliveryStored>(answer) ? "" : std::get<1>(answer).text.c_str());
    return std::get<ipc::DeliveryStored>(answer);
}

std::string content_of(store::Store& store, std::size_t index, std::string_view mailbox = "INBOX")
{
    auto box = store.mailbox(mailbox);
    OK(box);
    ck_assert((*box)->entries.size() > index);
    auto content = store.read_content((*box)->entries[index]);
    OK(content);
    return *content;
}

util::UniqueFd sealed(std::string_view content)
{
    auto fd = util::sys::memfd("test");
    OK(fd);
    OK(util::sys::write_all(fd->get(), content));
    OK(util::sys::seal(fd->get()));
    return fd.take();
}

TEST(stores_prefix_and_content)
{
    Directory directory;
    auto store = open(directory.path);
    mailbox::Deliveries deliveries(*store, plain_rendering, 0);
    auto answer = deliveries.deliver(order(7, "Q1", "Subject: x\r\n\r\nbody\r\n"));
    EQ(stored(answer).delivery, 7u);
    EQ(content_of(*store, 0), "Return-Path: <a@b>\r\nSubject: x\r\n\r\nbody\r\n");
    EQ((*store->mailbox("INBOX"))->entries[0].internal_date.seconds, 1'800'000'000);
}
END_TEST

TEST(takes_a_sealed_descriptor_and_no_other)
{
    Directory directory;
    auto store = open(directory.path);
    mailbox::Deliveries deliveries(*store, plain_rendering, 0);
    std::string large(300'000, 'x');
    auto wanted = order(1, "Q1", "");
    wanted.message = sealed(large);
    wanted.size = large.size();
    stored(deliveries.deliver(wanted));
    EQ(content_of(*store, 0).size(), large.size() + wanted.prefix.size());

    wanted.queue_id = "Q2";
    wanted.size = large.size() + 1;
    EQ(refused(deliveries.deliver(wanted)).permanent, true);

    auto open_file = util::sys::memfd("test");
    OK(open_file);
    OK(util::sys::write_all(open_file->get(), "abc"));
    wanted.message = open_file.take();
    wanted.size = 3;
    EQ(refused(deliveries.deliver(wanted)).permanent, true);
    EQ((*store->mailbox("INBOX"))->entries.size(), 1u);
}
END_TEST

TEST(stores_one_order_once)
{
    Directory directory;
    auto store = open(directory.path);
    mailbox::Deliveries deliveries(*store, plain_rendering, 0);
    auto first = deliveries.deliver(order(1, "Q1", "a\r\n"));
    auto again = deliveries.deliver(order(2, "Q1", "a\r\n"));
    EQ(stored(again).duplicate, true);
    EQ(stored(again).lsn, stored(first).lsn);
    auto other = order(3, "Q1", "a\r\n");
    other.recipient = "user+ext@example.org";
    EQ(stored(deliveries.deliver(other)).duplicate, false);
    EQ((*store->mailbox("INBOX"))->entries.size(), 2u);
}
END_TEST

TEST(files_into_a_folder_or_else_the_inbox)
{
    Directory directory;
    auto store = open(directory.path);
    mailbox::Deliveries deliveries(*store, plain_rendering, 0);
    auto wanted = order(1, "Q1", "a\r\n");
    wanted.folder = "Junk";
    stored(deliveries.deliver(wanted));
    EQ((*store->mailbox("Junk"))->entries.size(), 1u);
    wanted.queue_id = "Q2";
    wanted.folder = "There/is/none";
    stored(deliveries.deliver(wanted));
    EQ((*store->mailbox("INBOX"))->entries.size(), 1u);
}
END_TEST

TEST(says_why_it_refuses)
{
    Directory directory;
    store::Options options;
    options.quota_messages = 1;
    auto store = open(directory.path, options);
    mailbox::Deliveries deliveries(*store, plain_rendering, 10);
    EQ(refused(deliveries.deliver(order(1, "Q1", "12345678901"))).dsn, "5.2.3");
    stored(deliveries.deliver(order(2, "Q1", "1234567890")));   // exactly the limit
    auto over = deliveries.deliver(order(3, "Q2", "1"));
    EQ(refused(over).dsn, "5.2.2");
    EQ(refused(over).permanent, true);
    auto prefix = order(4, "Q3", "1");
    prefix.prefix.assign(mailbox::max_prefix_size + 1, 'x');
    EQ(refused(deliveries.deliver(prefix)).permanent, true);
}
END_TEST

SUITE(deliveries, stores_prefix_and_content, takes_a_sealed_descriptor_and_no_other, stores_one_order_once,
      files_into_a_folder_or_else_the_inbox, says_why_it_refuses)

}  // namespace
