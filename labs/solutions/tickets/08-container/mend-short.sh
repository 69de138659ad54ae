# shellcheck shell=sh
printf "strategy ski\npids 100\nmem 32M\n" >report.ski
