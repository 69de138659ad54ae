/*
 * recording.h - the run loop's side of a recording. All of it only while vm->recorder is there.
 */
#ifndef HV_CORE_RECORDING_H
#define HV_CORE_RECORDING_H

#include <stdint.h>

#include "tracer/event.h"

struct run_result;
struct vcpu;
struct vm;

/* Which actor had control when it came out: the guest, or the host's kernel in its name. */
uint8_t recording_guest(const struct vcpu *vcpu);
/* The next event, with what all have in common; recorder_commit() ends it. */
struct trace_event *recording_begin(struct vm *vm, struct vcpu *vcpu, enum trace_kind kind,
                                    uint8_t from, uint8_t to);
/* vcpu->exit; the entry after it; the end of the run. */
void recording_exit(struct vm *vm, struct vcpu *vcpu);
void recording_entry(struct vm *vm, struct vcpu *vcpu);
void recording_end(struct vm *vm, const struct run_result *result);

#endif
