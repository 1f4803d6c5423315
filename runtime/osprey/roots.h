#pragma once
/* Where the host's garbage collector finds what the runtime holds.
 *
 * A tracing collector scans the main thread's stack and the program's data, not malloc's memory and not the stacks of the
 * loops. So whatever the runtime keeps, or has in hand while a handler runs, stands in a slot of a block that osp_alloc
 * made and that is reachable from static data. Under reference counting the slots change nothing: counts are kept by
 * whoever fills them.
 */

/* A slot that holds NULL; NULL: no memory. Any thread. */
void **ws_roots_acquire(void);

/* Gives a slot back, emptied. What it held is the caller's to release, before or after. NULL does nothing. Any thread. */
void ws_roots_release(void **slot);

/* Takes a slot for `value`, and a reference to it. NULL: no memory, nothing retained. */
void **ws_roots_keep(void *value);

/* Gives up the slot's reference and the slot. NULL does nothing. */
void ws_roots_drop(void **slot);

/* Releases the blocks once every slot was given back. */
void ws_roots_free_all(void);
