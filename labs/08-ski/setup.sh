# shellcheck shell=sh
# setup.sh LAB DIR - puts into DIR what attacks and watches a box: the programs outside, attacks and honest,
# and in attacks-source/ what the attacks are made of, to be read. From the source tree, or from where hv is
# installed. Called by `hv lab start`.
set -eu
lab=$1 to=$2
if [ -d "$lab/../../tests/ski" ]; then
    programs=$lab/../../build/guests/tools/ski sources=$lab/../../tests/ski
else
    programs=$lab/../../guests/tools/ski sources=$lab/../../ski
fi
cp "$programs/outside" "$programs/attacks" "$programs/honest" "$to"
mkdir -p "$to/attacks-source"
cp "$sources"/attacks*.[ch] "$sources/plain.c" "$to/attacks-source"
