#pragma once
/* Runs of a conversation, in which one call of the runtime fails, or every allocation from one on (base/fault.h).
 *
 * Each run is a process of its own. It must end by itself, in time and, under a sanitizer, without a leak. Runs spend
 * most of their time waiting for deadlines, so many run at once.
 */

/* Reads FIRST and LAST, the faults to inject, from the command line, and silences the log. */
void fault_runs_between(int argc, char **argv);

/* Runs the conversation once without a fault and then with each, until its calls are used up. `prepare` is called in
 * each run, before the fault is armed. A conversation that finds something wrong ends its process with a status. */
void fault_runs(void (*prepare)(void), void (*conversation)(void));
