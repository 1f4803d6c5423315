#pragma once
/* What a program says before a signal ends it, internal to libosprey_rt.
 *
 * A stack overflow and any other invalid memory access print one line, and the process then dies of the signal, as it
 * would have without the line. A handler that is in place already, such as a sanitizer's, is left alone.
 */

/* Installs the handlers, and prepares the main thread for them. */
void osprey_rt_crash_boot(void);

/* Prepares the calling thread: gives it a stack for the handlers, unless it has one, and lets the signals through. */
void osprey_rt_crash_thread_begins(void);
