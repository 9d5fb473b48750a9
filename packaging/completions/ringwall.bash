# bash completion for ringwall
_ringwall() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local commands='start stop status load unload drivers monitor ask block block-list permit list remove show version help'
    local kinds='providers sublayers layers callouts filters sessions netevents compile'
    local options='--help --runtime-dir'

    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
        return
    fi
    case $previous in
    --runtime-dir | --state-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --app)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --scope)
        local mount
        mount=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
        mapfile -t COMPREPLY < <(cd "$mount" 2>/dev/null && compgen -d -- "$current")
        return
        ;;
    --proto)
        mapfile -t COMPREPLY < <(compgen -W 'tcp udp icmp icmpv6 sctp' -- "$current")
        return
        ;;
    --remote | --port | --weight | --name | --count | --pend-age | --driver)
        return
        ;;
    esac
    case $command in
    start) options+=' --daemon --scope --state-dir --pend-age' ;;
    status) options+=' --coverage --json' ;;
    drivers | list | version) options+=' --json' ;;
    monitor) options+=' --json --count' ;;
    ask) options+=' --json --follow --remember --driver' ;;
    load) options+=' --name' ;;
    block | permit) options+=' --app --remote --port --proto --session --weight --name' ;;
    block-list) options+=' --name --strict' ;;
    remove) options+=' --all' ;;
    show) options+=' --json' ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
        return
    fi
    case $command in
    load)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -X '!*.so' -- "$current"; compgen -d -- "$current")
        ;;
    unload) mapfile -t COMPREPLY < <(compgen -W "$(ringwall drivers 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$current") ;;
    remove) mapfile -t COMPREPLY < <(compgen -W "$(ringwall list 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$current") ;;
    ask) mapfile -t COMPREPLY < <(compgen -W 'list answer allow block' -- "$current") ;;
    show) mapfile -t COMPREPLY < <(compgen -W "$kinds" -- "$current") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current") ;;
    esac
}
complete -F _ringwall ringwall
