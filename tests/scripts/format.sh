#!/bin/sh
# format.sh - lays out every C source of ours as .clang-format says: `make format`.
set -eu
clang_format=$(command -v clang-format-14 || command -v clang-format)
git ls-files --cached --others --exclude-standard '*.c' '*.h' | while read -r f; do
    if [ -f "$f" ]; then echo "$f"; fi
done | xargs -r "$clang_format" -i
