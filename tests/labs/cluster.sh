#!/bin/bash
# cluster.sh HV LABS - a class graded on several machines, by the very lines of docs/TEACHING.md: over ssh with a
# real sshd, and as a job array of a real Slurm (munged, slurmctld, slurmd). The machines are this one, under
# three names for ssh and as two nodes of Slurm. Both must give what one `hv lab grade-all` gives.
# Called by `make check-cluster`; ends with "cluster: N passed, N failed". As another user than root it
# only says that it cannot: grading in a box needs root.
set -u
hv=$(realpath "$1") labs=$(realpath "$2") teaching=$(realpath "$(dirname "$0")/../../docs/TEACHING.md")
[ "$(id -u)" = 0 ] || { echo "cluster: 0 passed, 0 failed, all skipped: the boxes need root" && exit 0; }
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
export HV_LABS=$labs PATH=${hv%/*}:/usr/sbin:/sbin:$PATH
chmod 755 "$work" # munged and sshd trust a folder of root's that nobody else may write
srv=$work/srv
mkdir "$srv"
shown="$work/said $work/sshd.log $work/ctld.log $work/node1.log"

stop() {
    for file in "$work"/*.pid; do
        [ -f "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null
        wait_until sh -c "! kill -0 $pid || grep -q ' Z ' /proc/$pid/stat" 2>/dev/null || kill -9 "$pid"
    done
    rm -rf "$work"
}
trap stop EXIT

# The lines of the document from the one that is FIRST to the one that is LAST, for our folder.
lines() { # FIRST LAST
    sed -n "/^    $1\$/,/^    $2\$/s/^    //p" "$teaching" | sed "s|/srv|$srv|g"
}
# Names and scores, sorted: what all ways must agree on.
scores() { jq -S -c 'map({name, score, total, state}) | sort_by(.name) | .[]' "$1" >"$2"; }
same() { # WHAT FILE: the array of submissions, as one run of grade-all has it?
    check "$1: an array of scores" scores "$2" "$work/scores"
    check "$1: the scores of one machine" diff "$work/alone" "$work/scores"
}

mkdir "$srv/class"
for i in 1 2 3 4; do "$hv" lab start 3 "$srv/class/starter $i" >/dev/null; done
for i in 1 2; do
    "$hv" lab start 3 "$srv/class/reference $i" >/dev/null
    cp "$labs"/solutions/03-dispatcher/* "$srv/class/reference $i"
done
"$hv" lab grade-all 3 "$srv/class" --json "$work/alone.json" >"$work/said" 2>&1
is_zero "on one machine" $?
scores "$work/alone.json" "$work/alone"
check "on one machine: two of six have all points" [ "$(jq -r 'select(.score == .total) | .name' "$work/alone" | wc -l)" = 2 ]

# --- GNU parallel ---
(cd "$srv" && eval "$(lines 'mkdir -p out' 'jq -s .map.*')") >"$work/parallel" 2>"$work/said"
is_zero "GNU parallel" $?
jq -c '{score, total}' "$work/alone" | sort >"$work/alone.numbers"
jq -c '.[] | {score, total}' "$work/parallel" | sort >"$work/parallel.numbers"
check "GNU parallel: the scores of one machine" diff "$work/alone.numbers" "$work/parallel.numbers"

# --- ssh: three names for this machine ---
ssh-keygen -q -t ed25519 -N '' -f "$work/host_key" && ssh-keygen -q -t ed25519 -N '' -f "$work/key"
cp "$work/key.pub" "$work/authorized"
cat >"$work/sshd_config" <<END
ListenAddress 127.0.0.1
Port 16822
HostKey $work/host_key
PidFile $work/sshd.pid
AuthorizedKeysFile $work/authorized
PermitRootLogin prohibit-password
StrictModes no
SetEnv HV_LABS=$labs PATH=$PATH
END
cat >"$work/ssh_config" <<END
Host lab*
    HostName 127.0.0.1
    Port 16822
    IdentityFile $work/key
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
END
mkdir -p /run/sshd
/usr/sbin/sshd -f "$work/sshd_config" -E "$work/sshd.log"
is_zero "sshd starts" $?
wait_until [ -s "$work/sshd.pid" ] # it goes into the background first, listens then, and writes this last
ssh() { command ssh -F "$work/ssh_config" "$@"; }
(eval "$(lines 'N=3; k=0' 'jq -s add .*')") >"$work/ssh" 2>"$work/said"
sed -n '/^\[$/,$p' "$work/ssh" >"$work/ssh.json" # before it are the three tables
same "ssh" "$work/ssh.json"
check "ssh: three machines, three parts" [ -s "$srv/scores.1.json" -a -s "$srv/scores.2.json" -a -s "$srv/scores.3.json" ]
rm -f "$srv"/scores.*

# --- Slurm: a controller and two nodes ---
cat >"$work/slurm.conf" <<END
ClusterName=hv
SlurmctldHost=localhost
SlurmUser=root
AuthInfo=socket=$work/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SlurmctldPort=16817
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/%n.pid
SlurmctldLogFile=$work/ctld.log
SlurmdLogFile=$work/%n.log
SlurmdSpoolDir=$work/spool-%n
StateSaveLocation=$work/state
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=node[1-2] NodeHostname=localhost Port=[16818-16819] CPUs=4 RealMemory=8000
PartitionName=class Nodes=ALL Default=YES State=UP
END
export SLURM_CONF=$work/slurm.conf
mkdir "$work/state"
(umask 077 && head -c 128 /dev/urandom >"$work/munge.key")
munged --force --key-file="$work/munge.key" --socket="$work/munge" --pid-file="$work/munged.pid" \
    --log-file="$work/munged.log" --seed-file="$work/munge.seed"
slurmctld && slurmd -N node1 && slurmd -N node2
is_zero "slurmctld and slurmd start" $?
two_idle() { [ "$(sinfo -h -N -t idle | wc -l)" = 2 ]; }
check "two nodes are idle" wait_until two_idle
(cd "$srv" && eval "$(lines 'cat >grade.sbatch.*' 'sbatch --wait .*')") >"$work/slurm.json" 2>"$work/said"
sed -i '/^Submitted/d' "$work/slurm.json"
same "Slurm" "$work/slurm.json"
check "Slurm: both nodes had a part" [ "$(grep -lE 'launch|Launching batch job' "$work"/node?.log | wc -l)" = 2 ]

verdicts cluster
