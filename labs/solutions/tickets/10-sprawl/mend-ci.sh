# shellcheck shell=sh
printf "%s\n" ci-3 demo-1 demo-2 report report-2 ci-2 >stop.txt
