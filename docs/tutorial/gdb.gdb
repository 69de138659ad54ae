#! run --engine soft --console null crash64
# gdb knows the guest's functions and lines, and stops at them.
break clear_counters
continue
next 3
info registers rcx rip cr3
# Registers that gdb has no idea of have their names, too, and so have the page tables. Then to the end
# of the machine, and back to who destroyed the gate.
watch *(unsigned long *)&idt
continue
continue
reverse-continue
print $rcx
# What gdb does not have is behind `monitor`: the commands of hv debug.
monitor stepexit
maintenance flush register-cache
monitor explain
detach
