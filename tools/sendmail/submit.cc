// Where sendmail(1) hands its message to.
#include "tools/sendmail/submit.h"

#include "libipc/submitter.h"
#include "libqueue/maildrop.h"
#include "libutil/text.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

namespace sendmail {

namespace {

util::Error to_error(const ipc::Verdict& verdict)
{
    std::string text = util::concat(verdict.dsn, verdict.dsn.empty() ? "" : " ", verdict.text);
    return verdict.kind == ipc::Verdict::Kind::Refused ? util::permanent(std::move(text))
                                                       : util::temporary(std::move(text));
}

class PickupSink : public Sink {
public:
    PickupSink(const std::string& path, OpenSink otherwise)
        : submitter_(path, greeting_timeout), otherwise_(std::move(otherwise))
    {
    }

    util::Result<void> connect()
    {
        TRY(submitter_.next_queue_id());
        return submitter_.set_timeout(verdict_timeout);
    }

    void begin(ipc::Envelope envelope, const std::vector<ipc::Recipient>& recipients) override
    {
        envelope_ = envelope;
        recipients_ = recipients;
        submitter_.begin(std::move(envelope), recipients, [](const std::string&) { return std::string(); });
    }

    void write(std::string_view bytes) override
    {
        submitter_.write(bytes);
        whole_ = whole_ && content_.size() + bytes.size() <= rescue_size;
        if (whole_)
            content_ += bytes;
    }

    util::Result<void> finish() override
    {
        auto verdict = submitter_.finish();
        if (!verdict.ok())
            return whole_ && has_gone(verdict.error()) ? finish_otherwise() : verdict.take_error();
        if (verdict->kind == ipc::Verdict::Kind::Kept || verdict->kind == ipc::Verdict::Kind::Delivered)
            return {};
        return to_error(*verdict);
    }

private:
    static bool has_gone(const util::Error& error)
    {
        return error.code == ECONNRESET || error.code == EPIPE || error.code == ECONNREFUSED || error.code == ENOENT;
    }
    util::Result<void> finish_otherwise()
    {
        auto sink = TRY(otherwise_());
        sink->begin(std::move(envelope_), recipients_);
        sink->write(content_);
        return sink->finish();
    }

    ipc::Submitter submitter_;
    OpenSink otherwise_;
    // For it:
    ipc::Envelope envelope_;
    std::vector<ipc::Recipient> recipients_;
    std::string content_;
    bool whole_ = true;
};

class TerndropSink : public Sink {
public:
    TerndropSink(pid_t child, util::UniqueFd pipe) : child_(child), pipe_(std::move(pipe)), encoder_(pipe_.get())
    {
    }
    ~TerndropSink() override
    {
        pipe_.reset();
        if (child_ > 0)
            ::waitpid(child_, nullptr, 0);
    }

    void begin(ipc::Envelope envelope, const std::vector<ipc::Recipient>& recipients) override
    {
        keep(encoder_.begin());
        ipc::Begin begin;
        begin.envelope = std::move(envelope);
        add(begin);
        for (const auto& recipient : recipients) {
            ipc::More more;
            more.recipients.push_back(recipient);
            add(more);
        }
    }

    void write(std::string_view bytes) override
    {
        while (!bytes.empty()) {
            ipc::Content content;
            content.content = bytes.substr(0, ipc::content_piece_size);
            bytes.remove_prefix(content.content.size());
            add(content);
        }
    }

    util::Result<void> finish() override
    {
        ipc::Content content;
        content.last = true;
        add(content);
        keep(encoder_.end());
        pipe_.reset();
        int status = 0;
        pid_t child = std::exchange(child_, -1);
        while (::waitpid(child, &status, 0) < 0) {
            if (errno != EINTR)
                return util::system_error("wait for terndrop", errno);
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK)
            return {};
        // terndrop has said why on standard error.
        bool try_later = !WIFEXITED(status) || WEXITSTATUS(status) == EX_TEMPFAIL;
        return try_later ? util::temporary("terndrop could not take the message")
                         : util::permanent("terndrop did not take the message");
    }

private:
    void add(const auto& message)
    {
        std::vector<int> none;
        keep(encoder_.add(ipc::encode(message, none)));
    }
    void keep(util::Result<void> result)
    {
        // The pipe breaks when terndrop gives up; its exit status tells more than EPIPE.
        (void)result.ok();
    }

    pid_t child_;
    util::UniqueFd pipe_;
    queue::DropEncoder encoder_;
};

}  // namespace

util::Result<std::unique_ptr<Sink>> open_pickup(const std::string& socket_path, OpenSink otherwise)
{
    auto sink = std::make_unique<PickupSink>(socket_path, std::move(otherwise));
    TRY(sink->connect());
    return std::unique_ptr<Sink>(std::move(sink));
}

util::Result<std::unique_ptr<Sink>> open_terndrop(const std::string& program, const std::string& config_directory)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return util::system_error("pipe", errno);
    util::UniqueFd read_end(ends[0]), write_end(ends[1]);
    ::signal(SIGPIPE, SIG_IGN);
    pid_t child = ::fork();
    if (child < 0)
        return util::system_error("fork", errno);
    if (child == 0) {
        ::dup2(read_end.get(), STDIN_FILENO);
        if (config_directory.empty())
            ::execl(program.c_str(), "terndrop", static_cast<char*>(nullptr));
        else
            ::execl(program.c_str(), "terndrop", "-c", config_directory.c_str(), static_cast<char*>(nullptr));
        ::_exit(EX_OSFILE);
    }
    return std::unique_ptr<Sink>(std::make_unique<TerndropSink>(child, std::move(write_end)));
}

}  // namespace sendmail
