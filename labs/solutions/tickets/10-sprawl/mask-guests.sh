# says: stopping the others there frees nothing
# shellcheck shell=sh
# One a guest, for all three.
printf "%s\n" report demo-1 demo-2 ci-3 wiki-copy >stop.txt
