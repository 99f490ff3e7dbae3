# SPDX-License-Identifier: Apache-2.0
# Completion of vmo(1) for bash.

_vmo() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words= i
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'run send recv sum inspect bench --help --version' -- "$word")
        return
    fi
    # Behind `vmo run FILE... --` there is a command with its own words.
    if [ "${COMP_WORDS[1]}" = run ]; then
        for ((i = 2; i < COMP_CWORD; i++)); do
            if [ "${COMP_WORDS[i]}" = -- ]; then
                if ((i + 1 == COMP_CWORD)); then
                    mapfile -t COMPREPLY < <(compgen -c -- "$word")
                else
                    mapfile -t COMPREPLY < <(compgen -f -- "$word")
                fi
                return
            fi
        done
    fi
    # "=" divides words: --seal=f is three.
    [ "$word" != = ] || word=
    [ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}
    case $before in
    --seal) words='forever peers' ;;
    --progress) words='auto always never' ;;
    esac
    if [ -z "$words" ]; then
        case ${COMP_WORDS[1]},$word in
        run,-*) words='--seal --max --progress --help' ;;
        send,-*) words='--no-digest --max --timeout --progress --help' ;;
        recv,-*) words='--output --no-digest --timeout --progress --help' ;;
        sum,-*) words='--binary --text --tag --zero --check --progress --ignore-missing --quiet --status --strict --warn --help' ;;
        inspect,-*) words='--fd --help' ;;
        bench,-*) words='--bytes --rounds --progress --help' ;;
        inspect,*) words=$(cd /proc && echo [0-9]*) ;;
        esac
    fi
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -o filenames -F _vmo vmo
