#!/bin/sh
# Write a few inputs for each fuzzer into DIR/plain and DIR/record, so that it does not begin with nothing.
# usage: make-seeds.sh DIR
set -eu
dir=${1:?usage: make-seeds.sh DIR}
mkdir -p "$dir/answers" "$dir/cast" "$dir/plain" "$dir/record" "$dir/image-oci"

seed() { printf "$2" > "$dir/$1"; }

seed answers/csi     '\377a\033[?1;2c\033[3;4R\033[1;5Rb\033[4;2$y'
seed answers/strings '\377\033P1$r0m\033\\\\x\033]11;rgb:0/0/0\007\033[200~\033[0n\033[201~'
seed cast/two        '{"version": 2, "width": 80, "height": 24, "timestamp": 1}\n[0.5, "o", "a\\u0000"]\n[1, "r", "90x30"]\n'
seed cast/three      '{"version": 3, "term": {"cols": 80, "rows": 24}, "idle_time_limit": 2}\n# x\n[0.5, "o", "a"]\n[1, "x", "0"]\n'
seed plain/text      'one\r\ntwo \303\244\342\202\254\n'
seed plain/colours   '\033[1;31mred\033[0m \033[38;2;1;2;3mx\033[?2004h\n'
seed plain/strings   '\033]0;title\007\033P1$r0m\033\\\033_app\033\\\302\2330m\302\2350;t\302\234\n'
seed plain/progress  ' 10%%\r 20%%\r\033[Kdone\b\b \033[3D\033[2P\033[4@\033[7G\033[2C\t\n'

zeros() { head -c "$1" /dev/zero; }
entry() { printf "\\$1\\$2\\0\\0\\0\\0\\0\\0\\$3\\0\\0\\0\\0\\0\\0\\0\\$4\\0\\0\\0\\0\\0\\0\\0\\$5\\0\\0\\0\\0\\0\\0\\0"; }

# Flags, three lengths, index, older index, older log, log. Checksums are made right where the flags say so.
{ printf '\031\200\0\0\0\0\0'; zeros 64; entry 0 0 1 0 1; entry 144 0 40 4 2; printf 'some output'; } > "$dir/record/gap"
{ printf '\037\140\0\140\0\4\0'; zeros 16; printf '\10'; zeros 47; entry 10 0 11 0 1
  zeros 64; entry 0 0 1 0 1; printf 'old new log'; } > "$dir/record/two-pairs"
{ printf '\011\100\0\0\0\14\0'; zeros 64; printf 'half rotated'; } > "$dir/record/half"
{ printf '\020\0\0\0\0\0\0log without an index'; } > "$dir/record/bare"

mkdir -p "$dir/config" "$dir/key-names"
seed key-names/cursor '\033[?1h\033[>31u\000ctrl-shift-up\000a\033[201~b\302\233c'
seed key-names/paste  '\033[?2004h\033=\000alt-kp-enter\000one\r\ntwo\t\033[201~'
seed config/tree     '\000{"a": [1, 2.5, "\\u00e4", true, null], "b": {}}'
seed config/config   '\001{"gc": {"keep": 1, "max_disk": "2g"}, "stop": {"timeout": 1.5}, "environment": "staging"}'
seed config/template '\002{"command": "sh -c \047${A:-b}\047", "volumes": ["${A}:/x:ro"], "limits": {"memory": "1g"}, "health": {"command": ["x"]}}'
seed config/texts    '\003${A:-${B:?no}} "a b" $${c} \\d'
digest=sha256:1111111111111111111111111111111111111111111111111111111111111111
seed image-oci/manifest "{\"schemaVersion\":2,\"config\":{\"digest\":\"$digest\",\"size\":1},\"layers\":[{\"digest\":\"$digest\",\"size\":1}]}"
seed image-oci/index "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"$digest\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}"
seed image-oci/config "{\"rootfs\":{\"diff_ids\":[\"$digest\"]},\"config\":{\"Env\":[\"A=b\"],\"Cmd\":[\"sh\"]},\"history\":[{\"empty_layer\":true}]}"
