# says: From in there the host can be filled with processes
# shellcheck shell=sh
# What was complained of first, and nothing else.
sed -i "/^without  net/d; /^without  seccomp/d" report.ski
