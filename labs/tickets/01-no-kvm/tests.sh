# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - ticket 1: what the host is after a reboot, asked of hv doctor, for each user.

reboot() { # the student's host as it comes up again, in $W/host
    rm -rf "$W/host"
    cp -R "$DIR/host" "$W/host" || flunk "there is no host/ in your folder, $DIR"
    run reboot sh "$LAB/reboot.sh" "$W/host"
    [ "$status" = 0 ] || flunk "the host does not start: the log says why"
}
doctor() { # USER ok|NO WHY
    run "doctor.$1" "$HV" doctor --root "$W/host" --as "$1"
    grep ' /dev/kvm ' "$W/doctor.$1.out" >"$W/$1"
    expect "$W/$1" "$3" "$2   /dev/kvm"
}
works() { # for Alice?
    run works "$HV" doctor --root "$W/host" --as alice
    grep -q '^ok   /dev/kvm' "$W/works.out"
}
members() { awk -F: -v g="$1" '$1 == g { print $4 }' "$2/etc/group"; }

part "A. It works, for those two"

t_module() {
    reboot
    run module "$HV" doctor --root "$W/host" --as alice
    grep ' module ' "$W/module.out" >"$W/module"
    expect "$W/module" "After a reboot the module for this processor is not loaded. What was loaded by hand is gone then; look for the setting that keeps it from being loaded, in etc/modprobe.d." \
        "ok   module      kvm_intel is loaded"
}
check module 20 "after a reboot the module is there"

t_operators() {
    reboot
    grep -q ' kvm$' "$W/host/dev/ls-l" || flunk "there is no /dev/kvm yet: it comes with the module"
    for user in alice bob; do
        doctor $user ok "$user still cannot open /dev/kvm after a reboot. Which group owns the node then, does it exist, and is $user in it?"
    done
}
check operators 30 "after a reboot Alice and Bob may open /dev/kvm"

part "B. And nothing more"

t_others() {
    reboot
    grep -q ' kvm$' "$W/host/dev/ls-l" || flunk "there is no /dev/kvm yet, so nobody can be kept from it"
    for user in kiosk carol www-data; do
        doctor $user NO "$user can open /dev/kvm as well: who opens it controls machines of the host's. A mode for all (0666), or a group that $user is in, hides the question of who may."
    done
}
check others 20 "the others may not"

t_rights() {
    reboot
    works || flunk "Alice cannot open /dev/kvm yet: what she has got besides is seen then"
    same "the accounts" "$(cut -d: -f1,3,4 "$LAB/host/etc/passwd")" "$(cut -d: -f1,3,4 "$DIR/host/etc/passwd")" \
        "etc/passwd has other numbers now. Who is user 0 or in another first group may do more than open /dev/kvm."
    for group in root disk www-data; do
        same "members of $group" "[$(members $group "$LAB/host")]" "[$(members $group "$DIR/host")]" \
            "Group $group opens more than /dev/kvm: put operators into a group that is for this device."
    done
    for line in cramfs firewire-core usb-storage; do
        grep -qx "[[:blank:]]*blacklist $line" "$DIR"/host/etc/modprobe.d/*.conf ||
            flunk "the hardening of $line is gone too: take out what stands in the way, and no more"
    done
    grep -q "^install dccp" "$DIR"/host/etc/modprobe.d/*.conf || flunk "the hardening of dccp is gone too"
}
check rights 20 "nobody got other rights, the hardening stayed"

t_vendor() {
    reboot
    works || flunk "Alice cannot open /dev/kvm yet"
    for file in usr/lib/udev/rules.d/50-udev-default.rules proc/cpuinfo; do
        cmp -s "$LAB/host/$file" "$DIR/host/$file" || flunk "$file is not as it was: the next update, or start, puts it back, and your mend is gone"
    done
}
check vendor 10 "the distribution's files are as they were"
