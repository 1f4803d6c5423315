#pragma once
/* The processors that the runtime is for (PLAT-6). */
#if __SIZEOF_POINTER__ != 8
#error "osprey-websocket is not for 32-bit processors: a pointer has the size of an Osprey int, 8 bytes"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "osprey-websocket is not for big-endian processors: Osprey's values and the frame masks are little-endian"
#endif
