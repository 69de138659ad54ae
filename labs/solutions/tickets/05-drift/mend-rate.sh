# shellcheck shell=sh
# The same the other way round: ticks of 4 ms, pieces of 3.5 ms.
sed -i 's/hz=1000/hz=250/' accounts.vm
