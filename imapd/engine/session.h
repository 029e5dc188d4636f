// One IMAP session after log-in: RFC 3501 with the extensions in capability.h, without I/O.
//
// Bytes are framed into commands (imapd/syntax), commands run one after the other, in the order they
// came.  A command answers at once, or becomes a Task that works in slices, or waits until the
// store is durable up to some Lsn; meanwhile the next command stays in the framer.  What other
// sessions do is told between commands and in IDLE, through the View.
#pragma once

#include "imapd/engine/facts.h"
#include "imapd/engine/view.h"
#include "imapd/syntax/framer.h"
#include "imapd/syntax/scanner.h"
#include "libipc/protocol_session.h"
#include "libstore/store.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace imapd::engine {

class Session;

// A command that takes longer than one slice.
class Task {
public:
    virtual ~Task() = default;
    // Works until `until` or until enough output waits.  True when the command is answered.
    virtual bool step(util::Instant until) = 0;
    // Is the output in the middle of a literal, so that nothing else may be said?
    virtual bool in_literal() const { return false; }
};

// So many commands in a row that are not understood end the session.
constexpr int max_bad_commands = 20;
// All literals of one command that is not APPEND together.
constexpr std::uint64_t max_command_literals = 256U << 10;

class Session final : public ipc::ProtocolSession {
public:
    using Answer = util::Result<void>;  // an error is a syntax error: tagged BAD

    Session(store::Store& store, SessionFacts facts);
    ~Session() override;

    void feed(std::string_view bytes) override;
    bool wants_input() const override;
    void end_of_input() override;
    std::string& output() override { return output_; }
    bool has_work() const override;
    void work() override;
    void store_changed(std::uint64_t mailbox) override;
    void durable_grew() override;
    std::optional<util::Instant> deadline() const override;
    void deadline_passed(util::Instant now) override;
    bool finished() const override { return finished_; }
    void terminate(std::string_view reason) override;
    std::string summary() const override;

    // --- for commands and tasks -------------------------------------------------------------------

    store::Store& store() { return store_; }
    const SessionFacts& facts() const { return facts_; }
    View* view() { return view_.get(); }
    bool uid_form() const { return uid_form_; }
    std::string_view tag() const { return tag_; }
    bool output_full() const { return output_.size() >= output_high; }

    // The tagged answer.  ok() first tells what is new, with expunges if the command permits it
    // (RFC 3501 §7.4.1).  The text may begin with a response code.
    void ok(std::string_view text);
    void no(std::string_view text);
    void bad(std::string_view text);
    // Tagged NO for an error of the store, with the response code that fits (RFC 5530).
    void refuse(const util::Error& error);
    void untagged(std::string_view text);
    // Answers later, when the store is durable up to `lsn`.
    void await(store::Lsn lsn, std::function<void()> then);
    void start(std::unique_ptr<Task> task) { task_ = std::move(task); }
    void bye(std::string_view text);
    // Ends without a word: the output stands in the middle of a literal.
    void drop();

    void tell_news(bool with_expunges);
    // "* n FETCH (FLAGS (..))" of one message.
    void tell_flags(std::size_t index, const store::Entry& entry);
    // FLAGS and PERMANENTFLAGS anew, if there are keywords the client has not heard of.
    void tell_new_keywords();
    void count_expunged(std::size_t count) { expunged_ += count; }

    // The messages that a set names, by the form of the command.
    util::Result<std::vector<IndexRange>> select(const syntax::SequenceSet& set) const;

private:
    struct Command {
        std::string_view verb;
        Answer (Session::*handler)(syntax::Scanner&);
        unsigned char states;
        bool expunges;  // untagged EXPUNGE may precede its answer
    };
    static const Command commands[];
    static const Command uid_commands[];

    void advance();
    bool next_command();
    void literal_announced();
    void answer_broken(std::string_view text);
    void execute(std::string_view line);
    void run(const Command* begin, const Command* end, std::string_view verb,
             syntax::Scanner& arguments);
    void end_idle(std::string_view line);
    void count_output(std::size_t before);
    void leave_mailbox();
    // The mailbox of a STATUS, SELECT, ..: null after a tagged NO.
    const store::Mailbox* open_mailbox(std::string_view name, std::string_view code);
    // May the selected mailbox be changed?  False after a tagged NO.
    bool writable();

    // session_commands.cc: any state
    Answer capability(syntax::Scanner& arguments);
    Answer noop(syntax::Scanner& arguments);
    Answer logout(syntax::Scanner& arguments);
    Answer id(syntax::Scanner& arguments);
    Answer enable(syntax::Scanner& arguments);
    Answer name_space(syntax::Scanner& arguments);
    Answer idle(syntax::Scanner& arguments);
    Answer already_in(syntax::Scanner& arguments);
    Answer uid(syntax::Scanner& arguments);
    // mailbox_commands.cc
    Answer create(syntax::Scanner& arguments);
    Answer remove(syntax::Scanner& arguments);
    Answer rename(syntax::Scanner& arguments);
    Answer subscribe(syntax::Scanner& arguments);
    Answer unsubscribe(syntax::Scanner& arguments);
    Answer status(syntax::Scanner& arguments);
    // list_commands.cc
    Answer list(syntax::Scanner& arguments);
    Answer lsub(syntax::Scanner& arguments);
    // select_commands.cc
    Answer select_mailbox(syntax::Scanner& arguments);
    Answer examine(syntax::Scanner& arguments);
    Answer open_selected(syntax::Scanner& arguments, bool read_only);
    Answer close(syntax::Scanner& arguments);
    Answer unselect(syntax::Scanner& arguments);
    Answer check(syntax::Scanner& arguments);
    Answer expunge(syntax::Scanner& arguments);
    Answer uid_expunge(syntax::Scanner& arguments);
    std::vector<std::uint32_t> deleted_uids(const std::vector<IndexRange>& among) const;
    void expunge_uids(std::vector<std::uint32_t> uids);
    // append_command.cc
    Answer append(syntax::Scanner& arguments);
    // Checks what stands before the literal; false after a tagged answer.
    bool append_may_begin(syntax::Scanner& arguments, std::uint64_t size, bool binary);
    // copy_commands.cc
    Answer copy(syntax::Scanner& arguments);
    Answer move(syntax::Scanner& arguments);
    Answer transfer(syntax::Scanner& arguments, bool moving);
    // store_command.cc
    Answer store_flags(syntax::Scanner& arguments);
    // fetch.cc, search.cc
    Answer fetch(syntax::Scanner& arguments);
    Answer search(syntax::Scanner& arguments);

    store::Store& store_;
    SessionFacts facts_;
    syntax::Framer framer_;
    std::string output_;
    std::unique_ptr<View> view_;
    std::unique_ptr<Task> task_;
    store::Lsn awaited_ = 0;
    std::function<void()> then_;       // set while a command waits for durability
    std::string tag_;
    std::string verb_;
    bool uid_form_ = false;
    bool may_expunge_ = false;
    bool idling_ = false;
    bool view_gone_ = false;           // another session removed the selected mailbox
    bool input_exhausted_ = true;
    bool input_ended_ = false;
    bool finished_ = false;
    int bad_in_a_row_ = 0;
    util::Instant last_input_;
    std::uint64_t bytes_in_ = 0;
    std::uint64_t bytes_out_ = 0;
    std::uint64_t expunged_ = 0;
    std::uint64_t appended_ = 0;
};

// Flags in parentheses, or (STORE) bare to the end.  System flags and keywords; \Recent and
// unknown system flags are Invalid (RFC 3501 §9, flag).
struct FlagList {
    store::Flags flags = 0;
    std::vector<std::string> keywords;
};
util::Result<FlagList> parse_flag_list(syntax::Scanner& arguments, bool bare_allowed);

// "[OVERQUOTA] .." and the like: the text of a tagged NO for an error of the store.
std::string refusal_text(const util::Error& error);

}  // namespace imapd::engine
