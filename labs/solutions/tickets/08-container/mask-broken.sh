# says: The service does not come to its end
# shellcheck shell=sh
# All layers, and the service does not work: as on that Friday.
sed -i "/^without/d; /^i-know/d; s/^pids.*/pids     42/; s/^mem.*/mem      1M/" report.ski
