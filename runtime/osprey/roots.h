#pragma once
/* Roots for the host's garbage collector.
 *
 * A tracing collector scans the main thread's stack and the program's data, but neither malloc's memory nor the stacks
 * of the loop threads. Every Osprey value that the runtime keeps, or uses while a handler runs, is therefore stored in
 * a root slot: a word of a block from the host's hooks, reachable from static data. Slots do not count references.
 *
 * A slot is lent: acquire one, store to it, release it. Any thread; a slot has one user at a time.
 */

/* Lends a slot that holds NULL. Returns NULL if out of memory. */
void **ws_roots_acquire(void);

/* Clears the slot and ends the loan. Does not release the value. NULL does nothing. */
void ws_roots_release(void **slot);

/* Lends a slot that holds `value`, and adds a reference to it. Returns NULL, with nothing retained, if out of
 * memory. */
void **ws_roots_keep(void *value);

/* Releases the slot's value and the slot. NULL does nothing. */
void ws_roots_drop(void **slot);

/* Releases the blocks if no slot is lent. */
void ws_roots_free_all(void);
