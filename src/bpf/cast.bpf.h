// Typed casts: an address as a pointer whose members the verifier knows, read by plain loads. From Linux 6.2. In one
// object alone, as the linker of libbpf has it.
#pragma once

#include "kernel.h"
#include "program.bpf.h"

extern void *bpf_rdonly_cast(const void *address, uint32_t type) __ksym __weak;

#define cast_read(type, at, member)                                                                     \
    (bpf_rdonly_cast ? ((type *)bpf_rdonly_cast((at), bpf_core_type_id_kernel(type)))->member           \
                     : BPF_CORE_READ((at), member))
