// One log-in by way of PAM.
#include "auth-pam/attempt.h"

#include "libutil/text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <pwd.h>
#include <security/pam_appl.h>
#include <vector>

namespace auth_pam {

using util::concat;
using Verdict = ipc::UserChecked::Verdict;

namespace {

constexpr std::size_t max_user = 256;

bool is_plain(std::string_view text)
{
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

struct User {
    enum class Found : unsigned char { Yes, No, Unknown } found = Found::No;
    uid_t uid = 0;
};

User find_user(const std::string& name)
{
    std::vector<char> buffer(16'384);
    passwd record{};
    passwd* found = nullptr;
    int code = ::getpwnam_r(name.c_str(), &record, buffer.data(), buffer.size(), &found);
    if (code != 0)
        return {User::Found::Unknown};
    // Some sources of users know them by other spellings.
    if (!found || name != record.pw_name)
        return {};
    return {User::Found::Yes, record.pw_uid};
}

// PAM frees what it is given: hence its kind of memory.
int converse(int count, const pam_message** messages, pam_response** responses, void* data)
{
    const auto* password = static_cast<const std::string*>(data);
    if (count <= 0 || count > PAM_MAX_NUM_MSG)
        return PAM_CONV_ERR;
    auto* answers = static_cast<pam_response*>(::calloc(std::size_t(count), sizeof(pam_response)));
    if (!answers)
        return PAM_BUF_ERR;
    bool good = true;
    for (int i = 0; i < count && good; ++i) {
        int style = messages[i]->msg_style;
        if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG)
            continue;
        // A name, a code, a new password: nobody is there to give it.
        good = style == PAM_PROMPT_ECHO_OFF && password && (answers[i].resp = ::strdup(password->c_str()));
    }
    if (good) {
        *responses = answers;
        return PAM_SUCCESS;
    }
    for (int i = 0; i < count; ++i) {
        if (answers[i].resp)
            ::explicit_bzero(answers[i].resp, std::strlen(answers[i].resp));
        ::free(answers[i].resp);
    }
    ::free(answers);
    return PAM_CONV_ERR;
}

// auth(8) has failures delayed without a process that waits.
void no_delay(int, unsigned, void*) {}

Verdict verdict_of(int code)
{
    switch (code) {
    case PAM_SUCCESS:
        return Verdict::Good;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_MAXTRIES:
    case PAM_PERM_DENIED:
    case PAM_ACCT_EXPIRED:
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_CRED_EXPIRED:
    case PAM_CRED_INSUFFICIENT:
    case PAM_CONV_ERR:
    case PAM_SYSTEM_ERR:   // what pam_exec(8) calls a program that said no: guesses must count
        return Verdict::Bad;
    default:
        return Verdict::Unavailable;
    }
}

// A transaction with PAM, which ends with the object.
class Transaction {
public:
    explicit Transaction(const Rules& rules, const std::string& user, const pam_conv& conversation)
        : status_(rules.directory.empty() ? ::pam_start(rules.service.c_str(), user.c_str(), &conversation, &handle_)
                                          : ::pam_start_confdir(rules.service.c_str(), user.c_str(), &conversation,
                                                                rules.directory.c_str(), &handle_))
    {
    }
    ~Transaction()
    {
        if (handle_)
            ::pam_end(handle_, status_);
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    bool good() const { return status_ == PAM_SUCCESS; }
    Verdict verdict() const { return verdict_of(status_); }
    // Does the next step, unless one before it failed; `step` is for the log.
    template <typename Step>
    void then(std::string_view step, Step call)
    {
        if (!good())
            return;
        status_ = call(handle_);
        step_ = step;
    }
    std::string why() const
    {
        const char* text = ::pam_strerror(handle_, status_);
        return concat("PAM", step_.empty() ? "" : " ", step_, ": ", text ? text : "error ", text ? "" : concat(status_));
    }
    // Modules may have made another of it.
    std::string user() const
    {
        const void* name = nullptr;
        bool known = ::pam_get_item(handle_, PAM_USER, &name) == PAM_SUCCESS && name;
        return known ? static_cast<const char*>(name) : "";
    }

private:
    pam_handle_t* handle_ = nullptr;
    int status_;
    std::string_view step_;
};

void run(Transaction& pam, const ipc::CheckUser& wanted, const Rules& rules)
{
    pam.then("", [&](pam_handle_t* handle) {
        (void)::pam_set_item(handle, PAM_RHOST, wanted.client_address.c_str());
        (void)::pam_set_item(handle, PAM_TTY, wanted.protocol.c_str());
        return ::pam_set_item(handle, PAM_FAIL_DELAY, reinterpret_cast<const void*>(&no_delay));
    });
    constexpr int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
    if (wanted.password)
        pam.then("authentication", [&](pam_handle_t* handle) { return ::pam_authenticate(handle, flags); });
    pam.then("account", [&](pam_handle_t* handle) { return ::pam_acct_mgmt(handle, flags); });
    if (!rules.session || !wanted.password)
        return;
    pam.then("credentials", [&](pam_handle_t* handle) { return ::pam_setcred(handle, PAM_ESTABLISH_CRED | PAM_SILENT); });
    pam.then("session", [&](pam_handle_t* handle) { return ::pam_open_session(handle, PAM_SILENT); });
    pam.then("end of session", [&](pam_handle_t* handle) { return ::pam_close_session(handle, PAM_SILENT); });
    pam.then("credentials", [&](pam_handle_t* handle) { return ::pam_setcred(handle, PAM_DELETE_CRED | PAM_SILENT); });
}

}  // namespace

ipc::UserChecked attempt(const ipc::CheckUser& wanted, const Rules& rules)
{
    ipc::UserChecked answer{.request = wanted.request, .verdict = Verdict::Bad, .uid = 0, .text = {}};
    auto end = [&](Verdict verdict, std::string text) {
        answer.verdict = verdict;
        answer.text = std::move(text);
        return answer;
    };
    const std::string& name = wanted.user;
    bool has_nul = wanted.password && wanted.password->find('\0') != std::string::npos;
    if (name.empty() || name.size() > max_user || !is_plain(name) || name.find_first_of("/:") != std::string::npos ||
        !is_plain(wanted.client_address) || !is_plain(wanted.protocol) || has_nul)
        return end(Verdict::Bad, "no name of a user, or no password");
    User user = find_user(name);
    if (user.found == User::Found::Unknown)
        return end(Verdict::Unavailable, "the system's users cannot be asked for");
    if (user.found == User::Found::No)
        return end(Verdict::Bad, concat("the system has no user ", name));
    if (user.uid == 0 || user.uid < rules.minimum_uid)
        return end(Verdict::Bad, concat("uid ", user.uid, " is below auth_pam_minimum_uid"));
    std::string password = wanted.password.value_or("");
    pam_conv conversation{&converse, wanted.password ? &password : nullptr};
    Transaction pam(rules, name, conversation);
    run(pam, wanted, rules);
    ::explicit_bzero(password.data(), password.size());
    if (!pam.good())
        return end(pam.verdict(), pam.why());
    if (pam.user() != name)
        return end(Verdict::Bad, concat("PAM means another user: ", util::printable(pam.user(), 100)));
    answer.uid = user.uid;
    return end(Verdict::Good, {});
}

}  // namespace auth_pam
