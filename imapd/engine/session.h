// One IMAP session after log-in: RFC 3501 and RFC 9051 with the extensions in capability.h, without I/O.
//
// Bytes are framed into commands (imapd/syntax), commands run one after the other, in the order they
// came.  A command answers at once, or becomes a Task that works in slices, or waits until the
// store is durable up to some Lsn; meanwhile the next command stays in the framer.  What other
// sessions do is told between commands and in IDLE, through the View.
#pragma once

#include "imapd/engine/access.h"
#include "imapd/engine/append_arguments.h"
#include "imapd/engine/facts.h"
#include "imapd/engine/mailbox_status.h"
#include "imapd/engine/metadata.h"
#include "imapd/engine/notifier.h"
#include "imapd/engine/resync.h"
#include "imapd/engine/view.h"
#include "imapd/syntax/framer.h"
#include "imapd/syntax/imap_url.h"
#include "imapd/syntax/scanner.h"
#include "libipc/protocol_session.h"
#include "libstore/store.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace imapd::engine {

class MessageContent;
class Relay;
class SearchContext;
class Session;
struct Carriage;
struct FetchOrder;
struct SearchArguments;
struct Transfer;
struct UrlRequest;

// What the client has switched on (RFC 5161); nothing of it is ever switched off.
struct Enabled {
    bool rev2 = false;       // IMAP4rev2: names in UTF-8, ESEARCH, no \Recent (RFC 9051, Appendix E)
    bool condstore = false;  // MODSEQ in what is told unasked (RFC 7162 §3.1)
    bool qresync = false;    // VANISHED for EXPUNGE (RFC 7162 §3.2)
    bool uid_only = false;   // no sequence numbers at all (RFC 9586)
    bool utf8 = false;       // UTF8=ACCEPT: names, strings and headers in UTF-8 (RFC 6855)
    bool metadata = false;   // METADATA for what others change (RFC 5464 §4.1)
};

// A command that takes longer than one slice.
class Task {
public:
    virtual ~Task() = default;
    // Works until `until` or until enough output waits.  True when the command is answered.
    virtual bool step(util::Instant until) = 0;
    // Is the output in the middle of a literal, so that nothing else may be said?
    virtual bool in_literal() const { return false; }
    // Is there nothing to do before somebody else has done his part?
    virtual bool waits() const { return false; }
    // Is it another session's turn first?  Then this one has no use for the rest of its slice.
    virtual bool yields() const { return false; }
};

// What the names of the quota roots of single mailboxes begin with (RFC 9208 §3.2).
constexpr std::string_view mailbox_quota_prefix = "#mailbox/";
// So many commands in a row that are not understood end the session.
constexpr int max_bad_commands = 20;
constexpr std::string_view autologout_text = "Autologout: nothing was said for too long";
constexpr std::string_view removed_text = "The selected mailbox was deleted";
// All literals of one command that is not APPEND together.
constexpr std::uint64_t max_command_literals = 256U << 10;

class Session : public ipc::ProtocolSession {
public:
    using Answer = util::Result<void>;  // an error is a syntax error: tagged BAD

    Session(store::Store& store, SessionFacts facts);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() override;

    void feed(std::string_view bytes) override;
    bool wants_input() const override;
    void adjust_greeting(std::string& greeting) override;
    void end_of_input() override;
    std::string& output() override { return output_; }
    bool has_work() const override;
    void work() override;
    void store_changed(std::uint64_t mailbox) override;
    void durable_grew() override;
    std::optional<util::Instant> deadline() const override;
    void deadline_passed(util::Instant now) override;
    bool finished() const override { return finished_; }
    std::optional<std::string> left_over() const override;
    std::string farewell() const override;
    void terminate(std::string_view reason) override;
    std::string summary() const override;
    Waits waits() const override;
    bool waits_for_disk() const override { return then_ && !waits_for_remote(); }
    std::optional<ipc::Resting> rest() const override;
    void catch_up() override;
    void set_groups(const std::vector<std::string>& groups) override { facts_.groups = groups; }

    // Goes on where rest() was asked for the state; once, before anything else.  An error: that cannot be done, and
    // the session is to be terminated.  `compressed`: COMPRESS was given.
    util::Result<void> restore(std::string_view state, bool compressed = false);

    // --- for commands and tasks -------------------------------------------------------------------

    store::Store& store() const { return store_; }
    const SessionFacts& facts() const { return facts_; }
    View* view() { return view_.get(); }
    bool uid_form() const { return uid_form_; }
    std::string_view tag() const { return tag_; }
    const Enabled& enabled() const { return enabled_; }
    // Does the client read UTF-8, in names, strings and headers (RFC 9051 §5.1, RFC 6855 §3)?
    bool accepts_utf8() const { return enabled_.rev2 || enabled_.utf8; }
    syntax::Form form() const { return accepts_utf8() ? syntax::Form::Utf8 : syntax::Form::Ascii; }
    // `beyond`: what a layer around the session has taken of it and the client has not.
    bool output_full() const { return output_.size() + beyond_ >= output_high; }
    void set_beyond(std::size_t bytes) { beyond_ = bytes; }

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
    // The same, when `lsn` may be shown (Store::visible()).
    void await_visible(store::Lsn lsn, std::function<void()> then);
    void start(std::unique_ptr<Task> task) { task_ = std::move(task); }
    void bye(std::string_view text);
    // Ends without a word: the output stands in the middle of a literal.
    void drop();

    // `asked`: the command's own work is among it, so that NOTIFY does not hold it back.
    void tell_news(bool with_expunges, bool asked = false);
    // Before the answer that comes now, whatever NOTIFY says; of each message once.
    void tell_flags_again(const std::vector<std::uint32_t>& uids);
    // Around a change that the session makes to a mailbox (0: to their list): NOTIFY is not for one's own doing.
    class Own {
    public:
        Own(Session& session, store::MailboxId mailbox) : notifier_(session.notifier_.get()), mailbox_(mailbox)
        {
            if (notifier_)
                notifier_->before_own(mailbox_);
        }
        ~Own()
        {
            if (notifier_)
                notifier_->after_own(mailbox_);
        }
        Own(const Own&) = delete;
        Own& operator=(const Own&) = delete;

    private:
        Notifier* notifier_;
        store::MailboxId mailbox_;
    };
    // "* n FETCH (FLAGS (..))" of one message.
    void tell_flags(std::size_t index, const store::Entry& entry);
    // "* n FETCH (" of the message at an index of the view, or "* uid UIDFETCH (".
    void begin_fetch(std::size_t index, std::uint32_t uid);
    // A command that makes the client CONDSTORE-aware (RFC 7162 §3.1): it hears of HIGHESTMODSEQ.
    void use_condstore();
    // Of the selected mailbox, what the client has been told of all up to there.
    store::Lsn told_modseq() const { return std::min(view_->facts()->highest_modseq, view_->position()); }
    // "[HIGHESTMODSEQ 7] " for a client with QRESYNC.
    std::string told_modseq_code() const;
    // HIGHESTMODSEQ of a mailbox as it may be shown.
    store::Lsn highest_modseq(const store::MailboxFacts& mailbox) const;
    bool is_recent(std::uint32_t uid) const { return !enabled_.rev2 && view_->is_recent(uid); }
    void append_name(std::string& out, std::string_view mailbox) const;
    // The uids that `$` stands for, ascending (RFC 5182).
    const std::vector<std::uint32_t>& saved() const { return saved_; }
    void save(std::vector<std::uint32_t> uids) { saved_ = std::move(uids); }
    // FLAGS and PERMANENTFLAGS anew, if there are keywords the client has not heard of.
    void tell_new_keywords();
    void count_expunged(std::size_t count) { expunged_ += count; }
    // A long command has come so far; the client hears of it now and then (RFC 9585).
    void tell_progress(std::uint64_t done, std::uint64_t total);
    // The client and this side have agreed to go on compressed (RFC 4978); whoever hosts the session sees to it.
    bool is_compressed() const { return compressed_; }
    // The client has left, but not its connection (RFC 8437).
    bool is_unauthenticated() const { return unauthenticated_; }
    // Has all that came been executed?
    bool has_done_all() const { return input_exhausted_ && !then_ && !task_ && untold_flags_.empty(); }
    // Bytes that came and that nobody has looked at.
    std::size_t unread() const { return framer_.waiting(); }

    // --- access (RFC 4314) --------------------------------------------------------------------------

    // Another user than the owner of the store: he comes by his own mailbox process, which usher has connected.
    bool is_guest() const { return !facts_.guest.empty(); }
    const std::string& reader() const { return is_guest() ? facts_.guest : facts_.user; }
    Rights rights_on(const store::MailboxFacts& mailbox) const;
    Rights selected_rights();
    // The flags of a message as this reader sees them: \Seen is each reader's own.
    store::Flags flags_of(const store::Entry& entry) const;
    // \Seen for this reader, if he may.
    util::Result<store::FlagsChanged> mark_seen(store::MailboxId mailbox, const std::vector<std::uint32_t>& uids);
    // Store::change_flags(); a guest's \Seen is his own, with E2BIG only once those who have no rights any more are forgotten.
    util::Result<store::FlagsChanged> change_flags(store::MailboxId mailbox, const std::vector<std::uint32_t>& uids,
                                                   store::FlagChange change);
    // A command would set \Seen by the way (FETCH BODY[]).
    bool may_mark_seen() { return !view_->read_only() && (selected_rights() & right::KeepSeen); }
    void tell_my_rights(const store::MailboxFacts& mailbox);
    bool is_of_others(std::string_view name) const;
    bool may_annotate(const store::MailboxFacts& mailbox) const;
    // "* METADATA"; the size of the longest value that was left out, or 0.
    std::uint64_t tell_annotations(std::string_view mailbox, const store::Annotations& annotations, const AnnotationWish& wish);
    // RFC 9738: how many messages one command works on; 0: there is no limit, or the client does not hear of it.
    std::size_t message_limit() const;
    // The tagged OK of a command that has worked on the highest of its messages alone; `limited`: message_limit_code(),
    // or nothing.  It takes the place of a response code: where there is another, it goes before (RFC 9738 §3.1).
    void ok_limited(const std::string& limited, std::string_view code, std::string_view text);
    // Opens the message of a URL with a token, if this reader may have it.  False: he may not; all reasons look alike.
    bool redeem_url(const std::string& text, const syntax::MessageUrl& url, MessageContent& message);
    // The other user whose process can redeem a URL; empty: there is none, or that would refuse it, too.
    std::string remote_owner(const syntax::MessageUrl& url) const;
    bool waits_for_remote() const { return then_ && awaited_ == UINT64_MAX; }
    // Has the owner's process answer this one URL.  Then `answered` hears whether the client has been told, and if not
    // whether a repeated command might tell it.
    void ask_for_url(const std::string& owner, const UrlRequest& request, std::function<void(bool told, bool later)> answered);
    // Searches whose results are followed (search_context.h).
    std::deque<SearchContext>& contexts() { return contexts_; }
    void add_context(SearchContext context);
    void tell_no_update(std::string_view tag, std::string_view why);
    // Some are given up when they hold too much together.
    void bound_contexts();
    // These have changed, or are new: are they among the results?
    void look_again(const std::vector<std::uint32_t>& uids);

    // The messages that a set names, by the form of the command.
    util::Result<std::vector<IndexRange>> select(const syntax::SequenceSet& set) const;
    // The uids that the ranges hold and that still exist; `missing` says whether others do not.
    std::vector<std::uint32_t> present_uids(const std::vector<IndexRange>& ranges, bool& missing) const;

private:
    struct Command {
        std::string_view verb;
        Answer (Session::*handler)(syntax::Scanner&);
        unsigned char states;
        bool expunges;  // untagged EXPUNGE may precede its answer
        bool numbers = false;  // its messages are named by sequence numbers
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
    bool reached() const;
    void tell_expunged(const News& news);
    void tell_some_flags(util::Instant until);
    // For what is done to very many messages: `some` gets memory for pace_interval of them, until that is enough; then the
    // command looks at all conditions anew, since nothing has happened before.  `may`: whether it is its turn.
    void prepare(std::function<bool()> some, std::function<void()> then, std::function<bool()> may = {});
    StatusFacts status_facts();
    // A name as the store has it: the one given, or else its normal form, in which new names are.
    std::string known_name(std::string name) const;
    // The same for a name that is made; `told` remembers what the client said if that is another.
    std::string new_name(std::string name, std::string& told) const;
    void tell_renamed(std::string_view name, std::string_view old_name);
    // The mailbox of a STATUS, SELECT, ..: null after a tagged NO.
    const store::MailboxFacts* open_mailbox(std::string_view name, std::string_view code, Rights needed = right::None);
    // May the selected mailbox be changed?  False after a tagged NO.
    bool writable();

    // The right to read the selected mailbox may have gone since the last look: then the session ends.  `telling`: other
    // rights that have changed are told.
    void check_access(bool telling);
    void deny(const store::MailboxFacts& mailbox);
    bool permitted(const store::MailboxFacts& mailbox, Rights needed);
    bool selected_permits(Rights needed);
    static store::Flags changeable_flags(Rights rights);
    void tell_flags_of(const store::MailboxFacts& mailbox);
    void change_acl(const store::MailboxFacts& mailbox, const AccessList& list);
    // The name of a mailbox of this store behind one that the client gives; empty: it is not in this store.
    std::string inner_name(std::string name) const;

    // remote_commands.cc, remote_list.cc, carried_messages.cc: other users' mailboxes
    void set_up_relay();
    void tell_enabled();
    std::optional<std::string> other_owner(const std::string& name) const;
    bool route(std::string_view verb, std::string_view text, syntax::Scanner arguments);
    bool route_named(std::string_view verb, std::string_view text, syntax::Scanner arguments);
    bool route_select(std::string_view text, syntax::Scanner arguments);
    bool route_replace(std::string_view text, syntax::Scanner arguments);
    bool route_copy(bool uid, bool moving, std::string_view text, syntax::Scanner arguments);
    void forward(const std::string& owner, std::string_view text);
    void wait_for_remote(util::Duration patience = remote_patience);
    std::optional<util::Instant> remote_deadline() const;
    void remote_answered(std::string_view status);
    bool list_others(const std::vector<std::string>& patterns, std::string_view text);
    void list_next(std::vector<std::string> owners, std::size_t at, std::vector<std::string> patterns, std::string text);
    void tell_namespace_node(std::string_view name, const std::vector<std::string>& patterns);
    void load_local(const syntax::SequenceSet& set, Carriage& carriage);
    void take_carried(Carriage& carriage, std::string_view response);
    void deliver_carried(const std::shared_ptr<Carriage>& carriage);
    void carried(const std::shared_ptr<Carriage>& carriage, std::string copyuid, store::Lsn lsn);
    // acl_commands.cc
    struct AclSubject {
        util::Result<std::string> who;    // as a list has it; NotFound: it cannot be in one
        const store::MailboxFacts* mailbox;    // null: NO has been said
    };
    util::Result<AclSubject> acl_subject(std::string_view name, std::string_view given);
    Answer get_acl(syntax::Scanner& arguments);
    Answer set_acl(syntax::Scanner& arguments);
    Answer delete_acl(syntax::Scanner& arguments);
    Answer list_rights(syntax::Scanner& arguments);
    Answer my_rights(syntax::Scanner& arguments);
    // metadata_commands.cc
    Answer get_metadata(syntax::Scanner& arguments);
    Answer set_metadata(syntax::Scanner& arguments);
    std::string annotation_key(std::string_view entry) const;
    // The entry that a kept annotation is to this reader; empty: none.
    std::string_view entry_of(std::string_view key) const;
    store::Annotations server_annotations() const;
    bool value_may_begin(std::string_view verb, std::uint64_t size);
    void watch_annotations();
    void tell_changed_annotations();
    // What the client hears of (imapd_discard_capabilities).
    bool is_discarded(std::string_view capability) const;
    std::string capabilities() const;
    bool can_unauthenticate() const;

    // session_commands.cc: any state
    Answer capability(syntax::Scanner& arguments);
    Answer noop(syntax::Scanner& arguments);
    Answer logout(syntax::Scanner& arguments);
    Answer id(syntax::Scanner& arguments);
    Answer enable(syntax::Scanner& arguments);
    Answer name_space(syntax::Scanner& arguments);
    Answer idle(syntax::Scanner& arguments);
    Answer compress(syntax::Scanner& arguments);
    Answer unauthenticate(syntax::Scanner& arguments);
    // notify.cc
    Answer notify(syntax::Scanner& arguments);
    void set_notify(NotifyArguments arguments);
    bool listens() const;
    void tell_unasked();
    void tell_elsewhere();
    void queue_arrivals(std::uint32_t after);
    bool start_arrivals();
    void made_here(store::MailboxId mailbox, const std::vector<std::uint32_t>& uids);
    // parking.cc
    bool is_told_of_view() const;
    bool restore_notifier(store::Reader& reader);
    Answer already_in(syntax::Scanner& arguments);
    Answer uid(syntax::Scanner& arguments);
    // mailbox_commands.cc
    Answer create(syntax::Scanner& arguments);
    Answer remove(syntax::Scanner& arguments);
    void remove_named(const std::string& name);
    Answer rename(syntax::Scanner& arguments);
    void rename_named(const std::string& from, const std::string& to, const std::string& told, store::TransferSpace* space);
    Answer subscribe(syntax::Scanner& arguments);
    Answer unsubscribe(syntax::Scanner& arguments);
    Answer status(syntax::Scanner& arguments);
    bool may_create(std::string_view name);
    store::Lsn inherit_access(std::string_view name, store::Lsn made);
    // list_commands.cc
    Answer list(syntax::Scanner& arguments);
    Answer lsub(syntax::Scanner& arguments);
    // select_commands.cc
    Answer select_mailbox(syntax::Scanner& arguments);
    Answer examine(syntax::Scanner& arguments);
    Answer open_selected(syntax::Scanner& arguments, bool read_only);
    void open_view(store::MailboxId id, const SelectParameters& parameters);
    void tell_selected(const store::MailboxFacts& mailbox, const store::Outline& outline);
    std::uint32_t first_unseen(const store::MailboxFacts& mailbox, const store::Outline& outline) const;
    // resync.cc: "* VANISHED (EARLIER)": which of these uids above `after` were expunged since.
    void tell_vanished(store::Lsn since, const std::vector<syntax::SequenceSet::Range>& among,
                       std::uint32_t after);
    std::vector<syntax::SequenceSet::Range> named_uids(const syntax::SequenceSet& set) const;
    void resync(const Resync& resync, std::string_view code);
    Answer close(syntax::Scanner& arguments);
    Answer unselect(syntax::Scanner& arguments);
    Answer check(syntax::Scanner& arguments);
    Answer expunge(syntax::Scanner& arguments);
    Answer uid_expunge(syntax::Scanner& arguments);
    std::vector<std::uint32_t> deleted_uids(const std::vector<IndexRange>& among) const;
    void expunge_uids(std::vector<std::uint32_t> uids, const std::string& limited = {});
    // Those with \Deleted among them; `limits`: message_limit() counts, which is not for EXPUNGE and CLOSE (RFC 9738 §3.1).
    void expunge_among(const std::vector<IndexRange>& ranges, bool limits);
    void close_selected();
    // Goes on with what expunges so many messages, if they are very many after some slices.
    void before_expunging(std::size_t messages, std::function<void()> then);
    // quota_commands.cc
    Answer get_quota(syntax::Scanner& arguments);
    Answer get_quota_root(syntax::Scanner& arguments);
    Answer set_quota(syntax::Scanner& arguments);
    std::string user_root() const;
    const store::MailboxFacts* mailbox_of_root(std::string_view root);
    void append_mailbox_root(const store::MailboxFacts& mailbox);
    void tell_user_quota();
    void tell_mailbox_quota(const store::MailboxFacts& mailbox);
    void tell_over_quota();
    // append_command.cc
    Answer append(syntax::Scanner& arguments);
    Answer replace(syntax::Scanner& arguments);
    // Checks what stands before a literal of this size; false after a tagged answer.
    bool append_may_begin(syntax::Scanner& arguments, bool replace, std::uint64_t size);
    util::Result<std::string> assemble(const AppendMessage& message, std::uint64_t& read);
    util::Result<std::vector<store::Stored>> append_messages(const store::MailboxFacts& mailbox, AppendArguments& append);
    std::string append_code(const std::vector<store::Stored>& stored) const;
    std::size_t append_limit() const;
    void refuse_append(const util::Error& error);
    // The message that REPLACE names; 0 after a tagged answer.
    std::uint32_t replaced_uid(const syntax::SequenceSet& set);
    // copy_commands.cc
    Answer copy(syntax::Scanner& arguments);
    Answer move(syntax::Scanner& arguments);
    Answer transfer(syntax::Scanner& arguments, bool moving);
    const store::MailboxFacts* transfer_target(const Transfer& transfer);
    void carry_out(const Transfer& transfer, store::TransferSpace* space);
    // Goes on with what copies or moves so many messages to where `there` are: with space, after some slices, if they are
    // very many.
    void before_copying(std::size_t messages, std::size_t there, std::function<void(store::TransferSpace*)> then);
    void drop_foreign_flags(const store::MailboxFacts& target, const store::Copied& copied, const std::vector<bool>& seen);
    // urlauth_commands.cc
    Answer reset_key(syntax::Scanner& arguments);
    Answer generate_urls(syntax::Scanner& arguments);
    Answer fetch_urls(syntax::Scanner& arguments);
    bool offers_urls() const;
    bool is_here(const syntax::UrlServer& server) const;
    bool is_own_server(const syntax::UrlServer& server, bool without_user) const;
    bool may_redeem(const syntax::MessageUrl& url) const;
    Rights owner_rights(const store::MailboxFacts& mailbox) const;
    util::Result<const store::Mailbox*> check_rump(const std::string& text, const syntax::MessageUrl& url);
    void tell_changed_key();
    store::Lsn url_key_lsn() const;
    // store_command.cc
    Answer store_flags(syntax::Scanner& arguments);
    // The ranges but for these uids, which ascend.
    std::vector<IndexRange> without(const std::vector<IndexRange>& ranges,
                                    const std::vector<std::uint32_t>& uids) const;
    // contexts.cc
    Answer cancel_update(syntax::Scanner& arguments);
    void tell_leaving(const News& news);
    bool start_looks();
    void give_up(std::size_t context);
    // fetch.cc, search.cc
    Answer fetch(syntax::Scanner& arguments);
    void limit_fetch(FetchOrder& order);
    Answer search(syntax::Scanner& arguments);
    Answer sort(syntax::Scanner& arguments);
    Answer thread(syntax::Scanner& arguments);
    // The task of SEARCH, SORT or THREAD begins, or the answer says why not.
    Answer begin_search(const util::Result<void>& parsed, SearchArguments& search,
                        const std::function<std::unique_ptr<Task>()>& task);

    store::Store& store_;
    SessionFacts facts_;
    syntax::Framer framer_;
    std::string output_;
    std::size_t beyond_ = 0;
    bool untold_ = false;      // what happened while the output was full is to be told
    std::vector<std::uint32_t> untold_flags_;    // of these uids, if they are very many
    std::size_t untold_flags_told_ = 0;          // so many of them are
    std::string answer_behind_flags_;            // a tagged one
    std::unique_ptr<View> view_;
    std::unique_ptr<Task> task_;
    std::unique_ptr<Notifier> notifier_;         // once NOTIFY was given
    std::vector<std::uint32_t> arrivals_;        // of the selected mailbox, that are to be fetched unasked
    std::vector<std::uint32_t> own_arrivals_;    // and those that are not
    Enabled enabled_;
    std::vector<std::uint32_t> saved_;
    std::unique_ptr<Relay> relay_;
    std::string_view command_text_;          // the command that is executed, without its tag
    std::string remote_name_;                // of the mailbox that is selected at another user's
    bool remote_idle_ = false;
    util::Duration remote_patience_{};       // of the command that waits
    util::Instant remote_since_{};           // when it began to wait
    Rights rights_told_ = right::All;        // of the selected mailbox, as the client knows them
    store::Lsn annotations_told_ = 0;
    store::Lsn url_key_told_ = 0;            // of the selected mailbox, as the client knows it; 0: none
    std::vector<std::pair<store::Lsn, store::Lsn>> own_annotations_;   // after, up to
    std::deque<SearchContext> contexts_;
    std::vector<std::uint32_t> looks_;           // at these messages again
    std::vector<std::uint32_t> looks_new_;       // those of them that have arrived
    store::Lsn awaited_ = 0;
    bool awaits_visible_ = false;
    std::function<void()> then_;       // set while a command waits for durability
    std::string tag_;
    std::string verb_;
    bool uid_form_ = false;
    bool may_expunge_ = false;
    bool idling_ = false;
    bool view_gone_ = false;           // another session removed the selected mailbox
    bool advancing_ = false;           // a command or a task may be running
    bool input_exhausted_ = true;
    bool input_ended_ = false;
    bool finished_ = false;
    bool compressed_ = false;
    bool unauthenticated_ = false;
    bool quota_told_ = false;          // that little is left of it
    store::Lsn quota_looked_at_ = 0;   // the store's last change then
    int bad_in_a_row_ = 0;
    util::Instant progress_told_;      // or when the command began
    util::Instant last_input_;
    std::uint64_t bytes_in_ = 0;
    std::uint64_t bytes_out_ = 0;
    std::uint64_t expunged_ = 0;
    std::uint64_t appended_ = 0;
};

// "[OVERQUOTA] .." and the like: the text of a tagged NO for an error of the store.
std::string refusal_text(const util::Error& error);

}  // namespace imapd::engine
