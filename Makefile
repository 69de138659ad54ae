# Makefile - `make help` lists the targets.
#
# MODE=release (the default) or asan. build/MODE/hv is the program, build/MODE/obj/ holds the
# objects, build/guests/ the guests, build/deps/ the marks that say which packages were found.

MODE   ?= release
BUILD  := build/$(MODE)
O      := $(BUILD)/obj
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
# V=1 shows the commands.
Q := $(if $(V),,@)

CFLAGS_release := -O2
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
                  -fno-omit-frame-pointer
LDFLAGS_asan   := -fsanitize=address,undefined

CPPFLAGS += -I. -Ihv -I$(O)/gen -D_GNU_SOURCE
CFLAGS   += -std=gnu11 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            $(CFLAGS_$(MODE))
LDFLAGS  += $(LDFLAGS_$(MODE))
LDLIBS   += -lZydis -ldw -lelf -lreadline

# Sources. Everything but main.c is in libhv.a, which the tests link too.
SRC      := $(filter-out hv/cli/main.c,$(wildcard hv/*/*.c hv/*/*/*.c tracer/*.c))
ASM      := $(wildcard hv/*/*.S hv/*/*/*.S tracer/*/*.S)
OBJ      := $(SRC:%.c=$(O)/%.o) $(ASM:%.S=$(O)/%.o)
UNIT_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard tests/unit/*.c)) \
            $(patsubst %.S,$(O)/%.o,$(wildcard tests/unit/*.S))
DIFF_OBJ := $(patsubst %.c,$(O)/%.o,$(filter-out tests/diff/child.c,$(wildcard tests/diff/*.c)))
KVM_OBJ  := $(patsubst %,$(O)/%.o,$(basename $(wildcard tests/kvm/*.[cS])))
HV       := $(BUILD)/hv
GUESTS   := build/guests

ifeq ($(filter $(MODE),release asan),)
$(error MODE=$(MODE): there are release and asan)
endif

# --- the program ----------------------------------------------------------------------------------

all: $(HV) guests ## build hv and the guests (the default target)
.DEFAULT_GOAL := all

# A strategy that is loaded (--strategy FILE.so) may call what plugin.list names.
$(HV): $(O)/hv/cli/main.o $(BUILD)/libhv.a hv/strategy/plugin.list
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -Wl,--dynamic-list=$(filter %.list,$^) -o $@ $(filter-out %.list,$^) $(LDLIBS)

$(BUILD)/libhv.a: $(OBJ)
	@echo "  AR  $@"
	$(Q)rm -f $@ && ar rcs $@ $(OBJ)

$(O)/%.o: %.c | build/deps/build
	@echo "  CC  $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S | build/deps/build
	@echo "  AS  $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -g -MMD -MP -c -o $@ $<

$(UNIT_OBJ) $(KVM_OBJ): | build/deps/check

# Where the functions are that `explain` names: found anew when one of their files has changed.
WHERE_LIST := hv/debugger/where.list
WHERE_SRC  := $(shell awk '!/^\#/ {print $$2}' $(WHERE_LIST) | sort -u)
$(O)/gen/where.def: hv/debugger/where.awk $(WHERE_LIST) $(WHERE_SRC)
	@mkdir -p $(@D)
	$(Q)awk -f $^ > $@
$(filter $(O)/hv/debugger/%,$(OBJ)) $(UNIT_OBJ): | $(O)/gen/where.def

# The page of `hv trace --html`: data.js first, for the others use it.
PLAYER := tracer/player
PLAYER_PAGE := $(addprefix $(PLAYER)/,player.html player.css data.js state.js filter.js ladder.js card.js player.js)
$(O)/gen/player.head: $(PLAYER)/page.sh $(PLAYER_PAGE)
	@mkdir -p $(@D)
	$(Q)sh $< $(PLAYER)/player.html $@ $(@:.head=.tail) $(wordlist 2,9,$(PLAYER_PAGE))
$(O)/$(PLAYER)/embed.o: $(O)/gen/player.head

guests: $(GUESTS)/guests.txt | build/deps/build ## build the guests into build/guests
	@$(MAKE) -s -C guests BUILD=$(abspath $(GUESTS)) CC='$(CC)'
	@$(MAKE) -s -C labs/tools BUILD=$(abspath $(GUESTS)) CC='$(CC)'

$(GUESTS)/guests.txt: guests/guests.txt
	@mkdir -p $(@D) && cp $< $@

# --- packages: found once, remembered in build/deps/GROUP -----------------------------------------

deps: ## find the packages that are missing for everything, and install them
	@tests/scripts/deps.sh all

build/deps/%: tests/scripts/deps.sh
	@tests/scripts/deps.sh $*
	@mkdir -p $(@D) && touch $@

# --- trying it out --------------------------------------------------------------------------------

demo: $(HV) guests | build/deps/demo ## run minios, print where control went, draw it
	@docs/scripts/demo.sh $(HV) $(GUESTS) build/demo

# --- tests ----------------------------------------------------------------------------------------

# Instructions of which `make check` compares the interpreter with the host's processor.
DIFF_SHARE_release := 4000000
DIFF_SHARE_asan    := 400000

check: check-unit check-cli check-gdb check-plugin check-guest check-diff check-decode check-fuzz ## all tests that need no special machine (MODE=asan: under ASan)

# What the tests are made of: `make -j2 test-programs` uses both processors, the tests themselves one.
test-programs: all $(BUILD)/unit $(BUILD)/pty $(BUILD)/diff_cpu $(BUILD)/diff_child $(BUILD)/diff_decode
	@$(MAKE) -s $(FUZZERS) $(KVM_PROGRAMS) $(SKI_PROGRAMS) $(BUILD)/memtest-run

check-unit: $(BUILD)/unit guests
	$(BUILD)/unit

check-cli: $(HV) $(BUILD)/pty guests | build/deps/check
	@tests/cli/run.sh $(HV) $(GUESTS)
	@tests/cli/debug.sh $(HV) $(GUESTS) $(BUILD)/pty
	@tests/cli/views.sh $(HV) $(GUESTS)
	@tests/cli/export.sh $(HV) $(GUESTS)
	@tests/cli/top.sh $(HV) $(GUESTS) $(BUILD)/pty
	@tests/cli/tutorial.sh $(HV) $(GUESTS)
	@tests/kvm/debug.sh $(HV) $(GUESTS) soft

$(BUILD)/pty: $(O)/tests/cli/pty.o $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lutil

check-gdb: $(HV) guests | build/deps/check
	@tests/cli/gdb.sh $(HV) $(GUESTS)

# From an installed tree, as a user builds one.
check-plugin: all ## strategies in files of their own
	@rm -rf build/plugin
	@$(MAKE) -s install DESTDIR=$(abspath build/plugin) PREFIX=/usr
	@tests/cli/plugin.sh build/plugin/usr '$(CC)'

# As a student has them: from an installed tree.
check-labs: all | build/deps/check ## every lab: the starter fails as its handout says, step by step, and the reference passes; then check-tickets, check-demos (LAB=02-device: that one)
	@rm -rf build/labs-installed
	@$(MAKE) -s install DESTDIR=$(abspath build/labs-installed) PREFIX=/usr
	@tests/labs/cli.sh build/labs-installed/usr/bin/hv labs
	@tests/labs/ski.sh build/labs-installed/usr/bin/hv labs
	@tests/labs/check.sh build/labs-installed/usr/bin/hv labs $(LAB)
	@tests/labs/wrong.sh build/labs-installed/usr/bin/hv labs $(LAB)
	@$(if $(LAB),,$(MAKE) -s check-tickets check-demos)

check-guest: $(HV) guests
	@tests/guest/run.sh $(HV) $(GUESTS)
	@tests/guest/apps_host.sh $(GUESTS)
	@tests/guest/privileged.sh $(GUESTS)/minios
	@tests/guest/privileged.sh $(GUESTS)/minios-pv none

KVM_PROGRAMS := $(HV) $(BUILD)/kvm-tests $(BUILD)/bench-exits
check-kvm: $(KVM_PROGRAMS) guests | build/deps/kvm ## what needs KVM, on a real one: in QEMU with an emulated SVM
	@tests/kvm/check.sh $(GUESTS) build/kvm $(KVM_PROGRAMS)

check-browser: $(HV) guests | build/deps/browser ## the player's page in headless Chromium: keys, search, links, looks
	@tests/browser/run.sh $(HV) $(GUESTS) build/browser

SKI_PROGRAMS := $(BUILD)/ski-attacks $(BUILD)/ski-host
check-ski: $(HV) guests $(SKI_PROGRAMS) $(BUILD)/plain.so | build/deps/ski ## strategy ski under attack, as root and as a user; 200 starts and kills
	@tests/ski/run.sh $(HV) $(SKI_PROGRAMS)
	@tests/ski/cli.sh $(HV) $(GUESTS)
	@tests/ski/traced.sh $(HV) $(GUESTS) $(BUILD)/plain.so

# Without the sanitizers: a guest of 64 MiB has no room for their shadow.
$(BUILD)/ski-attacks: $(wildcard tests/ski/attacks*.c) tests/ski/attacks.h
	@echo "  CC  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out $(CFLAGS_asan),$(CFLAGS)) -O1 -static -o $@ $(filter %.c,$^)

$(BUILD)/plain.so: tests/ski/plain.c
	@echo "  CC  $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -shared -fPIC -o $@ $<

$(BUILD)/ski-host: $(patsubst %,$(O)/tests/ski/%.o,host host_left bait) $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

check-memtest: $(HV) $(BUILD)/memtest-run ## Debian's memtest86+, 64 and 32 bits, on soft: five tests without errors
	@tests/memtest/check.sh $(HV) $(BUILD)/memtest-run build/memtest

$(BUILD)/memtest-run: $(patsubst %.c,$(O)/%.o,$(wildcard tests/memtest/*.c))
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# The code of the C library and of the compiler, and random bytes, by two decoders.
check-decode: $(BUILD)/diff_decode
	$(BUILD)/diff_decode --random 300000 libc $(shell $(CC) -print-prog-name=cc1)

$(BUILD)/diff_decode: $(patsubst %.c,$(O)/%.o,$(wildcard tests/decode/*.c)) $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

check-tickets: all ## every ticket: found broken as handed out, each right mend accepted, each mask rejected
	@tests/labs/vdisk.sh $(GUESTS)
	@tests/labs/tickets.sh $(HV) labs/solutions/tickets $(TICKET)

check-demos: all $(BUILD)/pty | build/deps/check build/deps/ski ## every demo plays to its end, its claims hold, its page is well-formed
	@tests/labs/demos.sh $(HV) labs/demos $(BUILD)/pty $(DEMO)
	@tests/labs/teaching.sh $(HV) labs

check-class: all | build/deps/check build/deps/ski ## hv lab grade-all on good, bad and hostile submissions: scores right, nobody harmed (ROUNDS=10: 210 of them)
	@tests/labs/class.sh $(HV) labs $(ROUNDS)
	@tests/labs/forge.sh $(HV) labs

check-cluster: all | build/deps/cluster build/deps/ski ## a class graded over ssh, by Slurm and by GNU parallel: the lines of docs/TEACHING.md
	@tests/labs/cluster.sh $(HV) labs

check-diff: $(BUILD)/diff_cpu $(BUILD)/diff_child
	$(BUILD)/diff_cpu --instructions $(DIFF_SHARE_$(MODE))

# The programs of tests/fuzz.
FUZZERS := $(BUILD)/fuzz_guests $(BUILD)/fuzz_hypercalls $(BUILD)/fuzz_apps \
           $(BUILD)/fuzz_gdb $(BUILD)/fuzz_expressions $(BUILD)/fuzz_commands
check-fuzz: $(FUZZERS) guests
	$(BUILD)/fuzz_commands 0 50
	$(BUILD)/fuzz_expressions 0 20000
	$(BUILD)/fuzz_guests 0 500
	$(BUILD)/fuzz_guests 0 200 trap
	$(BUILD)/fuzz_guests 0 200 paravirt
	$(BUILD)/fuzz_hypercalls 0 100
	$(BUILD)/fuzz_apps 0 200 trap
	$(BUILD)/fuzz_apps 0 200 paravirt
	$(BUILD)/fuzz_gdb 0 20000 $(GUESTS)/hello64

# More of all than `make check` does, from a seed of your own: make fuzz SEED=1000000.
SEED ?= 0
fuzz: $(FUZZERS) guests $(BUILD)/diff_cpu $(BUILD)/diff_child $(BUILD)/diff_decode build/decode/vmlinux ## 10,000 random guests, as many programs, 20 million random instructions, a kernel's code by two decoders
	$(BUILD)/fuzz_expressions $(SEED) 1000000
	$(BUILD)/fuzz_commands $(SEED) 10000
	$(BUILD)/fuzz_guests $(SEED) 10000
	$(BUILD)/fuzz_guests $(SEED) 10000 trap
	$(BUILD)/fuzz_guests $(SEED) 10000 paravirt
	$(BUILD)/fuzz_hypercalls $(SEED) 2000
	$(BUILD)/fuzz_apps $(SEED) 10000
	$(BUILD)/fuzz_apps $(SEED) 10000 trap
	$(BUILD)/fuzz_apps $(SEED) 10000 paravirt
	$(BUILD)/fuzz_gdb $(SEED) 1000000 $(GUESTS)/hello64
	$(BUILD)/diff_decode --seed $(SEED) --random 3000000 build/decode/vmlinux
	$(BUILD)/diff_cpu --seed $(SEED) --instructions 40000000

# Debian's kernel, unpacked; downloaded where none is installed, as for check-kvm.
build/decode/vmlinux: | build/deps/fuzz
	@sh tests/kvm/kernel.sh build/kvm/kernel
	@tests/decode/vmlinux.sh build/kvm/kernel/vmlinuz $@

$(BUILD)/fuzz_hypercalls: $(O)/tests/fuzz/hypercalls.o $(O)/tests/unit/paravirt_machine.o \
                          $(O)/tests/unit/paravirt_model.o $(BUILD)/libhv.a
$(BUILD)/fuzz_guests: $(patsubst %,$(O)/tests/fuzz/%.o,guests guest_file kernels code code_kernel) $(BUILD)/libhv.a
$(BUILD)/fuzz_apps: $(O)/tests/fuzz/apps.o $(O)/tests/fuzz/code.o $(O)/tests/unit/kernel_sums.o \
                    $(BUILD)/libhv.a
$(BUILD)/fuzz_gdb: $(O)/tests/fuzz/gdb.o $(BUILD)/libhv.a
$(BUILD)/fuzz_commands: $(patsubst %,$(O)/tests/fuzz/%.o,commands guest_file kernels code code_kernel) \
                        $(BUILD)/libhv.a
$(BUILD)/fuzz_expressions: $(O)/tests/fuzz/expressions.o $(O)/tests/unit/debug_machine.o $(BUILD)/libhv.a
$(FUZZERS):
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Without the sanitizers: they would map memory that a test case could hit.
$(BUILD)/diff_child: tests/diff/child.c tests/diff/util.c tests/diff/entry.S tests/diff/diff.h \
                       tests/random.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out $(CFLAGS_asan),$(CFLAGS)) -O2 -o $@ $(filter-out %.h,$^)

$(BUILD)/diff_cpu: $(DIFF_OBJ) $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/unit: $(UNIT_OBJ) $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

$(BUILD)/kvm-tests: $(KVM_OBJ) $(O)/tests/unit/runner.o $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit -lpthread

# --- measuring ------------------------------------------------------------------------------------

BENCHES := $(BUILD)/bench-loop $(BUILD)/bench-events $(BUILD)/bench-views $(BUILD)/bench-exits
bench: $(HV) guests $(BENCHES) build/bench/guest.img | build/deps/bench ## soft next to Bochs and QEMU; what an event, a view and an exit cost; steps next to gdb
	@tests/bench/run.sh $(HV) $(BUILD) build/bench $(GUESTS)

$(BUILD)/bench-loop: $(O)/tests/bench/emulator.o $(O)/tests/bench/measure.o
$(BUILD)/bench-events $(BUILD)/bench-views: $(O)/tests/bench/measure.o
$(BENCHES): $(BUILD)/bench-%: $(O)/tests/bench/%.o $(BUILD)/libhv.a
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

build/bench/guest.img: $(O)/tests/bench/guest.o
	@echo "  LD  $@"
	@mkdir -p $(@D)
	$(Q)$(LD) -Ttext 0x7c00 --oformat binary -o $@ $<

# --- style and documents --------------------------------------------------------------------------

lint: $(HV) | build/deps/lint ## check style, includes, sizes, words and generated documents
	@tests/scripts/lint.sh $(HV) $(O)

check-lint: $(HV) | build/deps/lint ## break every rule of lint once and see it object
	@tests/scripts/lint-selftest.sh

format: | build/deps/lint ## lay out the C sources as .clang-format says
	@tests/scripts/format.sh

docs: $(HV) ## write docs/gen and docs/man from the program's own tables
	@$(HV) help --gen docs

docs-ski: $(HV) $(SKI_PROGRAMS) | build/deps/ski ## write the tables of docs/SKI.md anew (as root)
	@tests/ski/docs.sh $(HV) $(SKI_PROGRAMS) docs/SKI.md

docs-pictures: $(HV) guests | build/deps/demo ## draw the pictures in docs/pictures again
	@docs/scripts/pictures.sh $(HV) $(GUESTS) build/pictures docs/pictures

labs-html: $(HV) guests | build/deps/labs ## draw the labs' pictures, render their handouts into build/labs-html
	@labs/lib/html.sh $(HV) labs build/labs-html

docs-tutorial: $(HV) guests | build/deps/check ## play the sessions of docs/tutorial, write them into docs/DEBUGGER.md
	@tests/cli/tutorial.sh $(HV) $(GUESTS) --write

docs-teaching: $(HV) ## write the lists of labs, demos and tickets into docs/TEACHING.md
	@tests/labs/teaching.sh $(HV) labs --write

# --- installation ---------------------------------------------------------------------------------

BIN     = $(DESTDIR)$(PREFIX)/bin
SHARE   = $(DESTDIR)$(PREFIX)/share/hv
MAN     = $(DESTDIR)$(PREFIX)/share/man/man1
INCLUDE = $(DESTDIR)$(PREFIX)/include/hv
LIB     = $(DESTDIR)$(PREFIX)/lib

# What a strategy built elsewhere includes (docs/PLUGINS.md): strategy.h and what it stands on.
PLUGIN_HEADERS := base/error.h isa/x86/cpu.h isa/x86/insn.h isa/x86/regs.h core/bus.h \
                  core/console.h core/exit.h core/line.h core/process.h core/ram.h core/state.h core/vm.h device/device.h \
                  engine/engine.h engine/monitor.h strategy/deprivilege.h strategy/strategy.h

install: all ## install hv, guests, manual page, the tracer as a library, headers of plug-ins (PREFIX=, DESTDIR=)
	install -d $(BIN) $(LIB) $(SHARE)/guests $(MAN) $(INCLUDE)/tracer $(INCLUDE)/guests/include
	for h in $(PLUGIN_HEADERS); do install -D -m 644 hv/$$h $(INCLUDE)/$$h || exit 1; done
	install -m 644 docs/strategy-template.c $(SHARE)
	install $(HV) $(BIN)/hv
	install -m 644 $(BUILD)/libhv.a $(LIB)
	rm -rf $(SHARE)/labs && cp -R labs $(SHARE)/labs && cd $(SHARE)/labs && rm -rf */grade */*.hvt 07-*/kernel solutions
	for lab in $(SHARE)/labs/[0-9]*; do $(MAKE) -s -C $$lab clean HV=$(abspath $(HV)) || exit 1; done
	install -m 644 $(filter-out %.elf %/apps %/tickets %/tools,$(wildcard $(GUESTS)/*)) $(SHARE)/guests
	install -d $(SHARE)/guests/apps
	install $(wildcard $(GUESTS)/apps/*) $(SHARE)/guests/apps
	cp -R $(GUESTS)/tickets $(GUESTS)/tools $(SHARE)/guests
	install -d $(SHARE)/ski
	install -m 644 tests/ski/plain.c $(wildcard tests/ski/attacks*.[ch]) $(SHARE)/ski
	install -d $(SHARE)/minios
	install -m 644 $(wildcard guests/minios/*.[chS]) guests/minios/minios.ld $(wildcard guests/include/*.h) $(SHARE)/minios
	install -m 644 docs/man/hv.1 $(MAN)
	install -m 644 tracer/*.h tracer/events.def $(INCLUDE)/tracer
	install -m 644 guests/include/abi.h guests/include/hypercall.h $(INCLUDE)/guests/include

uninstall: ## remove what `make install` put there (the same PREFIX and DESTDIR)
	rm -rf $(BIN)/hv $(LIB)/libhv.a $(SHARE) $(MAN)/hv.1 $(INCLUDE)

clean: ## remove everything that was built
	rm -rf build

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: all test-programs guests deps demo bench check check-unit check-cli check-gdb \
        check-plugin check-guest check-labs check-tickets check-demos check-class check-cluster check-diff \
        check-decode check-fuzz fuzz check-kvm check-browser check-memtest lint check-lint format \
        docs docs-pictures docs-tutorial docs-teaching labs-html install uninstall clean help
.DELETE_ON_ERROR:

-include $(shell find $(O) -name '*.d' 2>/dev/null)
