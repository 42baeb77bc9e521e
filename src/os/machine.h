/* What this machine has: processors, memory, graphics processors, identity. */
#ifndef OS_MACHINE_H
#define OS_MACHINE_H

#include "base/buf.h"

unsigned mlb_machine_cpus(void);      /* by affinity and cgroup quota; at least 1 */
uint64_t mlb_machine_memory(void);    /* bytes; the cgroup limit if lower */
unsigned mlb_machine_gpus(void);      /* CUDA_VISIBLE_DEVICES if set, else /dev/nvidia[0-9]* */
void mlb_machine_boot_id(struct mlb_buf *out);   /* /proc/sys/kernel/random/boot_id; replaces */
void mlb_machine_platform(struct mlb_buf *out);  /* "linux-x86_64-glibc2.36"; replaces */
int mlb_machine_random(void *out, size_t len, struct mlb_err *err);

#endif
