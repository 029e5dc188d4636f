// A store and a simple model of one do the same random things and must show the same, through
// orderly and disorderly ends, lost snapshots, lost manifests and compaction.  Seeds are fixed.
#include "tests/unit/libstore/fixture.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace {

using namespace test;
using store::FlagOperation;

struct Message {
    store::Flags flags = 0;
    std::set<std::string> keywords;
    std::string text;
    bool operator==(const Message&) const = default;
};

struct Box {
    std::map<std::uint32_t, Message> messages;
    std::uint32_t uid_next = 1;
    std::uint32_t uid_validity = 0;
    store::Lsn modseq = 0;
    std::map<std::string, std::string> annotations;
    std::set<std::uint32_t> seen;     // by another reader
};

class Model {
public:
    explicit Model(unsigned seed) : random_(seed)
    {
        options_.segment_size = 64U << 10;
        options_.large_message = 4000;
        options_.undelete_limit = 100'000;
        options_.zeros_ahead = seed % 2 == 1;
        path_ = directory_.beside("store");
        store_ = open(path_, options_);
        for (const auto& [name, id] : store_->mailboxes())
            boxes_[name] = {{}, 1, mailbox(*store_, name).uid_validity, 0};
    }

    void run(int steps)
    {
        for (step_ = 0; step_ < steps; ++step_) {
            act();
            if (step_ % 10 == 0)
                compare();
        }
        reopen();
        compare();
    }

private:
    std::uint32_t pick(std::uint32_t below) { return std::uint32_t(random_() % below); }

    std::string any_box()
    {
        auto it = boxes_.begin();
        std::advance(it, pick(std::uint32_t(boxes_.size())));
        return it->first;
    }

    std::vector<std::uint32_t> some_uids(const Box& box)
    {
        std::vector<std::uint32_t> uids;
        std::uint32_t share = 1 + pick(4);
        for (const auto& [uid, message] : box.messages)
            if (pick(share) == 0)
                uids.push_back(uid);
        if (pick(5) == 0)
            uids.push_back(box.uid_next + 7);
        return uids;
    }

    std::set<std::string> some_keywords()
    {
        std::set<std::string> names;
        while (pick(3) == 0)
            names.insert(util::concat("k", pick(6)));
        return names;
    }

    void act()
    {
        switch (pick(28)) {
        case 0: case 1: case 2: case 3: case 4: case 5:
            return append();
        case 6: case 7: case 8:
            return change_flags();
        case 9: case 10:
            return transfer(false);
        case 11:
            return transfer(true);
        case 12: case 13:
            return expunge();
        case 14:
            return mailboxes();
        case 15:
            return restore();
        case 16: case 17: case 18: case 19: case 20: case 21:
            return housekeep();
        case 22:
            OK(store_->sync());
            return;
        case 24: case 25:
            return annotate();
        case 26: case 27:
            return read_by_another();
        default:
            if (pick(3) == 0)
                reopen();
        }
    }

    void append()
    {
        std::string name = any_box();
        Box& box = boxes_[name];
        Message message{pick(32), some_keywords(), text_of(util::concat("m", step_), 30 + pick(5000))};
        store::Rendered texts = rendered(util::concat("m", step_));
        store::NewMessage fresh;
        fresh.content = message.text;
        fresh.flags = message.flags;
        fresh.keywords.assign(message.keywords.begin(), message.keywords.end());
        fresh.rendered = &texts;
        auto stored = store_->append(id_of(*store_, name), fresh);
        OK(stored);
        THAT(stored->uid >= box.uid_next);
        box.messages[stored->uid] = message;
        box.uid_next = stored->uid + 1;
    }

    void change_flags()
    {
        std::string name = any_box();
        Box& box = boxes_[name];
        store::FlagChange change{FlagOperation(pick(3)), pick(32), {}, {}};
        std::set<std::string> keywords = some_keywords();
        change.keywords.assign(keywords.begin(), keywords.end());
        auto uids = some_uids(box);
        if (pick(3) == 0) {
            change.changeable = std::uint8_t(pick(32));
            change.changes_keywords = pick(2) == 0;
        }
        if (pick(3) == 0)
            change.reader = "reader";
        OK(store_->change_flags(id_of(*store_, name), uids, change));
        if (!change.changes_keywords)
            keywords.clear();
        for (std::uint32_t uid : uids) {
            auto found = box.messages.find(uid);
            if (found == box.messages.end())
                continue;
            Message& message = found->second;
            // What this one sees of them, as far as it may be changed.
            bool apart = !change.reader.empty();
            store::Flags flags = message.flags;
            if (apart)
                flags = store::Flags((flags & ~store::Seen) | (box.seen.contains(uid) ? store::Seen : 0));
            store::Flags named = change.flags & change.changeable;
            if (change.operation == FlagOperation::Replace)
                flags = store::Flags((flags & ~change.changeable) | named);
            else if (change.operation == FlagOperation::Add)
                flags = store::Flags(flags | named);
            else
                flags = store::Flags(flags & ~named);
            if (apart && (flags & store::Seen))
                box.seen.insert(uid);
            else if (apart)
                box.seen.erase(uid);
            if (apart)
                flags = store::Flags((flags & ~store::Seen) | (message.flags & store::Seen));
            message.flags = flags;
            if (change.operation == FlagOperation::Replace && change.changes_keywords)
                message.keywords = keywords;
            else if (change.operation == FlagOperation::Remove)
                std::erase_if(message.keywords, [&](const std::string& keyword) { return keywords.contains(keyword); });
            else
                message.keywords.insert(keywords.begin(), keywords.end());
        }
    }

    void transfer(bool move)
    {
        std::string from = any_box();
        std::string to = any_box();
        auto uids = some_uids(boxes_[from]);
        if (uids.size() > 40)
            uids.resize(40);
        auto copied = move ? store_->move(id_of(*store_, from), uids, id_of(*store_, to))
                           : store_->copy(id_of(*store_, from), uids, id_of(*store_, to));
        OK(copied);
        for (std::size_t i = 0; i < copied->source.size(); ++i) {
            THAT(copied->target[i] >= boxes_[to].uid_next);
            boxes_[to].messages[copied->target[i]] = boxes_[from].messages[copied->source[i]];
            boxes_[to].uid_next = copied->target[i] + 1;
            if (move)
                boxes_[from].messages.erase(copied->source[i]);
        }
    }

    void expunge()
    {
        std::string name = any_box();
        auto uids = some_uids(boxes_[name]);
        for (std::uint32_t uid : uids) {
            auto found = boxes_[name].messages.find(uid);
            if (found == boxes_[name].messages.end())
                continue;
            expunged_.insert(found->second.text);
            boxes_[name].messages.erase(found);
        }
        OK(store_->expunge(id_of(*store_, name), uids));
    }

    void mailboxes()
    {
        std::string name = any_box();
        std::string fresh = util::concat("box", pick(8));
        switch (pick(4)) {
        case 0:
        case 1:
            if (store_->create_mailbox(fresh, store::SpecialUse::None).ok()) {
                THAT(!boxes_.contains(fresh));
                std::uint32_t validity = mailbox(*store_, fresh).uid_validity;
                THAT(validity > last_validity_);
                last_validity_ = validity;
                boxes_[fresh] = {{}, 1, validity, 0};
            }
            return;
        case 2:
            if (name != "INBOX" && store_->rename_mailbox(name, fresh).ok()) {
                boxes_[fresh] = boxes_[name];
                boxes_.erase(name);
            }
            return;
        default:
            if (store_->remove_mailbox(name).ok()) {
                for (const auto& [uid, message] : boxes_[name].messages)
                    expunged_.insert(message.text);
                boxes_.erase(name);
            }
        }
    }

    void annotate()
    {
        std::string name = any_box();
        bool account = pick(4) == 0;
        auto& there = account ? account_ : boxes_[name].annotations;
        std::vector<store::NewAnnotation> changes;
        for (std::uint32_t left = 1 + pick(3); left > 0; --left) {
            std::string key = util::concat("/k", left, pick(4));
            if (pick(3) == 0) {
                changes.push_back({key, std::nullopt});
                there.erase(key);
            } else {
                changes.push_back({key, text_of(util::concat("a", step_), pick(2000))});
                there[key] = *changes.back().value;
            }
        }
        OK(store_->annotate(account ? 0 : id_of(*store_, name), changes));
    }

    void read_by_another()
    {
        std::string name = any_box();
        Box& box = boxes_[name];
        auto uids = some_uids(box);
        bool on = pick(3) != 0;
        OK(store_->mark_seen(id_of(*store_, name), "reader", uids, on));
        for (std::uint32_t uid : uids) {
            if (on && box.messages.contains(uid))
                box.seen.insert(uid);
            else
                box.seen.erase(uid);
        }
    }

    void restore()
    {
        auto deleted = store_->deleted_messages();
        OK(deleted);
        if (deleted->empty())
            return;
        const auto& item = (*deleted)[pick(std::uint32_t(deleted->size()))];
        auto content = store_->read_content(item.entry);
        OK(content);
        THAT(expunged_.contains(*content));
        std::string to = any_box();
        std::vector<std::uint32_t> uids = {item.entry.uid};
        auto restored = store_->restore(item.mailbox, uids, id_of(*store_, to));
        OK(restored);
        EQ(restored->target.size(), 1U);
        const store::Entry* entry = mailbox(*store_, to).find(restored->target[0]);
        Message message{entry->flags, {}, *content};
        for (std::size_t i = 0; i < 64; ++i)
            if (entry->keywords >> i & 1)
                message.keywords.insert(mailbox(*store_, to).keywords[i]);
        boxes_[to].messages[entry->uid] = message;
        boxes_[to].uid_next = entry->uid + 1;
    }

    void housekeep()
    {
        if (pick(4) == 0)
            OK(store_->purge_deleted(INT64_MAX, pick(2) == 0));
        if (pick(8) == 0)
            return tidy(*store_, 1 + pick(200));
        // Some slices of it; what else comes happens between them.
        for (std::uint32_t slices = 1 + pick(6); slices > 0; --slices)
            if (store_->housekeep(1 + pick(60)) == store::Chores::Waiting)
                OK(store_->sync());
    }

    // What can be put back, and how it would come back.
    std::string deleted_mail()
    {
        std::vector<std::string> lines;
        for (const auto& item : store_->deleted_messages().take()) {
            auto content = store_->read_content(item.entry);
            OK(content);
            lines.push_back(util::concat(item.mailbox, " ", item.mailbox_name, " ", item.entry.uid, " ",
                                         item.entry.flags, " ", item.entry.keywords, " ", item.seconds, " ",
                                         *content, "\n"));
        }
        std::ranges::sort(lines);
        std::string all;
        for (const auto& line : lines)
            all += line;
        return all;
    }

    void damage(const std::string& name)
    {
        auto fd = util::sys::open(path_, O_RDONLY | O_DIRECTORY);
        for (const auto& file : util::sys::list_directory(fd->get()).take()) {
            if (!file.starts_with(name))
                continue;
            std::string path = util::concat(path_, "/", file);
            if (pick(2) == 0) {
                OK(util::sys::unlink(path));
                continue;
            }
            auto content = util::sys::read_file(path, 1U << 30);
            if (content->empty())
                continue;
            auto out = util::sys::open(path, O_WRONLY);
            std::uint64_t at = pick(std::uint32_t(content->size()));
            OK(util::sys::pwrite_all(out->get(), std::string(1, char((*content)[at] ^ (1 << pick(8)))), at));
        }
    }

    void reopen()
    {
        std::string deleted = deleted_mail();
        if (pick(2) == 0) {
            // A crash: what was synced is there, and no more.
            OK(store_->sync());
            OK(store_->sync());
            std::string copy = directory_.beside(util::concat("crash", step_));
            copy_tree(path_, copy);
            store_.reset();
            path_ = copy;
        } else {
            store_.reset();
        }
        switch (pick(4)) {
        case 0:
            damage("snapshot-");
            break;
        case 1:
            damage("manifest");
            break;
        }
        auto options = options_;
        options.ignore_snapshot = pick(3) == 0;
        store_ = open(path_, options);
        THAT(deleted_mail() == deleted);   // too long to be told
    }

    // Of what may be shown.
    void hold_outline(const store::Outline& outline, const store::Mailbox& box)
    {
        THAT(outline.uids.size() <= box.entries.size());
        if (store_->visible() >= box.highest_modseq) {
            EQ(outline.uids.size(), box.entries.size());
            EQ(outline.uid_next, box.uid_next);
        }
        std::uint32_t unseen = 0;
        for (std::size_t i = 0; i < outline.uids.size(); ++i) {
            EQ(outline.uids[i], box.entries[i].uid);
            if (unseen == 0 && !(box.entries[i].flags & store::Seen))
                unseen = outline.uids[i];
        }
        EQ(outline.first_unseen, unseen);
    }

    void compare()
    {
        EQ(store_->mailboxes().size(), boxes_.size());
        std::uint64_t bytes = 0;
        for (auto& [name, box] : boxes_) {
            auto outline = store_->outline(id_of(*store_, name));   // before anything loads the messages
            OK(outline);
            const store::Mailbox& there = mailbox(*store_, name);
            hold_outline(*outline, there);
            EQ(there.uid_validity, box.uid_validity);
            THAT(there.uid_next >= box.uid_next);
            THAT(there.highest_modseq >= box.modseq);
            box.uid_next = there.uid_next;
            box.modseq = there.highest_modseq;
            EQ(there.entries.size(), box.messages.size());
            std::map<std::string, std::string> annotations;
            for (const auto& [key, annotation] : there.annotations)
                annotations[key] = annotation.value;
            THAT(annotations == box.annotations);
            std::uint32_t unseen = 0;
            auto expected = box.messages.begin();
            for (const auto& entry : there.entries) {
                EQ(entry.uid, expected->first);
                THAT(entry.modseq <= there.highest_modseq);
                Message message{entry.flags, {}, {}};
                for (std::size_t i = 0; i < 64; ++i)
                    if (entry.keywords >> i & 1)
                        message.keywords.insert(there.keywords[i]);
                auto content = store_->read_content(entry);
                OK(content);
                OK(store_->read_rendered(entry));
                message.text = *content;
                THAT(message == expected->second);
                EQ(there.seen_by("reader", entry.uid), box.seen.contains(entry.uid));
                unseen += (entry.flags & store::Seen) == 0;
                bytes += entry.size;
                ++expected;
            }
            EQ(there.unseen, unseen);
        }
        EQ(store_->usage().bytes, bytes);
        std::map<std::string, std::string> annotations;
        for (const auto& [key, annotation] : store_->annotations())
            annotations[key] = annotation.value;
        THAT(annotations == account_);
    }

    Directory directory_;
    std::string path_;
    store::Options options_;
    std::mt19937 random_;
    std::unique_ptr<store::Store> store_;
    std::map<std::string, Box> boxes_;
    std::map<std::string, std::string> account_;
    std::set<std::string> expunged_;
    std::uint32_t last_validity_ = 0;
    int step_ = 0;
};

TEST(does_the_same_as_a_model)
{
    const char* wanted = getenv("TERN_SEED");
    unsigned first = wanted ? unsigned(atoi(wanted)) : 1;
    unsigned last = wanted ? first : 6;
    for (unsigned seed = first; seed <= last; ++seed) {
        Model(seed).run(600);
    }
}
END_TEST

SUITE(model, does_the_same_as_a_model)

}  // namespace
