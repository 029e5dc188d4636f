// LIST and LSUB: RFC 3501 §6.3.8 and §6.3.9, LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819),
// SPECIAL-USE (RFC 6154).
#include "imapd/engine/session.h"

#include "imapd/engine/list_pattern.h"
#include "imapd/engine/mailbox_status.h"
#include "imapd/engine/special_use.h"
#include "imapd/syntax/mailbox_name.h"
#include "libutil/text.h"

#include <algorithm>
#include <set>

namespace imapd::engine {

using syntax::Scanner;

namespace {

using Names = std::set<std::string, std::less<>>;

struct ListArguments {
    bool extended = false;
    // Selection.
    bool subscribed = false;
    bool recursive = false;
    bool special_use = false;
    // What is returned; children and special use are told always.
    bool return_subscribed = false;
    StatusItems status = 0;
    bool rights = false;                 // MYRIGHTS (RFC 8440)
    AnnotationWish annotations;          // METADATA (RFC 9590)
    std::vector<std::string> patterns;   // with the reference before them

    bool match(std::string_view name) const
    {
        return std::any_of(patterns.begin(), patterns.end(),
                           [&](const std::string& p) { return matches_pattern(name, p); });
    }
};

util::Result<void> parse_selection(Scanner& arguments, ListArguments& list)
{
    list.extended = true;
    bool other = false;
    for (bool first = true; !arguments.skip(')'); first = false) {
        if (!first)
            TRY(arguments.space());
        auto option = TRY(arguments.atom());
        if (util::equal_nocase(option, "SUBSCRIBED"))
            list.subscribed = true;
        else if (util::equal_nocase(option, "RECURSIVEMATCH"))
            list.recursive = true;
        else if (util::equal_nocase(option, "SPECIAL-USE"))
            list.special_use = true;
        else if (util::equal_nocase(option, "REMOTE"))
            other = true;  // there are no remote mailboxes to add
        else
            return util::invalid("Unknown LIST selection option");
    }
    // RFC 5258 §3.1: RECURSIVEMATCH modifies another option, and REMOTE does not count.
    if (list.recursive && !list.subscribed && !list.special_use)
        return util::invalid(other ? "RECURSIVEMATCH needs more than REMOTE"
                                   : "RECURSIVEMATCH needs another option");
    return {};
}

util::Result<void> parse_list_return(Scanner& arguments, ListArguments& list)
{
    list.extended = true;
    if (!arguments.skip_word("RETURN ("))
        return util::invalid("RETURN (..) expected");
    for (bool first = true; !arguments.skip(')'); first = false) {
        if (!first)
            TRY(arguments.space());
        auto option = TRY(arguments.atom());
        if (util::equal_nocase(option, "SUBSCRIBED")) {
            list.return_subscribed = true;
        } else if (util::equal_nocase(option, "STATUS")) {
            TRY(arguments.space());
            list.status = TRY(parse_status_items(arguments));
        } else if (util::equal_nocase(option, "MYRIGHTS")) {
            list.rights = true;
        } else if (util::equal_nocase(option, "METADATA")) {
            TRY(arguments.space());
            list.annotations.entries = TRY(parse_entries(arguments));
        } else if (!util::equal_nocase(option, "CHILDREN") &&
                   !util::equal_nocase(option, "SPECIAL-USE")) {
            return util::invalid("Unknown LIST return option");
        }
    }
    return {};
}

util::Result<ListArguments> parse_list(Scanner& arguments, bool lsub, syntax::Form form)
{
    ListArguments list;
    TRY(arguments.space());
    if (!lsub && arguments.skip('(')) {
        TRY(parse_selection(arguments, list));
        TRY(arguments.space());
    }
    auto reference_text = TRY(arguments.astring());
    auto reference = TRY(syntax::decode_mailbox_pattern(reference_text, form));
    TRY(arguments.space());
    auto add = [&](const std::string& pattern) -> util::Result<void> {
        if (reference.size() + pattern.size() > max_pattern_length)
            return util::invalid("The pattern is too long");
        if (list.patterns.size() >= max_list_patterns)
            return util::invalid("Too many patterns");
        list.patterns.push_back(util::concat(reference, pattern));
        return {};
    };
    if (!lsub && arguments.skip('(')) {
        list.extended = true;
        do {
            auto pattern = TRY(arguments.list_mailbox());
            TRY(add(pattern));
        } while (arguments.skip(' '));
        TRY(arguments.expect(')'));
    } else {
        auto pattern = TRY(arguments.list_mailbox());
        // The empty pattern asks for the separator (RFC 3501 §6.3.8).
        if (!pattern.empty())
            TRY(add(pattern));
    }
    if (!lsub && arguments.skip(' '))
        TRY(parse_list_return(arguments, list));
    TRY(arguments.end());
    return list;
}

// The names above `name`, nearest first.
template <typename Visit>
void for_ancestors(std::string_view name, Visit visit)
{
    for (auto at = name.rfind('/'); at != std::string_view::npos; at = name.rfind('/')) {
        name = name.substr(0, at);
        visit(name);
    }
}

class Lister {
public:
    Lister(Session& session, const StatusFacts& facts, const ListArguments& list)
        : session_(session), facts_(facts), store_(facts.store), list_(list), out_(session.output())
    {
        if (!session_.is_guest())   // his are in his own store
            subscribed_.insert(store_.subscriptions().begin(), store_.subscriptions().end());
    }

    void run()
    {
        if (list_.subscribed)
            return list_subscribed();
        for (const auto& [name, id] : store_.mailboxes()) {
            auto use = use_of(id);
            if (list_.special_use && use == store::SpecialUse::None)
                continue;
            if (list_.match(util::concat(facts_.prefix, name)) && may_list(id))
                tell(name, &id, false);
        }
    }

    // What there is above an owner's mailboxes is his name alone.
    void tell_root()
    {
        auto root = facts_.prefix.substr(0, facts_.prefix.size() - 1);
        if (list_.subscribed || list_.special_use || !list_.match(root))
            return;
        bool any = std::any_of(store_.mailboxes().begin(), store_.mailboxes().end(),
                               [this](const auto& item) { return may_list(item.second); });
        if (!any)
            return;
        out_ += "* LIST (\\Noselect \\HasChildren) \"/\" ";
        syntax::append_mailbox_name(out_, root, facts_.form);
        out_ += "\r\n";
    }

private:
    // RFC 4314 §4: the "l" right.
    bool may_list(store::MailboxId id)
    {
        auto mailbox = store_.facts(id);
        return mailbox.ok() && (session_.rights_on(**mailbox) & right::Lookup);
    }

    // Children that this reader may not look up are none.
    bool has_listed_children(std::string_view name)
    {
        if (!session_.is_guest())
            return has_children(store_, name);
        auto below = util::concat(name, "/");
        for (auto it = store_.mailboxes().lower_bound(below); it != store_.mailboxes().end() && it->first.starts_with(below);
             ++it)
            if (may_list(it->second))
                return true;
        return false;
    }

    store::SpecialUse use_of(store::MailboxId id)
    {
        auto mailbox = store_.facts(id);
        return mailbox.ok() ? (*mailbox)->special_use : store::SpecialUse::None;
    }

    const store::MailboxId* id_of(std::string_view name)
    {
        auto found = store_.mailboxes().find(name);
        return found == store_.mailboxes().end() ? nullptr : &found->second;
    }

    void list_subscribed()
    {
        Names with_child_info;
        if (list_.recursive)
            for (const auto& name : subscribed_)
                for_ancestors(name, [&](std::string_view parent) {
                    // RFC 5258 §3.5: a parent is told when the child itself is not.
                    if (list_.match(parent) && (!list_.match(name) || subscribed_.contains(parent)))
                        with_child_info.emplace(parent);
                });
        Names all = with_child_info;
        for (const auto& name : subscribed_)
            if (list_.match(name))
                all.insert(name);
        for (const auto& name : all) {
            const auto* id = id_of(name);
            if (list_.special_use && (!id || use_of(*id) == store::SpecialUse::None))
                continue;
            tell(name, id, with_child_info.contains(name));
        }
    }

    void tell(std::string_view name, const store::MailboxId* id, bool child_info)
    {
        out_ += "* LIST (";
        // Whether another's mailbox is there is not asked for a subscription.
        bool elsewhere = !id && session_.is_of_others(name);
        out_ += elsewhere ? "" : !id ? "\\NonExistent" : has_listed_children(name) ? "\\HasChildren" : "\\HasNoChildren";
        if ((list_.subscribed || list_.return_subscribed) && subscribed_.contains(name))
            out_ += elsewhere ? "\\Subscribed" : " \\Subscribed";
        // Another's Drafts and Trash are not one's own.
        if (auto use = id && !session_.is_guest() ? use_of(*id) : store::SpecialUse::None; use != store::SpecialUse::None) {
            out_ += ' ';
            out_ += attribute_of(use);
        }
        out_ += ") \"/\" ";
        syntax::append_mailbox_name(out_, util::concat(facts_.prefix, name), facts_.form);
        if (child_info)
            out_ += " (\"CHILDINFO\" (\"SUBSCRIBED\"))";
        out_ += "\r\n";
        auto mailbox = id ? store_.facts(*id) : util::Result<const store::MailboxFacts*>(util::not_found({}));
        if (!mailbox.ok())
            return;
        auto rights = session_.rights_on(**mailbox);
        if (list_.status != 0 && (rights & right::Read))
            append_status(out_, facts_, **mailbox, list_.status);
        if (list_.rights)
            session_.tell_my_rights(**mailbox);
        if (!list_.annotations.entries.empty() && session_.may_annotate(**mailbox))
            session_.tell_annotations((*mailbox)->name, (*mailbox)->annotations, list_.annotations);
    }

    Session& session_;
    StatusFacts facts_;
    store::Store& store_;
    const ListArguments& list_;
    std::string& out_;
    Names subscribed_;
};

}  // namespace

Session::Answer Session::list(Scanner& arguments)
{
    auto list = TRY(parse_list(arguments, false, form()));
    if (asks_modseq(list.status))
        use_condstore();
    if (list.patterns.empty() && !list.extended) {
        untagged("LIST (\\Noselect) \"/\" \"\"");
    } else {
        Lister lister(*this, status_facts(), list);
        if (is_guest())
            lister.tell_root();
        lister.run();
        if (!list.subscribed && !list.special_use && list_others(list.patterns, command_text_))
            return {};
    }
    ok("LIST completed");
    return {};
}

// RFC 3501 §6.3.9: a name above a subscribed one is told as \Noselect when % stops there.
Session::Answer Session::lsub(Scanner& arguments)
{
    auto list = TRY(parse_list(arguments, true, form()));
    if (list.patterns.empty())
        untagged("LSUB (\\Noselect) \"/\" \"\"");
    Names subscribed(store_.subscriptions().begin(), store_.subscriptions().end());
    Names parents;
    for (const auto& name : subscribed) {
        if (list.match(name))
            continue;
        for_ancestors(name, [&](std::string_view parent) {
            if (!subscribed.contains(parent) && list.match(parent))
                parents.emplace(parent);
        });
    }
    auto tell = [&](std::string_view name, std::string_view attribute) {
        util::append(output_, "* LSUB (", attribute, ") \"/\" ");
        append_name(output_, name);
        output_ += "\r\n";
    };
    for (const auto& name : subscribed)
        if (list.match(name))
            tell(name, "");
    for (const auto& name : parents)
        tell(name, "\\Noselect");
    ok("LSUB completed");
    return {};
}

}  // namespace imapd::engine
