# Completion for Tern's commands.
_tern_words() {
    local words="$1"
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}

_tern_directory() {
    [ "${COMP_WORDS[COMP_CWORD-1]}" = "-c" ] || return 1
    COMPREPLY=($(compgen -d -- "${COMP_WORDS[COMP_CWORD]}"))
}

_tern() {
    _tern_directory || _tern_words "-c -v -j start start-fg stop reload status check set-permissions trace tail who kick dns unblock stats --prometheus --listen"
}

_ternconf() {
    _tern_directory && return
    case ${COMP_WORDS[COMP_CWORD]} in
    -*) _tern_words "-b -c -d -e -f -F -h -H -j -m -M -n -o -p -P -t -x -X --from-postfix --dry-run --postfix-parameters" ;;
    *) _tern_words "$(ternconf -d 2>/dev/null | sed 's/ =.*//')" ;;
    esac
}

_ternuser() {
    _tern_directory && return
    case ${COMP_WORDS[COMP_CWORD-1]} in
    passwd | del | disable | enable | show | limits) _tern_words "$(ternuser list 2>/dev/null | sed 's/ .*//')" ;;
    --system) COMPREPLY=($(compgen -u -- "${COMP_WORDS[COMP_CWORD]}")) ;;
    --scheme) _tern_words "yescrypt sha512 bcrypt plain" ;;
    alias | app-password) _tern_words "add del list" ;;
    --app-passwords-only) _tern_words "yes no" ;;
    --protocols) _tern_words "imap pop3 submission sieve all" ;;
    *) _tern_words "-c -j add passwd del disable enable list show limits alias app-password --password-stdin --scheme --system --take-home --refuse-mail --login --send --protocols --networks --app-passwords-only" ;;
    esac
}

_ternqueue() {
    _tern_directory && return
    case ${COMP_WORDS[COMP_CWORD-1]} in
    -i | -h | -H | -d) _tern_queue_ids ;;
    *) _tern_words "-c -p -j -f -i -s -h -H -d --shape --by-sender incoming active deferred hold" ;;
    esac
}

_tern_queue_ids() {
    _tern_words "$(ternqueue -j 2>/dev/null | sed -n 's/.*"queue_id": "\([^"]*\)".*/\1/p') $1"
}

_ternlog() {
    _tern_directory && return
    case ${COMP_WORDS[COMP_CWORD-1]} in
    -F) COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")) ;;
    -d)
        _tern_words "smtpd pickup cleanup qmgr smtp lmtp local errands tables pipe bounce auth auth-pam anvil verify sts usher mailbox imapd pop3d master log"
        ;;
    -s) _tern_words "sent deferred bounced expired reject hold" ;;
    -l) _tern_words "panic fatal error warning info verbose" ;;
    *) _tern_words "-a -c -d -F -f -i -j -l -n -S -s -U sent deferred bounced reject warning" ;;
    esac
}

_ternsuper() {
    _tern_directory && return
    case ${COMP_WORDS[COMP_CWORD-1]} in
    -d | -e | -f | -h | -H | -r) _tern_queue_ids "ALL -" ;;
    *) _tern_words "-c -d -e -f -h -H -p -r -s -v incoming active deferred hold corrupt" ;;
    esac
}

_ternmap() {
    _tern_directory || COMPREPLY=($(compgen -f -W "hash: btree: lmdb: texthash: cidr: regexp: pcre:" -- "${COMP_WORDS[COMP_CWORD]}"))
}

complete -F _tern tern
complete -F _ternconf ternconf
complete -F _ternuser ternuser
complete -F _ternqueue ternqueue
complete -F _ternlog ternlog
complete -F _ternsuper ternsuper
complete -F _ternmap -o nospace ternmap
