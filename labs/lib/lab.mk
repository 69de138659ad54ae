# lab.mk - what the Makefiles of several labs share: a guest, and a plug-in, are built, graded, removed.
#
# A Makefile sets HV, LAB (the number), GUEST and, if there is one, PLUGIN; it may set OPTIMIZE (of the
# plug-in), GUEST_FLAGS (the guest's) and MORE (what `make clean` removes as well). It includes this file
# and says below which files the two are made of. `hv lab start` copies it beside that Makefile ("also:"
# of lab.txt).
FLAGS := $(or $(shell $(HV) lab flags),$(error no hv in PATH: see "Building" in the README.md of the project))

all: $(PLUGIN) $(GUEST)

ifdef PLUGIN
$(PLUGIN):
	cc -std=gnu11 -g $(OPTIMIZE) -Wall -shared -fPIC $(FLAGS) -o $@ $(filter %.c,$^)
endif

$(GUEST): $(GUEST).c
	cc -g -O1 -ffreestanding -nostdlib -static -no-pie -mno-red-zone -mgeneral-regs-only \
	    -fno-stack-protector $(GUEST_FLAGS) $(FLAGS) -Wl,-Ttext=0x100000,-z,noseparate-code,--build-id=none \
	    -o $@ $(filter %.c,$^)

grade:
	@$(HV) lab grade $(LAB) .

clean:
	rm -f $(PLUGIN) $(GUEST) $(MORE)

.PHONY: all grade clean
