/* Face of room `memory`: the arena, all memory that a run can change, in one
 * contiguous mapping, so that a checkpoint is one memcpy and a reset is free.
 *
 * The arena descriptor lives outside the mapping; inside are only blocks.
 * Heaps (one per node, one for the world, one for the scripts) take spans from
 * the arena and give blocks of a size class; dropping a heap gives its spans
 * back at once. Given the same calls, every block has the same offset from the
 * base, in every build that does not instrument memory.
 *
 * Sanitizer builds put redzones round blocks, poison freed ones and keep the
 * poison right across save and restore.
 */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_arena; /* outside the mapping */
struct sim_heap;  /* inside */

/* The first bytes of the mapping belong to the arena's owner: neither reset nor
 * save nor restore touches them, so what they point to may lie outside. */
#define SIM_ARENA_OWNER_BYTES 64u

#define SIM_FILL_NONE 256u /* leave fresh memory as it is */

/* Maps `reserve_bytes` (0: 1 GiB, 256 MiB where pointers are 32 bits) without
 * committing them. `base` 0: anywhere; else the wished address (refused with
 * NULL when taken). `fill` 0..255: every fresh block is filled with it, to
 * show reads of uninitialised memory. NULL when there is no address space. */
struct sim_arena *sim_arena_open(uint64_t reserve_bytes, uintptr_t base, unsigned fill);
void sim_arena_close(struct sim_arena *arena);
/* Forgets every block. Pages stay mapped for the next world. */
void sim_arena_reset(struct sim_arena *arena);
void *sim_arena_base(const struct sim_arena *arena);
/* From the base to the highest byte in use: what a checkpoint copies. */
size_t sim_arena_used_bytes(const struct sim_arena *arena);
size_t sim_arena_peak_bytes(const struct sim_arena *arena);

/* Called when `wanted` more bytes cannot be had, before anybody gets a NULL for
 * them; need not return. NULL: nobody is told. */
void sim_arena_on_full(struct sim_arena *arena, void (*full)(void *arg, size_t wanted), void *arg);
size_t sim_arena_bytes(const struct sim_arena *arena);

/* NULL when the arena is used up. */
struct sim_heap *sim_heap_create(struct sim_arena *arena);
/* Frees every block of the heap, and the heap. */
void sim_heap_drop(struct sim_arena *arena, struct sim_heap *heap);
/* Aligned to 16 bytes, not cleared. NULL when the arena is used up. */
void *sim_heap_alloc(struct sim_arena *arena, struct sim_heap *heap, size_t size);
void sim_heap_free(struct sim_arena *arena, struct sim_heap *heap, void *block, size_t size);
/* Blocks handed out and not freed; the sum of their sizes as asked for. */
uint64_t sim_heap_blocks(const struct sim_heap *heap);
uint64_t sim_heap_bytes(const struct sim_heap *heap);

/* A saved arena. Reuses its buffer when saved again. */
struct sim_checkpoint;
struct sim_checkpoint *sim_checkpoint_create(void);
void sim_checkpoint_destroy(struct sim_checkpoint *checkpoint);
/* false when memory for the copy ran out. Only between events. */
bool sim_checkpoint_save(struct sim_checkpoint *checkpoint, const struct sim_arena *arena);
void sim_checkpoint_restore(const struct sim_checkpoint *checkpoint, struct sim_arena *arena);
size_t sim_checkpoint_bytes(const struct sim_checkpoint *checkpoint);

#endif
