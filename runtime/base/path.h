#pragma once
/* The path of an ordinary message, from its bytes to those of the answer.
 *
 * WS_STRAIGHT marks the few functions that make it up: the compiler puts what they call into them. WS_ASIDE marks what
 * they do not always call, and WS_RARE what they hardly ever call: both are kept out.
 */
#define WS_STRAIGHT __attribute__((flatten))
#define WS_ASIDE __attribute__((noinline))
#define WS_RARE __attribute__((noinline, cold))
