/*
 * Fault injection in a program that no test has a hand in: OSPREY_WS_FAULT=n arms the counter before main. At exit the
 * program says how many calls there were, so that a driver knows when n is past the last. Built with the option
 * fault_injection only.
 */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>

static void ws_fault_report(void) {
  fprintf(stderr, "ws_fault: %ld calls\n", ws_fault_count());
}

__attribute__((constructor)) static void ws_fault_arm_by_environment(void) {
  const char *nth = getenv("OSPREY_WS_FAULT");
  if (!nth)
    return;
  ws_fault_arm(strtol(nth, NULL, 10));
  atexit(ws_fault_report);
}
