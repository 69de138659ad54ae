#!/bin/sh
# page.sh PLAYER.HTML OUT.HEAD OUT.TAIL STYLE.CSS SCRIPT.JS... - puts the player's page together.
#
# In player.html, the line @STYLE@ becomes the style sheet, @SCRIPT@ the scripts one after the
# other, and at @DATA@ the page is cut in two: player.c writes the recording there. The hashes are
# for the Content-Security-Policy (CSP level 2, 7.15 and 7.18): the browser runs these scripts and
# no others, whatever a recording contains. Called by the Makefile.
set -eu
html=$1 head=$2 tail=$3 style=$4
shift 4

hash() { # of standard input
    printf 'sha256-%s' "$(sha256sum | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64)"
}

style_hash=$(hash <"$style")
script_hash=$(cat "$@" | hash)
out=$head
: >"$head"
: >"$tail"
while IFS= read -r line; do
    case $line in
    *@POLICY@*)
        printf '%s\n' "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
script-src '$script_hash'; style-src '$style_hash'; base-uri 'none'; form-action 'none'\">" ;;
    @STYLE@) printf '<style>' && cat "$style" && printf '</style>\n' ;;
    @SCRIPT@) printf '<script>' && cat "$@" && printf '</script>\n' ;;
    @DATA@)
        out=$tail
        continue ;;
    *) printf '%s\n' "$line" ;;
    esac >>"$out"
done <"$html"
