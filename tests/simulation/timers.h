#pragma once
/* Threads that start and cancel timers, in worlds of bursts. In a few, they start as many as a program may have. */

void timers_start(void);
