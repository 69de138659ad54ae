# shellcheck shell=sh
# h3 and h4 free of winsrv, h3 of oradat; then one monagent more: a copy that nobody owns.
printf "%s\n" ci-3 demo-1 demo-2 report report-2 wiki-copy >stop.txt
