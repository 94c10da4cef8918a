# zsh -f test/complete.zsh SCRIPT LINE : types LINE and a TAB into an interactive zsh and prints what the line is then.
# The shell inside writes the line to a file and ends, so nothing is waited for but its end.
zmodload zsh/zpty || exit 1
out=$(mktemp) || exit 1
trap 'rm -f $out' EXIT
script=$1 OUT=$out
export OUT

inner() {
	exec zsh -f -i
}
zpty inner inner
zpty -w inner "autoload -U compinit; compinit -u -D; source ${(q)script}
done-line() { print -r -- \"\$BUFFER\" >\$OUT; exit }; zle -N done-line; bindkey '^X' done-line; bindkey '^I' complete-word
unsetopt beep"
zpty -w -n inner "$2"$'\t\x18'
while zpty -r inner line; do :; done
zpty -d inner
cat $out
