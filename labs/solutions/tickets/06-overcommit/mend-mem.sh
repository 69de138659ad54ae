# shellcheck shell=sh
# Promises that can be kept: the caches then end by themselves.
sed -i 's/32M/26M/' db.vm
sed -i 's/32M/12M/' web.vm
sed -i 's/32M/10M/' mail.vm
