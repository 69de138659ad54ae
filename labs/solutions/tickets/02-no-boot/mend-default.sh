# shellcheck shell=sh
# The loader's own address is that.
sed -i '/load-at/d' till.vm
