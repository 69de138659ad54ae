# says: Right at one load, wrong at another
# shellcheck shell=sh
sed -i 's/^append.*/& slew=250/' accounts.vm
