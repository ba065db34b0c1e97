/**
 * The guard as a program for any POSIX shell: it knows the process groups of a Node process and kills them when that
 * process is gone.
 *
 * When to reach for it: only through `Guard`.
 * What it is not: more than builtins of the shell. It starts nothing, so it works where nothing can be started.
 *
 * It reads lines: `add 12` lists group 12, `left 12` says that the group's first process has ended and others of it
 * live on, `del 12` takes it off the list. The end of its input means that whoever held the other end is gone. Then no
 * group may be left that has a number on the list. One exception: a group that its first process left is not killed
 * when there is a process of its number again, which the system gives only after the group has ended.
 *
 * Signals of a terminal, and those of people who end "everything", are ignored: it ends with its input.
 */
export const guardScript = `
trap '' HUP INT QUIT TERM TSTP TTIN TTOU PIPE ALRM USR1 USR2
led=' '
left=' '
while read -r word id; do
  case $led in *" $id "*) led="\${led%% "$id" *} \${led#* "$id" }" ;; esac
  case $left in *" $id "*) left="\${left%% "$id" *} \${left#* "$id" }" ;; esac
  case $word in
  add) led="$led$id " ;;
  left) left="$left$id " ;;
  esac
done
for id in $led; do kill -s KILL -- "-$id"; done
for id in $left; do kill -s 0 -- "$id" || kill -s KILL -- "-$id"; done
exit 0
`
