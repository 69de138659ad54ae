# says: is production: it has to run on
# shellcheck shell=sh
printf "%s\n" ci-3 demo-1 demo-2 report report-2 files >stop.txt
