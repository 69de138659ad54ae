# shellcheck shell=sh
# Forty workers and what is around them; all layers.
sed -i "/^without/d; /^i-know/d; s/^pids.*/pids     48/" report.ski
