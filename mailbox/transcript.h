// A session's dialogue, written down: for an administrator who wants to know what a client does.
//
// On for the accounts that mailbox_transcript_accounts names.  Each session leaves a file in the directory
// `transcripts` of the user's home, from behind the log-in to its end, or to UNAUTHENTICATE, so that there is no password
// in it; mail that was read or stored is.  A line of the dialogue is a line there, with the seconds since the beginning
// and C or S in front; a session that is compressed is written down as if it were not.  What a relay passes on from
// another user's mailbox is not heard; a session that comes back from its parking place has a new file.
#pragma once

#include "libipc/mailbox.h"
#include "libutil/result.h"
#include "libutil/text.h"
#include "libutil/time.h"
#include "libutil/unique_fd.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace mailbox {

// So many bytes of one session; the rest is not written down.
constexpr std::size_t max_transcript_size = 4U << 20;
// So many files are kept for one user, the oldest goes first.
constexpr std::size_t max_transcripts = 50;

class Transcript {
public:
    enum class Speaker : char { Client = 'C', Server = 'S' };

    // A new file in `home`/transcripts.
    static util::Result<std::unique_ptr<Transcript>> open(const std::string& home, const ipc::SessionFacts& facts);

    // Bytes in pieces of any size.
    void said(Speaker speaker, std::string_view bytes);

private:
    Transcript(util::UniqueFd file, std::string name);
    void append(std::string_view text);
    void begin_line(Speaker speaker);
    void show(char c);

    util::UniqueFd file_;      // none: no more is written down
    std::string name_;
    std::string text_;         // of the piece at hand
    std::size_t written_ = 0;
    util::Instant started_;
    Speaker speaker_ = Speaker::Server;
    bool in_line_ = false;
    bool after_cr_ = false;
};

// A session of type S with somebody who listens.  What it says is what its output has grown by in a call: the host takes
// from the output only between calls.
template <typename S>
class Overheard final : public S {
public:
    template <typename... Arguments>
    explicit Overheard(std::unique_ptr<Transcript> transcript, Arguments&&... arguments)
        : S(std::forward<Arguments>(arguments)...), transcript_(std::move(transcript))
    {
    }

    void feed(std::string_view bytes) override
    {
        if (!S::finished())   // then it is not said to this session any more
            heard_ += bytes;
        if (!may_leave())
            write_down(heard_.size());
        else if (heard_.size() > 2 * max_held)
            write_down(heard_.size() - max_held);
        listen([&] { S::feed(bytes); });
    }
    void end_of_input() override { listen([&] { S::end_of_input(); }); }
    void work() override { listen([&] { S::work(); }); }
    void store_changed(std::uint64_t mailbox) override { listen([&] { S::store_changed(mailbox); }); }
    void durable_grew() override { listen([&] { S::durable_grew(); }); }
    void deadline_passed(util::Instant now) override { listen([&] { S::deadline_passed(now); }); }
    void terminate(std::string_view reason) override { listen([&] { S::terminate(reason); }); }
    void catch_up() override { listen([&] { S::catch_up(); }); }

private:
    // Behind UNAUTHENTICATE may stand the next user's password: whether it does is known when the session has come so far.
    bool may_leave() const
    {
        if constexpr (requires(const S& session) { session.has_done_all(); })
            return util::upper(tail_ + heard_).find(last_word) != std::string::npos;
        return false;
    }
    void write_down(std::size_t size)
    {
        std::string_view bytes = std::string_view(heard_).substr(0, size);
        transcript_->said(Transcript::Speaker::Client, bytes);
        tail_ += bytes.substr(bytes.size() - std::min(bytes.size(), last_word.size()));
        tail_.erase(0, tail_.size() - std::min(tail_.size(), last_word.size()));
        heard_.clear();
    }
    void settle_heard()
    {
        if constexpr (requires(const S& session) { session.has_done_all(); }) {
            if (S::finished()) {
                write_down(heard_.size() - std::min(heard_.size(), S::unread()));
                heard_.clear();
            } else if (S::has_done_all()) {
                write_down(heard_.size());
            }
        }
    }
    void listen(const auto& call)
    {
        std::size_t before = S::output().size();
        call();
        settle_heard();
        std::string_view output = S::output();
        transcript_->said(Transcript::Speaker::Server, output.substr(std::min(before, output.size())));
    }

    static constexpr std::string_view last_word = "UNAUTHENTICATE";
    // More than a session lets wait, but for a literal, in which no command is.
    static constexpr std::size_t max_held = 2 * ipc::max_returned_bytes;
    std::unique_ptr<Transcript> transcript_;
    std::string heard_;   // of the client, and not written down yet
    std::string tail_;    // of what is: the last bytes
};

}  // namespace mailbox
