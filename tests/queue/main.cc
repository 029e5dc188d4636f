// Fills a queue directory with messages, as cleanup would have left them: for tests of large queues.
//
//   test-queue DIRECTORY COUNT SENDER RECIPIENT SUBJECT
//
// Files are not synced.  The subjects are SUBJECT-0, SUBJECT-1...
#include "libqueue/queue_id.h"
#include "libqueue/writer.h"
#include "libutil/log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

namespace {

util::Result<void> write_one(queue::Writer& writer, const std::string& directory, const std::string& id, std::int64_t arrival,
                             const char* sender, const char* recipient, std::string_view subject)
{
    ipc::Envelope envelope;
    envelope.queue_id = id;
    envelope.arrival = arrival;
    envelope.sender = sender;
    envelope.client_name = "localhost";
    envelope.client_address = "127.0.0.1";
    envelope.protocol_name = "ESMTP";
    std::string header =
        util::concat("From: <", sender, ">\r\nTo: <", recipient, ">\r\nSubject: ", subject, "\r\nMessage-ID: <", id,
                     "@example.test>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n");
    TRY(writer.begin(envelope));
    TRY(writer.add_recipient({recipient, "", ipc::NotifyDefault}));
    TRY(writer.add_content(header));
    TRY(writer.add_content("Hello.\r\n"));
    auto message = TRY(writer.finish({.message_id = util::concat("<", id, "@example.test>"), .body_offset = header.size()}));
    std::string bytes(writer.file_size(), '\0');
    TRY(util::sys::pread(message.get(), bytes, 0));
    auto file = TRY(util::sys::open(util::concat(directory, '/', id), O_WRONLY | O_CREAT | O_EXCL));
    TRY(util::sys::fchmod(file.get(), 0660));
    return util::sys::write_all(file.get(), bytes);
}

}  // namespace

int main(int argc, char** argv)
{
    util::log::to_stderr("test-queue");
    if (argc != 6) {
        util::log::fatal("usage: test-queue DIRECTORY COUNT SENDER RECIPIENT SUBJECT");
        return EXIT_FAILURE;
    }
    queue::IdSource ids;
    queue::Writer writer({.directory = argv[1]});
    for (long i = 0, count = std::atol(argv[2]); i < count; ++i) {
        auto now = util::wall_now();
        auto done = write_one(writer, argv[1], ids.next(now), now.time_since_epoch().count(), argv[3], argv[4],
                              util::concat(argv[5], '-', i));
        if (!done.ok()) {
            util::log::fatal(done.error().text);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
