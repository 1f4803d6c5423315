#pragma once
/* What a program says before a signal ends it, internal to libosprey_rt.
 *
 * A stack overflow and any other invalid memory access print one line, and the process then dies of the signal, as it
 * would have without the line. A handler that is in place already, such as a sanitizer's, is left alone. What that
 * needs, the registers and the bounds of a stack, POSIX does not give: with -Dplatform=posix there is no line.
 */

/* Installs the handlers, and prepares the main thread for them. */
#ifdef OSPREY_WS_POSIX
static inline void osprey_rt_crash_boot(void) {
}
#else
void osprey_rt_crash_boot(void);
#endif

/* Prepares the calling thread: gives it a stack for the handlers, unless it has one, and lets the signals through. */
void osprey_rt_crash_thread_begins(void);
