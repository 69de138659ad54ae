# shellcheck shell=sh
# A cache of what helps, and no more: 20 + 4, 8 + 1.5, 6 + 1, and 2 for each kernel.
sed -i 's/^append.*/& cache=4M/' db.vm
sed -i 's/^append.*/& cache=1536K/' web.vm
sed -i 's/^append.*/& cache=1M/' mail.vm
