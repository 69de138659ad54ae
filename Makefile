# Makefile - `make help` lists the targets.
#
#   MODE=release (default) or asan; objects go to build/MODE/obj/, guests to build/guests/.

MODE   ?= release
BUILD  := build/$(MODE)
O      := $(BUILD)/obj
CC     ?= gcc
PREFIX ?= /usr/local

CFLAGS_release := -O2
CFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
                  -fno-omit-frame-pointer
LDFLAGS_asan   := -fsanitize=address,undefined

CPPFLAGS += -I. -Ihv -D_GNU_SOURCE
CFLAGS   += -std=gnu11 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            $(CFLAGS_$(MODE))
LDFLAGS  += $(LDFLAGS_$(MODE))
LDLIBS   += -lZydis -ldw -lelf

SRC      := $(filter-out hv/cli/main.c,$(wildcard hv/*/*.c hv/*/*/*.c tracer/*.c))
ASM      := $(wildcard hv/*/*.S hv/*/*/*.S)
OBJ      := $(SRC:%.c=$(O)/%.o) $(ASM:%.S=$(O)/%.o)
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_OBJ := $(UNIT_SRC:%.c=$(O)/%.o)

.PHONY: all check clean guests
all: $(BUILD)/hv

$(BUILD)/hv: $(O)/hv/cli/main.o $(BUILD)/libhv.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libhv.a: $(OBJ)
	rm -f $@
	ar rcs $@ $(OBJ)

$(BUILD)/unit: $(UNIT_OBJ) $(BUILD)/libhv.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -g -MMD -MP -c -o $@ $<

guests:
	@$(MAKE) -s -C guests BUILD=$(abspath build/guests) CC='$(CC)'

check: $(BUILD)/unit
	$(BUILD)/unit

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
