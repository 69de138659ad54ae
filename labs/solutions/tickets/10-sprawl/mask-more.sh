# says: need not be stopped
# shellcheck shell=sh
printf "%s\n" ci-2 ci-3 demo-1 demo-2 report report-2 wiki-copy >stop.txt
