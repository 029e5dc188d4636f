#include "libipc/status_filter.h"
#include "libutil/log.h"
#include "tests/unit/suite.h"

using ipc::Disposition;

namespace {

ipc::DeliveryStatus filtered(const std::string& table, Disposition disposition, std::string dsn, std::string text)
{
    util::log::to_nowhere();
    auto filter = ipc::StatusFilter::open({table}, "x_delivery_status_filter");
    OK(filter);
    ipc::DeliveryStatus status;
    status.disposition = disposition;
    status.dsn = std::move(dsn);
    status.text = std::move(text);
    filter->apply(status);
    return status;
}

TEST(a_failure_becomes_another_by_status_and_text)
{
    const char* table = "inline:{{5.7.1 no such thing = 4.7.1 try later} {4.2.0 greylisted = 5.2.0 never}}";
    auto status = filtered(table, Disposition::Bounced, "5.7.1", "no such thing");
    EQ(status.disposition, Disposition::Deferred);
    EQ(status.dsn, "4.7.1");
    EQ(status.text, "try later");
    status = filtered(table, Disposition::Deferred, "4.2.0", "greylisted");
    EQ(status.disposition, Disposition::Bounced);
    EQ(status.dsn, "5.2.0");
    status = filtered(table, Disposition::Deferred, "4.2.0", "something else");
    EQ(status.disposition, Disposition::Deferred);
    EQ(status.text, "something else");
}
END_TEST

TEST(success_and_failure_stay_what_they_are)
{
    auto status = filtered("inline:{{2.0.0 sent = 2.1.5 taken}}", Disposition::Delivered, "2.0.0", "sent");
    EQ(status.disposition, Disposition::Delivered);
    EQ(status.dsn, "2.1.5");
    EQ(status.text, "taken");
    EQ(filtered("inline:{{2.0.0 sent = 5.0.0 no}}", Disposition::Delivered, "2.0.0", "sent").text, "sent");
    EQ(filtered("inline:{{5.0.0 no = 2.0.0 sent}}", Disposition::Bounced, "5.0.0", "no").disposition, Disposition::Bounced);
    EQ(filtered("inline:{{5.0.0 no = nonsense}}", Disposition::Bounced, "5.0.0", "no").dsn, "5.0.0");
}
END_TEST

TEST(a_table_that_fails_defers_what_failed)
{
    auto status = filtered("fail:x", Disposition::Bounced, "5.1.1", "no");
    EQ(status.disposition, Disposition::Deferred);
    EQ(status.dsn, "4.3.5");
    EQ(filtered("fail:x", Disposition::Delivered, "2.0.0", "sent").disposition, Disposition::Delivered);
    THAT(!ipc::StatusFilter::open({"nothing:x"}, "p").ok());
}
END_TEST

}  // namespace

SUITE(status_filter, a_failure_becomes_another_by_status_and_text, success_and_failure_stay_what_they_are,
      a_table_that_fails_defers_what_failed)
