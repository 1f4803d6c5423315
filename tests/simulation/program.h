#pragma once
/* The program of the world: its main, its threads and its handlers. */

/* Certificate and key of the secure server, made before the worlds. */
extern const char *program_certificate, *program_key;
/* A ClientHello. */
extern unsigned char program_hello[4096];
extern int program_hello_size;

/* Handlers that will never return. */
extern int program_stuck_handlers;

/* The page of the servers in worlds of bursts: a repeated letter. */
enum { PROGRAM_PAGE_SIZE = 400000 };
#define PROGRAM_PAGE_LETTER "p"

/* Runs the program from main's first line to the end of the process. Does not return. */
void program_main(void);

enum { PROGRAM_PORT = 9001, PEER_PORT = 7000 };
#define PROGRAM_ADDRESS "10.0.0.1"
#define PEER_ADDRESS "10.0.0.2"
