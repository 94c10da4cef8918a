# bash test/complete.bash SCRIPT WORD... : what bash offers for the last WORD, one a line, as the script tells it.
# readline breaks words at "=" and ":" too; give such a piece as a WORD of its own.
source "$1" || exit
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $*" >>"${COMPOPT_LOG:-/dev/null}"; }
_pterm
if ((${#COMPREPLY[@]} > 0)); then printf '%s\n' "${COMPREPLY[@]}"; fi
