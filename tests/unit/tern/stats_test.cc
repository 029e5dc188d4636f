// tools/tern/stats.h
#include "tools/tern/stats.h"

#include "tests/unit/suite.h"
#include "tools/tern/stats_server.h"

using namespace tern;

namespace {

std::vector<ipc::Metric> sample()
{
    using Kind = ipc::Metric::Kind;
    return {{"messages_total", "", "", 12},
            {"deliveries_total", "result", "sent", 3},
            {"deliveries_total", "result", "deferred", 1},
            {"delay_seconds_sum", "stage", "queue", 1'000'042, Kind::Counter, true},
            {"processes", "service", "a\"b\\c\n", 5, Kind::Gauge}};
}

TEST(numbers_are_for_people_programs_and_prometheus)
{
    EQ(stats_to_text(sample()), "messages_total                       12\n"
                                "deliveries_total{result=\"sent\"}      3\n"
                                "deliveries_total{result=\"deferred\"}  1\n"
                                "delay_seconds_sum{stage=\"queue\"}     1.000042\n"
                                "processes{service=\"a\\\"b\\\\c?\"}        5\n");
    EQ(stats_to_json(sample()), "{\"messages_total\": 12, \"deliveries_total\": {\"sent\": 3, \"deferred\": 1}, "
                                "\"delay_seconds_sum\": {\"queue\": 1.000042}, \"processes\": {\"a\\\"b\\\\c\\n\": 5}}\n");
    EQ(stats_to_prometheus(sample()), "# HELP tern_messages_total Messages that the queue manager took up.\n"
                                      "# TYPE tern_messages_total counter\n"
                                      "tern_messages_total 12\n"
                                      "# HELP tern_deliveries_total Attempts at delivery, of each recipient.\n"
                                      "# TYPE tern_deliveries_total counter\n"
                                      "tern_deliveries_total{result=\"sent\"} 3\n"
                                      "tern_deliveries_total{result=\"deferred\"} 1\n"
                                      "# HELP tern_delay_seconds_sum Their delays, by stage.\n"
                                      "# TYPE tern_delay_seconds_sum counter\n"
                                      "tern_delay_seconds_sum{stage=\"queue\"} 1.000042\n"
                                      "# HELP tern_processes Processes of a service.\n"
                                      "# TYPE tern_processes gauge\n"
                                      "tern_processes{service=\"a\\\"b\\\\c?\"} 5\n");
    EQ(stats_to_json({}), "{}\n");
}
END_TEST

TEST(only_get_of_the_numbers_is_served)
{
    auto status = [](std::string_view request, bool there = true) {
        std::string answer = answer_http(request, [&] {
            return there ? util::Result<std::string>("x 1\n") : util::Result<std::string>(util::temporary("away"));
        });
        return std::string(answer.substr(0, answer.find('\r'))) + "|" + answer.substr(answer.find("\r\n\r\n") + 4);
    };
    EQ(status("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK|x 1\n");
    EQ(status("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK|x 1\n");
    EQ(status("HEAD /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK|");
    EQ(status("GET /metrics HTTP/1.1\r\n\r\n", false), "HTTP/1.1 503 Service Unavailable|away\n");
    EQ(status("GET /../etc HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found|See /metrics.\n");
    EQ(status("POST /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed|There is only GET.\n");
    for (const char* wrong : {"", "\r\n\r\n", "GET /metrics HTTP/1.1\r\n", "GET /metrics\r\n\r\n",
                              "GET  /metrics HTTP/1.1\r\n\r\n", "GET / SMTP/1.1\r\n\r\n"})
        EQ(status(wrong), "HTTP/1.1 400 Bad Request|This is no request.\n");
}
END_TEST

}  // namespace

SUITE(stats, numbers_are_for_people_programs_and_prometheus, only_get_of_the_numbers_is_served)
